"""Writes and reads the parts of a snapshot: compressed files with digests, each processed in one pass."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field

from photoindex.errors import SnapshotDamaged
from photoindex.paths import display

CHUNK_BYTES = 1 << 20
SUFFIX = ".zst"
_COMPRESSION_LEVEL = 3

BytesDone = Callable[[int], None]
"""Called with the number of uncompressed bytes of one part that were read so far."""


class SnapshotPart(BaseModel):
    """One file of a snapshot; the digests are BLAKE3 in hexadecimal, of the content and of the compressed file."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    name: str
    bytes: int = Field(ge=0)
    blake3: str = Field(pattern="^[0-9a-f]{64}$")
    compressed_bytes: int = Field(ge=0)
    compressed_blake3: str = Field(pattern="^[0-9a-f]{64}$")

    @property
    def file_name(self) -> str:
        """The name of its file in the snapshot's folder."""
        return self.name + SUFFIX


class _Digested:
    """A file object for writing that hashes and counts the bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        from blake3 import blake3

        self._stream = stream
        self._digest = blake3()
        self.bytes = 0

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.bytes += len(data)
        self._stream.write(data)
        return len(data)

    def hexdigest(self) -> str:
        return str(self._digest.hexdigest())


def write_part(folder: Path, name: str, content: Iterable[bytes], advance: BytesDone) -> SnapshotPart:
    """Write `content` to `folder`, compressed with zstd and synced to disk; return its manifest entry."""
    import zstandard
    from blake3 import blake3

    digest = blake3()
    size = 0
    with open(folder / (name + SUFFIX), "xb") as file:
        stored = _Digested(file)
        compressor = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL, write_checksum=True).compressobj()
        for chunk in content:
            digest.update(chunk)
            size += len(chunk)
            stored.write(compressor.compress(chunk))
            advance(size)
        stored.write(compressor.flush())
        file.flush()
        os.fsync(file.fileno())
    return SnapshotPart(
        name=name,
        bytes=size,
        blake3=digest.hexdigest(),
        compressed_bytes=stored.bytes,
        compressed_blake3=stored.hexdigest(),
    )


def forget_cached(path: Path) -> None:
    """Ask the kernel to drop a synced file from its cache, so that the next read comes from the disk."""
    if not hasattr(os, "posix_fadvise"):
        return
    with open(path, "rb") as file, suppress(OSError):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def check_part(folder: Path, part: SnapshotPart, target: Path | None, advance: BytesDone) -> None:
    """Read a part from `folder`, check sizes and digests, and write its content to the new file `target` unless it is None.

    Decompresses no more bytes than the manifest states. Raises SnapshotDamaged with the name of the part; `target` is
    then not usable.
    """
    path = folder / part.file_name
    try:
        stored = os.stat(path)
    except FileNotFoundError:
        raise SnapshotDamaged(_sentence(folder, part, "it is missing")) from None
    if stored.st_size != part.compressed_bytes:
        raise SnapshotDamaged(_sentence(folder, part, f"it has {stored.st_size} bytes, not {part.compressed_bytes}"))
    with open(path, "rb") as file, open(os.devnull if target is None else target, "wb") as out:
        _read(folder, part, file, out, advance)
        if target is not None:
            out.flush()
            os.fsync(out.fileno())


def _read(folder: Path, part: SnapshotPart, file: BinaryIO, out: BinaryIO, advance: BytesDone) -> None:
    import zstandard
    from blake3 import blake3

    digest, stored_digest = blake3(), blake3()
    size = 0
    try:
        for chunk in _decompressed(file, stored_digest.update):
            size += len(chunk)
            if size > part.bytes:
                break
            digest.update(chunk)
            out.write(chunk)
            advance(size)
    except zstandard.ZstdError as error:
        raise SnapshotDamaged(_sentence(folder, part, f"it cannot be decompressed ({error})")) from error
    if size != part.bytes:
        raise SnapshotDamaged(_sentence(folder, part, f"its content is not {part.bytes} bytes long"))
    if stored_digest.hexdigest() != part.compressed_blake3 or digest.hexdigest() != part.blake3:
        raise SnapshotDamaged(_sentence(folder, part, "its digest differs"))


def _decompressed(file: BinaryIO, stored: Callable[[bytes], object]) -> Iterator[bytes]:
    """Yield the content of a zstd file in chunks, passing every stored byte to `stored` too."""
    import zstandard

    class _Source:
        def read(self, size: int = -1) -> bytes:
            data = file.read(size)
            stored(data)
            return data

    with zstandard.ZstdDecompressor().stream_reader(_Source(), read_size=CHUNK_BYTES) as reader:  # type: ignore[arg-type]
        while chunk := reader.read(CHUNK_BYTES):
            yield chunk
    # Bytes after the end of the compressed frame are part of the stored file too.
    while rest := file.read(CHUNK_BYTES):
        stored(rest)


def _sentence(folder: Path, part: SnapshotPart, what: str) -> str:
    return f"the snapshot {display(os.fsencode(folder))} is damaged: {part.file_name}: {what}"


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield a file's content in chunks."""
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
