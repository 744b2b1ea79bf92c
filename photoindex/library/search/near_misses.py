"""Suggests what a library has in place of a value that nothing matches: canon for cannon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.query.printer import to_text
from photoindex.query.syntax import Compare, Node, Operator, leaves
from photoindex.store.search import compile as store
from photoindex.store.search import names
from photoindex.text import fold

_SUGGESTIONS = 3
_ALIKE = 0.7
_BY_WORD = ("camera", "lens", "place")
"""Fields that find single words of a name."""
KNOWN: Mapping[str, Callable[[Connection], Iterable[str]]] = {
    "camera": names.cameras,
    "lens": names.lenses,
    "place": names.places,
    "keyword": names.keywords,
    "tag": names.tags,
    "album": names.albums,
}
"""Field -> what it can find."""


def near_misses(library: Library, tree: Node) -> Iterator[str]:
    """Yield a sentence for each term that finds nothing although something alike is there."""
    for leaf in leaves(tree):
        if isinstance(leaf, Compare) and leaf.operator is Operator.IS and leaf.field in KNOWN and leaf.value:
            with library.database.read() as connection:
                if store.count(connection, leaf, present_only=False):
                    continue
                near = _near(leaf, KNOWN[leaf.field](connection))
            if near:
                meant = " or ".join(to_text(Compare(leaf.field, Operator.IS, one)) for one in near)
                yield f"nothing has {to_text(leaf)}; did you mean {meant}?"


def _near(leaf: Compare, known: Iterable[str]) -> list[str]:
    """Return the known names that are nearly a value, or of fields that find them single words of them, or levels."""
    spellings: dict[str, str] = {}
    for name in known:
        parts = name.split() if leaf.field in _BY_WORD else name.split("/")
        for part in (name, *parts):
            spellings.setdefault(fold(part), part)
    wanted = fold(leaf.value or "")
    # Names of several words are often meant by one of them.
    holding = [one for one in spellings if leaf.field not in _BY_WORD and wanted in one.split()]
    near = [one for one in get_close_matches(wanted, spellings, n=_SUGGESTIONS, cutoff=_ALIKE) if one != wanted]
    return [spellings[one] for one in dict.fromkeys([*holding, *near])][:_SUGGESTIONS]
