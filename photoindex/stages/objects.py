"""The objects stage: finds objects with their boxes in a preview."""

from __future__ import annotations

from photoindex.stages.base import Needs, Stage, Subject
from photoindex.types import Label

STAGE = Stage(
    name="objects",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="tag auto --only objects",
    open="photoindex.stages.labels:open_model",
    results=(Label,),
)
