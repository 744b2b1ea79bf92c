"""A large library without any picture files: rows written straight into the tables."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.geo.names import name_key
from photoindex.store.engine.database import Database
from photoindex.store.schema.tables import (
    asset,
    event,
    file,
    folder,
    photo,
    photo_text,
    place,
    root,
    sidecar,
    sidecar_link,
    task,
    variant,
    volume,
)
from photoindex.store.search import text_index
from photoindex.types import Resolved

MOUNT_POINT = b"/srv/photos"
PHOTOS_PER_FOLDER = 100
_BATCH = 5_000
_CAMERAS = (
    ("Canon", "Canon EOS 5D Mark IV", "EF24-70mm f/2.8L II USM", "jpeg", "image"),
    ("Canon", "Canon EOS R5", "RF50mm F1.2 L USM", "cr3", "raw"),
    ("NIKON CORPORATION", "NIKON D850", "70-200mm f/2.8", "nef", "raw"),
    ("Apple", "iPhone 12 Pro", "iPhone 12 Pro back camera 4.2mm f/1.6", "heic", "image"),
    ("SONY", "ILCE-7M3", "FE 85mm F1.8", "jpeg", "image"),
    (None, None, None, "mp4", "video"),
)
_PLACES = ("beach", "mountains", "Zürich", "garden", "party", "museum", "São Paulo", "lake")
_CITIES = (
    ("Lisbon", "Lisbon", "Portugal", "PT", 38.725, -9.150, "lissabon\nlisboa"),
    ("Porto", "Porto", "Portugal", "PT", 41.149, -8.611, "oporto"),
    ("Zurich", "Zurich", "Switzerland", "CH", 47.367, 8.550, "zurigo"),
    ("Paris", "\u00cele-de-France", "France", "FR", 48.853, 2.349, "parigi"),
    ("Paris", "Texas", "United States", "US", 33.661, -95.556, ""),
    ("Suva", "Central", "Fiji", "FJ", -18.142, 178.442, ""),
)
_EXTRAS: tuple[tuple[str, str, str, str, float], ...] = (
    ("raw", "raw", "nef", ".NEF", 0.03),
    ("movie", "video", "mov", ".MOV", 0.05),
    ("edit", "image", "jpeg", "_E.JPG", 0.01),
)
"""Further contents of some photos: role, kind, format, end of the file's name, how many photos have one."""
_KEYWORDS = ("family", "sunset", "dog", "car", "food", "night", "snow", "Italy|Rome")


def make_library(folder_path: Path, photos: int, seed: int = 0) -> Path:
    """Create a library of `photos` photos in `folder_path` and return the folder; the same seed gives the same rows."""
    with open_library(Config(library=folder_path), create=True) as library:
        _fill(library.database, photos, random.Random(seed))
    return folder_path


def _fill(database: Database, photos: int, chance: random.Random) -> None:
    places = {"identity": "uuid-of-synthetic", "label": "synthetic", "mount_point": MOUNT_POINT, "file_system": "ext4"}
    with database.write() as connection:
        connection.execute(insert(volume).values(id=1, last_seen_at=0.0, **places))
        connection.execute(
            insert(root).values(id=1, volume_id=1, path=b"album", excludes=[], follow_symlinks=False, added_at=0.0)
        )
        connection.execute(insert(variant).values(id=1, stage="ingest", key="{}", created_at=0.0))
        connection.execute(insert(place), [_place_row(number) for number in range(len(_CITIES))])
        connection.execute(insert(event), [_event_row(year) for year in range(2005, 2025)])
        folders = (photos + PHOTOS_PER_FOLDER - 1) // PHOTOS_PER_FOLDER
        rows = [{"id": number + 1, "volume_id": 1, "path": _folder_path(number)} for number in range(folders)]
        if rows:
            connection.execute(insert(folder), rows)
    numbers = iter(range(photos))
    while batch := list(islice(numbers, _BATCH)):
        tables: Mapping[Any, list[dict[str, Any]]] = {
            photo: [], asset: [], file: [], sidecar: [], sidecar_link: [], photo_text: [], task: [],
        }  # fmt: skip
        for number in batch:
            for table, row in _rows(number, chance):
                tables[table].append(row)
        with database.write() as connection:
            for table, rows in tables.items():
                if rows:
                    connection.execute(insert(table), rows)


def _folder_path(number: int) -> bytes:
    return f"album/{2005 + number % 20}/{_PLACES[number % len(_PLACES)]} {number:05d}".encode()


def _place_row(number: int) -> dict[str, Any]:
    city, region, country, code, latitude, longitude, alternates = _CITIES[number]
    return {
        "id": number + 1, "city": city, "region": region, "country": country, "country_code": code, "latitude": latitude,
        "longitude": longitude, "population": 1, "words": f" {name_key(f'{city} {region} {country}')} ",
        "alternates": f"\n{alternates}\n",
    }  # fmt: skip


def _event_row(year: int) -> dict[str, Any]:
    return {
        "key": f"{year}-06-01-lisbon", "kind": "trip", "title": f"Lisbon, June {year}", "words": f" lisbon june {year} ",
        "first_at": f"{year}-06-01T08:00:00", "last_at": f"{year}-06-10T20:00:00", "photos": 0, "found_at": 0.0,
    }  # fmt: skip


def _rows(number: int, chance: random.Random) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the rows of a photo: contents, files (some copied, some with a sidecar), done and quarantined tasks."""
    photo_id = number + 1
    make, model, lens, form, kind = chance.choice(_CAMERAS)
    resolved, place_id = _facts(number, chance, (make, model, lens))
    size = chance.randrange(500_000, 60_000_000)
    width, height = chance.choice(((6000, 4000), (4000, 6000), (4032, 3024), (3000, 3000)))
    shape = {"kind": kind, "format": form, "size_bytes": size, "width": width, "height": height, "orientation": 1}
    shape["duration_seconds"] = chance.randrange(1, 600) if kind == "video" else None
    facts = {name: getattr(resolved, name) for name in Resolved.__slots__ if name in photo.c}
    yield photo, {
        **facts, **shape, "id": photo_id, "primary_asset_id": photo_id, "keywords": list(resolved.keywords),
        "sources": dict(resolved.sources), "added_at": 1.6e9 + number, "place_id": place_id,
        "burst": f"burst-{number // 5}" if number % 50 < 5 else None, "motion": chance.random() < 0.02,
    }  # fmt: skip
    stem = f"IMG_{number:06d}"
    name = f"{stem}.{form.upper() if form != 'jpeg' else 'JPG'}".encode()
    state = "missing" if chance.random() < 0.01 else "present"
    yield from _content(photo_id, photo_id, {**shape, "role": "primary"})
    yield file, _file(photo_id, number, name, state=state, asset_id=photo_id)
    # Ids of additional rows end with the photo's id, so they are unique.
    for step, (role, other_kind, other_form, ending, share) in enumerate(_EXTRAS, start=1):
        if kind == "image" and chance.random() < share:
            other_id = step * 10_000_000 + photo_id
            other = {**shape, "kind": other_kind, "format": other_form, "role": role}
            yield from _content(other_id, photo_id, other)
            yield file, _file(other_id, number, f"{stem}{ending}".encode(), state=state, asset_id=other_id)
    if chance.random() < 0.02:
        yield file, _file(40_000_000 + photo_id, number, b"copy of " + name, state=state, asset_id=photo_id)
    if chance.random() < 0.1:
        sidecar_id = 50_000_000 + photo_id
        yield file, _file(sidecar_id, number, name + b".xmp", state=state, asset_id=None)
        known: dict[str, Any] = {"kind": "xmp", "facts": {}, "regions": [], "notes": [], "read_at": 0.0}
        yield sidecar, {"file_id": sidecar_id, **known}
        yield sidecar_link, {"sidecar_id": sidecar_id, "file_id": photo_id, "why": "same name"}
    yield task, {
        "subject_kind": "file", "subject_id": photo_id, "stage": "ingest", "variant_id": 1,
        "state": "quarantined" if chance.random() < 0.002 else "done", "attempts": 1, "updated_at": 1.6e9,
    }  # fmt: skip
    text = text_index.document([name], [_folder_path(number // PHOTOS_PER_FOLDER).removeprefix(b"album/")], resolved)
    yield photo_text, {"photo_id": photo_id, **text}


def _facts(
    number: int, chance: random.Random, camera: tuple[str | None, str | None, str | None]
) -> tuple[Resolved, int | None]:
    """Return the facts of a photo, and the id of its place."""
    make, model, lens = camera
    taken = datetime(2005, 1, 1) + timedelta(seconds=chance.randrange(20 * 365 * 86_400))  # noqa: DTZ001 - wall time
    source = chance.choice(("exif", "exif", "exif", "name", "mtime")) if chance.random() > 0.02 else None
    city = chance.randrange(len(_CITIES)) if chance.random() < 0.4 else None
    latitude, longitude = (None, None) if city is None else (_CITIES[city][4], _CITIES[city][5])
    resolved = Resolved(
        taken_at=taken.isoformat() if source else None,
        taken_at_source=source,
        taken_at_precision=None if source is None else "day" if source == "name" else "second",
        latitude=None if latitude is None else latitude + chance.uniform(-0.3, 0.3),
        longitude=None if longitude is None else longitude + chance.uniform(-0.3, 0.3),
        place=None if city is None else ", ".join(_CITIES[city][:3]),
        camera_make=make,
        camera_model=model,
        lens=lens,
        iso=chance.choice((100, 200, 400, 1600)) if make else None,
        aperture=chance.choice((1.8, 2.8, 5.6)) if make else None,
        exposure_seconds=chance.choice((1 / 250, 1 / 60, 0.5, 2.0)) if make else None,
        focal_length_mm=chance.choice((24.0, 50.0, 85.0, 200.0)) if make else None,
        rating=chance.choice((None, None, 1, 3, 5)),
        title=f"Title {number} of the {chance.choice(_PLACES)}" if chance.random() < 0.1 else None,
        description=f"Words about photo {number}" if chance.random() < 0.05 else None,
        keywords=tuple(chance.sample(_KEYWORDS, chance.choice((0, 0, 0, 1, 2)))),
        sources={"taken_at": source, "camera_model": "exif", "rating": "xmp"} if source else {},
    )
    return resolved, None if city is None else city + 1


def _content(asset_id: int, photo_id: int, values: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    yield asset, {
        **values, "id": asset_id, "digest": asset_id.to_bytes(32, "big"), "notes": [], "derived": True, "variant_id": 1,
        # As large as a camera's metadata: a search must not need to read it.
        "facts": {"exif": {f"fact_{number}": "x" * 20 for number in range(20)}},
        "photo_id": photo_id, "added_at": 1.6e9, "perceptual_hash": 0,
    }  # fmt: skip


def _file(file_id: int, number: int, name: bytes, *, state: str, asset_id: int | None) -> dict[str, Any]:
    return {
        "id": file_id, "folder_id": number // PHOTOS_PER_FOLDER + 1, "name": name, "size_bytes": 1000, "mtime_ns": number,
        "state": state, "media": asset_id is not None, "asset_id": asset_id, "first_seen_at": 1.6e9,
    }  # fmt: skip


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("photos", type=int)
    given = arguments.parse_args()
    make_library(given.folder, given.photos)
