"""The stages, one file per stage: pure functions of bytes, pixels or vectors, registered in one tuple."""

from photoindex.stages import caption, embed, faces, ingest, labels, objects, ocr, sensitive, tags
from photoindex.stages import hash as hash_stage
from photoindex.stages.base import Needs, Stage

STAGES: tuple[Stage, ...] = (
    ingest.STAGE, hash_stage.STAGE, embed.STAGE, faces.STAGE, tags.STAGE, objects.STAGE, labels.STAGE, sensitive.STAGE, ocr.STAGE,
    caption.STAGE,
)  # fmt: skip
"""All stages, in the order of their dependencies."""


def command_of(stage: str) -> str:
    """Return what follows `photoindex` in the command that runs a stage."""
    return next((one.command for one in STAGES if one.name == stage), stage)


def stages_of_previews() -> tuple[str, ...]:
    """Return the names of the stages whose results become stale when a content gets a new preview.

    Ingest itself makes the hash of each new preview.
    """
    previews = {stage.name for stage in STAGES if stage.needs is Needs.PREVIEW and stage is not hash_stage.STAGE}
    return tuple(stage.name for stage in STAGES if stage.name in previews or stage.after in previews)
