"""What bare words of a query mean, which is said on stderr, and the option against it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.output.render import visible

if TYPE_CHECKING:
    from photoindex.library.handle import Library

LiteralOption = Annotated[
    bool, typer.Option("--literal", help="Take every word as a word: no date, place, camera or kind is understood.")
]


def understood(library: Library, words: Sequence[str], *, literal: bool) -> str | Sequence[str]:
    """Return the query that bare words mean, and say so where that is more than the words."""
    if literal or not any(map(_may_be_bare, words)):
        return words
    from photoindex.library.search.sentences import hints_on_words, sentence

    meant = sentence(library, words) if library.config.search.sentences else None
    for hint in hints_on_words(words if meant is None else meant.split()):
        print(f"hint: {visible(hint)}", file=sys.stderr)
    if meant is None:
        return words
    print(f"understood as: {visible(meant)} (--literal: as written)", file=sys.stderr)
    return meant


def _may_be_bare(argument: str) -> bool:
    """Tell whether an argument has words without a field; the rules for sentences take a while to load."""
    return any(":" not in word and not word.startswith("@") for word in argument.split())
