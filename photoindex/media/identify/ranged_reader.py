"""Random access to a file whose first bytes are already in memory."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, Self


class RangedReader:
    """Reads byte ranges from the head where possible and opens the file only for ranges past it."""

    def __init__(self, head: bytes, open_file: Callable[[], BinaryIO] | None = None) -> None:
        self.head = head
        self._open_file = open_file
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    @property
    def can_read_past_head(self) -> bool:
        """Whether bytes past the head can be read too."""
        return self._open_file is not None

    def read(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes from `offset`, fewer at the end of the data. Raises OSError."""
        if offset < 0 or count <= 0 or offset >= 1 << 62:
            return b""
        if offset + count <= len(self.head) or self._open_file is None:
            return self.head[offset : offset + count]
        if self._stream is None:
            self._stream = self._open_file()
        self._stream.seek(offset)
        return self._stream.read(count)
