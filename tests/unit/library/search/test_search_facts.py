"""What the fields for time, place, pairs, sidecars and states find in a real database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from photoindex.library.handle import Library
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.search.query_explanation import explain
from photoindex.query import parser
from photoindex.query.syntax import Node
from photoindex.store.schema.tables import asset, event, place, sidecar, sidecar_link
from photoindex.store.search.fields import grammar
from tests.queries import NOW, lookups
from tests.rows import ADDED_AT, VolumeRows, library_in

LISBON = {"latitude": 38.7167, "longitude": -9.1333, "place_id": 1, "place": "Lisbon, Portugal"}
PHOTOS: dict[str, dict[str, Any]] = {
    "evening": {
        **LISBON, "taken_at": "2019-06-15T18:30:00+01:00", "taken_at_precision": "second", "taken_at_source": "exif",
        "camera_make": "Canon", "camera_model": "Canon EOS 5D", "lens": "EF 50mm f/1.4", "exposure_seconds": 1 / 250,
        "width": 6000, "height": 4000, "orientation": 1, "title": "Caf\u00e9 a Brasileira", "rating": 4,
        "sources": {"taken_at": "exif", "latitude": "exif", "title": "xmp"}, "zone_source": "position",
    },
    "night": {
        "latitude": 38.70, "longitude": -9.42, "taken_at": "2019-06-16T02:00:00", "taken_at_precision": "minute",
        "taken_at_source": "name", "camera_make": "NIKON CORPORATION", "camera_model": "NIKON D850",
        "exposure_seconds": 30.0, "width": 3000, "height": 4000, "orientation": 6, "keywords": ["Night, sky"],
        "sources": {"taken_at": "name"}, "description": "stars",
    },
    "day": {
        "taken_at": "2019-06-20T00:00:00", "taken_at_precision": "day", "taken_at_source": "mtime",
        "sources": {"taken_at": "mtime"}, "width": 2000, "height": 2000, "burst": "b",
    },
    "fiji": {
        "latitude": -17.0, "longitude": 179.95, "place_id": 2, "place": "Labasa, Fiji", "motion": True,
        "taken_at": "2024-03-30T22:00:00+12:00", "taken_at_precision": "second", "taken_at_source": "exif",
        "exposure_seconds": 0.0167, "added_at": ADDED_AT + 100 * 86_400,
    },
    "movie": {"kind": "video", "format": "mp4", "duration_seconds": 90.2},
    "live": {"format": "heic"},
    "both": {},
    "edited": {},
    "copied": {},
    "broken": {},
    "plain": {},
}  # fmt: skip
NAMES = tuple(PHOTOS)
PRESENT = set(NAMES)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("facts")
    with library_in(folder / "library") as library:
        with library.database.write() as connection:
            known = {"country_code": "XX", "latitude": 0.0, "longitude": 0.0, "population": 1, "region": None}
            connection.execute(
                insert(place),
                [
                    {**known, "id": 1, "city": "Lisbon", "country": "Portugal", "words": " lisbon portugal ", "alternates": "\nlisboa\n"},
                    {**known, "id": 2, "city": "Labasa", "country": "Fiji", "words": " labasa fiji ", "alternates": "\n\n"},
                ],
            )  # fmt: skip
            connection.execute(
                insert(event).values(
                    key="2019-06-15-lisbon", kind="trip", title="Lisbon, June 2019", words=" lisbon june 2019 ",
                    first_at="2019-06-15T18:30:00", last_at="2019-06-16T02:00:00", photos=2, found_at=0.0,
                )
            )  # fmt: skip
        volume_rows = VolumeRows(library, folder / "originals", label="Backup disk")
        files = {name: add(volume_rows, name) for name in NAMES}
        volume_rows.add_file("copy of copied.jpg", asset_id=volume_rows.asset_of(id_of("copied")), create=False)
        for name, role, kind, form in (("both", "raw", "raw", "nef"), ("live", "movie", "video", "mov")):
            other = volume_rows.add_asset(id_of(name), role=role, kind=kind, format=form)
            volume_rows.add_file(f"{name}.{form}", asset_id=other, create=False)
        volume_rows.add_asset(id_of("edited"), role="original")
        volume_rows.add_asset(id_of("plain"), role="superseded")
        volume_rows.add_task(files["broken"], "quarantined")
        add_sidecar(volume_rows, "evening.xmp", files["evening"], "xmp", regions=[{"kind": "face", "name": "Ann"}])
        add_sidecar(volume_rows, "night.aae", files["night"], "aae", regions=[])
        with library.database.write() as connection:
            regions = [{"kind": "focus"}, {"kind": "face", "name": None}]
            connection.execute(asset.update().where(asset.c.photo_id == id_of("day")).values(regions=regions))
        yield library


def id_of(name: str) -> int:
    return NAMES.index(name) + 1


def add(volume_rows: VolumeRows, name: str) -> int:
    photo_id = volume_rows.add_photo(**PHOTOS[name])
    return volume_rows.add_file(f"{name}.jpg", asset_id=volume_rows.asset_of(photo_id), create=False)


def add_sidecar(volume_rows: VolumeRows, name: str, file_id: int, kind: str, regions: list[dict[str, Any]]) -> None:
    sidecar_id = volume_rows.add_file(name, create=False, media=False)
    with volume_rows.writing() as connection:
        known: dict[str, Any] = {"kind": kind, "facts": {}, "regions": regions, "notes": [], "read_at": 0.0}
        connection.execute(insert(sidecar).values(file_id=sidecar_id, **known))
        connection.execute(insert(sidecar_link).values(sidecar_id=sidecar_id, file_id=file_id, why="same name"))


def tree_of(query: str, now: str = NOW) -> Node:
    return parser.parse(query, grammar(), replace(lookups(), now=now))


def found(library: Library, query: str) -> set[str]:
    return {NAMES[photo_id - 1] for photo_id in matching_photo_ids(library, tree_of(query))}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        # the time of day, if known
        ("time:18", {"evening"}),
        ("time:18:30", {"evening"}),
        ("time:18:31", set()),
        ("time:22..04", {"night", "fiji"}),
        ("time:18:30..22", {"evening", "fiji"}),
        ("time:0..23", {"evening", "night", "fiji"}),
        ("time:<12", {"night"}),
        ("time:>=22", {"fiji"}),
        # days counted from 2024-03-31
        ("date:last-1d", {"fiji"}),
        ("date:yesterday", {"fiji"}),
        ("date:today", set()),
        ("date:<last-1y", {"evening", "night", "day"}),
        ("date:last-5y..", {"evening", "night", "day", "fiji"}),
        # places and distances
        ("place:lisbon", {"evening"}),
        ("place:LISBOA", {"evening"}),
        ("place:lis", set()),
        ("place:lis*", {"evening"}),
        ("place:fiji,portugal", {"evening", "fiji"}),
        ('place:"Lisbon, Portugal"', {"evening"}),
        ("place::^l.*(al|ji)$", {"evening", "fiji"}),
        ("-has:place", PRESENT - {"evening", "fiji"}),
        ("near:38.72,-9.13,5km", {"evening"}),
        ("near:Lisbon,30km", {"evening", "night"}),
        ("near:Lisbon", {"evening"}),
        ("near:-17,-179.9,20km", {"fiji"}),
        ("near:-17,-179.9,10km", set()),
        ("near:90,0,20000km", {"evening", "night", "fiji"}),
        ("-near:Lisbon,30km", PRESENT - {"evening", "night"}),
        ("has:gps", {"evening", "night", "fiji"}),
        # numbers
        ("exposure:1/250", {"evening"}),
        ("exposure:<1/60", {"evening"}),
        ("exposure:1/60", {"fiji"}),
        ("exposure:<=1/60", {"evening", "fiji"}),
        ("exposure:>1s", {"night"}),
        ("exposure:0.004..30", {"evening", "night", "fiji"}),
        ("megapixels:24", {"evening"}),
        ("megapixels:>=12", {"evening", "night"}),
        ("megapixels:4.0", {"day"}),
        ("orientation:landscape", {"evening"}),
        ("orientation:portrait", {"night"}),
        ("orientation:square", {"day"}),
        ("orientation:6", {"night"}),
        ("duration:90", {"movie"}),
        ("duration:1:30", {"movie"}),
        ("duration:1.5m", {"movie"}),
        ("duration:>1:30", {"movie"}),
        ("duration:<60s", set()),
        ("duration:1m..2m", {"movie"}),
        # kinds, pairs and states
        ("type:live", {"live"}),
        ("type:motion", {"fiji"}),
        ("type:raw", {"both"}),
        ("type:nef", {"both"}),
        ("type:mov", set()),
        ("has:raw,live", {"both", "live"}),
        ("is:live,motion", {"live", "fiji"}),
        ("is:paired", {"both", "live", "edited"}),
        ("is:edited", {"edited", "night"}),
        ("has:edit", {"edited", "night"}),
        ("is:duplicate", {"copied"}),
        ("is:quarantined", {"broken"}),
        ("is:burst", {"day"}),
        ("has:sidecar", {"evening", "night"}),
        ("has:faces", {"evening", "day"}),
        ("has:keywords", {"night"}),
        ("has:title,description", {"evening", "night"}),
        ("has:date has:camera -has:lens", {"night"}),
        ("has:rating", {"evening"}),
        # sources of facts
        ("source:taken_at=mtime", {"day"}),
        ("source:DATE=name,taken_at=mtime", {"night", "day"}),
        ("source:zone=position", {"evening"}),
        ("source:title=xmp", {"evening"}),
        ("source:title=person", set()),
        # disks and when photos were added
        ("volume:backup", PRESENT),
        ("volume:other", set()),
        ("volume:1", PRESENT),
        ("volume:2", set()),
        ("volume::^backup.disk$", PRESENT),
        ("volume:/nowhere", set()),
        ("added:2023-11-14..2023-11-15", PRESENT - {"fiji"}),
        ("added:>2023", {"fiji"}),
        ("added:last-40d", {"fiji"}),
        ("added:..1969", set()),
        ("added:..9999", PRESENT),
        # events
        ("event:2019-06-15-lisbon", {"evening", "night"}),
        ("event:lisbon", {"evening", "night"}),
        ("event:june -time:18", {"night"}),
        ("event:porto", set()),
        ("event::^lisbon.*2019$", {"evening", "night"}),
        # regular expressions
        ("camera::^canon", {"evening"}),
        ("camera::^canon.eos", {"evening"}),
        ("camera::^nikon.d850$", {"night"}),
        ("camera:nikon", {"night"}),
        ("lens::f/1\\.[248]", {"evening"}),
        ("title::CAF\u00c9", {"evening"}),
        ("title::cafe\u0301", {"evening"}),
        ("title::cafe", set()),
        ("description::^st", {"night"}),
        ("keyword::^night,", {"night"}),
        ("name::^(day|night)\\.", {"day", "night"}),
        ("name::\\.nef$", {"both"}),
        ("path::originals/(day|fiji)", {"day", "fiji"}),
        ("-name::^[a-l]", {"movie", "night", "plain"}),
    ],
)
def test_a_query_finds_the_expected_photos(library: Library, query: str, names: set[str]) -> None:
    assert found(library, query) == names


def test_a_volume_is_found_by_its_mount_point(library: Library, tmp_path: Path) -> None:
    volume_rows = VolumeRows(library, tmp_path)
    mount_point = volume_rows.mount_point.decode()
    assert found(library, f'volume:"{mount_point}"') == PRESENT


def test_added_uses_days_in_local_time(
    library: Library, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    # ADDED_AT is 2023-11-14T22:13:20 UTC.
    request.addfinalizer(time.tzset)
    for zone, day in (("UTC", "2023-11-14"), ("Etc/GMT-3", "2023-11-15"), ("Etc/GMT+11", "2023-11-14")):
        with monkeypatch.context() as patched:
            patched.setenv("TZ", zone)
            time.tzset()
            assert found(library, f"added:{day}") == PRESENT - {"fiji"}
            following = datetime.fromisoformat(day) + timedelta(days=1)
            assert found(library, f"added:{following.date().isoformat()}") == set()


def test_explain_counts_the_photos_of_each_part_alone_and_those_left_after_it(library: Library) -> None:
    explained = explain(library, tree_of("has:gps -(time:18 OR place:fiji) date:..2020"))
    tree = explained.tree
    assert (tree.kind, tree.alone, explained.photos, explained.present_only) == ("all", 1, len(PRESENT), True)
    assert [(part.kind, part.text, part.alone, part.left) for part in tree.parts] == [
        ("field", "has:gps", 3, 3),
        ("not", "-(time:18 OR place:fiji)", len(PRESENT) - 2, 1),
        ("field", "date:..2020", 3, 1),
    ]
    (either,) = tree.parts[1].parts
    assert [(part.text, part.alone, part.left) for part in either.parts] == [
        ("time:18", 1, None),
        ("place:fiji", 1, None),
    ]


def test_explain_shows_what_a_name_and_a_relative_date_resolved_to(library: Library) -> None:
    tree = explain(library, tree_of("near:Lisbon,30km date:<last-1y")).tree
    assert [part.meaning for part in tree.parts] == ["30 km around Lisbon, Portugal at 38.7251,-9.1498", "2023-03-31"]


def test_explain_of_a_query_for_missing_photos_counts_all_photos(library: Library) -> None:
    explained = explain(library, tree_of("is:missing OR day"))
    assert not explained.present_only
    assert explain(library, tree_of("")).tree.alone == len(PRESENT)
