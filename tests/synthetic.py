"""A library of many photos without a single picture: rows written straight into the tables."""

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
from photoindex.config import Config
from photoindex.store import text_index
from photoindex.store.database import Database
from photoindex.store.tables import asset, file, folder, photo, photo_text, root, task, variant, volume
from photoindex.types import Resolved

MOUNT_POINT = b"/srv/photos"
PHOTOS_A_FOLDER = 100
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
_KEYWORDS = ("family", "sunset", "dog", "car", "food", "night", "snow", "Italy|Rome")


def make_library(folder_path: Path, photos: int, seed: int = 0) -> Path:
    """Make a library of `photos` photos in `folder_path` and return the folder; the same seed gives the same rows."""
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
        folders = (photos + PHOTOS_A_FOLDER - 1) // PHOTOS_A_FOLDER
        rows = [{"id": number + 1, "volume_id": 1, "path": _folder_path(number)} for number in range(folders)]
        if rows:
            connection.execute(insert(folder), rows)
    numbers = iter(range(photos))
    while batch := list(islice(numbers, _BATCH)):
        tables: Mapping[Any, list[dict[str, Any]]] = {photo: [], asset: [], file: [], photo_text: [], task: []}
        for number in batch:
            for table, row in _rows(number, chance):
                tables[table].append(row)
        with database.write() as connection:
            for table, rows in tables.items():
                connection.execute(insert(table), rows)


def _folder_path(number: int) -> bytes:
    return f"album/{2005 + number % 20}/{_PLACES[number % len(_PLACES)]} {number:05d}".encode()


def _rows(number: int, chance: random.Random) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the rows of one photo: one content, one file (sometimes a copy of it), one finished task."""
    photo_id = number + 1
    make, model, lens, form, kind = chance.choice(_CAMERAS)
    taken = datetime(2005, 1, 1) + timedelta(seconds=chance.randrange(20 * 365 * 86_400))  # noqa: DTZ001 - wall time
    keywords = chance.sample(_KEYWORDS, chance.choice((0, 0, 0, 1, 2)))
    resolved = Resolved(
        taken_at=taken.isoformat() if chance.random() > 0.02 else None,
        camera_make=make,
        camera_model=model,
        lens=lens,
        iso=chance.choice((100, 200, 400, 1600)) if make else None,
        aperture=chance.choice((1.8, 2.8, 5.6)) if make else None,
        focal_length_mm=chance.choice((24.0, 50.0, 85.0, 200.0)) if make else None,
        rating=chance.choice((None, None, 1, 3, 5)),
        title=f"Title {number} of the {chance.choice(_PLACES)}" if chance.random() < 0.1 else None,
        keywords=tuple(keywords),
    )
    size = chance.randrange(500_000, 60_000_000)
    shape = {"kind": kind, "format": form, "size_bytes": size, "width": 6000, "height": 4000, "orientation": 1}
    facts = {name: getattr(resolved, name) for name in Resolved.__slots__ if name in photo.c}
    yield photo, {
        **facts, **shape, "id": photo_id, "primary_asset_id": photo_id, "keywords": keywords, "sources": {},
        "added_at": 1.6e9 + number, "duration_seconds": None,
    }  # fmt: skip
    yield asset, {
        **shape, "id": photo_id, "digest": photo_id.to_bytes(32, "big"), "facts": {}, "notes": [], "derived": True,
        "variant_id": 1, "photo_id": photo_id, "role": "primary", "added_at": 1.6e9, "perceptual_hash": 0,
        "duration_seconds": None,
    }  # fmt: skip
    folder_number = number // PHOTOS_A_FOLDER
    name = f"IMG_{number:06d}.{form.upper() if form != 'jpeg' else 'JPG'}".encode()
    state = "missing" if chance.random() < 0.01 else "present"
    yield file, {
        "id": photo_id, "folder_id": folder_number + 1, "name": name, "size_bytes": size, "mtime_ns": number,
        "state": state, "media": True, "asset_id": photo_id, "first_seen_at": 1.6e9,
    }  # fmt: skip
    yield task, {
        "subject_kind": "file", "subject_id": photo_id, "stage": "ingest", "variant_id": 1, "state": "done",
        "attempts": 1, "updated_at": 1.6e9,
    }  # fmt: skip
    text = text_index.document([name], [_folder_path(folder_number).removeprefix(b"album/")], resolved)
    yield photo_text, {"photo_id": photo_id, **text}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("photos", type=int)
    given = arguments.parse_args()
    make_library(given.folder, given.photos)
