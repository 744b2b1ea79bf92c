"""A plan of what to do with copies, as a text file that a person reviews; nothing here or elsewhere carries it out."""

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
from photoindex.library.duplicates.files import AWAY, PRESENT, Look, look_at, states_in_words
from photoindex.library.duplicates.verdicts import KEEP, REMOVE, REVIEW, CopiedFile, Group
from photoindex.library.export.output_files import check_target, write_whole
from photoindex.library.handle import Library
from photoindex.paths import display

COLUMNS = ("action", "group", "size", "state", "digest", "photo", "reason", "path")
_SAFE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}
_HEAD = """\
# Plan of photoindex duplicates, made {now} by version {version} from the library {library}.
# {counts}
# Nothing was changed, and no command carries this out: it is yours to read, to change and to act on.
# One file a line, the columns separated by tabs: {columns}.
# action: keep; remove (the same bytes or the same picture is kept); review (see the reason: look first).
# state, when this was written: present; changed or gone since the last scan; away (it cannot be reached, its volume is not
# mounted). size: bytes. digest: BLAKE3.
# path: \\\\ is a backslash, \\xNN the byte NN of what cannot be printed; all else stands for itself.
"""


def plan_lines(library: Library, groups: Sequence[Group], *, made_at: datetime | None = None) -> Iterator[str]:
    """Yield the lines of a plan, each with its line feed; every file that can be reached is looked at once more (stat).

    A file is to be removed only where it and a kept file that holds the same are there as they were scanned, as two files.
    """
    decided = [list(_decided(group)) for group in groups]
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
    """Raise UsageError where no plan may be written: among the originals, in no folder, or where a file is already."""
    check_target(library, target)
    # A device or pipe is written to; a plan that somebody went through must not be lost.
    if os.path.lexists(target) and (target.is_file() or not target.exists()):
        raise UsageError(f"{display(os.fsencode(target))} is there already; name another file, or remove it")


def write_plan(library: Library, groups: Sequence[Group], target: Path) -> None:
    """Write a plan to a new file, complete or not at all. Raises UsageError, see `check_plan_target`; StorageFull."""
    check_plan_target(library, target)
    write_whole(target, (line.encode("utf-8", "backslashreplace") for line in plan_lines(library, groups)))


def _decided(group: Group) -> Iterator[CopiedFile]:
    """Yield the files of a group with their state at this moment, and what is to become of each by it."""
    looked = [(one, Look(AWAY) if one.state == AWAY else _look(one)) for one in group.files]
    kept = [(one, look) for one, look in looked if one.action == KEEP]
    for one, look in looked:
        doubt = _doubt(one, look, kept) if one.action == REMOVE else None
        if doubt is None:
            yield replace(one, state=look.state)
        else:
            yield replace(one, state=look.state, action=REVIEW, reason=f"{one.reason}; {doubt}")


def _look(one: CopiedFile) -> Look:
    return look_at(one.path, one.size_bytes, one.mtime_ns)


def _doubt(one: CopiedFile, look: Look, kept: Sequence[tuple[CopiedFile, Look]]) -> str | None:
    """Return why a file that one too many is not to be removed now, None where nothing speaks against it."""
    if look.state != PRESENT:
        return f"it is {states_in_words(look.state)}"
    if any(other.identity == look.identity for _, other in kept):
        return "it is the same file as the kept one, under another name"
    states = [other.state for keeper, other in kept if keeper.asset_id == one.kept_asset_id]
    if not states:
        return "no file that holds the same is kept"
    return None if PRESENT in states else f"the kept one is {states_in_words(states[0])}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def escaped(path: bytes) -> str:
    """Return bytes as one printable field of a plan, from which `unescaped` makes the same bytes."""
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
            raise ValueError(f"a backslash that begins nothing: {text}")
    return b"".join(found)
