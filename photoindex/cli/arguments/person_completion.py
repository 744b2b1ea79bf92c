"""Completion of names of people, tags and albums: in `person:`, `-tag:`, … of a query, and where options and commands take them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from photoindex.cli.arguments.path_completion import Completion, complete_path, quoted, shell

PERSON, TAG, ALBUM = "person", "tag", "album"
_KINDS = {"person": PERSON, "age": PERSON, "tag": TAG, "album": ALBUM}
"""Field of a query -> whose names it takes."""
_FIELD = re.compile(rf"(-?({'|'.join(_KINDS)}):)(?:(.*),)?([^,]*)", re.DOTALL | re.IGNORECASE)
_BEFORE_COLON = re.compile(rf"-?({'|'.join(_KINDS)})", re.IGNORECASE)
_LIST = re.compile(r"(?:(.*),)?([^,]*)", re.DOTALL)


def complete_person(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of people that begin with what was typed."""
    return _completions(ctx, PERSON, "", incomplete)


def complete_tag(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the tags that begin with what was typed, at any level."""
    return _completions(ctx, TAG, "", incomplete)


def complete_album(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the albums that begin with what was typed."""
    return _completions(ctx, ALBUM, "", incomplete)


def complete_people(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names that may follow in a list with commas, as an option takes it."""
    first, typed = _parts(_LIST, incomplete)
    return _completions(ctx, PERSON, first, typed)


def complete_term(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names that may follow in `person:…`, `age:…`, `tag:…` or `album:…`; none for other words of a query."""
    if (kind := _kind_before_colon()) is not None:
        # Bash takes the colon for the end of a word, and replaces only what follows it.
        first, typed = _parts(_LIST, "" if incomplete == ":" else incomplete)
        # What replaces a colon does not begin with it.
        return [Completion(one) for one in _completions(ctx, kind, first, typed)]
    match = _FIELD.fullmatch(incomplete)
    if match is None:
        return []
    kind = _KINDS[match[2].lower()]
    return _completions(ctx, kind, match[1] + ("" if match[3] is None else match[3] + ","), match[4])


def complete_path_or_term(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return paths as `complete_path` does, or names as `complete_term` does."""
    return complete_term(ctx, incomplete) or complete_path(incomplete)


class QueryCommand(TyperCommand):
    """A command with a query, whose words may begin with a dash: `-person:An` is no beginning of an option."""

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the completions of a word."""
        return complete_query_word(self, ctx, incomplete) or super().shell_complete(ctx, incomplete)


def complete_query_word(command: Any, ctx: Any, incomplete: str) -> list[Any]:
    """Return the completions of a word of a command's query, none for other words."""
    words = [one for one in command.params if one.param_type_name == "argument"]
    if not words or _FIELD.fullmatch(incomplete) is None:
        return []
    found: list[Any] = words[-1].shell_complete(ctx, incomplete)
    return found


def _parts(pattern: re.Pattern[str], typed: str) -> tuple[str, str]:
    """Return what stays as it is, with its comma, and what begins a name."""
    match = pattern.fullmatch(typed)
    assert match is not None
    return "" if match[1] is None else match[1] + ",", match[2]


def _completions(ctx: typer.Context, kind: str, first: str, typed: str) -> list[str]:
    names = _names(ctx, kind, typed)
    if shell() in ("zsh", "fish"):
        # Zsh drops what does not begin with the typed characters; names are compared without case and accents anyway.
        return [Completion(first + typed + _rest(name, typed)) for name in names]
    if shell() == "bash" and not _in_quotes():
        return [Completion(quoted(first + name)) for name in names]
    return [Completion(first + name) for name in names]


def _names(ctx: typer.Context, kind: str, typed: str) -> list[str]:
    from photoindex.app import database_path
    from photoindex.cli.arguments.common import settings
    from photoindex.library.people.queries.completion import names_beginning
    from photoindex.library.words.completion import albums_beginning, tags_for_shell

    beginning = {PERSON: names_beginning, TAG: tags_for_shell, ALBUM: albums_beginning}[kind]

    try:
        given = next((one.params["library"] for one in (ctx, ctx.parent) if one and one.params.get("library")), None)
        return beginning(database_path(settings(given and Path(given))), typed)
    except Exception:  # noqa: BLE001 - whatever is wrong, a shell that completes a word is not the place to say it
        return []


def _rest(name: str, typed: str) -> str:
    """Return what follows in a name after a beginning that is equal to what was typed."""
    from photoindex.text import fold

    return next((name[end:] for end in range(len(name) + 1) if fold(name[:end]) == fold(typed)), "")


def _words_of_bash() -> list[str]:
    """Return the words up to the cursor as Bash splits them, with their quotes; none in other shells."""
    if shell() != "bash":
        return []
    written, number = os.environ.get("COMP_WORDS", ""), os.environ.get("COMP_CWORD", "")
    words = written.split("\n" if "\n" in written else None)
    return words[: int(number) + 1] if number.isdigit() else []


def _kind_before_colon() -> str | None:
    words = _words_of_bash()
    colon = len(words) - (1 if words[-1:] == [":"] else 2)
    match = _BEFORE_COLON.fullmatch(words[colon - 1]) if colon > 0 and words[colon] == ":" else None
    return None if match is None else _KINDS[match[1].lower()]


def _in_quotes() -> bool:
    return bool(words := _words_of_bash()) and words[-1].startswith(('"', "'"))
