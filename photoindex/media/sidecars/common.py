"""The error, the size limit and the text decoding that all sidecar readers share."""

from __future__ import annotations

from typing import ClassVar

from photoindex.media.problems import MediaProblem

SIDECAR_LIMIT_BYTES = 4 << 20
"""Largest sidecar that is read; real ones have a few KiB, or a few hundred with brush masks."""
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class BrokenSidecar(MediaProblem):
    """A file that is clearly a sidecar, but is damaged, hostile or too large."""

    error_class: ClassVar[str] = "sidecar"


def as_utf8(data: bytes) -> bytes:
    """Convert text with a byte order mark to UTF-8 without one; bytes without a mark are returned unchanged."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    return data
