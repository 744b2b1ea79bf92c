"""The error, the size limit and the text decoding that all sidecar readers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from photoindex.media.metadata.encodings import decode_markup
from photoindex.media.problems import MediaProblem

SIDECAR_LIMIT_BYTES = 4 << 20
"""Largest sidecar that is read; real ones have a few KiB, or a few hundred with brush masks."""


class BrokenSidecar(MediaProblem):
    """A file that is clearly a sidecar, but is damaged, hostile or too large."""

    error_class: ClassVar[str] = "sidecar"


def as_utf8(data: bytes, note: Callable[[str], object] = lambda _: None) -> bytes:
    """Convert XML or JSON in any encoding to UTF-8 without a byte order mark; `note` says if the encoding was guessed."""
    return decode_markup(data, note).encode("utf-8", "replace")
