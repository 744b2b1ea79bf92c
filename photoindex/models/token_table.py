"""The table of token vectors of a model with very many tokens: mapped into memory, and checked block by block."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.description import TABLE, TABLE_SUMS, TokenTable

BLOCK_TOKENS = 64
"""About 100 KB: a query has few tokens, far apart in the table."""
_STORED = np.dtype("<f2")
_SUM_BYTES = 32


def write_table(values: NDArray[np.float16], folder: Path) -> TokenTable:
    """Write a table, [tokens, width], with its sums into a model's folder, and return its description."""
    stored = np.ascontiguousarray(values, _STORED)
    description = TokenTable(tokens=len(stored), width=stored.shape[1], block_tokens=BLOCK_TOKENS)
    stored.tofile(folder / TABLE)
    blocks = (stored[start : start + BLOCK_TOKENS] for start in range(0, len(stored), BLOCK_TOKENS))
    (folder / TABLE_SUMS).write_bytes(b"".join(hashlib.sha256(block.tobytes()).digest() for block in blocks))
    return description


class MappedTable:
    """Looks up rows of a table; only the blocks that hold them are read, once, and compared with their sums."""

    def __init__(self, folder: Path, description: TokenTable) -> None:
        """Raises ModelUnavailable if a file is missing or of another size."""
        self._path = folder / TABLE
        self._block_tokens = description.block_tokens
        blocks = -(-description.tokens // description.block_tokens)
        try:
            self._sums = (folder / TABLE_SUMS).read_bytes()
            expected = description.tokens * description.width * _STORED.itemsize
            if len(self._sums) != blocks * _SUM_BYTES or self._path.stat().st_size != expected:
                raise ModelUnavailable(
                    f"{self._path} does not have {description.tokens:,} rows; install the model again"
                )
            self._values = np.memmap(self._path, _STORED, "r", shape=(description.tokens, description.width))
        except OSError as error:
            raise ModelUnavailable(f"{self._path} cannot be read: {error.strerror}; install the model again") from error
        self._checked: set[int] = set()

    def rows(self, tokens: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return float16 [..., width] of tokens [...]. Raises ModelUnavailable if a block has changed since installation."""
        for block in sorted(set((tokens // self._block_tokens).ravel().tolist()) - self._checked):
            start = block * self._block_tokens
            found = hashlib.sha256(self._values[start : start + self._block_tokens].tobytes()).digest()
            if found != self._sums[block * _SUM_BYTES : (block + 1) * _SUM_BYTES]:
                raise ModelUnavailable(f"{self._path} has changed since it was installed; install the model again")
            self._checked.add(block)
        return np.asarray(self._values[tokens], np.float16)
