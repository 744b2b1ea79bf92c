"""The data of photos found by a search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from photoindex.library.handle import Library
from photoindex.library.search.rank_fusion import Ranked
from photoindex.store.search.found_photos import PHOTO_COLUMNS, FirstFile, first_files, photo_rows

CHUNK_PHOTOS = 500
"""How many photos are read at a time."""
_FIRST_CHUNK, _LARGEST_CHUNK, _LARGEST_CHUNK_OF_PATHS = 500, 10_000, 100_000
"""The first photos are there at once; the more are read together, the nearer they lie to each other in the database."""


class Hit(NamedTuple):
    """One photo that was found.

    path: absolute, of the first present file, else of a missing one; b"" if the photo has no file. state: present or
    missing, of that file. files: number of files. camera: maker and model as one text. digest: BLAKE3 in hex of the
    photo's primary content. name: the last part of the path. taken_at: ISO 8601 wall time; if taken_at_precision is
    day, month or year, its first moment. taken_at_utc: UTC seconds since 1970, negative before, None if the instant is
    unknown. utc_offset_minutes: east of UTC. zone: IANA name. added_at: UTC seconds since 1970. latitude, longitude:
    degrees, WGS 84. width, height: pixels as shown. score, score_rank, words_rank, fused, second_score, relevance: as in `rank_fusion.Ranked`,
    None without a semantic search.
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
    second_score: float | None = None
    relevance: int | None = None


def hits_of(library: Library, ranked: Sequence[Ranked]) -> Iterator[Hit]:
    """Yield photos found by meaning, with their scores; photos that were removed in the meantime are skipped."""
    for start in range(0, len(ranked), CHUNK_PHOTOS):
        chunk = {one.photo_id: one for one in ranked[start : start + CHUNK_PHOTOS]}
        for hit in read_hits(library, list(chunk)):
            one = chunk[hit.id]
            parts = {name: getattr(one, name) for name in _SCORES}
            yield hit._replace(**parts)


def hits_by_id(library: Library, photo_ids: Sequence[int]) -> dict[int, Hit]:
    """Return photos by id; photos that no longer exist are skipped."""
    found: dict[int, Hit] = {}
    for start in range(0, len(photo_ids), CHUNK_PHOTOS):
        found.update((hit.id, hit) for hit in read_hits(library, photo_ids[start : start + CHUNK_PHOTOS]))
    return found


def read_hits(library: Library, ids: Sequence[int], folders: dict[int, bytes] | None = None) -> Iterator[Hit]:
    """Yield photos in the given order; photos that no longer exist are skipped. folders: as in `first_files`."""
    with library.database.read() as connection:
        rows = {row[0]: row for row in photo_rows(connection, ids)}
        files = first_files(connection, ids, folders)
    return (_hit(rows[photo_id], files.get(photo_id, _NO_FILE)) for photo_id in ids if photo_id in rows)


def all_hits(library: Library, ids: Sequence[int]) -> Iterator[Hit]:
    """Yield any number of photos, read in chunks, as `read_hits` does."""
    folders: dict[int, bytes] = {}
    for chunk in _chunks(ids, _LARGEST_CHUNK):
        yield from read_hits(library, chunk, folders)


def all_paths(library: Library, ids: Sequence[int]) -> Iterator[bytes]:
    """Yield the paths of any number of photos in the given order, as in `Hit`; photos without a file are skipped."""
    folders: dict[int, bytes] = {}
    for chunk in _chunks(ids, _LARGEST_CHUNK_OF_PATHS):
        with library.database.read() as connection:
            files = first_files(connection, chunk, folders)
        yield from (files[photo_id].path for photo_id in chunk if photo_id in files)


def _chunks(ids: Sequence[int], largest: int) -> Iterator[Sequence[int]]:
    start, size = 0, _FIRST_CHUNK
    while start < len(ids):
        yield ids[start : start + size]
        start, size = start + size, min(2 * size, largest)


def _hit(row: Sequence[Any], first: FirstFile) -> Hit:
    *known, added_at, keywords, digest = row
    camera = camera_name(known[_CAMERA], known[_CAMERA + 1])
    words = (tuple(keywords), None if digest is None else digest.hex(), added_at)
    return Hit._make((known[0], *first, *known[1:_CAMERA], camera, *known[_CAMERA:], *words, *_NO_SCORES))


_NO_FILE = FirstFile(b"", b"", "missing", 0)
_SCORES = ("score", "score_rank", "words_rank", "fused", "second_score", "relevance")
_NO_SCORES = (None,) * len(_SCORES)
_CAMERA = PHOTO_COLUMNS.index("camera_make")


@lru_cache(maxsize=1_000)
def camera_name(make: str | None, model: str | None) -> str | None:
    """Return maker and model as one text, with the maker only once: many cameras repeat it in the model."""
    if not make or not model:
        return make or model
    names_maker = model.lower().split()[:1] == make.lower().split()[:1]
    return model if names_maker else f"{make} {model}"
