"""Completion of the terms of a query, and of names of people, tags and albums, where options and commands take them."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.arguments.shell_words import before_and_typed, completions, words_before_cursor
from photoindex.cli.arguments.value_completion import found_in_library, last_of_list
from photoindex.query.vocabulary import ALIASES, EXAMPLES, FIELDS

_TERM = re.compile(r"(-?([a-z]+):)(.*)", re.DOTALL | re.IGNORECASE)
_SAVED = re.compile(r"(-?@)(.*)", re.DOTALL)
_WORD = re.compile(r"(-?)([a-z]*)", re.IGNORECASE)
_UNLISTED = ("near", "like", "face")
"""Fields whose values may contain a comma."""


def complete_person(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of people that begin with what was typed."""
    return completions("", incomplete, _values(ctx, "person", incomplete))


def complete_tag(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the tags that begin with what was typed, at any level."""
    return completions("", incomplete, _values(ctx, "tag", incomplete))


def complete_album(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the albums that begin with what was typed."""
    return completions("", incomplete, _values(ctx, "album", incomplete))


def complete_people(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names that may follow in a list with commas, as an option takes it."""
    kept, typed = last_of_list(incomplete)
    return completions(kept, typed, _values(ctx, "person", typed))


def complete_term(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the terms of a query that begin with what was typed: `camera:` and its values, or `@best`."""
    before, last = before_and_typed(incomplete)
    kept, typed, names = _terms(ctx, before + last)
    return completions(kept, typed, names, before)


def complete_path_or_term(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return paths as `complete_path` does, or terms as `complete_term` does where no file begins so."""
    if incomplete == "" or (":" not in incomplete and _begins_a_file(incomplete)):
        return complete_path(incomplete)
    return complete_term(ctx, incomplete) or complete_path(incomplete)


class QueryCommand(TyperCommand):
    """A command with a query, whose words may begin with a dash: `-person:An` is no beginning of an option."""

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the completions of a word."""
        return complete_query_word(self, ctx, incomplete) or super().shell_complete(ctx, incomplete)


def complete_query_word(command: Any, ctx: Any, incomplete: str) -> list[Any]:
    """Return the completions of a word that begins with one dash: a term that filters out, or `--sort -date`; none for others."""
    if not incomplete.startswith("-") or incomplete.startswith("--"):
        return []
    option = words_before_cursor()[-1:]
    asked = [one for one in command.params if option and option[0] in one.opts and not getattr(one, "is_flag", False)]
    words = [one for one in command.params if one.param_type_name == "argument"] if incomplete != "-" else []
    found: list[Any] = (asked or words)[-1].shell_complete(ctx, incomplete) if asked or words else []
    return found


def _terms(ctx: typer.Context, term: str) -> tuple[str, str, list[str]]:
    """Return how a term begins, whatever follows, what was typed of the rest, and how that can go on."""
    if (match := _TERM.fullmatch(term)) is not None:
        field = ALIASES.get(match[2].lower(), match[2].lower())
        kept, typed = ("", match[3]) if field in _UNLISTED else last_of_list(match[3])
        return match[1] + kept, typed, _written(ctx, field, typed)
    if (match := _SAVED.fullmatch(term)) is not None:
        return match[1], match[2], _saved(ctx, match[2])
    if (match := _WORD.fullmatch(term)) is None:
        return term, "", []
    fields = [f"{one}:" for one in (*FIELDS, *ALIASES) if one.startswith(match[2].lower())]
    if len(fields) > 1:
        fields = [one for one in fields if one[:-1] not in ALIASES]
    saved = [f"@{one}" for one in _saved(ctx, "")] if not match[2] else []
    if len(fields) == 1 and not saved:
        # With several values, a shell goes on to the colon without a space behind it.
        values = _written(ctx, ALIASES.get(fields[0][:-1], fields[0][:-1]), "")
        fields = [fields[0] + one for one in values] or fields
    return match[1], match[2], fields + saved


def _written(ctx: typer.Context, field: str, typed: str) -> list[str]:
    """Return the values of a field that begin with what was typed, as a query has them; examples of a field without a list."""
    from photoindex.library.search.completion import as_value

    if field in EXAMPLES:
        names = [] if field != "age" else _values(ctx, "person", typed)
        return [as_value(one) for one in names] or list(EXAMPLES[field] if typed == "" else ())
    quote = typed[:1] if typed[:1] == '"' else ""
    return [as_value(one, always_quoted=bool(quote)) for one in _values(ctx, field, typed.removeprefix(quote))]


def _saved(ctx: typer.Context, typed: str) -> list[str]:
    from photoindex.library.search.completion import names_of

    return found_in_library(ctx, partial(names_of, subject="saved"), typed)


def _values(ctx: typer.Context, field: str, typed: str) -> list[str]:
    from photoindex.library.people.queries.completion import names_beginning
    from photoindex.library.search.completion import at_most, values_beginning
    from photoindex.library.words.completion import albums_beginning, tags_for_shell

    named = {"person": names_beginning, "tag": tags_for_shell, "album": albums_beginning}
    return at_most(found_in_library(ctx, named.get(field) or partial(values_beginning, field=field), typed))


def _begins_a_file(start: str) -> bool:
    folder, name = os.path.split(start)
    try:
        return any(one.startswith(name) for one in os.listdir(Path(folder or ".")))
    except OSError:
        return False
