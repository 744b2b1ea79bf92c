"""Splits a query into a semantic part and filters; light on imports, because every search uses it.

Words and phrases outside a NOT are searched by meaning; in an OR of only words and phrases, each part is an
alternative. Words with a `*`, and words in an OR with fields, remain conditions on the photos' texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from photoindex.domain.words.language import function_words
from photoindex.errors import UsageError
from photoindex.query.printer import to_text
from photoindex.query.syntax import EVERYTHING, And, Compare, Node, Not, Or, Words, leaves
from photoindex.query.value_syntax import joined
from photoindex.store.search.compile import is_present_only
from photoindex.store.search.fields import LIKE

MAX_ALTERNATIVES = 16
"""An OR that would result in more alternatives remains a condition on texts."""


@dataclass(frozen=True, slots=True)
class WeightedText:
    """One text for the model, with its relative weight."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture file to find similar photos of; it need not be in the library. shown: its name in messages."""

    path: bytes
    shown: str


@dataclass(frozen=True, slots=True)
class SemanticOptions:
    """Options of a semantic search.

    without: texts to subtract. word_weights: of single words or phrases of the query, in lower case. words_weight,
    like_weight, not_weight: factors for all words, all pictures, all subtracted texts. min_score: the minimum cosine of
    a hit, instead of the cut-off. everything: no cut-off.
    """

    pictures: tuple[PictureFile, ...] = ()
    without: tuple[WeightedText, ...] = ()
    word_weights: Mapping[str, float] = field(default_factory=dict)
    words_weight: float = 1.0
    like_weight: float = 1.0
    not_weight: float = 1.0
    min_score: float | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class QueryParts:
    """The parts of a query.

    alternatives: each is a sum of texts, and a hit matches one of them; empty if there are no words to search by
    meaning. words: the same words as a condition on texts, None if there are none. likes: photos in the library to find
    similar ones of. filters: the condition on every hit. lexical: the parts of `filters` with words, which are searched
    in texts only.
    """

    alternatives: tuple[tuple[WeightedText, ...], ...]
    words: Node | None
    likes: tuple[Compare, ...]
    filters: Node
    lexical: tuple[Node, ...] = ()

    @property
    def is_semantic(self) -> bool:
        """Whether anything is searched by meaning."""
        return bool(self.alternatives or self.likes)


@dataclass(frozen=True, slots=True)
class SemanticQuery:
    """A query to search by meaning. present_only: only photos with a present file. scope: see `find.SearchRequest`."""

    parts: QueryParts
    options: SemanticOptions = field(default_factory=SemanticOptions)
    scope: Node = EVERYTHING
    present_only: bool = True

    @property
    def filters(self) -> Node:
        """The condition on every hit: the query's filters within the scope."""
        return within(self.scope, self.parts.filters)

    @property
    def required_words(self) -> Node | None:
        """The words that the texts of a photo must have, without function words such as `the`; None if there are none."""
        words = self.parts.words
        if not isinstance(words, And):
            return words
        plain = {part: part.text.casefold() for part in words.parts if isinstance(part, Words) and not part.phrase}
        spare = function_words(" ".join(plain.values()))
        kept = [part for part in words.parts if not (isinstance(part, Words) and plain.get(part) in spare)]
        return joined(And, kept) if kept else words

    @property
    def needs_model(self) -> bool:
        """Whether a search in texts and fields would answer a different question, not only less well."""
        return bool(self.parts.likes or self.options.pictures or self.options.without)


def semantic_query(tree: Node, options: SemanticOptions, scope: Node = EVERYTHING) -> SemanticQuery | None:
    """Return the query to search by meaning, None if no part of it can be searched by meaning.

    Raises UsageError for options that apply to nothing in the query, and for a `like:` in an OR or after a minus.
    """
    parts = split_query(_weighted(tree, options.word_weights))
    if not parts.is_semantic and not options.pictures:
        if options.without:
            raise UsageError(
                "--not subtracts from words or a picture, and the query has none; add some, or filter with -term"
            )
        if options.min_score is not None or options.everything:
            option = "--all" if options.everything else "--min-score"
            raise UsageError(f"{option} is for words, like:PHOTO and --like FILE; the query has none of them")
        return None
    return SemanticQuery(parts, options, scope, is_present_only(tree))


def within(scope: Node, node: Node) -> Node:
    """Return a query for the photos in a scope that match `node`."""
    if scope == EVERYTHING:
        return node
    return scope if node == EVERYTHING else And((scope, node))


def split_query(tree: Node) -> QueryParts:
    """Return the parts of a query. Raises UsageError for a `like:` in a NOT or an OR."""
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
    return QueryParts(
        alternatives=_alternatives(words),
        words=joined(And, words) if words else None,
        likes=tuple(likes),
        filters=joined(And, filters) if filters else EVERYTHING,
        lexical=tuple(part for part in filters if _holds_words(part)),
    )


def _weighted(tree: Node, weights: Mapping[str, float]) -> Node:
    """Apply weights to the words of a query. Raises UsageError for a weight of a word that is not in it."""
    known = {leaf.text.lower() for leaf in leaves(tree) if isinstance(leaf, Words)} if weights else ()
    for name in weights:
        if name not in known:
            raise UsageError(f"--weight {name}=…: not a word or phrase of the query, and not one of words, like, not")
    return _with_weights(tree, weights) if weights else tree


def _with_weights(tree: Node, weights: Mapping[str, float]) -> Node:
    if isinstance(tree, Words):
        weight = weights.get(tree.text.lower())
        return tree if weight is None else replace(tree, weight=weight)
    if isinstance(tree, (And, Or)):
        return type(tree)(tuple(_with_weights(part, weights) for part in tree.parts))
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
    """Return the unweighted words, in order, as one text, and each weighted word as a text of its own."""
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
                f"-{shown}: photos that look like another cannot be filtered out; --not TEXT subtracts a meaning"
            )
        raise UsageError(f"{shown} cannot be part of an OR; combine it with the other terms of the query")


def _holds_words(part: Node) -> bool:
    if isinstance(part, Not):
        return False
    return any(isinstance(leaf, Words) for leaf in leaves(part))
