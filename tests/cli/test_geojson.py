"""`photoindex search --geojson`: photos as points on a map."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import run
from tests.rows import VolumeRows, library_in

Capture = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def volume_rows(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VolumeRows]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        rows = VolumeRows(library, tmp_path / "originals")
        rows.add_whole_photo("lisbon.jpg", latitude=38.7, longitude=-9.1, altitude_m=12.5, title="A \x1b[31m ü")
        rows.add_whole_photo(b"caf\xe9.jpg", latitude=-33.9, longitude=18.4)
        rows.add_whole_photo("nowhere.jpg")
        rows.add_whole_photo("half.jpg", latitude=1.0)
        rows.add_whole_photo("impossible.jpg", latitude=1.0, longitude=999.0)
        yield rows


def test_photos_with_a_position_are_points_with_what_json_has(capsysbinary: Capture) -> None:
    rows = {row["id"]: row for row in run(capsysbinary, "search", "--json").json}
    ran = run(capsysbinary, "search", "--geojson", "--sort", "id")
    collection = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, b"left out, without a position: 3\n")
    assert collection["type"] == "FeatureCollection"
    first, second = collection["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [-9.1, 38.7, 12.5]}
    assert second["geometry"] == {"type": "Point", "coordinates": [18.4, -33.9]}
    assert (first["type"], first["id"]) == ("Feature", 1)
    assert [{"schema": 1, **one["properties"]} for one in (first, second)] == [rows[1], rows[2]]


def test_each_photo_is_on_a_line_of_its_own_and_none_makes_an_empty_collection(capsysbinary: Capture) -> None:
    lines = run(capsysbinary, "search", "--geojson", "id:1,2").out.splitlines()
    assert [len(lines), lines[-1]] == [4, b"]}"]
    assert json.loads(run(capsysbinary, "search", "--geojson", "name:zzz").out)["features"] == []


@pytest.mark.parametrize("other", ["--json", "--csv", "--count", "-0"])
def test_other_forms_of_output_exclude_it(other: str, capsysbinary: Capture) -> None:
    ran = run(capsysbinary, "search", "--geojson", other)
    assert ran.code == 2
    assert not ran.out
