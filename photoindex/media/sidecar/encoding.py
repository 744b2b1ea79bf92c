"""Text of unknown Unicode encoding as UTF-8."""

from __future__ import annotations

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def as_utf8(data: bytes) -> bytes:
    """Return text in UTF-8 without a byte order mark, whatever Unicode encoding its mark names; other bytes stay."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    return data
