"""Reading a few bytes here and there of a content whose first bytes are already known."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, Self


class Reach:
    """Random access to a content: the head answers where it can, the file is opened only for what lies behind it."""

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
    def sees_all(self) -> bool:
        """Whether bytes behind the head can be read too."""
        return self._open_file is not None

    def read(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes from `offset`, fewer at the end of what can be reached. Raises OSError."""
        if offset < 0 or count <= 0 or offset >= 1 << 62:
            return b""
        if offset + count <= len(self.head) or self._open_file is None:
            return self.head[offset : offset + count]
        if self._stream is None:
            self._stream = self._open_file()
        self._stream.seek(offset)
        return self._stream.read(count)
