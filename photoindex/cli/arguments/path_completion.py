"""Completion of paths that look like what was typed but have other bytes; shells complete those with its bytes by themselves."""

from __future__ import annotations

import os
import re

from photoindex import file_access
from photoindex.paths import composed, from_text, to_text

_SPECIAL = re.compile(r"([^\w@%+=:,./-])", re.ASCII)


class _Completion(str):
    """A completion that does not begin with the bytes that were typed, so that Typer, which asks for that, keeps it."""

    __slots__ = ()

    def startswith(self, *_typed: object) -> bool:
        return True


def complete_path(incomplete: str) -> list[str]:
    """Return the paths that begin like `incomplete`, composed or decomposed (Unicode), if none begins with its bytes."""
    folder, slash, start = from_text(incomplete).rpartition(b"/")
    inside = file_access.as_on_disk(folder + slash)
    if incomplete.isascii() or not (names := _names(inside or b".")):
        return []
    if inside == folder + slash and any(name.startswith(start) for name in names):
        return []
    found = sorted(inside + name for name in names if composed(name).startswith(composed(start)))
    return [_Completion(_quoted(to_text(path + b"/" * file_access.is_folder(path)))) for path in found]


def _names(folder: bytes) -> list[bytes]:
    try:
        with file_access.reached(folder) as short:
            return os.listdir(short)
    except OSError:
        return []


def _quoted(path: str) -> str:
    # Bash inserts a completion as it is; other shells quote it.
    in_bash = os.environ.get("_PHOTOINDEX_COMPLETE", "").endswith("bash")
    return "".join(_SPECIAL.sub(r"\\\1", each) if each.isascii() else each for each in path) if in_bash else path
