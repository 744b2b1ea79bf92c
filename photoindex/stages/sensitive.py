"""The sensitive stage: tells how likely a preview shows nudity or sex."""

from __future__ import annotations

from photoindex.stages.base import Needs, Stage, Subject
from photoindex.types import Label

STAGE = Stage(
    name="sensitive",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="tag auto --only sensitive",
    open="photoindex.stages.labels:open_model",
    results=(Label,),
)
