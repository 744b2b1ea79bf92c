"""Archives of installed models, for computers without network access."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, BinaryIO, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from photoindex.atomic_files import atomic_file
from photoindex.errors import ModelUnavailable, StorageFull, UsageError
from photoindex.models.lock import LockedModel
from photoindex.models.names import ModelId
from photoindex.models.weights import InstalledModel
from photoindex.paths import display

SCHEMA: Final = 1
MANIFEST_NAME = "photoindex-model.json"
_MANIFEST_BYTES_MAX = 1_000_000
_FILES_MAX = 1000
_HEADERS_BYTES_MAX = 20_000
"""Maximum size of tar's own blocks around one file, and its buffer."""
_CHUNK_BYTES = 4 << 20
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SUFFIXES = (".zst", ".tzst")
# Weights hardly compress; the fastest level is enough for the text files.
_ZSTD_LEVEL = 1

BytesDone = Callable[[int], None]


class BundleManifest(BaseModel):
    """The first file of an archive: the model's id and its entry of the lock file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    id: ModelId
    model: LockedModel


def write_bundle(installed: InstalledModel, output: Path, advance: BytesDone) -> None:
    """Write an installed model to an archive, tar or (`.zst`) zstd-compressed tar; files are hashed on the way.

    Raises ModelUnavailable if a file is not as installed, UsageError if the archive exists or has another extension,
    OSError.
    """
    if output.suffix not in (".tar", *_ZSTD_SUFFIXES):
        plain = _shown(output.with_suffix(".tar"))
        raise UsageError(
            f"{_shown(output)} does not have the extension of a tar archive; name it {plain}, or {plain}.zst"
        )
    if os.path.lexists(output):
        raise UsageError(f"{_shown(output)} exists already; name another file, or remove it")
    with (
        atomic_file(output, asked_for=True) as file,
        _compressed(file, output) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        _write_files(installed, archive, advance)


@contextmanager
def _compressed(file: BinaryIO, output: Path) -> Iterator[BinaryIO]:
    if output.suffix not in _ZSTD_SUFFIXES:
        yield file
        return
    from zstandard import ZstdCompressor

    with ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True).stream_writer(file, closefd=False) as stream:
        yield cast("BinaryIO", stream)


def _write_files(installed: InstalledModel, archive: tarfile.TarFile, advance: BytesDone) -> None:
    manifest = BundleManifest(id=installed.id, model=installed.locked)
    text = json.dumps(manifest.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True).encode()
    archive.addfile(_member(MANIFEST_NAME, len(text)), io.BytesIO(text))
    done = 0
    for name, expected in installed.files.items():
        path = installed.folder / name
        changed = f"{_shown(path)} has changed since it was installed; run: photoindex models verify {installed.id}"
        if not path.is_file() or path.is_symlink() or path.stat().st_size != expected.size_bytes:
            raise ModelUnavailable(changed)
        with path.open("rb") as file:
            hashed = _Hashed(file, lambda count, done=done: advance(done + count))  # type: ignore[misc]
            archive.addfile(_member(name, expected.size_bytes), cast("IO[bytes]", hashed))
        if hashed.hexdigest() != expected.sha256:
            raise ModelUnavailable(changed)
        done += expected.size_bytes


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size_bytes
    member.mode = 0o644
    return member


class _Hashed:
    """A readable file that hashes and counts what is read."""

    def __init__(self, file: IO[bytes], advance: BytesDone) -> None:
        self._file = file
        self._advance = advance
        self._digest = hashlib.sha256()
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        self._count += len(data)
        self._advance(self._count)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def is_bundle(path: Path) -> bool:
    """Tell whether a file has the name or the first bytes of an archive of `write_bundle`."""
    with path.open("rb") as file:
        head = file.read(512)
    return path.suffix in (".tar", *_ZSTD_SUFFIXES) or head.startswith((_ZSTD_MAGIC, MANIFEST_NAME.encode() + b"\0"))


@contextmanager
def opened_bundle(path: Path) -> Iterator[tuple[BundleManifest, tarfile.TarFile]]:
    """Yield the manifest of an archive and the archive, positioned for `extract`.

    Raises UsageError if it is not a model archive, or is damaged or truncated; also from within the block.
    """
    from zstandard import ZstdDecompressor, ZstdError

    try:
        with path.open("rb") as file:
            zstd = file.read(4) == _ZSTD_MAGIC
            file.seek(0)
            stream = _Limited(path, ZstdDecompressor().stream_reader(file) if zstd else file)
            with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
                manifest = _manifest(path, archive)
                files = manifest.model.files.values()
                stream.left_bytes += sum(one.size_bytes for one in files) + _HEADERS_BYTES_MAX * len(files)
                yield manifest, archive
    except (tarfile.TarError, ZstdError, EOFError, UnicodeError) as error:
        raise UsageError(
            f"the archive {_shown(path)} is damaged or truncated: {error}; nothing was installed"
        ) from error


class _Limited:
    """A stream with a maximum size, because tar would read a header of any size into memory."""

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        self._path = path
        self._stream = stream
        self.left_bytes = _MANIFEST_BYTES_MAX + _HEADERS_BYTES_MAX

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self.left_bytes -= len(data)
        if self.left_bytes < 0:
            raise UsageError(f"{_shown(self._path)} is not a model archive, or is damaged; nothing was installed")
        return data


def _manifest(path: Path, archive: tarfile.TarFile) -> BundleManifest:
    no_model = f"{_shown(path)} is not a model archive; `photoindex models bundle MODEL OUT` makes one"
    member = archive.next()
    if member is None or member.name != MANIFEST_NAME or not member.isreg() or member.size > _MANIFEST_BYTES_MAX:
        raise UsageError(no_model)
    file = archive.extractfile(member)
    try:
        manifest = BundleManifest.model_validate_json(b"" if file is None else file.read())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{no_model}: its {MANIFEST_NAME} is invalid: {where}: {first['msg']}") from None
    if len(manifest.model.files) > _FILES_MAX:
        raise UsageError(f"{no_model}: its manifest lists {len(manifest.model.files):,} files")
    return manifest


def extract(
    path: Path, manifest: BundleManifest, archive: tarfile.TarFile, destination: Path, advance: BytesDone
) -> None:
    """Extract the files listed in the manifest to an empty folder, verifying size and SHA-256.

    Everything else in the archive (other names, kinds, modes, owners, links) is ignored or rejected. Raises UsageError,
    StorageFull, OSError.
    """
    expected = dict(manifest.model.files)
    needed, free = sum(one.size_bytes for one in expected.values()), shutil.disk_usage(destination).free
    if needed > free:
        raise StorageFull(
            f"the model needs {needed / 1e9:,.1f} GB; {free / 1e9:,.1f} GB are free in {destination.parent}"
        )
    done = 0
    while (member := archive.next()) is not None:
        wanted = expected.pop(member.name, None)
        file = archive.extractfile(member) if wanted is not None and member.isreg() and not member.issparse() else None
        if wanted is None or file is None or member.size != wanted.size_bytes:
            raise UsageError(f"{_damaged(path, member.name)}: unexpected file")
        target = destination / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        hashed = _Hashed(file, lambda count, done=done: advance(done + count))  # type: ignore[misc]
        with target.open("xb") as writer:
            shutil.copyfileobj(hashed, writer, _CHUNK_BYTES)
        if hashed.hexdigest() != wanted.sha256:
            raise UsageError(f"{_damaged(path, member.name)}: its SHA-256 does not match the manifest")
        done += wanted.size_bytes
    if expected:
        raise UsageError(f"{_damaged(path, next(iter(expected)))}: it is missing")


def _damaged(path: Path, name: str) -> str:
    return f"the archive {_shown(path)} is damaged, nothing was installed; {display(name[:100].encode('utf-8', 'replace'))}"


def _shown(path: Path) -> str:
    return display(os.fsencode(path))
