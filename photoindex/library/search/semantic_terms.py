"""Take a query apart: what is looked for by its meaning, and what every photo that is found must fulfil.

Bare words and phrases outside a NOT are looked for by their meaning, and so is an OR that is made of nothing else: its
parts are alternatives. Words with a `*`, and those in an OR with fields, stay conditions on texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from photoindex.errors import UsageError
from photoindex.query.printer import to_text
from photoindex.query.syntax import EVERYTHING, And, Compare, Node, Not, Or, Words, leaves
from photoindex.query.value_syntax import joined
from photoindex.store.search.fields import LIKE

MAX_ALTERNATIVES = 16
"""So many texts are looked for at most; an OR that would make more of them stays a condition on texts."""


@dataclass(frozen=True, slots=True)
class WeightedText:
    """One text for the model, and how much it counts against the others."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Meaning:
    """A query in its parts.

    alternatives: each a sum of texts, one of which is to be met; none where the query has no such words. words: the same
    words as a condition on texts, None without any. likes: the photos that are named to find others like them. filters:
    what all must fulfil. plain: those parts of `filters` that hold words which are looked for in texts alone.
    """

    alternatives: tuple[tuple[WeightedText, ...], ...]
    words: Node | None
    likes: tuple[Compare, ...]
    filters: Node
    plain: tuple[Node, ...] = ()

    @property
    def is_semantic(self) -> bool:
        """Whether anything is looked for by its meaning."""
        return bool(self.alternatives or self.likes)


def take_apart(tree: Node) -> Meaning:
    """Return the parts of a query. Raises UsageError for a `like:` that is filtered out or stands in an OR."""
    parts = tree.parts if isinstance(tree, And) else (tree,)
    words: list[Node] = []
    likes: list[Compare] = []
    filters: list[Node] = []
    choices = 1
    for part in parts:
        if isinstance(part, Compare) and part.field == LIKE:
            likes.append(part)
        elif _has_meaning(part) and choices * _choices(part) <= MAX_ALTERNATIVES:
            choices *= _choices(part)
            words.append(part)
        else:
            _refuse_likes(part)
            filters.append(part)
    return Meaning(
        alternatives=_alternatives(words),
        words=joined(And, words) if words else None,
        likes=tuple(likes),
        filters=joined(And, filters) if filters else EVERYTHING,
        plain=tuple(part for part in filters if _holds_words(part)),
    )


def weighted(tree: Node, weights: Mapping[str, float]) -> Node:
    """Return a query with the weight of each word or phrase that `weights` names, lower-case, in place of its own."""
    if isinstance(tree, Words):
        weight = weights.get(tree.text.lower())
        return tree if weight is None else replace(tree, weight=weight)
    if isinstance(tree, (And, Or)):
        return type(tree)(tuple(weighted(part, weights) for part in tree.parts))
    return tree


def _has_meaning(part: Node) -> bool:
    if isinstance(part, Or):
        return bool(part.parts) and all(_is_text(one) for one in part.parts)
    return _is_text(part)


def _is_text(part: Node) -> bool:
    if isinstance(part, And):
        return bool(part.parts) and all(_is_text(one) for one in part.parts)
    return isinstance(part, Words) and not part.prefix


def _choices(part: Node) -> int:
    return len(part.parts) if isinstance(part, Or) else 1


def _alternatives(words: Sequence[Node]) -> tuple[tuple[WeightedText, ...], ...]:
    if not words:
        return ()
    choices = [part.parts if isinstance(part, Or) else (part,) for part in words]
    made = (_texts([leaf for part in chosen for leaf in leaves(part)]) for chosen in product(*choices))
    return tuple(dict.fromkeys(made))


def _texts(words: Sequence[Words | Compare]) -> tuple[WeightedText, ...]:
    """Return the plain words, in their order, as one text, and each word with a weight of its own as another."""
    plain = [word.text for word in words if isinstance(word, Words) and word.weight == 1.0]
    weighted = [
        WeightedText(word.text, word.weight) for word in words if isinstance(word, Words) and word.weight != 1.0
    ]
    return (WeightedText(" ".join(" ".join(plain).split())), *weighted) if plain else tuple(weighted)


def _refuse_likes(part: Node) -> None:
    found = next((leaf for leaf in leaves(part) if isinstance(leaf, Compare) and leaf.field == LIKE), None)
    if found is not None:
        shown = to_text(found)
        if isinstance(part, Not):
            raise UsageError(
                f"-{shown}: what looks like a photo cannot be filtered out; --not TEXT subtracts a meaning"
            )
        raise UsageError(f"{shown} stands beside the other terms of a query, not in an OR")


def _holds_words(part: Node) -> bool:
    if isinstance(part, Not):
        return False
    return any(isinstance(leaf, Words) for leaf in leaves(part))
