"""Find photos by a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.search.lookups import lookups_of
from photoindex.library.search.rank_fusion import Ranked
from photoindex.query import parser
from photoindex.query.arguments import hints_on_arguments, join_arguments
from photoindex.query.option_terms import option_nodes
from photoindex.query.printer import to_text
from photoindex.query.syntax import And, Compare, Node, Operator, OptionTerm, Or, leaves
from photoindex.query.value_syntax import joined
from photoindex.store.files.files import join
from photoindex.store.search import compile as store
from photoindex.store.search.fields import grammar

DEFAULT_SORT = "-date"
_CHUNK_PHOTOS = 500


@dataclass(frozen=True, slots=True)
class Hit:
    """One photo that was found.

    path: absolute, of the first present file, else of one that was there last; b"" where the photo has no file. state:
    present or missing, of that file. files: how many there are. camera: maker and model as one text. digest: BLAKE3 in
    hex of the content that stands for the photo. name: the last part of the path. taken_at: ISO 8601 wall time; where
    taken_at_precision is day, month or year, the first moment of it. taken_at_utc: UTC seconds since 1970, before it
    negative, None where the instant is not known. utc_offset_minutes: east of UTC. zone: IANA name. added_at: UTC seconds since 1970.
    latitude, longitude: degrees, WGS 84. width, height: pixels as shown. score, score_rank, words_rank, fused: as in
    `ranking.Ranked`, all None where nothing was looked for by its meaning.
    """

    id: int
    path: bytes
    name: bytes
    state: str
    files: int
    kind: str
    format: str
    width: int | None
    height: int | None
    size_bytes: int
    duration_seconds: float | None
    taken_at: str | None
    taken_at_source: str | None
    taken_at_confidence: float | None
    taken_at_precision: str | None
    taken_at_utc: float | None
    utc_offset_minutes: int | None
    zone: str | None
    latitude: float | None
    longitude: float | None
    altitude_m: float | None
    place: str | None
    camera: str | None
    camera_make: str | None
    camera_model: str | None
    lens: str | None
    iso: int | None
    aperture: float | None
    exposure_seconds: float | None
    focal_length_mm: float | None
    rating: int | None
    title: str | None
    description: str | None
    keywords: tuple[str, ...]
    digest: str | None
    added_at: float
    score: float | None = None
    score_rank: int | None = None
    words_rank: int | None = None
    fused: float | None = None


def parse(library: Library, text: str) -> Node:
    """Return the syntax tree of a query. Raises QuerySyntaxError, which points at the character that is wrong."""
    return parser.parse(text, grammar(), lookups_of(library))


def parse_arguments(library: Library, arguments: Sequence[str]) -> Node:
    """Return the syntax tree of a query that came as words of a command line; see `query.arguments`."""
    return read_request(library, arguments).tree


@dataclass(frozen=True, slots=True)
class Request:
    """A query as it was asked: its tree, and a text that means the same and still names saved queries and relative dates."""

    tree: Node
    text: str


def read_request(library: Library, arguments: Sequence[str], terms: Sequence[OptionTerm] = ()) -> Request:
    """Return what the words of a command line and the terms given as options ask for together.

    Raises QuerySyntaxError, which shows the query, or the option, with the character that is wrong.
    """
    fields, lookups = grammar(), lookups_of(library)
    words = join_arguments(arguments, fields)
    asked = parser.parse(words, fields, lookups)
    return _with_options(words, asked, option_nodes(terms, fields, lookups)) if terms else Request(asked, words)


def _with_options(words: str, asked: Node, options: Sequence[Node]) -> Request:
    tree = joined(And, [asked, *options])
    if sum(1 for _ in leaves(tree)) > parser.MAX_TERMS:
        raise UsageError(f"a query has at most {parser.MAX_TERMS} terms, with those of its options")
    shown = f"({words})" if isinstance(asked, Or) else words
    return Request(tree, f"{shown} {to_text(And(tuple(options)))}".strip())


def search(
    library: Library, query: Node, *, sort: str | None = None, limit: int | None = None, offset: int = 0
) -> Iterator[Hit]:
    """Yield the photos that match, newest first unless `sort` names another key (`-key` for descending).

    What matches is decided at the start, in one snapshot; the rest is read as it is asked for, so that a reader that
    pauses holds no transaction open. Raises UsageError for an unknown key, at the first hit that is asked for.
    """
    key, descending = sort_key(sort or DEFAULT_SORT)
    with library.database.read() as connection:
        ids = store.matching_ids(connection, query, sort=key, descending=descending, limit=limit, offset=offset)
    for start in range(0, len(ids), _CHUNK_PHOTOS):
        yield from _hits(library, ids[start : start + _CHUNK_PHOTOS])


def hits_of(library: Library, ranked: Sequence[Ranked]) -> Iterator[Hit]:
    """Yield the photos that were found by their meaning, with their scores; one that was forgotten since is left out."""
    for start in range(0, len(ranked), _CHUNK_PHOTOS):
        chunk = {one.photo_id: one for one in ranked[start : start + _CHUNK_PHOTOS]}
        for hit in _hits(library, list(chunk)):
            one = chunk[hit.id]
            parts = {name: getattr(one, name) for name in ("score", "score_rank", "words_rank", "fused")}
            yield replace(hit, **parts)


def hits_by_id(library: Library, photo_ids: Sequence[int]) -> dict[int, Hit]:
    """Return photos by their numbers; one that is gone is left out."""
    found: dict[int, Hit] = {}
    for start in range(0, len(photo_ids), _CHUNK_PHOTOS):
        found.update((hit.id, hit) for hit in _hits(library, photo_ids[start : start + _CHUNK_PHOTOS]))
    return found


def count(library: Library, query: Node) -> int:
    """Return how many photos match."""
    with library.database.read() as connection:
        return store.count(connection, query)


def hints(library: Library, arguments: Sequence[str], query: Node) -> list[str]:
    """Return sentences on what may be meant otherwise in a query that found nothing; `arguments` as for `read_request`."""
    asked = [leaf for leaf in leaves(query) if isinstance(leaf, Compare) and leaf.field == "event"]
    names = [leaf.value or "" for leaf in asked if leaf.operator is Operator.IS]
    with library.database.read() as connection:
        unknown = [name for name in dict.fromkeys(names) if not store.has_event(connection, name)]
    of_events = [f"no event has the key or words '{name}'; photoindex events lists them" for name in unknown]
    return hints_on_arguments(arguments, grammar()) + of_events


def matching_photo_ids(library: Library, query: Node) -> list[int]:
    """Return the numbers of all photos that match, ascending."""
    with library.database.read() as connection:
        return store.matching_ids(connection, query).tolist()


def sort_key(sort: str) -> tuple[str, bool]:
    """Return a key of `store.search.SORT_KEYS` and whether it descends. Raises UsageError for another one."""
    key = sort.removeprefix("-")
    if key not in store.SORT_KEYS:
        near = get_close_matches(key, store.SORT_KEYS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"keys: {', '.join(store.SORT_KEYS)} (-key for descending)"
        raise UsageError(f"--sort: there is no key '{key}'; {hint}")
    return key, sort.startswith("-")


def _hits(library: Library, ids: Sequence[int]) -> Iterator[Hit]:
    with library.database.read() as connection:
        rows = store.photo_rows(connection, ids)
        files: dict[int, list[Any]] = {}
        for file in store.file_rows(connection, ids):
            files.setdefault(file.photo_id, []).append(file)
    # A photo that was forgotten since the search began is left out.
    return (_hit(rows[photo_id], files.get(photo_id, [])) for photo_id in ids if photo_id in rows)


def _hit(row: Mapping[str, Any], files: Sequence[Any]) -> Hit:
    first = files[0] if files else None
    known = {name: row[name] for name in _PHOTO_COLUMNS}
    return Hit(
        path=b"" if first is None else join(first.mount_point, first.folder_path, first.name),
        name=b"" if first is None else first.name,
        state="missing" if first is None else first.state,
        files=len(files),
        camera=camera_name(row["camera_make"], row["camera_model"]),
        keywords=tuple(row["keywords"] or ()),
        digest=None if row["digest"] is None else row["digest"].hex(),
        **known,
    )


_MADE = (
    "path", "name", "state", "files", "camera", "keywords", "digest", "score", "score_rank", "words_rank", "fused",
)  # fmt: skip
_PHOTO_COLUMNS = tuple(name for name in Hit.__slots__ if name not in _MADE)


def camera_name(make: str | None, model: str | None) -> str | None:
    """Return maker and model as one text, the maker once: many cameras put it into the model too."""
    if not make or not model:
        return make or model
    names_maker = model.lower().split()[:1] == make.lower().split()[:1]
    return model if names_maker else f"{make} {model}"
