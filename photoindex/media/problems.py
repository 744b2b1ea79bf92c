"""Errors of one media file; each becomes a row of the task table, grouped by its error class."""

from __future__ import annotations

from typing import ClassVar


class MediaProblem(Exception):
    """Base class of all problems with one file; `error_class` is stored in the database and must not change."""

    error_class: ClassVar[str] = "media_problem"


class NotRecognised(MediaProblem):
    """The file is not in any known photo or video format."""

    error_class: ClassVar[str] = "not_media"


class Undecodable(MediaProblem):
    """The format is known, but the content is damaged, truncated or of a variant that no decoder supports."""

    error_class: ClassVar[str] = "undecodable"


class TooLarge(MediaProblem):
    """The header declares more pixels than the configured limit; nothing was decoded."""

    error_class: ClassVar[str] = "too_large"

    @classmethod
    def from_size(cls, width: int, height: int, max_megapixels: float) -> TooLarge:
        """Return the error for a picture of `width` x `height` pixels under a limit in megapixels (1e6 pixels)."""
        megapixels = width * height / 1e6
        return cls(
            f"{width} x {height} pixels are {megapixels:.0f} megapixels, over the limit of {max_megapixels:g}; "
            f"raise it with --max-megapixels if the picture is genuine"
        )


class OutOfMemory(MediaProblem):
    """Decoding needs more memory than a worker is allowed to use."""

    error_class: ClassVar[str] = "out_of_memory"

    @classmethod
    def under(cls, limit_mb: int) -> OutOfMemory:
        """Return the error for content whose need is not known."""
        return cls(
            f"decoding needs more memory than the {limit_mb} MiB that a worker may use; raise it with --worker-memory-mb"
        )

    @classmethod
    def from_size(cls, width: int, height: int, needed_mb: int, limit_mb: int) -> OutOfMemory:
        """Return the error for a picture of `width` x `height` pixels whose decoder needs `needed_mb` MiB in all."""
        need = f"{width} x {height} pixels ({width * height / 1e6:.0f} megapixels) need about {needed_mb} MiB to decode"
        if needed_mb <= limit_mb:
            return cls(f"{need}, which this computer does not give a process; see its free memory, and ulimit -d")
        return cls(
            f"{need}, over the limit of {limit_mb} MiB for a worker; raise it with --worker-memory-mb {needed_mb}"
        )


class ChangedWhileReading(MediaProblem):
    """The file was modified while it was being read; the next scan picks it up."""

    error_class: ClassVar[str] = "changed_while_reading"


class Empty(MediaProblem):
    """The file has a size of zero."""

    error_class: ClassVar[str] = "empty"
