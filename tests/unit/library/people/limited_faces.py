"""A face pack that keeps one face of a picture, to be opened in the model process."""

from __future__ import annotations

from photoindex.models.faces import detector
from photoindex.stages.faces import FaceStage, Opening, open_installed

OPENER = f"{__name__}:open_with_one_face"


def open_with_one_face(opening: Opening) -> FaceStage:
    """Open the installed pack; in this process, at most one face of a picture is kept."""
    detector.FACES_MAX = 1
    return open_installed(opening)
