"""Writes a plan of what to do with duplicates, as a text file to review and edit; see `apply`."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from photoindex import __version__
from photoindex.errors import UsageError
from photoindex.library.duplicates.files import AWAY, PRESENT, FileStatus, file_status, state_text
from photoindex.library.duplicates.verdicts import KEEP, REMOVE, REVIEW, CopiedFile, DuplicateGroup
from photoindex.library.export.output_files import check_target, write_whole
from photoindex.library.handle import Library
from photoindex.paths import display

COLUMNS = ("action", "group", "size", "state", "digest", "photo", "reason", "path")
_SAFE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}
_HEAD = """\
# Plan of photoindex duplicates, made {now} by version {version} from the library {library}.
# {counts}
# Nothing was changed. Read this plan and edit it; applied, it moves what it says to remove into a trash folder.
# Lines to review are left alone until you make them remove.
# One file per line, columns separated by tabs: {columns}.
# action: keep; remove (the same bytes or the same picture is kept); review (look first, see the reason).
# state when this was written: present; changed or gone since the last scan; away (not reachable, its volume is not
# mounted). size: bytes. digest: BLAKE3.
# path: \\\\ is a backslash, \\xNN the unprintable byte NN; everything else is literal.
"""


def plan_lines(library: Library, groups: Sequence[DuplicateGroup], *, made_at: datetime | None = None) -> Iterator[str]:
    """Yield the lines of a plan, each with its line feed; checks the current state of every reachable file (stat).

    A file is marked for removal only if it and a kept file with the same picture both exist unchanged, as two files.
    """
    decided = [list(_with_current_state(group)) for group in groups]
    actions = Counter(one.action for files in decided for one in files)
    counts = (
        f"{_count(len(groups), 'group')}: {_count(actions[KEEP], 'file')} to keep, {actions[REMOVE]:,} to remove, "
        f"{actions[REVIEW]:,} to review."
    )
    now = (made_at or datetime.now().astimezone()).isoformat(" ", "seconds")
    yield _HEAD.format(
        now=now,
        version=__version__,
        library=display(os.fsencode(library.folder)),
        counts=counts,
        columns=", ".join(COLUMNS),
    )
    yield "\t".join(COLUMNS) + "\n"
    for number, (group, files) in enumerate(zip(groups, decided, strict=True), 1):
        for place, one in enumerate(files):
            reason = one.reason if place else f"kept: {group.keep_reason}"
            values = (
                one.action, str(number), str(one.size_bytes), one.state, one.digest.hex(), str(one.photo_id),
                escaped(reason.encode("utf-8", "surrogateescape")), escaped(one.path),
            )  # fmt: skip
            yield "\t".join(values) + "\n"


def check_plan_target(library: Library, target: Path) -> None:
    """Raise UsageError if `target` is among the originals, its folder does not exist, or the file already exists."""
    check_target(library, target)
    # A device or pipe may be written to, but an existing plan, perhaps edited, must not be overwritten.
    if os.path.lexists(target) and (target.is_file() or not target.exists()):
        raise UsageError(f"{display(os.fsencode(target))} already exists; name another file, or remove it")


def write_plan(library: Library, groups: Sequence[DuplicateGroup], target: Path) -> None:
    """Write a plan to a new file atomically. Raises UsageError (see `check_plan_target`), StorageFull."""
    check_plan_target(library, target)
    write_whole(target, (line.encode("utf-8", "backslashreplace") for line in plan_lines(library, groups)))


def _with_current_state(group: DuplicateGroup) -> Iterator[CopiedFile]:
    """Yield the files of a group with their current state, and with `review` where removal is no longer safe."""
    checked = [(one, FileStatus(AWAY) if one.state == AWAY else _status(one)) for one in group.files]
    kept = [(one, status) for one, status in checked if one.action == KEEP]
    for one, status in checked:
        doubt = _doubt(one, status, kept) if one.action == REMOVE else None
        if doubt is None:
            yield replace(one, state=status.state)
        else:
            yield replace(one, state=status.state, action=REVIEW, reason=f"{one.reason}; {doubt}")


def _status(one: CopiedFile) -> FileStatus:
    return file_status(one.path, one.size_bytes, one.mtime_ns)


def _doubt(one: CopiedFile, status: FileStatus, kept: Sequence[tuple[CopiedFile, FileStatus]]) -> str | None:
    """Return why a redundant file should not be removed now, None if it can be."""
    if status.state != PRESENT:
        return f"it is {state_text(status.state)}"
    if any(other.identity == status.identity for _, other in kept):
        return "it is the same file as the kept one, under another name"
    states = [other.state for file, other in kept if file.asset_id == one.kept_asset_id]
    if not states:
        return "no file with the same content is kept"
    return None if PRESENT in states else f"the kept file is {state_text(states[0])}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def escaped(path: bytes) -> str:
    """Return bytes as one printable field of a plan; `unescaped` is the inverse."""
    return "".join(map(_escaped, path.decode("utf-8", "surrogateescape")))


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if unicodedata.category(character) not in _SAFE and (character == " " or not character.isspace()):
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def unescaped(text: str) -> bytes:
    """Return the bytes of a field of a plan. Raises ValueError for text that `escaped` never writes."""
    parts = text.split("\\")
    found = [parts[0].encode()]
    rest = iter(parts[1:])
    for part in rest:
        if part == "":
            found.append(b"\\" + next(rest, "").encode())
        elif part[0] == "x" and len(part) >= 3:
            found.append(bytes.fromhex(part[1:3]) + part[3:].encode())
        else:
            raise ValueError(f"invalid escape sequence: {text}")
    return b"".join(found)
