"""What `show` returns for a photo, and which photo a PATH or ID means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.library.handle import Library
from photoindex.library.photos.show import Shown, Unknown, as_json, show
from photoindex.stages.ingest import STAGE
from tests.rows import VolumeRows, library_in


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with library_in(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def volume_rows(library: Library, tmp_path: Path) -> VolumeRows:
    return VolumeRows(library, tmp_path / "originals")


def the_one(library: Library, token: bytes | str | Path) -> Shown:
    [found] = show(library, [os.fsencode(token)])
    assert isinstance(found, Shown)
    return found


def test_a_photo_is_found_by_absolute_and_relative_path_and_through_a_linked_folder(
    library: Library, volume_rows: VolumeRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_id = volume_rows.add_whole_photo("2019/a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "originals" / "2019")
    monkeypatch.chdir(tmp_path / "originals")
    for token in (tmp_path / "originals/2019/a.jpg", "2019/a.jpg", "./2019/../2019/a.jpg", tmp_path / "link" / "a.jpg"):
        found = the_one(library, token)
        assert found.photo is not None
        assert (found.photo.id, as_json(found)["path"]) == (photo_id, str(token))


def test_a_photo_is_found_by_any_of_its_files_including_missing_ones(
    library: Library, volume_rows: VolumeRows, tmp_path: Path
) -> None:
    photo_id = volume_rows.add_whole_photo("a.jpg")
    volume_rows.add_file("copy.jpg", asset_id=volume_rows.asset_of(photo_id), state="missing", create=False)
    found = as_json(the_one(library, tmp_path / "originals/copy.jpg"))
    assert found["id"] == photo_id
    assert [(Path(one["path"]).name, one["state"]) for one in found["files"]] == [  # type: ignore[attr-defined]
        ("a.jpg", "present"),
        ("copy.jpg", "missing"),
    ]


def test_a_token_of_digits_is_a_photo_id_unless_a_file_of_that_name_exists(
    library: Library, volume_rows: VolumeRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = volume_rows.add_whole_photo("a.jpg")
    second = volume_rows.add_whole_photo(str(first))
    monkeypatch.chdir(tmp_path)
    by_id = the_one(library, str(first))
    assert (as_json(by_id)["id"], as_json(by_id)["path"]) == (first, str(tmp_path / "originals/a.jpg"))
    monkeypatch.chdir(tmp_path / "originals")
    assert as_json(the_one(library, str(first)))["id"] == second


def test_unknown_paths_and_numbers_do_not_stop_the_others(
    library: Library, volume_rows: VolumeRows, tmp_path: Path
) -> None:
    photo_id = volume_rows.add_whole_photo("a.jpg")
    tokens = [b"/nowhere/x.jpg", b"4711", b"9" * 30, str(photo_id).encode()]
    found = list(show(library, tokens))
    assert [isinstance(one, Unknown) for one in found] == [True, True, True, False]


def test_the_json_object_has_every_documented_key_and_null_for_what_is_unknown(
    library: Library, volume_rows: VolumeRows
) -> None:
    photo_id = volume_rows.add_whole_photo("a.jpg")
    value = as_json(the_one(library, str(photo_id)))
    assert list(value) == [
        "schema", "id", "path", "files", "kind", "format", "width", "height", "orientation", "duration_seconds",
        "taken_at", "taken_at_source", "taken_at_confidence", "taken_at_precision", "taken_at_utc", "utc_offset_minutes",
        "zone", "zone_source", "latitude", "longitude", "altitude_m", "place",
        "camera_make", "camera_model", "lens", "iso", "aperture", "exposure_seconds", "focal_length_mm", "rating",
        "title", "description", "keywords", "favourite", "tags", "albums", "sources", "facts", "tasks", "preview", "thumbnail",
        "perceptual_hash", "contents", "sidecars", "regions", "faces", "ocr", "captions", "burst", "motion", "notes",
    ]  # fmt: skip
    assert value["schema"] == 1
    assert value["keywords"] == []
    assert value["title"] is None
    assert value["preview"] is None


def test_facts_include_the_value_used_and_the_values_not_used(library: Library, volume_rows: VolumeRows) -> None:
    photo_id = volume_rows.add_whole_photo(
        "a.jpg",
        title="Dawn",
        keywords=["sea"],
        iso=200,
        sources={"title": "xmp", "iso": "exif"},
        asset_facts={"xmp": {"title": "Dawn"}, "iptc": {"title": "IMG"}, "exif": {"iso": 200}},
        asset_notes=["a damaged block"],
        asset_perceptual_hash=-1,
    )
    value = as_json(the_one(library, str(photo_id)))
    assert (value["title"], value["keywords"], value["iso"]) == ("Dawn", ["sea"], 200)
    assert value["sources"] == {"title": "xmp", "iso": "exif"}
    assert value["facts"] == {
        "xmp": {"title": "Dawn"},
        "iptc": {"title": "IMG"},
        "exif": {"iso": 200},
        "mtime": {"any": "2020-09-13T12:26:40+00:00"},
    }
    assert value["notes"] == ["a damaged block"]
    assert value["perceptual_hash"] == "f" * 16


def test_previews_are_given_with_their_paths(library: Library, volume_rows: VolumeRows) -> None:
    photo_id = volume_rows.add_whole_photo("a.jpg", asset_digest=b"\xab" * 32)
    folder = library.derived_folder / "aba"
    folder.mkdir(parents=True)
    (folder / f"{'ab' * 32}.preview.jpg").write_bytes(b"jpeg")
    found = the_one(library, str(photo_id))
    assert found.preview == folder / f"{'ab' * 32}.preview.jpg"
    assert found.thumbnail is None


def test_a_quarantined_file_without_a_photo_is_shown_with_its_error(
    library: Library, volume_rows: VolumeRows, tmp_path: Path
) -> None:
    file_id = volume_rows.add_file("broken.jpg", media=None)
    volume_rows.add_task(file_id, "quarantined", error_class="decode", error="the decoder crashed", attempts=3)
    value = as_json(the_one(library, tmp_path / "originals/broken.jpg"))
    assert (value["id"], value["kind"], value["sources"]) == (None, None, {})
    [task] = value["tasks"]  # type: ignore[misc]
    assert (task["state"], task["error_class"], task["error"], task["attempts"]) == (
        "quarantined", "decode", "the decoder crashed", 3,
    )  # fmt: skip
    assert task["variant"] == {"code": STAGE.code_version}


def test_a_file_on_a_volume_that_is_not_mounted_is_marked_offline(library: Library, tmp_path: Path) -> None:
    away = VolumeRows(library, tmp_path / "nas", online=False, label="nas")
    photo_id = away.add_whole_photo("a.jpg")
    [file] = as_json(the_one(library, str(photo_id)))["files"]  # type: ignore[misc]
    assert (file["online"], file["volume"], file["state"]) == (False, "nas", "present")


@pytest.mark.parametrize("name", [b"caf\xe9/\xff.jpg", "ü\n'\" \u202e.jpg".encode(), b"-rf.jpg"])
def test_hostile_names_are_found_and_round_trip_through_json(
    library: Library, volume_rows: VolumeRows, tmp_path: Path, name: bytes
) -> None:
    volume_rows.add_whole_photo(name, state="missing")
    path = os.path.join(os.fsencode(tmp_path / "originals"), name)
    value = as_json(the_one(library, path))
    assert os.fsencode(value["files"][0]["path"]) == path  # type: ignore[index]
    assert os.fsencode(str(value["path"])) == path


def test_an_earlier_content_of_an_edited_photo_is_not_its_primary_content(
    library: Library, volume_rows: VolumeRows
) -> None:
    photo_id = volume_rows.add_whole_photo("a.jpg", asset_notes=["now"])
    volume_rows.add_asset(photo_id, role="superseded", notes=["before"])
    assert as_json(the_one(library, str(photo_id)))["notes"] == ["now"]


def test_the_earliest_and_the_latest_time_that_a_file_can_have_are_shown(
    library: Library, volume_rows: VolumeRows
) -> None:
    photo_id = volume_rows.add_photo()
    for name, mtime_ns in (("a.jpg", -(2**63)), ("b.jpg", 2**63 - 1)):
        volume_rows.add_file(name, asset_id=volume_rows.asset_of(photo_id), mtime_ns=mtime_ns)
    files = as_json(the_one(library, str(photo_id)))["files"]
    assert [one["mtime"][:10] for one in files] == ["1677-09-21", "2262-04-11"]  # type: ignore[attr-defined]
