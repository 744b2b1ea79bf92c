"""The pairing rules, each with files that it joins and files that it must not join."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from photoindex.domain.pairing import Decision, Link, Member, explain, group, links_in_folder, live_across_folders
from photoindex.domain.pairing.compatibility import camera_words, span
from photoindex.domain.pairing.names import parse_name
from photoindex.domain.sidecars.takeout_names import EDITED_WORDS
from photoindex.types import Kind

NOON = "2019-06-01T12:00:00"
KINDS = {
    "jpg": (Kind.IMAGE, "jpeg"), "jpeg": (Kind.IMAGE, "jpeg"), "heic": (Kind.IMAGE, "heic"), "tif": (Kind.IMAGE, "tiff"),
    "png": (Kind.IMAGE, "png"), "thm": (Kind.IMAGE, "jpeg"), "cr2": (Kind.RAW, "cr2"), "dng": (Kind.RAW, "dng"),
    "crw": (Kind.RAW, "crw"), "avi": (Kind.VIDEO, "avi"), "lrv": (Kind.VIDEO, "mp4"), "lrf": (Kind.VIDEO, "mp4"),
    "insv": (Kind.VIDEO, "mp4"), "360": (Kind.VIDEO, "mp4"), "jpg_original": (Kind.IMAGE, "jpeg"),
    "dng_original": (Kind.RAW, "dng"), "jpg_original_original": (Kind.IMAGE, "jpeg"), "mov": (Kind.VIDEO, "mov"), "mp4": (Kind.VIDEO, "mp4"), "mp": (Kind.VIDEO, "mp4"),
}  # fmt: skip


def files(*named: str | tuple[str, dict[str, Any]], **shared: Any) -> list[Member]:
    """Return members by name, with their kind by extension and asset ids counting from 1. Movies last 2.9 s."""
    members = []
    for number, entry in enumerate(named, 1):
        name, own = entry if isinstance(entry, tuple) else (entry, {})
        kind, form = KINDS[name.rpartition(".")[2].lower()]
        length = 2.9 if kind is Kind.VIDEO else None
        values = {"taken_at": NOON, "duration_seconds": length, **shared, **own}
        members.append(Member(number, number * 10, 1, name.encode(), kind, form, **values))
    return members


def found(members: list[Member]) -> set[tuple[str, str, str]]:
    """Return the links as (kind, name, other name)."""
    names = {member.asset_id: member.name.decode() for member in members}
    return {(link.kind, names[link.asset_id], names[link.other_asset_id]) for link in links_in_folder(members)}


def only_link(members: list[Member]) -> Link:
    (link,) = links_in_folder(members)
    return link


# RAW


@pytest.mark.parametrize(
    ("raw", "still"),
    [
        ("IMG_1234.CR2", "img_1234.jpg"),
        ("IMG_1234.DNG", "IMG_1234.HEIC"),
        ("IMG_1234.CR2", "IMG_1234.CR2.jpg"),
        ("PXL_20231207_032111247.RAW-02.ORIGINAL.dng", "PXL_20231207_032111247.RAW-01.COVER.jpg"),
        ("PXL_20231207_032108788.RAW-02.ORIGINAL.dng", "PXL_20231207_032108788.RAW-01.MP.COVER.jpg"),
        ("PXL_20231026_205755225.dng", "PXL_20231026_205755225.MP.jpg"),
    ],
)
def test_a_raw_and_a_picture_of_the_same_name_and_time_are_one_photo(raw: str, still: str) -> None:
    assert found(files(raw, still)) == {("raw", raw, still)}


def test_every_picture_with_the_name_of_a_raw_joins_it() -> None:
    members = files("IMG_1.CR2", "IMG_1.HEIC", "IMG_1.JPG")
    assert found(members) == {("raw", "IMG_1.CR2", "IMG_1.HEIC"), ("raw", "IMG_1.CR2", "IMG_1.JPG")}
    assert len(group(members, links_in_folder(members), [])) == 1


@pytest.mark.parametrize(
    ("raw", "still", "joined"),
    [
        ({"taken_at": NOON}, {"taken_at": "2019-06-01T12:00:02.000"}, True),
        ({"taken_at": NOON}, {"taken_at": "2019-06-01T12:00:03"}, False),
        ({"taken_at": NOON}, {"taken_at": "2019-06-01T15:02:00"}, False),
        # The same moment on clocks of two zones.
        ({"taken_at": NOON, "taken_at_utc": 1e9}, {"taken_at": "2019-06-01T14:00:00+02:00", "taken_at_utc": 1e9}, True),
        # One has only its instant: a zone two hours east makes them equal, but no zone explains seven minutes.
        ({"taken_at": NOON}, {"taken_at": None, "taken_at_utc": 1559383200.0}, True),
        ({"taken_at": NOON}, {"taken_at": None, "taken_at_utc": 1559383200.0 + 420}, False),
        ({"taken_at": NOON}, {"taken_at": None, "taken_at_utc": 1559383200.0 + 15 * 3600}, True),
        ({"taken_at": NOON}, {"taken_at": None, "taken_at_utc": 1559383200.0 + 17 * 3600}, False),
        ({"taken_at": NOON}, {"taken_at": None}, True),
        # The name alone is not enough.
        ({"taken_at": None}, {"taken_at": None}, False),
        ({"taken_at": None, "camera": "Canon EOS 6D"}, {"taken_at": None, "camera": "Canon EOS 6D"}, True),
        ({"taken_at": NOON}, {"taken_at": "not a time"}, True),
        ({"taken_at": "0001-01-01T00:00:01"}, {"taken_at": "0001-01-01T00:00:00"}, True),
        ({"camera": "Canon EOS 6D"}, {"camera": "NIKON CORPORATION NIKON D70"}, False),
        ({"camera": "NIKON CORPORATION NIKON D70"}, {"camera": "Nikon D70"}, True),
        ({"camera": "EOS 6D"}, {"camera": "Canon Canon EOS 6D"}, True),
        ({"camera": "Apple iPhone 6"}, {"camera": "Apple iPhone 6 Plus"}, False),
        ({"camera": "Canon EOS 6D", "serial": "0042"}, {"camera": "Canon EOS 6D", "serial": "42 "}, True),
        ({"camera": "Canon EOS 6D", "serial": "42"}, {"camera": "Canon EOS 6D", "serial": "43"}, False),
        ({"camera": "Canon EOS 6D", "taken_at": None}, {"camera": "Canon EOS 7D", "taken_at": None}, False),
    ],
)
def test_a_raw_and_a_picture_with_different_times_or_cameras_are_not_joined(
    raw: dict[str, Any], still: dict[str, Any], joined: bool
) -> None:
    assert bool(found(files(("a.cr2", raw), ("a.jpg", still)))) is joined


def test_the_reason_for_a_raw_without_a_time_names_the_evidence() -> None:
    bare = only_link(files(("a.cr2", {"taken_at": None}), "a.jpg"))
    assert "nothing contradicts it" in bare.why
    assert "a.cr2 has no embedded time" in bare.why
    camera = only_link(files(("a.cr2", {"taken_at": None}), "a.jpg", camera="Canon EOS 6D"))
    assert "same camera (Canon EOS 6D)" in camera.why


@pytest.mark.parametrize(
    "names",
    [
        ("a.jpg", "a.png"),
        ("a.cr2", "b.jpg"),
        ("a.cr2", "a (1).jpg"),
        ("a.cr2", "a.dng"),
        (".jpg", ".cr2"),
        ("IMG_1234.CR2", "IMG_12345.JPG"),
    ],
)
def test_other_files_are_not_joined_as_raw_and_picture(names: tuple[str, ...]) -> None:
    assert found(files(*names)) == set()


def test_a_stem_shared_by_very_many_files_links_none_of_them() -> None:
    names = [f"PXL_20231207_032111247.M{'I' * count}.jpg" for count in range(1, 40)]
    assert found(files("PXL_20231207_032111247.dng", *names)) == set()


def test_equal_files_are_linked_once_and_never_to_themselves() -> None:
    raw, still, copy = files("a.cr2", "a.jpg", "a.jpeg")
    assert len(links_in_folder([raw, still, replace(copy, asset_id=still.asset_id)])) == 1
    assert links_in_folder([raw, replace(still, asset_id=raw.asset_id)]) == []
    copy = replace(copy, asset_id=still.asset_id)
    assert links_in_folder([copy, raw, still]) == links_in_folder([still, copy, raw])


# Live Photos


IDENTIFIED = {"content_identifier": "1EA799FF-8384-4BC4-87AA-139A814D9125"}
UTC_TWO_HOURS_BEFORE = {"taken_at": "2019-06-01T10:00:01+00:00", "taken_at_utc": 1559383201.0}
UTC_IN_NO_ZONE = {"taken_at": "2019-06-01T09:53:00+00:00", "taken_at_utc": 1559382780.0}
OTHER = {"content_identifier": "7A7D4193-1D91-4907-98F8-3B7E41D991D7"}


def test_a_picture_and_a_movie_with_one_content_identifier_are_a_live_photo_whatever_their_names() -> None:
    movie = {"taken_at": None, "content_identifier": IDENTIFIED["content_identifier"].lower() + " "}
    members = files(("IMG_1234(1).jpg", IDENTIFIED), ("IMG_9999.mov", movie), "IMG_9999.jpg")
    assert found(members) == {("live", "IMG_9999.mov", "IMG_1234(1).jpg")}
    assert IDENTIFIED["content_identifier"] in only_link(members).why


def test_a_movie_joined_by_identifier_is_not_also_joined_by_name() -> None:
    members = files(("x.jpg", IDENTIFIED), ("IMG_1.mov", IDENTIFIED), "IMG_1.jpg")
    assert found(members) == {("live", "IMG_1.mov", "x.jpg")}


def test_a_movie_with_another_name_joins_the_original_rather_than_its_edit() -> None:
    members = files("a-edited.jpg", "b.jpg", "c.mov", **IDENTIFIED)
    assert found(members) == {("live", "c.mov", "b.jpg")}


def test_different_identifiers_win_over_the_same_name_and_time() -> None:
    assert found(files(("a.heic", IDENTIFIED), ("a.mov", OTHER), camera="Apple iPhone XR")) == set()


def test_a_movie_joins_the_picture_of_its_name_if_several_share_the_identifier() -> None:
    members = files("IMG_1 (1).heic", "IMG_1.heic", "IMG_1.mov", "IMG_1_HEVC.mov", **IDENTIFIED)
    assert found(members) == {("live", "IMG_1.mov", "IMG_1.heic"), ("live", "IMG_1_HEVC.mov", "IMG_1.heic")}


def test_an_edited_live_photo_is_one_photo_with_its_original() -> None:
    members = files("IMG_1234.HEIC", "IMG_1234.MOV", "IMG_E1234.HEIC", "IMG_E1234.MOV", **IDENTIFIED)
    assert found(members) == {
        ("live", "IMG_1234.MOV", "IMG_1234.HEIC"),
        ("live", "IMG_E1234.MOV", "IMG_E1234.HEIC"),
        ("edit", "IMG_E1234.HEIC", "IMG_1234.HEIC"),
        ("edit", "IMG_E1234.MOV", "IMG_1234.MOV"),
    }
    (photo,) = group(members, links_in_folder(members), [])
    assert photo.roles == {3: "primary", 1: "original", 2: "movie", 4: "movie"}


@pytest.mark.parametrize("nothing", [None, "", "  ", "00000000-0000-0000-0000-000000000000"])
def test_an_empty_or_zero_identifier_is_ignored(nothing: str | None) -> None:
    assert found(files("b.heic", "a.mov", content_identifier=nothing)) == set()


@pytest.mark.parametrize(
    ("still", "movie", "joined"),
    [
        ({}, {}, True),
        (IDENTIFIED, {}, True),
        ({}, IDENTIFIED, True),
        ({"camera": "Apple iPhone 5s"}, {"camera": "Apple iPhone 5s"}, True),
        ({}, {"taken_at": "2019-06-01T11:59:57.5"}, True),
        ({}, {"taken_at": "2019-06-01T12:00:04"}, False),
        ({}, {"taken_at": None}, False),
        ({"taken_at": None}, {}, False),
        ({"taken_at": None}, {"taken_at": None}, False),
        ({}, {"duration_seconds": 6.0}, True),
        ({}, {"duration_seconds": 6.5}, False),
        ({}, {"duration_seconds": None}, False),
        ({}, {"duration_seconds": 0.0}, False),
        ({"camera": "Apple iPhone 5s"}, {"camera": "Apple iPhone XR"}, False),
        ({"camera": "Google Pixel 6 Pro"}, {}, False),
        ({"camera": "Google Pixel 6 Pro"}, {"camera": "Google Pixel 6 Pro"}, False),
        # The movie's container has UTC: 2 h apart can be a zone, 2 h 7 min cannot, and a zone needs the same camera.
        ({"camera": "Apple iPhone 5s"}, {"camera": "Apple iPhone 5s", **UTC_TWO_HOURS_BEFORE}, True),
        ({}, UTC_TWO_HOURS_BEFORE, False),
        ({"camera": "Apple iPhone 5s"}, {"camera": "Apple iPhone 5s", **UTC_IN_NO_ZONE}, False),
    ],
)
def test_without_two_identifiers_a_live_photo_needs_name_length_time_and_camera(
    still: dict[str, Any], movie: dict[str, Any], joined: bool
) -> None:
    assert bool(found(files(("IMG_1.jpg", still), ("IMG_1.mov", movie)))) is joined


def test_a_movie_of_another_name_is_never_joined_without_identifiers() -> None:
    assert found(files("keyPhoto.jpg", ("pairedVideo.mov", IDENTIFIED))) == set()


def test_the_movie_that_google_exports_beside_its_motion_photo_joins_it() -> None:
    members = files("PXL_20231207_032108788.MP.jpg", "PXL_20231207_032108788.MP", camera="Google Pixel 8 Pro")
    assert found(members) == {("live", "PXL_20231207_032108788.MP", "PXL_20231207_032108788.MP.jpg")}


def test_a_movie_joins_one_of_several_pictures_of_its_name() -> None:
    assert found(files("a.jpg", "a.heic", "a.mov")) == {("live", "a.mov", "a.heic")}


def test_a_live_photo_across_folders_needs_the_only_picture_and_the_only_movie() -> None:
    still, movie, copy = files("a.heic", "b.mov", "c.heic", **IDENTIFIED)
    movie = replace(movie, folder_id=2)
    (link,) = live_across_folders([still, movie])
    assert (link.asset_id, link.other_asset_id, link.kind) == (2, 1, "live")
    assert "different folders" in link.why
    assert live_across_folders([still, movie, replace(copy, folder_id=3)]) == []
    assert live_across_folders([still, replace(movie, folder_id=1)]) == []
    assert live_across_folders([still, replace(movie, **OTHER)]) == []
    # An equal file elsewhere is the same picture.
    assert len(live_across_folders([still, movie, replace(still, folder_id=3, file_id=99)])) == 1


# Edits


@pytest.mark.parametrize(
    ("edit", "original"),
    [
        ("IMG_E1234.JPG", "IMG_1234.HEIC"),
        ("IMG_E1234.mov", "IMG_1234.MOV"),
        ("a-edited.jpg", "a.jpg"),
        ("a-edited(1).jpg", "a(1).jpg"),
        ("A-EDITED.JPG", "a.jpg"),
        ("a-bearbeitet.jpg", "a.jpg"),
        ("a-modifi\u00e9.jpg", "a.jpg"),
        ("a-modifie\u0301.jpg", "a.jpg"),
        ("a-editado.jpg", "a.jpg"),
        ("a-editada.jpg", "a.jpg"),
        ("a-ha editado.jpg", "a.jpg"),
        ("a-modificato.jpg", "a.jpg"),
        ("a-bewerkt.jpg", "a.jpg"),
        ("a-edytowane.jpg", "a.jpg"),
        ("a-編集済み.jpg", "a.jpg"),
        ("a_edited.jpg", "a.png"),
        ("a (Edited).jpg", "a.jpg"),
        ("a~2.jpg", "a.jpg"),
        ("a-Edit.tif", "a.cr2"),
        ("a-Edit-2.tif", "a.cr2"),
        ("a-Bearbeitet.tif", "a.dng"),
        ("PXL_20230330_184138390.MOTION-01.COVER.jpg", "PXL_20230330_184138390.MOTION-02.ORIGINAL.jpg"),
    ],
)
def test_names_of_edits_join_their_original(edit: str, original: str) -> None:
    assert found(files(edit, original)) == {("edit", edit, original)}


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("a (1).jpg", "a.jpg"),
        ("a-2.jpg", "a.jpg"),
        ("IMG_1234-2.jpg", "IMG_1234.jpg"),
        ("a copy.jpg", "a.jpg"),
        ("a~1.jpg", "a.jpg"),
        ("a-edited.jpg", "b.jpg"),
        ("unedited.jpg", "un.jpg"),
        ("a-edited.jpg", "a.mov"),
        ("IMG_E12.jpg", "IMG_12.jpg"),
        ("-edited.jpg", ".jpg"),
    ],
)
def test_copies_and_other_names_are_not_edits(name: str, original: str) -> None:
    assert found(files(name, original)) == set()


def test_an_edit_must_have_the_time_of_its_original_or_none() -> None:
    assert found(files(("a-edited.jpg", {"taken_at": None}), "a.jpg"))
    assert not found(files(("a-edited.jpg", {"taken_at": "2019-06-02T12:00:00"}), "a.jpg"))
    assert not found(files(("a-edited.jpg", {"camera": "Canon EOS 6D"}), ("a.jpg", {"camera": "Canon EOS 7D"})))


def test_an_edit_joins_the_original_of_its_own_extension_and_a_picture_before_a_raw() -> None:
    assert found(files("a-edited.jpg", "a.heic", "a.jpg")) == {("edit", "a-edited.jpg", "a.jpg")}
    assert ("edit", "a-edited.tif", "a.jpg") in found(files("a-edited.tif", "a.cr2", "a.jpg"))


# Groups


def test_the_primary_is_the_edited_picture_then_other_pictures_then_raw_then_movie() -> None:
    members = files("a.mov", "a.cr2", "a.heic", "a-edited.jpg")
    links = links_in_folder(members)
    (photo,) = group(members, links, [])
    assert photo.roles == {1: "movie", 2: "raw", 3: "original", 4: "primary"}
    assert {asset: why.split(":")[0] for asset, why in photo.reasons.items()} == {
        1: "Live Photo by name",
        2: "RAW and picture",
        3: "Edit",
    }
    (without,) = group(members[:3], links, [])
    assert without.roles == {1: "movie", 2: "raw", 3: "primary"}
    assert group(members[1:2], links, [])[0].roles == {2: "primary"}


def test_the_primary_is_the_larger_picture_and_of_equal_ones_the_older() -> None:
    members = files("a.cr2", ("a.jpg", {"width": 100, "height": 100}), ("a.heic", {"width": 400, "height": 300}))
    assert group(members, links_in_folder(members), [])[0].roles == {1: "raw", 2: "alternate", 3: "primary"}
    equal = files("a.cr2", "a.jpg", "a.heic")
    assert group(equal, links_in_folder(equal), [])[0].primary_asset_id == 2


@pytest.mark.parametrize(
    ("companion", "main"),
    [
        ("CRW_0304.THM", "CRW_0304.CRW"),
        ("MVI_0042.THM", "MVI_0042.AVI"),
        ("mov00001.thm", "MOV00001.MP4"),
        ("GX010123.THM", "GX010123.MP4"),
        ("GL010123.LRV", "GX010123.MP4"),
        ("GL020123.LRV", "GH020123.MP4"),
        ("GL010123.LRV", "GS010123.360"),
        ("GL010123.MP4", "GX010123.MP4"),
        ("GOPR0123.LRV", "GOPR0123.MP4"),
        ("GP010123.LRV", "GP010123.MP4"),
        ("DJI_20230101120000_0001_D.LRF", "DJI_20230101120000_0001_D.MP4"),
        ("LRV_20230101_120000_01_001.insv", "VID_20230101_120000_00_001.insv"),
        ("LRV_20230101_120000_11_001.lrv", "VID_20230101_120000_00_001.insv"),
        ("PRO_LRV_20230101_120000_01_001.mp4", "PRO_VID_20230101_120000_10_001.mp4"),
    ],
)
def test_a_thumbnail_or_small_copy_is_a_companion_and_never_the_primary(companion: str, main: str) -> None:
    members = files((companion, {"width": 4000, "height": 3000}), (main, {"duration_seconds": 900.0}))
    assert found(members) == {("companion", companion, main)}
    (photo,) = group(members, links_in_folder(members), [])
    assert photo.roles == {1: "companion", 2: "primary"}
    assert companion in photo.reasons[1]


def test_a_thumbnail_stands_beside_its_movie_and_for_neither_raw_nor_movie() -> None:
    members = files(
        "CRW_0304.JPG", "CRW_0304.THM", "CRW_0304.CRW", "CRW_0305.THM", "CRW_0305.MOV", camera="Apple iPhone"
    )
    assert found(members) == {
        ("raw", "CRW_0304.CRW", "CRW_0304.JPG"),
        ("companion", "CRW_0304.THM", "CRW_0304.CRW"),
        ("companion", "CRW_0305.THM", "CRW_0305.MOV"),
    }
    roles = [photo.roles for photo in group(members, links_in_folder(members), [])]
    assert roles == [{1: "primary", 2: "companion", 3: "raw"}, {4: "companion", 5: "primary"}]


@pytest.mark.parametrize(
    "names",
    [
        ("GX010124.THM", "GX010123.MP4"),
        ("GL010123.LRV", "GX010124.MP4"),
        ("GX010123.LRV", "GX010123.JPG"),  # a small copy of a movie is not of a picture
        ("LRV_20230101_120000_01_001.insv", "VID_20230101_120000_00_002.insv"),
        ("GX010123.THM", "GX010123.LRV"),
    ],
)
def test_a_companion_without_its_file_stands_alone(names: tuple[str, ...]) -> None:
    members = files(*names)
    assert found(members) == set()
    assert [photo.roles for photo in group(members, [], [])] == [{1: "primary"}, {2: "primary"}]


def test_a_thumbnail_of_another_year_is_a_companion_and_no_photo_of_its_own() -> None:
    members = files("MVI_0042.THM", ("MVI_0042.AVI", {"taken_at": "2008-06-01T12:00:00"}))
    assert found(members) == {("companion", "MVI_0042.THM", "MVI_0042.AVI")}


def test_a_raw_is_never_an_edit() -> None:
    members = files("IMG_1.CR2", "IMG_1_original.jpg")
    assert ("edit", "IMG_1.CR2", "IMG_1_original.jpg") not in found(members)
    near = files("MVI_0042.THM", ("MVI_0042.AVI", {"taken_at": "2019-06-01T20:00:00"}))  # clocks in other zones
    assert found(near) == {("companion", "MVI_0042.THM", "MVI_0042.AVI")}


@pytest.mark.parametrize("name", ["a.jpg", "IMG_E1234.jpg", "IMG_1234(1).jpg", "PXL_20230101_120000123.MP.jpg"])
def test_what_exiftool_keeps_of_a_file_is_its_backup_whatever_the_times(name: str) -> None:
    members = files((f"{name}_original", {"taken_at": "2001-01-01T00:00:00", "width": 9, "height": 9}), name)
    assert ("backup", f"{name}_original", name) in found(members)
    (photo,) = group(members, links_in_folder(members), [])
    assert photo.roles == {1: "backup", 2: "primary"}
    assert "ExifTool kept" in photo.reasons[1]


def test_a_backup_belongs_to_the_file_of_exactly_its_name() -> None:
    members = files("a.jpg_original", "a.dng", "a.dng_original", "b.jpg_original", "c.jpg", "c.jpg_original")
    assert found(members) == {("backup", "a.dng_original", "a.dng"), ("backup", "c.jpg_original", "c.jpg")}


@pytest.mark.parametrize("original", ["a_original.jpg", "a-original.jpg", "a_original.dng"])
def test_a_file_beside_its_named_original_is_the_edit(original: str) -> None:
    members = files(original, "a.jpg")
    assert found(members) == {("edit", "a.jpg", original)}
    assert group(members, links_in_folder(members), [])[0].primary_asset_id == 2
    assert found(files(original, ("a.jpg", {"taken_at": "2020-01-01T00:00:00"}))) == set()


def test_files_named_by_date_and_time_are_of_one_shot_though_their_clocks_differ() -> None:
    later = {"taken_at": "2019-06-01T12:00:05"}
    pixel = ("PXL_20230101_120000123.RAW-01.MP.COVER.jpg", "PXL_20230101_120000123.RAW-02.ORIGINAL.dng")
    for still, raw in (
        pixel,
        ("20230101_120000.jpg", "20230101_120000.dng"),
        ("IMG20230101120000.jpg", "IMG20230101120000.dng"),
        ("IMG_20230101_120000123.jpg", "IMG_20230101_120000123_RAW.dng"),
    ):
        assert found(files(still, (raw, later))) == {("raw", raw, still)}
        assert found(files(still, (raw, {"taken_at": "2019-06-01T12:06:00"}))) == set()
        assert found(files((still, {"camera": "Google Pixel 7"}), (raw, later), camera="Google Pixel 6")) == set()
    assert found(files("IMG_1234.jpg", ("IMG_1234.dng", later))) == set()
    edit = ("PXL_20230101_120000123~2.jpg", "PXL_20230101_120000123.jpg")
    assert found(files(edit[0], (edit[1], later))) == {("edit", *edit)}


def test_the_words_of_googles_export_for_an_edit_mark_an_edit() -> None:
    for word in EDITED_WORDS:
        assert found(files(f"a-{word}.jpg", "a.jpg")) == {("edit", f"a-{word}.jpg", "a.jpg")}
    assert found(files("a-mix.jpg", "a.jpg")) == set()  # a picture of its own


def test_a_lumia_raw_is_one_with_its_pictures() -> None:
    raw, large, small = "WP_20131125_001__highres.dng", "WP_20131125_001__highres.jpg", "WP_20131125_001.jpg"
    assert found(files(raw, large, small)) == {("raw", raw, large), ("raw", raw, small)}


def test_a_takeout_movie_without_a_time_follows_the_json_that_it_shares_with_its_picture() -> None:
    still = ("20230101_120000.jpg", {"camera": "samsung SM-G998B", "takeout_id": 7})
    movie = {"taken_at": None, "duration_seconds": 2.0}
    joined = files(still, ("20230101_120000.mp4", {**movie, "takeout_id": 7}))
    assert found(joined) == {("live", "20230101_120000.mp4", "20230101_120000.jpg")}
    assert "the same JSON of Google Takeout" in only_link(joined).why
    for other in ({"takeout_id": 8}, {"takeout_id": None}, {"takeout_id": 7, "duration_seconds": 30.0}):
        assert found(files(still, ("20230101_120000.mp4", {**movie, **other}))) == set()
    timed = {"taken_at": "2019-06-01T15:10:00", "takeout_id": 7}
    assert found(files(still, ("20230101_120000.mp4", {**movie, **timed}))) == set()


def test_the_users_decisions_override_the_rules() -> None:
    members = files("a.cr2", "a.jpg", "b.jpg")
    links = links_in_folder(members)
    (joined,) = group(members, links, [Decision(3, 2, together=True)])
    assert joined.roles == {1: "raw", 2: "primary", 3: "alternate"}
    assert joined.reasons[3] == "joined by hand"
    assert [set(photo.roles) for photo in group(members, links, [Decision(2, 1, together=False)])] == [{1}, {2}, {3}]


def test_a_movie_joined_by_hand_is_the_movie_of_the_picture() -> None:
    members = files("keyPhoto.jpg", "pairedVideo.mov")
    assert group(members, [], [Decision(1, 2, together=True)])[0].roles == {1: "primary", 2: "movie"}


def test_two_that_were_split_stay_apart_even_through_a_third() -> None:
    members = files("a.cr2", "a.jpg", "a.heic")
    photos = group(members, links_in_folder(members), [Decision(2, 3, together=False)])
    assert [set(photo.roles) for photo in photos] == [{1, 2}, {3}]


def test_a_later_decision_about_the_same_two_replaces_the_earlier_one() -> None:
    members = files("a.jpg", "b.jpg")
    split, join = Decision(1, 2, together=False), Decision(2, 1, together=True)
    assert len(group(members, [], [split, join])) == 1
    assert len(group(members, [], [join, split])) == 2
    assert len(group(members, [], [split, join, split])) == 2


def test_of_joins_that_conflict_with_a_split_the_later_one_wins() -> None:
    members = files("a.jpg", "b.jpg", "c.jpg")
    split, early, late = Decision(1, 3, together=False), Decision(1, 2, together=True), Decision(2, 3, together=True)
    assert [set(photo.roles) for photo in group(members, [], [split, early, late])] == [{1}, {2, 3}]
    assert [set(photo.roles) for photo in group(members, [], [split, late, early])] == [{1, 2}, {3}]


def test_a_repeated_join_counts_as_the_latest() -> None:
    members = files("a.jpg", "b.jpg", "c.jpg")
    split, first, second = Decision(1, 3, together=False), Decision(1, 2, together=True), Decision(2, 3, together=True)
    assert [set(photo.roles) for photo in group(members, [], [split, first, second, first])] == [{1, 2}, {3}]


def test_links_and_decisions_about_unknown_contents_are_ignored() -> None:
    members = files("a.jpg", "b.jpg")
    links = [Link(1, 99, "raw", "x"), Link(99, 2, "raw", "x"), Link(1, 1, "edit", "x")]
    decisions = [Decision(1, 99, together=True), Decision(99, 2, together=True), Decision(1, 1, together=True)]
    assert [photo.roles for photo in group(members, links, decisions)] == [{1: "primary"}, {2: "primary"}]


# Explanations


def explained(
    members: list[Member], decisions: list[Decision] | None = None
) -> dict[tuple[str, str], tuple[bool, str]]:
    links = links_in_folder(members)
    decided = decisions or []
    return {
        (about.member.name.decode(), candidate.member.name.decode()): (candidate.joined, candidate.why)
        for about in explain(members, links, decided, group(members, links, decided))
        for candidate in about.candidates
    }


@pytest.mark.parametrize(
    ("members", "decisions", "joined", "why"),
    [
        (files("a.cr2", "a.jpg"), [], True, "the same time (2019-06-01 12:00:00)"),
        (files("a.cr2", ("a.jpg", {"taken_at": "2019-06-01T15:02:00"})), [], False, "their times differ by 3 h 2 min"),
        (files(("a.mov", OTHER), ("a.heic", IDENTIFIED)), [], False, "different content identifiers"),
        (files("a.mov", ("a.heic", {"taken_at": None})), [], False, "a.heic has no embedded time"),
        (files("a.mov", "a.heic", duration_seconds=95.0), [], False, "the movie lasts 95 s"),
        (files("a-edited.jpg", ("a.jpg", {"taken_at": "2019-06-20"})), [], False, "their times differ by 18 days"),
        (files("a.jpg", "a.png"), [], False, "no rule joins two files of the same kind"),
        (files("a.jpg", "a (1).jpg"), [], False, "no rule joins copies"),
        (files("a.cr2", "a.jpg"), [Decision(1, 2, together=False)], False, "split by hand"),
        (files("a.jpg", "b.jpg"), [Decision(1, 2, together=True)], True, "joined by hand"),
    ],
)
def test_both_files_are_explained_why_they_are_or_are_not_joined(
    members: list[Member], decisions: list[Decision], joined: bool, why: str
) -> None:
    explanations = explained(members, decisions)
    assert len(explanations) == 2
    assert {answer for answer, _ in explanations.values()} == {joined}
    assert all(why in sentence for _, sentence in explanations.values())


def test_a_split_involving_a_third_file_is_given_as_the_reason() -> None:
    explanations = explained(files("a.cr2", "a.jpg", "a.heic"), [Decision(2, 3, together=False)])
    assert explanations["a.jpg", "a.heic"] == (False, "split by hand")
    joined, why = explanations["a.cr2", "a.heic"]
    assert not joined
    assert why.startswith("kept apart because files of their photos were split by hand; otherwise: RAW and picture")


def test_files_joined_through_a_third_file_name_their_common_photo() -> None:
    explanations = explained(files("a.cr2", "a.jpg", "a.heic"))
    assert explanations["a.jpg", "a.heic"] == (True, "both belong to a.jpg")


def test_a_file_alone_has_no_candidates() -> None:
    members = files("a.jpg", "b.jpg")
    (first, second) = explain(members, [], [], group(members, [], []))
    assert (first.role, first.reason, first.candidates) == ("primary", None, ())
    assert second.member.name == b"b.jpg"


# Parts


def test_control_characters_are_removed_from_reasons() -> None:
    evil = "Evil\x1b[2J\n\u202eCam" + "x" * 500 + "\udce9\ud800"
    link = only_link(files("a\x1b[31m\n.cr2", "a\x1b[31m\n.jpg", camera=evil))
    assert link.why.isprintable()
    assert len(link.why) < 400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0.4 s"), (1.0, "1 s"), (95, "95 s"), (213, "3 min 33 s"), (720, "12 min"), (10920, "3 h 2 min"), (7200, "2 h"),
     (86400 * 17, "17 days"), (9e9, "104,166 days")],
)  # fmt: skip
def test_durations_are_formatted_for_people(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_cameras_are_compared_by_their_distinctive_words() -> None:
    assert camera_words("EASTMAN KODAK COMPANY KODAK DC50") == camera_words("Kodak DC50")


@pytest.mark.parametrize(
    ("name", "number"),
    [(b"IMG_1234.JPG", 1234), (b"DSC01234.ARW", 1234), (b"P1000123.RW2", 1000123), (b"IMG_1234 (1).jpg", 1234),
     (b"IMG_20190601_123456.jpg", None), (b"PXL_20231207_032111247.jpg", None), (b"beach.jpg", None)],
)  # fmt: skip
def test_running_numbers_are_distinguished_from_times_and_copy_numbers(name: bytes, number: int | None) -> None:
    assert parse_name(name).number == number
