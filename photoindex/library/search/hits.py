"""The data of photos found by a search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from photoindex.library.handle import Library
from photoindex.library.search.rank_fusion import Ranked
from photoindex.store.files.files import join
from photoindex.store.search import compile as store

CHUNK_PHOTOS = 500
"""How many photos are read at a time."""
CHUNK_PATHS = 5_000


@dataclass(frozen=True, slots=True)
class Hit:
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
            yield replace(hit, **parts)


def hits_by_id(library: Library, photo_ids: Sequence[int]) -> dict[int, Hit]:
    """Return photos by id; photos that no longer exist are skipped."""
    found: dict[int, Hit] = {}
    for start in range(0, len(photo_ids), CHUNK_PHOTOS):
        found.update((hit.id, hit) for hit in read_hits(library, photo_ids[start : start + CHUNK_PHOTOS]))
    return found


def read_hits(library: Library, ids: Sequence[int]) -> Iterator[Hit]:
    """Yield a few hundred photos in the given order; photos that no longer exist are skipped."""
    with library.database.read() as connection:
        rows = store.photo_rows(connection, ids)
        files: dict[int, list[Any]] = {}
        for file in store.file_rows(connection, ids):
            files.setdefault(file.photo_id, []).append(file)
    return (_hit(rows[photo_id], files.get(photo_id, [])) for photo_id in ids if photo_id in rows)


def read_paths(library: Library, ids: Sequence[int]) -> Iterator[bytes]:
    """Yield the paths of a few thousand photos in the given order, as in `Hit`; photos without a file are skipped."""
    with library.database.read() as connection:
        files = store.file_rows(connection, ids)
    # The first file of a photo is written last.
    paths = {photo_id: (mount, folder, name) for photo_id, mount, folder, name, _state in reversed(files)}
    return (join(*paths[photo_id]) for photo_id in ids if photo_id in paths)


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


_SCORES = ("score", "score_rank", "words_rank", "fused", "second_score", "relevance")
_COMPUTED = ("path", "name", "state", "files", "camera", "keywords", "digest", *_SCORES)
_PHOTO_COLUMNS = tuple(name for name in Hit.__slots__ if name not in _COMPUTED)


def camera_name(make: str | None, model: str | None) -> str | None:
    """Return maker and model as one text, with the maker only once: many cameras repeat it in the model."""
    if not make or not model:
        return make or model
    names_maker = model.lower().split()[:1] == make.lower().split()[:1]
    return model if names_maker else f"{make} {model}"
