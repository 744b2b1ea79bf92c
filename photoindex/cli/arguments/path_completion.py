"""Completion of paths that look like what was typed but have other bytes; shells complete those with its bytes by themselves."""

from __future__ import annotations

import os
import re
from typing import Any

from photoindex import file_access, text
from photoindex.paths import composed, from_text, to_text

_SPECIAL = re.compile(r"([^\w@%+=:,./-])", re.ASCII)


_FOR_ZSH = {("'", "''"): r"'\''", ('"', '""'): r"\""}


class Completion(str):
    """A completion that does not begin with the bytes that were typed, so that Typer, which asks for that, keeps it.

    Typer doubles apostrophes and quotes for zsh, which drops both.
    """

    __slots__ = ()

    def replace(self, old: str, new: str, *count: Any) -> Completion:
        """Replace a part of the text; an apostrophe and a quote for zsh as zsh takes them."""
        return Completion(super().replace(old, _FOR_ZSH.get((old, new), new), *count))

    def startswith(self, *_typed: object) -> bool:
        """Return True, whatever was typed."""
        return True


def complete_path(incomplete: str) -> list[str]:
    """Return the paths that begin like `incomplete`, composed or decomposed (Unicode), if none begins with its bytes."""
    folder, slash, start = from_text(incomplete).rpartition(b"/")
    inside = file_access.as_on_disk(folder + slash)
    if incomplete.isascii() or not (names := _names(inside or b".")):
        return []
    if inside == folder + slash and any(name.startswith(start) for name in names):
        return []
    found = sorted(name for name in names if composed(name).startswith(composed(start)))
    ends = [(name, b"/" * file_access.is_folder(inside + name)) for name in found]
    if shell() in ("zsh", "fish"):
        # These drop what does not begin with the typed bytes. So only the rest is the disk's; commands take any form.
        return [incomplete + _rest(to_text(name), to_text(start)) + to_text(end) for name, end in ends]
    return [Completion(quoted(to_text(inside + name + end))) for name, end in ends]


def _rest(name: str, start: str) -> str:
    """Return what follows in a name after a beginning that looks like `start`."""
    wanted = text.composed(start)
    return next((name[end:] for end in range(len(name) + 1) if text.composed(name[:end]) == wanted), "")


def shell() -> str:
    """Return the shell that asks for completions, "" if none does."""
    return os.environ.get("_PHOTOINDEX_COMPLETE", "").rpartition("_")[2]


def _names(folder: bytes) -> list[bytes]:
    try:
        with file_access.reached(folder) as short:
            return os.listdir(short)
    except OSError:
        return []


def quoted(path: str) -> str:
    """Return a path or another word as the shell takes it."""
    # Bash inserts a completion as it is.
    if shell() != "bash":
        return path
    return "".join(_SPECIAL.sub(r"\\\1", each) if each.isascii() else each for each in path)
