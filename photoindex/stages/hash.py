"""The hash stage: gives a preview the perceptual hashes by which copies of it are found."""

from __future__ import annotations

from collections.abc import Sequence

from photoindex.stages.base import Needs, OpenStage, Outcome, Stage, Subject, UnreadablePreview
from photoindex.types import PictureHash

STAGE = Stage(
    name="hash",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="duplicates",
    open="photoindex.stages.hash:open_hashing",
    results=(PictureHash,),
)


def variant() -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key."""
    from photoindex.domain.same_picture.hashes import VERSION

    return {"code": STAGE.code_version, "hash": VERSION}


def hash_of(preview_jpeg: bytes) -> PictureHash:
    """Return the hashes of a preview. Raises UnreadablePreview."""
    import numpy as np
    import simplejpeg

    from photoindex.domain.same_picture.hashes import SIDE_PX, hashes_of

    try:
        grey = simplejpeg.decode_jpeg(preview_jpeg, "GRAY", min_height=SIDE_PX, min_width=SIDE_PX)[..., 0]
    except ValueError as error:
        raise UnreadablePreview(str(error)) from error
    found = hashes_of(np.ascontiguousarray(grey))
    return PictureHash(found.full, found.windows.astype("<u8").tobytes(), found.content.packed())


def open_hashing(_opening: object) -> HashStage:
    """Open the stage; there is no model."""
    return HashStage()


class HashStage(OpenStage):
    """Hashes previews while they are prepared, in several threads."""

    def prepare(self, data: bytes) -> PictureHash:
        """Return the hashes of a preview. Raises UnreadablePreview."""
        return hash_of(data)

    def run(self, batch: Sequence[PictureHash]) -> Sequence[Outcome]:
        """Return the hashes as they are."""
        return [(one,) for one in batch]

    def prove(self) -> None:
        """Do nothing: there is no device to fail."""
