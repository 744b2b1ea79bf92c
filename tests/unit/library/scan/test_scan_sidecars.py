"""Sidecars, neighbours and places across scans: every change is detected, nothing is read twice or lost."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from photoindex.geo import database, gazetteer
from photoindex.library.photos.show import Shown, show
from photoindex.pipeline.resolve import run, time_neighbours
from photoindex.pipeline.resolve.photo import Resolver
from photoindex.pipeline.resolve.time_neighbours import Inferred
from photoindex.store.tasks import stale
from tests import metadata_blocks as blocks
from tests.harness import LibraryRunner, counts
from tests.originals import jpeg, write_photo

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmp:Rating="{rating}" exif:DateTimeOriginal="{taken}">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title></rdf:Description>
</rdf:RDF></x:xmpmeta>"""


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    return LibraryRunner(tmp_path / "library")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def write_xmp(path: Path, *, rating: int = 4, taken: str = "2011-02-03T04:05:06", title: str = "Pier") -> Path:
    path.write_text(XMP.format(rating=rating, taken=taken, title=title))
    return path


def facts(runner: LibraryRunner, name: str) -> dict[str, object]:
    columns = ("rating", "title", "taken_at", "taken_at_source", "place", "utc_offset_minutes", "zone_source")
    ((*values,),) = runner.rows(
        f"SELECT {', '.join(f'photo.{column}' for column in columns)} FROM photo JOIN asset ON asset.photo_id = photo.id "
        "JOIN file ON file.asset_id = asset.id WHERE file.name = ?",
        name,
    )
    return dict(zip(columns, values, strict=True))


def test_a_sidecar_overrides_a_photos_embedded_metadata(runner: LibraryRunner, photos: Path) -> None:
    write_photo(photos / "a.jpg", 1, taken="2019:06:01 12:00:00")
    write_xmp(photos / "a.jpg.xmp")
    assert counts(runner.scan(photos)) == {"new": 1, "sidecars": 1}
    found = facts(runner, "a.jpg")
    assert (found["rating"], found["title"]) == (4, "Pier")
    assert (found["taken_at"], found["taken_at_source"]) == ("2011-02-03T04:05:06", "sidecar")
    assert counts(runner.scan()) == {"unchanged": 1, "sidecars": 1}


def test_an_edited_sidecar_is_detected_without_opening_its_unchanged_photo(runner: LibraryRunner, photos: Path) -> None:
    write_photo(photos / "a.jpg", 1)
    sidecar = write_xmp(photos / "a.xmp", rating=2)
    runner.scan(photos)
    write_xmp(sidecar, rating=5, title="Pier at night")
    summary = runner.scan()
    assert counts(summary) == {"unchanged": 1, "sidecars": 1}
    assert summary.bytes == sidecar.stat().st_size
    assert (facts(runner, "a.jpg")["rating"], facts(runner, "a.jpg")["title"]) == (5, "Pier at night")


def test_a_sidecar_added_later_or_removed_changes_its_photo(runner: LibraryRunner, photos: Path) -> None:
    write_photo(photos / "a.jpg", 1)
    runner.scan(photos)
    assert facts(runner, "a.jpg")["rating"] is None
    sidecar = write_xmp(photos / "a.jpg.xmp")
    runner.scan()
    assert facts(runner, "a.jpg")["rating"] == 4
    sidecar.unlink()
    assert counts(runner.scan()) == {"unchanged": 1, "missing": 1}
    assert facts(runner, "a.jpg")["rating"] is None


def test_a_sidecar_moves_with_its_photo(runner: LibraryRunner, photos: Path) -> None:
    write_photo(photos / "in" / "a.jpg", 1)
    write_xmp(photos / "in" / "a.jpg.xmp")
    runner.scan(photos)
    (photos / "in").rename(photos / "out")
    runner.scan()
    assert facts(runner, "a.jpg")["rating"] == 4
    assert runner.value("SELECT count(*) FROM sidecar_link") == 1


def test_a_damaged_sidecar_is_quarantined_by_name_and_its_photo_keeps_the_earlier_facts(
    runner: LibraryRunner, photos: Path
) -> None:
    write_photo(photos / "a.jpg", 1)
    sidecar = write_xmp(photos / "a.jpg.xmp")
    runner.scan(photos)
    sidecar.write_text(sidecar.read_text()[:200])
    assert counts(runner.scan()) == {"unchanged": 1, "quarantined": 1}
    assert runner.rows("SELECT error_class FROM task WHERE state = 'quarantined'") == [("sidecar",)]
    assert facts(runner, "a.jpg")["rating"] == 4
    write_xmp(sidecar, rating=1)
    assert counts(runner.scan()) == {"unchanged": 1, "sidecars": 1}
    assert facts(runner, "a.jpg")["rating"] == 1


def test_takeout_dates_rank_below_embedded_ones_and_above_file_names(runner: LibraryRunner, photos: Path) -> None:
    write_photo(photos / "IMG_20150101_010101.jpg", 1)
    write_photo(photos / "with exif.jpg", 2, taken="2019:06:01 12:00:00")
    for name in ("IMG_20150101_010101.jpg", "with exif.jpg"):
        value = {
            "title": name,
            "description": "from the phone",
            "photoTakenTime": {"timestamp": "1500000000"},
            "geoData": {"latitude": 38.72, "longitude": -9.14, "altitude": 10.0},
        }
        (photos / f"{name}.supplemental-metadata.json").write_text(json.dumps(value))
    assert counts(runner.scan(photos)) == {"new": 2, "sidecars": 2}
    phone = facts(runner, "IMG_20150101_010101.jpg")
    assert (phone["taken_at_source"], phone["taken_at"]) == ("takeout", "2017-07-14T03:40:00+01:00")
    assert "Lisbon" in str(phone["place"])
    assert facts(runner, "with exif.jpg")["taken_at_source"] == "exif"


def test_a_stop_before_the_facts_are_resolved_leaves_them_to_the_next_scan(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photo(photos / "a.jpg", 1)
    write_xmp(photos / "a.jpg.xmp")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run, "relate_folder", die)
        with pytest.raises(KeyboardInterrupt):
            runner.scan(photos)
    assert facts(runner, "a.jpg")["rating"] is None
    assert counts(runner.scan()) == {"unchanged": 1, "sidecars": 1}
    assert facts(runner, "a.jpg")["rating"] == 4


def with_exif(seed: int, *exif: blocks.Entry, gps: tuple[blocks.Entry, ...] = ()) -> bytes:
    """Return a decodable JPEG with the given EXIF."""
    data = jpeg(seed)
    block = blocks.tiff(
        exif=list(exif), image=[blocks.text(0x010F, "Acme"), blocks.text(0x0110, "Acme One")], gps=list(gps)
    )
    return data[:2] + blocks.exif_segment(block) + data[2:]


def test_a_photo_without_an_offset_gets_that_of_its_cameras_neighbours(runner: LibraryRunner, photos: Path) -> None:
    for number, offset in ((1, "+02:00"), (2, None), (3, "+02:00")):
        stated = [blocks.text(0x9011, offset)] if offset else []
        data = with_exif(number, blocks.text(0x9003, f"2021:07:01 12:0{number}:00"), *stated)
        (photos / f"IMG_000{number}.jpg").write_bytes(data)
    runner.scan(photos)
    found = facts(runner, "IMG_0002.jpg")
    assert (found["utc_offset_minutes"], found["zone_source"]) == (120, "neighbours")
    assert found["taken_at"] == "2021-07-01T12:02:00+02:00"
    # An inferred offset is dropped when its evidence is gone.
    for number in (1, 3):
        (photos / f"IMG_000{number}.jpg").write_bytes(
            with_exif(number + 10, blocks.text(0x9003, f"2021:07:01 12:0{number}:00"))
        )
    runner.scan()
    assert facts(runner, "IMG_0002.jpg")["utc_offset_minutes"] is None


def test_a_photo_of_a_clock_that_was_never_set_is_dated_by_its_neighbours(runner: LibraryRunner, photos: Path) -> None:
    for number, time in ((1, "2021:07:01 12:01:00"), (2, "2000:01:01 00:00:00"), (3, "2021:07:01 12:03:00")):
        stated = [] if number == 2 else [blocks.text(0x9011, "+02:00")]
        data = with_exif(number, blocks.text(0x9003, time), *stated)
        (photos / f"IMG_000{number}.jpg").write_bytes(data)
    runner.scan(photos)
    found = facts(runner, "IMG_0002.jpg")
    assert (str(found["taken_at"])[:16], found["taken_at_source"]) == ("2021-07-01T12:02", "neighbours")


def test_a_copy_in_another_folder_does_not_drop_an_inferred_offset(runner: LibraryRunner, photos: Path) -> None:
    for number, offset in ((1, "+02:00"), (2, None), (3, "+02:00")):
        stated = [blocks.text(0x9011, offset)] if offset else []
        data = with_exif(number, blocks.text(0x9003, f"2021:07:01 12:0{number}:00"), *stated)
        (photos / f"IMG_000{number}.jpg").write_bytes(data)
    runner.scan(photos)
    (photos / "best").mkdir()
    shutil.copy(photos / "IMG_0002.jpg", photos / "best" / "copy.jpg")
    runner.scan()
    assert facts(runner, "IMG_0002.jpg")["zone_source"] == "neighbours"


def test_a_stop_while_times_are_inferred_leaves_the_rest_to_the_next_scan(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 5):
        stated = [blocks.text(0x9011, "+02:00")] if number == 1 else []
        data = with_exif(number, blocks.text(0x9003, f"2021:07:01 12:0{number}:00"), *stated)
        (photos / f"IMG_000{number}.jpg").write_bytes(data)
    written: list[int] = []

    def store_inferred(connection: Connection, what: Inferred, resolver: Resolver) -> None:
        time_neighbours.store_inferred(connection, what, resolver)
        written.extend(what)

    monkeypatch.setattr(run, "store_inferred", store_inferred)
    monkeypatch.setattr(run, "_PHOTOS_AT_ONCE", 1)
    runner.scan(photos, stop=lambda: len(written) == 1)
    offsets = "SELECT count(*) FROM photo WHERE utc_offset_minutes = 120"
    assert runner.value(offsets) == 2
    runner.scan()
    assert (runner.value(offsets), len(written)) == (4, 3)


def test_a_position_gives_place_zone_and_instant(runner: LibraryRunner, photos: Path) -> None:
    position = blocks.position([(38, 1), (43, 1), (20, 1)], "N", [(9, 1), (8, 1), (21, 1)], "W")
    data = with_exif(1, blocks.text(0x9003, "2021:07:01 12:00:00"), gps=tuple(position))
    (photos / "a.jpg").write_bytes(data)
    runner.scan(photos)
    found = facts(runner, "a.jpg")
    assert "Lisbon" in str(found["place"])
    assert (found["utc_offset_minutes"], found["zone_source"]) == (60, "position")
    assert runner.rows("SELECT taken_at_utc FROM photo") == [(1625137200.0,)]


def test_a_photo_with_copies_in_two_folders_uses_the_sidecars_of_both(runner: LibraryRunner, photos: Path) -> None:
    write_photo(photos / "one" / "a.jpg", 1)
    (photos / "two").mkdir()
    shutil.copy2(photos / "one" / "a.jpg", photos / "two" / "b.jpg")
    write_xmp(photos / "two" / "b.jpg.xmp", rating=3)
    runner.scan(photos)
    assert facts(runner, "a.jpg")["rating"] == 3


def test_other_commands_can_write_while_the_table_of_places_is_opened(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bool] = []

    def open_places(folder: Path, progress: Callable[[str], None] | None = None) -> sqlite3.Connection:
        # Creating a missing table takes seconds.
        with closing(sqlite3.connect(runner.folder / "photoindex.db", timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
        opened.append(True)
        return database.open_places(folder, progress)

    monkeypatch.setattr(gazetteer, "open_places", open_places)
    position = tuple(blocks.position([(38, 1), (43, 1), (20, 1)], "N", [(9, 1), (8, 1), (21, 1)], "W"))
    (photos / "a.jpg").write_bytes(with_exif(1, blocks.text(0x9003, "2021:07:01 12:00:00"), gps=position))
    runner.scan(photos)
    assert "Lisbon" in str(facts(runner, "a.jpg")["place"])
    with runner.open() as library, library.database.write() as connection:
        stale.resolve_later(connection, [1])
    runner.scan()
    assert len(opened) == 3


def shown(runner: LibraryRunner, photo: Path) -> Shown:
    with runner.open() as library:
        (one,) = show(library, [os.fsencode(photo)])
    assert isinstance(one, Shown)
    return one


@pytest.mark.parametrize("written", [("a.jpg.xmp", "a.xmp"), ("a.xmp", "a.jpg.xmp")])
def test_the_sidecar_with_the_full_name_wins_whichever_was_found_first(
    runner: LibraryRunner, photos: Path, written: tuple[str, str]
) -> None:
    write_photo(photos / "a.jpg", 1)
    for name in written:
        write_xmp(photos / name, title=name)
        runner.scan(photos)
    assert facts(runner, "a.jpg")["title"] == "a.jpg.xmp"


def test_darktables_main_sidecar_wins_over_an_additional_version(runner: LibraryRunner, photos: Path) -> None:
    write_photo(photos / "a.jpg", 1)
    for name in ("a_01.jpg.xmp", "a.jpg.xmp"):
        write_xmp(photos / name, title=name)
    runner.scan(photos)
    assert facts(runner, "a.jpg")["title"] == "a.jpg.xmp"


def test_conflicting_facts_of_a_second_sidecar_are_shown_under_its_name(runner: LibraryRunner, photos: Path) -> None:
    write_photo(photos / "a.jpg", 1)
    write_xmp(photos / "a.jpg.xmp", rating=4, title="Pier")
    write_xmp(photos / "a.xmp", rating=2, title="Pier")
    runner.scan(photos)
    known = shown(runner, photos / "a.jpg").facts
    assert (known["sidecar"]["rating"], known["sidecar a.xmp"]) == (4, {"rating": 2})
    assert "sidecar a.jpg.xmp" not in known
