"""One file a stage: pure functions of bytes, pixels or vectors, and the tuple that registers them."""

from photoindex.stages import embed, ingest
from photoindex.stages.base import Needs, Stage

STAGES: tuple[Stage, ...] = (ingest.STAGE, embed.STAGE)
"""Every stage, in the order in which their results build on each other."""


def stages_of_previews() -> tuple[str, ...]:
    """Return the names of the stages whose results are out of date once a content has a new preview."""
    return tuple(stage.name for stage in STAGES if stage.needs is Needs.PREVIEW)
