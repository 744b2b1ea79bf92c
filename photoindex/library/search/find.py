"""Finds photos: the operation behind `search`, galleries and everything else that answers a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING

from photoindex.domain.words.language import foreign_language
from photoindex.errors import ModelUnavailable, UsageError
from photoindex.library.embed.model_choice import command_to_embed, command_to_use, embed_hint
from photoindex.library.handle import Library
from photoindex.library.search.hits import Hit, all_hits, all_paths, hits_of
from photoindex.library.search.near_misses import near_misses
from photoindex.library.search.parse import parse, parse_arguments
from photoindex.library.search.rank_fusion import with_relevance
from photoindex.library.search.semantic_query import SemanticOptions, SemanticQuery, semantic_query, within
from photoindex.progress import EventSink, ignore_events
from photoindex.query.arguments import hints_on_arguments
from photoindex.query.syntax import EVERYTHING, Compare, Node, Operator, leaves
from photoindex.store.photos.counts import count_assets
from photoindex.store.search import compile as store
from photoindex.store.search.fields import grammar
from photoindex.store.vectors import spaces
from photoindex.store.vectors.spaces import SpaceRow, active_space, all_spaces

if TYPE_CHECKING:
    from photoindex.library.search.query_explanation import QueryExplanation
    from photoindex.library.search.rank_fusion import Ranked
    from photoindex.library.search.score_explanation import Reasons
    from photoindex.library.search.semantic_search import SemanticAnswer

MOST_PHOTOS = 1_000
"""Default limit of a semantic search; the thousandth photo is hardly relevant."""
RELEVANCE = "relevance"
_DEFAULT_SORT = "-date"


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What to find.

    query: a syntax tree, a text, or the words of a command line. sort: `relevance` or a key of
    `store.search.compile.SORT_KEYS`, with `-` for descending; None sorts a semantic search by relevance, others newest
    first. limit: maximum number of photos, after the first `offset`; None for all, or MOST_PHOTOS in a semantic search.
    complete: rank all photos of a semantic search regardless of the limit, which explaining them requires. only_count: rank
    none, only `total` is wanted.
    rerank: how many of the first photos a stronger model looks at again; see `second_look`.

    scope: a query for the photos that the caller may see. It is part of every condition, so that hits, totals,
    explanations, cut-offs, hints and the photos named by `like:` come from those photos only. Whether missing photos
    are found depends on `query` only. Two numbers come from the whole library: how rare a word is, which only affects
    the order of matching photos, and the calibration of the embedding space.
    """

    query: Node | str | Sequence[str] = EVERYTHING
    options: SemanticOptions = field(default_factory=SemanticOptions)
    sort: str | None = None
    limit: int | None = None
    offset: int = 0
    scope: Node = EVERYTHING
    complete: bool = False
    only_count: bool = False
    rerank: int = 0


class Method(StrEnum):
    """How a query was answered: by fields only, by words in texts, by meaning, or by both in one ranking."""

    FIELDS = "fields"
    WORDS = "words"
    MEANING = "meaning"
    MEANING_AND_WORDS = "meaning and words"


class NoteKind(StrEnum):
    """What a note is about."""

    LANGUAGE = "language"
    LEXICAL = "lexical"
    LONG_TEXT = "long text"
    NOT_EMBEDDED = "not embedded"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that tells the user how the query was answered."""

    kind: NoteKind
    text: str


@dataclass(frozen=True, slots=True)
class LexicalFallback:
    """A semantic query was answered by texts only. reason: what is missing, with the remedy."""

    reason: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """An answered request. tree: the query's syntax tree. fallback: why a semantic query was not searched by meaning.

    Photos found by meaning are already ranked; those found by texts and fields are read when `hits` or `total` is
    called.
    """

    library: Library
    request: SearchRequest
    tree: Node
    semantic: SemanticQuery | None = None
    answer: SemanticAnswer | None = None
    fallback: LexicalFallback | None = None
    notes: tuple[Note, ...] = ()

    @property
    def method(self) -> Method:
        """How the query was answered."""
        if self.semantic is None:
            return Method.FIELDS
        if self.answer is None:
            return Method.WORDS
        return Method.MEANING if self.semantic.parts.words is None else Method.MEANING_AND_WORDS

    @property
    def is_by_date(self) -> bool:
        """Whether the photos are in the order of the time they were taken, oldest or newest first."""
        if self.request.sort in (None, RELEVANCE):
            return self.answer is None
        return sort_key(self.request.sort)[0] == "date"

    def hits(self) -> Iterator[Hit]:
        """Yield the photos in the requested order.

        The matching photos are determined at the start, in one snapshot; their data are read in chunks, so that a slow
        reader holds no transaction open. Photos that were removed in the meantime are skipped.
        """
        if self.answer is not None:
            yield from hits_of(self.library, self._ranked(self.answer))
            return
        yield from all_hits(self.library, self.photo_ids())

    def paths(self) -> Iterator[bytes]:
        """Yield the paths of the photos alone, as `hits` does; a tenth of the work."""
        yield from all_paths(self.library, self.photo_ids())

    def photo_ids(self) -> Sequence[int]:
        """Return the ids of the photos in the requested order."""
        if self.answer is not None:
            return [one.photo_id for one in self._ranked(self.answer)]
        request = self.request
        sort = request.sort or _DEFAULT_SORT
        with self.library.database.read() as connection:
            return store.matching_ids(
                connection, within(request.scope, self.tree), sort=_DEFAULT_SORT if sort == RELEVANCE else sort, limit=request.limit,
                offset=request.offset, present_only=store.is_present_only(self.tree),
            )  # fmt: skip

    def _ranked(self, answer: SemanticAnswer) -> Sequence[Ranked]:
        request = self.request
        return answer.ranked[request.offset : None if request.limit is None else request.offset + request.limit]

    def total(self) -> int:
        """Return how many photos match, regardless of limit and offset."""
        if self.answer is None:
            return count_photos(self.library, self.tree, self.request.scope)
        if self.answer.counted is not None:
            return self.answer.counted
        if not self.answer.more:
            return len(self.answer.ranked)
        return find(self.library, replace(self.request, query=self.tree, only_count=True)).total()

    def explanation(self) -> QueryExplanation:
        """Return how many photos each part of the query matches in texts and fields."""
        from photoindex.library.search.query_explanation import explain

        return explain(self.library, self.tree, self.request.scope)

    def reasons(self) -> Reasons | None:
        """Return why photos were found by meaning, None if they were not; requires a `complete` request."""
        if self.answer is None or self.semantic is None:
            return None
        from photoindex.library.search.score_explanation import SHOWN_HITS, reasons

        limit = self.request.limit
        return reasons(self.library, self.semantic, self.answer, shown=SHOWN_HITS if limit is None else limit)

    def hints(self, words: Sequence[str] = ()) -> list[str]:
        """Return hints for a search without hits. words: the query as given on the command line."""
        from photoindex.library.search.sentences import meaning_of_a_word, words_that_say_something

        terms = [leaf for leaf in leaves(self.tree) if isinstance(leaf, Compare) and leaf.field == "event"]
        events = {leaf.value or "": leaf for leaf in terms if leaf.operator is Operator.IS}
        found = hints_on_arguments(words, grammar())
        for name in (name for name, leaf in events.items() if not self._has_event(name, leaf)):
            found.append(f"no event has the key or words '{name}'; photoindex events lists them")
        misses = list(near_misses(self.library, self.tree))
        found += misses
        if (meant := meaning_of_a_word(self.library, words)) is not None:
            found.append(f"'{words[0]}' was searched as a word; did you mean {meant}?")
        if self.fallback is not None and (telling := words_that_say_something(words)) is not None:
            found.append(f"all of these words have to be in a photo's texts; those that say something: {telling}")
        if not misses and self.answer is not None and any(one.cut.minimum is not None for one in self.answer.targets):
            found.append("nothing looks enough like this; --all shows the nearest")
        return found

    def _has_event(self, name: str, leaf: Compare) -> bool:
        with self.library.database.read() as connection:
            if self.request.scope == EVERYTHING:
                return store.has_event(connection, name)
            return store.count(connection, within(self.request.scope, leaf), present_only=False) > 0


def find(library: Library, request: SearchRequest, emit: EventSink = ignore_events) -> SearchResult:
    """Answer a query by meaning if it has words or pictures and photos are embedded, else by texts and fields.

    Raises UsageError for an unknown sort key and for invalid options or `like:` terms, QuerySyntaxError for words that
    cannot be parsed, NothingFound for a photo or picture file that does not exist, and ModelUnavailable if pictures or
    subtracted texts need a model or vectors that are missing.
    """
    key, descending = (RELEVANCE, False) if request.sort in (None, RELEVANCE) else sort_key(request.sort or "")
    tree = _parsed(library, request.query)
    query = semantic_query(tree, request.options, request.scope)
    result = SearchResult(library, request, tree, query)
    if query is None:
        if request.rerank:
            raise UsageError("--rerank is for words that are searched by meaning, and the query has none")
        return result
    language = tuple(_language_notes(library, query))
    answer = _answer(library, query, _ranking_limit(request, key), emit, only_count=request.only_count)
    if isinstance(answer, LexicalFallback) and request.rerank:
        raise ModelUnavailable(f"--rerank needs a search by meaning: {answer.reason}")
    if isinstance(answer, LexicalFallback):
        note = Note(NoteKind.LEXICAL, f"searching by words alone: {answer.reason}")
        return replace(result, fallback=answer, notes=(note,))
    if request.rerank and not request.only_count:
        from photoindex.library.search.second_look import look_again

        answer = look_again(library, query, answer, request.rerank)
    answer = replace(answer, ranked=with_relevance(answer.ranked, answer.best))
    if key != RELEVANCE:
        answer = answer.sorted(library, key, descending=descending)
    return replace(result, answer=answer, notes=(*language, *_not_embedded(library, answer), *_notes(request, answer)))


def matching_photo_ids(library: Library, query: Node | str | Sequence[str], scope: Node = EVERYTHING) -> list[int]:
    """Return the ids of all photos that a query matches in texts and fields, ascending; no model is used."""
    tree = _parsed(library, query)
    with library.database.read() as connection:
        return store.matching_ids(connection, within(scope, tree), present_only=store.is_present_only(tree)).tolist()


def count_photos(library: Library, query: Node | str | Sequence[str], scope: Node = EVERYTHING) -> int:
    """Return how many photos a query matches in texts and fields."""
    tree = _parsed(library, query)
    with library.database.read() as connection:
        return store.count(connection, within(scope, tree), present_only=store.is_present_only(tree))


def _parsed(library: Library, query: Node | str | Sequence[str]) -> Node:
    if isinstance(query, str):
        return parse(library, query)
    return parse_arguments(library, query) if isinstance(query, Sequence) else query


def sort_key(sort: str) -> tuple[str, bool]:
    """Return a key of `store.search.compile.SORT_KEYS` and whether it is descending. Raises UsageError if unknown."""
    key = sort.removeprefix("-")
    if key == RELEVANCE:
        raise UsageError("--sort: the most relevant always come first; leave out the -")
    if key not in store.SORT_KEYS:
        near = get_close_matches(key, store.SORT_KEYS, n=1)
        keys = ", ".join((RELEVANCE, *store.SORT_KEYS))
        hint = f"did you mean {near[0]}?" if near else f"keys: {keys} (-key for descending)"
        raise UsageError(f"--sort: there is no key '{key}'; {hint}")
    return key, sort.startswith("-")


def _ranking_limit(request: SearchRequest, key: str) -> int | None:
    """Return how many photos a semantic search has to rank, None for all of them."""
    if request.complete or request.options.everything:
        return None
    wanted = None if request.limit is None else max(request.offset + request.limit, request.rerank)
    return wanted if wanted is not None and key == RELEVANCE else max(wanted or 0, MOST_PHOTOS)


def _answer(
    library: Library, query: SemanticQuery, limit: int | None, emit: EventSink, *, only_count: bool
) -> SemanticAnswer | LexicalFallback:
    try:
        space = _space(library)
        # Imports numpy and more, which a library without vectors does not need.
        from photoindex.library.search.semantic_search import count_by_meaning, search_by_meaning

        if only_count:
            return count_by_meaning(library, space, query, emit)
        return search_by_meaning(library, space, query, limit, emit)
    except ModelUnavailable as error:
        if query.needs_model:
            raise
        return LexicalFallback(str(error))


def _space(library: Library) -> SpaceRow:
    with library.database.read() as connection:
        space = active_space(connection)
        names = [one.name for one in all_spaces(connection)] if space is None else []
    if space is not None:
        return space
    if names:
        raise ModelUnavailable(f"no embedding space is in use; run: {command_to_use(names)}")
    raise ModelUnavailable(f"no photos are embedded yet; {embed_hint(library)}")


def _language_notes(library: Library, query: SemanticQuery) -> Iterator[Note]:
    """Say, the first time that a query is asked, that the model does not know its language."""
    texts = {one.text for each in query.parts.alternatives for one in each}
    language = foreign_language(" ".join(sorted(texts)))
    if language is None:
        return
    from photoindex.library.models.languages import advice_on_query
    from photoindex.store.vectors.query_vector_cache import known

    with library.database.read() as connection:
        space = active_space(connection)
        asked = space is not None and len(known(connection, space.id, sorted(texts))) == len(texts)
    advice = None if space is None or asked else advice_on_query(library, space.model, language)
    if advice is not None:
        yield Note(NoteKind.LANGUAGE, advice)


def _not_embedded(library: Library, answer: SemanticAnswer) -> Iterator[Note]:
    """Say how many pictures the answer could not see."""
    with library.database.read() as connection:
        lacking = spaces.count_not_embedded(connection, answer.space)
        pictures = count_assets(connection)
    if lacking:
        verb = "is" if lacking == 1 else "are"
        command = command_to_embed(library, answer.space.model)
        text = f"{lacking:,} of {pictures:,} pictures {verb} not embedded yet and not found by what they show; run: {command}"
        yield Note(NoteKind.NOT_EMBEDDED, text)


def _notes(request: SearchRequest, answer: SemanticAnswer) -> Iterator[Note]:
    if answer.words_read is not None:
        sentence = f"the model reads the first {answer.words_read} words; the rest is searched in texts only"
        yield Note(NoteKind.LONG_TEXT, sentence)
    number = len(answer.ranked)
    if answer.more and (request.limit is None or request.limit + request.offset > number):
        sentence = f"these are the best {number:,}; -n N gives more, --all ranks every photo"
        yield Note(NoteKind.TRUNCATED, sentence)
