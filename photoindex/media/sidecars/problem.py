"""Why a sidecar gives no facts, and the limit that keeps a hostile one small."""

from __future__ import annotations

from typing import ClassVar

from photoindex.media.problems import MediaProblem

SIDECAR_LIMIT_BYTES = 4 << 20
"""What is looked at; real ones have a few KiB, those with brush masks a few hundred."""


class BrokenSidecar(MediaProblem):
    """A file that is clearly meant as a sidecar is damaged, hostile or too large."""

    error_class: ClassVar[str] = "sidecar"
