"""Reading a face pack from a ZIP archive, as insightface's packs are published."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath

from photoindex.errors import UsageError
from photoindex.models.faces.description import FACE_PACK
from photoindex.models.names import plain_name
from photoindex.models.sources.licence import is_licence, licence_text
from photoindex.models.sources.local import BytesDone, LocalModel, require_room
from photoindex.paths import display

ZIP_SUFFIX = ".zip"
_FILES_MAX = 100
_BYTES_MAX = 8_000_000_000
_SMALL_BYTES_MAX = 1_000_000
"""Larger than any description or licence."""
_CHUNK_BYTES = 4 << 20


def model_in_zip(path: Path) -> LocalModel:
    """Return the face pack in an archive: its networks, description and licence, without the folder around them.

    Everything else in the archive is left out. Raises UsageError if it is not such an archive, or is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive)
            licence = next((one for name, one in sorted(members.items()) if is_licence(name)), None)
            text = None if licence is None else licence_text(archive.read(licence))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _damaged(path, error) from error

    def copy_to(destination: Path, advance: BytesDone) -> None:
        _extract(path, members, destination, advance)

    total = sum(one.file_size for one in members.values())
    return LocalModel(needs_export=False, total_bytes=total, copy_to=copy_to, licence=text)


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members that are needed, by their name in the pack."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename
        small = PurePosixPath(name).name == FACE_PACK or is_licence(name)
        if member.is_dir() or not (small or name.endswith(".onnx")) or name.startswith("__MACOSX/"):
            continue
        try:
            plain = plain_name(name)
        except ValueError as error:
            raise UsageError(f"{_shown(path)} is not a face pack: {error}; nothing was installed") from None
        if small and member.file_size > _SMALL_BYTES_MAX:
            raise UsageError(
                f"{_shown(path)}: {display(name.encode())} has {member.file_size:,} bytes; nothing was installed"
            )
        found[plain] = member
    if not any(name.endswith(".onnx") for name in found):
        raise UsageError(f"{_shown(path)} is not a face pack: it has no .onnx file")
    if len(found) > _FILES_MAX or sum(one.file_size for one in found.values()) > _BYTES_MAX:
        raise UsageError(f"{_shown(path)} is not a face pack: it has too many or too large files")
    top = {PurePosixPath(name).parts[0] for name in found}
    if len(top) == 1 and all("/" in name for name in found):
        return {name.partition("/")[2]: one for name, one in found.items()}
    return found


def _extract(path: Path, members: dict[str, zipfile.ZipInfo], destination: Path, advance: BytesDone) -> None:
    require_room(sum(one.file_size for one in members.values()), destination)
    done = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for name, member in members.items():
                target = destination / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as reader, target.open("xb") as writer:
                    while chunk := reader.read(_CHUNK_BYTES):
                        writer.write(chunk)
                        done += len(chunk)
                        advance(done)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> UsageError:
    return UsageError(
        f"the archive {_shown(path)} cannot be read: {display(str(error).encode())}; nothing was installed"
    )


def _shown(path: Path) -> str:
    return display(os.fsencode(path))
