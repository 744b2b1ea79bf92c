"""Why a sidecar gives no facts, and the limit that keeps a hostile one small."""

from __future__ import annotations

from typing import ClassVar

from photoindex.media.problems import MediaProblem

SIDECAR_LIMIT_BYTES = 4 << 20
"""What is looked at; real ones have a few KiB, those with brush masks a few hundred."""
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class BrokenSidecar(MediaProblem):
    """A file that is clearly meant as a sidecar is damaged, hostile or too large."""

    error_class: ClassVar[str] = "sidecar"


def as_utf8(data: bytes) -> bytes:
    """Return text in UTF-8 without a byte order mark, whatever Unicode encoding its mark names; other bytes stay."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    return data
