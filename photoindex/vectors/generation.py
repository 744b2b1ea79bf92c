"""Opening and verifying one generation of an index on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.vectors.base import IndexDamaged
from photoindex.vectors.faiss_codes import Codes, Rows
from photoindex.vectors.flat_file import STORED, FlatFile
from photoindex.vectors.manifest import (
    CODES_NAME,
    IDS_NAME,
    SAMPLE_NAME,
    VECTORS_NAME,
    GenerationManifest,
    read_current,
    read_manifest,
)

CODED_FROM_ROWS = 50_000
"""Smaller indexes are searched exactly and need no codes."""
_TRIES = 5


class Generation:
    """Vectors at positions from 0 with their `ids`, int64 [rows] ascending. Use `open_generation`."""

    def __init__(self, folder: Path, manifest: GenerationManifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.dim = manifest.dim
        self.flat = FlatFile(folder / VECTORS_NAME, manifest.rows, manifest.dim)
        self.ids: NDArray[np.int64] = _checked_array(folder, IDS_NAME, manifest, np.dtype("<i8"))
        if len(self.ids) != manifest.rows or (manifest.rows and int(self.ids[-1]) != manifest.largest_id):
            raise IndexDamaged(f"{IDS_NAME} does not match its manifest")
        self.sample: NDArray[np.float16] = _checked_array(folder, SAMPLE_NAME, manifest, STORED).reshape(
            -1, manifest.dim
        )
        self.codes: Codes | None = None
        self._rows: Rows | None = None
        if manifest.coded_from:
            _check(folder, CODES_NAME, manifest)
            self.codes = Codes.read(folder / CODES_NAME)
            if len(self.codes) != manifest.rows or self.codes.dim != manifest.dim:
                raise IndexDamaged(f"{CODES_NAME} does not match its manifest")
        elif not self.lacks_codes:
            # So few that every search reads all of them anyway.
            self.verify_vectors()

    def __len__(self) -> int:
        """Return the number of vectors."""
        return self.manifest.rows

    @property
    def lacks_codes(self) -> bool:
        """Whether the vectors were only copied so far: searches compare each of them, until a merge adds the codes."""
        return self.codes is None and self.manifest.rows >= CODED_FROM_ROWS

    def all_rows(self) -> Rows:
        """Return all vectors in memory; only for a generation of so few that it has no codes."""
        if self._rows is None:
            self._rows = Rows(self.dim).filled(self.flat.block(0, len(self)))
        return self._rows

    def verify_vectors(self, advance: Callable[[int], None] = lambda _rows: None) -> None:
        """Verify the checksums of all vectors; `advance` is called with the number of rows done.

        Raises IndexDamaged.
        """
        import blake3

        position = 0
        for number, piece in enumerate(self.manifest.pieces):
            digest = blake3.blake3()
            end = position + piece.rows
            while position < end:
                stop = min(position + 8_192, end)
                digest.update(self.flat.block(position, stop).tobytes())
                position = stop
                advance(position)
            if digest.hexdigest() != piece.blake3:
                raise IndexDamaged(f"{VECTORS_NAME} has a wrong checksum (part {number + 1})")


def open_generation(folder: Path, dim: int) -> Generation | None:
    """Open the current generation of an index, None if nothing was written yet.

    dim: the expected dimension. Codes, ids and sample are verified by checksum, the vectors by size (and by checksum if
    they are few). Raises IndexDamaged.
    """
    for _ in range(_TRIES):
        current = read_current(folder)
        if current is None:
            return None
        try:
            manifest = read_manifest(folder, current)
            if manifest.dim != dim:
                raise IndexDamaged(f"it was made for vectors of dimension {manifest.dim}, not {dim}")
            return Generation(folder / current.name, manifest)
        except FileNotFoundError as error:
            # A merge may have replaced the generation since CURRENT was read.
            if read_current(folder) == current:
                raise IndexDamaged(f"{Path(str(error.filename)).name} is missing") from error
        except OSError as error:
            name = Path(str(error.filename or current.name)).name
            raise IndexDamaged(f"{name} cannot be read ({error.strerror})") from error
    raise IndexDamaged("its generations are being replaced faster than they can be opened")


def _check(folder: Path, name: str, manifest: GenerationManifest) -> None:
    """Verify a file's checksum without keeping it in memory. Raises IndexDamaged."""
    import blake3

    digest = blake3.blake3()
    buffer = bytearray(1 << 20)
    with (folder / name).open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(memoryview(buffer)[:count])
    if digest.hexdigest() != manifest.digests.get(name):
        raise IndexDamaged(f"{name} has a wrong checksum")


def _checked_array(folder: Path, name: str, manifest: GenerationManifest, kind: Any) -> NDArray[Any]:
    """Return a small file's content after verifying its checksum."""
    import blake3

    content = np.fromfile(folder / name, np.uint8)
    digest = blake3.blake3(max_threads=blake3.blake3.AUTO)
    digest.update(content.data)
    if digest.hexdigest() != manifest.digests.get(name):
        raise IndexDamaged(f"{name} has a wrong checksum")
    return content.view(kind)
