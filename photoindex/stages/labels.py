"""The labels stage: gives a preview the labels of a user's own classifier."""

from __future__ import annotations

from photoindex.stages.base import Needs, Stage, Subject
from photoindex.types import Label

STAGE = Stage(
    name="labels",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="tag auto --only labels",
    open="photoindex.stages.picture_labels:open_model",
    results=(Label,),
)
