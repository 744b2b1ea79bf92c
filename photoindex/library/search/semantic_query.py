"""What a search asks by meaning, and whether it can be answered so; kept free of all that a search by fields does not need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from photoindex.errors import ModelUnavailable, UsageError
from photoindex.library.embed.model_choice import command_to_use, way_to_vectors
from photoindex.library.handle import Library
from photoindex.library.search.semantic_terms import Meaning, WeightedText, take_apart
from photoindex.progress import EventSink, ignore_events
from photoindex.query.syntax import Node
from photoindex.store.search.compile import is_scoped
from photoindex.store.vectors.spaces import active_space, all_spaces

if TYPE_CHECKING:
    from photoindex.library.search.semantic_search import Answer

MOST_PHOTOS = 1_000
"""So many photos a search by meaning gives, unless more are asked for: the thousandth says little."""
RELEVANCE = "relevance"


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture to find others like it, of the library or not. shown: what messages call it."""

    path: bytes
    shown: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search by meaning is asked beyond its query.

    without: texts that are subtracted. words_weight, like_weight, not_weight: what the weights of all words, of all
    pictures, of all that is subtracted are multiplied with. min_score: the least cosine of a hit, in place of the
    cut-off. everything: there is no cut-off.
    """

    pictures: tuple[PictureFile, ...] = ()
    without: tuple[WeightedText, ...] = ()
    words_weight: float = 1.0
    like_weight: float = 1.0
    not_weight: float = 1.0
    min_score: float | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A query in its parts, with what else is wanted. scoped: only photos of which a file is there.

    limit: photos, None for as many as there are. sort: RELEVANCE or a key of `store.search.SORT_KEYS`.
    """

    meaning: Meaning
    wanted: Wanted = field(default_factory=Wanted)
    scoped: bool = True
    limit: int | None = MOST_PHOTOS
    sort: str = RELEVANCE
    descending: bool = False

    @property
    def needs_model(self) -> bool:
        """Whether texts and fields alone would give another answer, and not only a poorer one."""
        return bool(self.meaning.likes or self.wanted.pictures or self.wanted.without)


@dataclass(frozen=True, slots=True)
class WordsAlone:
    """A query was not looked for by its meaning, for what that needs is not there; reason: a sentence on what is missing."""

    reason: str


def question_of(tree: Node, wanted: Wanted) -> Question | None:
    """Return what a query and its options ask for by meaning, None where that is nothing.

    Raises UsageError for options that go with nothing, and for a `like:` that is filtered out or stands in an OR.
    """
    meaning = take_apart(tree)
    if not meaning.is_semantic and not wanted.pictures:
        if wanted.without:
            raise UsageError(
                "--not subtracts from words or a picture, and the query has none; add some, or filter with -term"
            )
        if wanted.min_score is not None or wanted.everything:
            option = "--all" if wanted.everything else "--min-score"
            raise UsageError(f"{option} is for words, like:PHOTO and --like FILE; the query has none of them")
        return None
    return Question(meaning, wanted, scoped=is_scoped(tree))


def ask(library: Library, question: Question, events: EventSink = ignore_events) -> Answer | WordsAlone:
    """Return the photos that a query means in the space in use; `WordsAlone` where words can be looked for in texts alone.

    Raises ModelUnavailable where pictures, or what is to be subtracted, need what is not there; UsageError and NothingFound
    for a picture that is none.
    """
    with library.database.read() as connection:
        space = active_space(connection)
    if space is None:
        return _without_vectors(library, question)
    # Brings numpy and more along, which a library without vectors does without.
    from photoindex.library.search.semantic_search import answer

    try:
        return answer(library, space, question, events)
    except ModelUnavailable as error:
        if question.needs_model:
            raise
        return WordsAlone(str(error))


def _without_vectors(library: Library, question: Question) -> WordsAlone:
    with library.database.read() as connection:
        names = [one.name for one in all_spaces(connection)]
    if names:
        sentence = f"no space is in use, so that no photo is found by what it shows; run: {command_to_use(names)}"
    else:
        sentence = f"no photo was embedded yet; {way_to_vectors(library)}"
    if question.needs_model:
        raise ModelUnavailable(sentence)
    return WordsAlone(sentence)
