"""Scores embedding spaces, and searches in them, with queries whose answers are known: recall, first answer, latency."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photoindex.errors import UsageError
from photoindex.library.embed.model_choice import no_space
from photoindex.library.handle import Library
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.search.semantic_query import SemanticOptions, semantic_query
from photoindex.paths import display, from_text
from photoindex.query.syntax import And, Compare, Node, Operator, Words
from photoindex.query.value_syntax import joined
from photoindex.query.values import is_indexed
from photoindex.store.vectors import spaces
from photoindex.store.vectors import vectors as vector_rows
from photoindex.store.vectors.spaces import SpaceRow
from photoindex.text import without_stray_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photoindex.vectors.base import VectorIndex

_RANKS_MIN = 100
"""Minimum number of ranks to search for the first answer, even if k is smaller."""
QUERIES_FROM_KEYWORDS = 200
_FEW_PHOTOS = 20
_SHARE_MOST = 0.2
"""Words on a larger share of the photos distinguish nothing, unless it is a small library."""
_FILE_NUMBER = re.compile(r"\d{4}|_")
_VECTORS_PER_PHOTO = 2
"""Vectors fetched per requested photo, because a photo may have several (its RAW, an edit)."""


@dataclass(frozen=True, slots=True)
class KnownQuery:
    """A query and the photos that answer it; `line` is its line in the file."""

    text: str
    relevant: frozenset[int]
    line: int


@dataclass(frozen=True, slots=True)
class QueryScore:
    """The result of a space for one query: recall at k, and the rank of the first answer, None if it was not found.

    fused_recall, fused_rank: the same of a search in vectors and texts; None if it was not asked for.
    """

    text: str
    recall: float
    first_rank: int | None
    fused_recall: float | None = None
    fused_rank: int | None = None


@dataclass(frozen=True, slots=True)
class SpaceScore:
    """The result of a space for all queries.

    recall: mean over the queries of the share of answers among the first k photos, of at most k answers. mrr: mean of
    1/rank of the first answer, 0 if it is not among the first 100 (or k). median_ms, p95_ms: for encoding the text,
    searching and finding the photos, in a warm process. fused_recall, fused_mrr: the same of a search in vectors and texts
    without a cut-off; None if it was not asked for.
    """

    space: SpaceRow
    vectors: int
    queries: int
    k: int
    recall: float
    mrr: float
    median_ms: float
    p95_ms: float
    each: tuple[QueryScore, ...]
    fused_recall: float | None = None
    fused_mrr: float | None = None


def read_queries(library: Library, file: Path) -> list[KnownQuery]:
    """Read queries from a file: per line a JSON object, `{"query": "…", "relevant": ["…", 12]}`, or tab-separated text.

    A number, or `id:12`, is a photo's number; all other answers are paths as in `path:`: a file, a folder, the end of a
    path, or a pattern with `*`. Blank lines and lines that start with `#` are ignored. Raises UsageError with the line
    number.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the queries in {file}: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        text, answers = _parsed(line, f"{file}:{number}")
        relevant = frozenset(photo for answer in answers for photo in _photos(library, answer, f"{file}:{number}"))
        found.append(KnownQuery(text, relevant, number))
    if not found:
        raise UsageError(f"there is no query in {file}")
    return found


def queries_from_keywords(library: Library) -> list[KnownQuery]:
    """Return queries whose answers the library knows: its keywords, tags and titles, and the photos that have them.

    Names of people, words on most photos and titles like file names are left out, because no model can know them. At most
    QUERIES_FROM_KEYWORDS are returned, the most frequent words first, always the same ones for the same library. Raises
    UsageError if there are none.
    """
    from photoindex.store.search.own_words import photos_by_words

    with library.database.read() as connection:
        photos, known = photos_by_words(connection)
    most = max(_FEW_PHOTOS, photos * _SHARE_MOST)
    usable = [(text, ids) for text, ids in known.items() if len(ids) <= most and _says_something(text)]
    usable.sort(key=lambda one: (-len(one[1]), one[0]))
    if not usable:
        raise UsageError("the library has no keywords, tags or titles to make queries of; give a file with queries")
    return [KnownQuery(text, frozenset(ids), 0) for text, ids in usable[:QUERIES_FROM_KEYWORDS]]


def _says_something(text: str) -> bool:
    """Tell whether a text has words, not only numbers or the name of a file."""
    return any(len(word) > 1 and word.isalpha() for word in text.split()) and not _FILE_NUMBER.search(text)


def _parsed(line: str, where: str) -> tuple[str, Sequence[Any]]:
    if line.lstrip().startswith("{"):
        try:
            value = json.loads(line)
            text, answers = value["query"], value["relevant"]
        except (ValueError, KeyError, RecursionError) as error:
            message = f'{where}: write an object such as {{"query": "a beach", "relevant": ["2019/beach/*"]}}'
            raise UsageError(message) from error
        answers = [answers] if isinstance(answers, str | int) else answers
    else:
        text, *answers = (part.strip() for part in line.split("\t"))
    if not isinstance(text, str) or not text.strip() or not isinstance(answers, list) or not any(answers):
        raise UsageError(f"{where}: a line needs a query and at least one relevant photo, separated by tabs")
    return without_stray_bytes(text), [answer for answer in answers if answer != ""]


def _photos(library: Library, answer: object, where: str) -> list[int]:
    if isinstance(answer, int) and not isinstance(answer, bool):
        answer = f"id:{answer}"
    if not isinstance(answer, str):
        raise UsageError(f"{where}: {answer!r} is neither a path nor a photo's number")
    try:
        shown = display(from_text(answer))
    except UnicodeEncodeError as error:
        raise UsageError(f"{where}: {answer!a} is not a path") from error
    name, _, value = answer.partition(":")
    by_id = name == "id" and value.isascii() and value.isdigit()
    node = Compare("id", Operator.IS, value) if by_id else Compare("path", Operator.IS, answer)
    try:
        found = matching_photo_ids(library, node)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from error
    if not found:
        raise UsageError(f"{where}: no photo in the library matches '{shown}'")
    return found


def score_spaces(
    library: Library, queries: Sequence[KnownQuery], names: Sequence[str] = (), *, k: int = 10, fused: bool = True
) -> Iterator[SpaceScore]:
    """Yield the score of each named space, or of all, for the same queries. Raises NothingFound, ModelUnavailable.

    fused: also search in texts, which says nothing where the answers were taken from them.
    """
    from photoindex.library.spaces.spaces import space_of

    with library.database.read() as connection:
        chosen = spaces.all_spaces(connection) if not names else []
    chosen = chosen or [space_of(library, name) for name in names]
    if not chosen:
        raise UsageError(no_space(library))
    for space in chosen:
        yield _score(library, space, queries, k, fused=fused)


def _score(library: Library, space: SpaceRow, queries: Sequence[KnownQuery], k: int, *, fused: bool) -> SpaceScore:
    from photoindex.library.index.maintain import open_index
    from photoindex.library.spaces.query_encoder import QueryEncoder
    from photoindex.models.encoders import open_text_encoder

    encoder = open_text_encoder(QueryEncoder(library, space).installed)
    index = open_index(library, space)
    _ranked(library, index, encoder.encode_texts([queries[0].text])[0], k)  # warm up
    each, seconds = [], []
    for query in queries:
        began = time.perf_counter()
        ranked = _ranked(library, index, encoder.encode_texts([query.text])[0], max(k, _RANKS_MIN))
        seconds.append(time.perf_counter() - began)
        recall, first = _found(query, ranked, k)
        of_both = _found(query, _fused(library, space, query.text, max(k, _RANKS_MIN)), k) if fused else (None, None)
        each.append(QueryScore(query.text, recall, first, *of_both))
    return SpaceScore(
        space,
        vectors=len(index),
        queries=len(queries),
        k=k,
        recall=statistics.fmean(one.recall for one in each),
        mrr=_mean_of_inverse([one.first_rank for one in each]),
        median_ms=1000 * statistics.median(seconds),
        p95_ms=1000 * sorted(seconds)[min(len(seconds) - 1, int(0.95 * len(seconds)))],
        each=tuple(each),
        fused_recall=statistics.fmean(one.fused_recall or 0.0 for one in each) if fused else None,
        fused_mrr=_mean_of_inverse([one.fused_rank for one in each]) if fused else None,
    )


def _found(query: KnownQuery, ranked: Sequence[int], k: int) -> tuple[float, int | None]:
    """Return recall at k and the rank of the first answer."""
    first = next((rank for rank, photo in enumerate(ranked, 1) if photo in query.relevant), None)
    return len(query.relevant.intersection(ranked[:k])) / min(k, len(query.relevant)), first


def _mean_of_inverse(ranks: Sequence[int | None]) -> float:
    return statistics.fmean(0.0 if rank is None else 1 / rank for rank in ranks)


def _fused(library: Library, space: SpaceRow, text: str, limit: int) -> list[int]:
    """Return the photos that `search --all` finds by these words, best first."""
    from photoindex.library.search.semantic_search import search_by_meaning

    words: list[Node] = [Words(word) for word in text.split() if any(map(is_indexed, word))]
    query = semantic_query(joined(And, words), SemanticOptions(everything=True)) if words else None
    if query is None:
        return []
    return [one.photo_id for one in search_by_meaning(library, space, query, limit).ranked]


def _ranked(library: Library, index: VectorIndex, values: NDArray[np.float32], limit: int) -> list[int]:
    """Return the photos of the nearest vectors without duplicates, best first."""
    nearest = index.search(values, _VECTORS_PER_PHOTO * limit)
    numbers = [int(number) for number in nearest.ids]
    with library.database.read() as connection:
        photos = vector_rows.photos_of(connection, numbers)
    return list(dict.fromkeys(photos[number] for number in numbers if number in photos))[:limit]
