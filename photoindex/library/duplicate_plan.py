"""A plan of what to do with copies, as a text file that a person reviews; nothing here or elsewhere carries it out."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from photoindex import __version__
from photoindex.library.context import Library
from photoindex.library.duplicate_verdicts import CopiedFile, Group
from photoindex.paths import display

COLUMNS = ("action", "group", "size", "state", "digest", "photo", "reason", "path")
_SAFE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}
_HEAD = """\
# Plan of photoindex duplicates, made {now} by version {version} from the library {library}.
# {counts}
# Nothing was changed, and no command carries this out: it is yours to read, to change and to act on.
# One file a line, the columns separated by tabs: {columns}.
# action: keep; remove (the same bytes or the same picture is kept); review (it differs in more than size: look first).
# state: present; changed or gone since the last scan; away (its volume is not mounted). size: bytes. digest: BLAKE3.
# path: \\\\ is a backslash, \\xNN the byte NN of what cannot be printed; all else stands for itself.
"""


def plan_lines(library: Library, groups: Sequence[Group], *, made_at: datetime | None = None) -> Iterator[str]:
    """Yield the lines of a plan, each with its line feed; every file that can be reached is looked at once more (stat)."""
    files = [one for group in groups for one in group.files]
    actions = {name: sum(one.action == name for one in files) for name in ("keep", "remove", "review")}
    counts = f"{len(groups):,} groups: {actions['keep']:,} files to keep, {actions['remove']:,} to remove, "
    counts += f"{actions['review']:,} to review."
    now = (made_at or datetime.now().astimezone()).isoformat(" ", "seconds")
    yield _HEAD.format(
        now=now,
        version=__version__,
        library=display(os.fsencode(library.folder)),
        counts=counts,
        columns=", ".join(COLUMNS),
    )
    yield "\t".join(COLUMNS) + "\n"
    for number, group in enumerate(groups, 1):
        for one in group.files:
            reason = f"kept: {group.keep_reason}" if one is group.files[0] else one.reason
            values = (
                one.action, str(number), str(one.size_bytes), state_now(one), one.digest.hex(), str(one.photo_id),
                escaped(reason.encode("utf-8", "surrogateescape")), escaped(one.path),
            )  # fmt: skip
            yield "\t".join(values) + "\n"


def write_plan(library: Library, groups: Sequence[Group], path: Path) -> None:
    """Write a plan to a file, complete or not at all. Raises OSError."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.writelines(plan_lines(library, groups))
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def state_now(one: CopiedFile) -> str:
    """Return present, changed (size or time differ from the last scan), gone, or away."""
    if one.state == "away":
        return one.state
    try:
        status = os.stat(one.path)
    except (OSError, ValueError):
        return "gone"
    same = stat.S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) == (one.size_bytes, one.mtime_ns)
    return "present" if same else "changed"


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
