"""Why one file gives no pixels: the errors that become a row of the task table, each with a class to group by."""

from __future__ import annotations

from typing import ClassVar


class MediaProblem(Exception):
    """Base of everything that can be wrong with one file; `error_class` is stable and part of the database."""

    error_class: ClassVar[str] = "media_problem"


class NotRecognised(MediaProblem):
    """The first bytes are those of no photo or video format."""

    error_class: ClassVar[str] = "not_media"


class Undecodable(MediaProblem):
    """The format is known, the content is damaged, truncated or of a kind that no decoder here can read."""

    error_class: ClassVar[str] = "undecodable"


class TooLarge(MediaProblem):
    """The header announces more pixels than the user allows; nothing was decoded."""

    error_class: ClassVar[str] = "too_large"

    @classmethod
    def from_size(cls, width: int, height: int, max_megapixels: float) -> TooLarge:
        """Return the error for a picture of `width` x `height` pixels under a limit in megapixels (1e6 pixels)."""
        megapixels = width * height / 1e6
        return cls(
            f"{width} x {height} pixels are {megapixels:.0f} megapixels, more than the limit of {max_megapixels:g}; "
            f"raise it with --max-megapixels if the picture is genuine"
        )


class OutOfMemory(MediaProblem):
    """Decoding needs more memory than a worker may have."""

    error_class: ClassVar[str] = "out_of_memory"

    def __init__(
        self, message: str = "decoding needs more memory than a worker may use; raise it with --worker-memory-mb"
    ):
        super().__init__(message)


class ChangedWhileReading(MediaProblem):
    """The file grew, shrank or was written to while it was read; the next scan takes it."""

    error_class: ClassVar[str] = "changed_while_reading"


class Empty(MediaProblem):
    """The file has no bytes."""

    error_class: ClassVar[str] = "empty"
