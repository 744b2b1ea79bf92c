"""`photoindex show`, `why` and `status`: output for people and programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import run, run_on_terminal
from tests.harness import LibraryRunner
from tests.marked_faces import Marked, microsoft, mwg, picture, sidecar, write
from tests.originals import write_photo
from tests.rows import VolumeRows, library_in

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmp:Rating="{rating}" exif:DateTimeOriginal="{year}-02-03T04:05:06"/></rdf:RDF></x:xmpmeta>"""
HOSTILE = b"evil\x1b]0;owned\x07\n\xff.jpg"


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    return tmp_path / "originals"


@pytest.fixture
def volume_rows(library_folder: Path, originals: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VolumeRows]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        made = VolumeRows(library, originals)
        made.add_root()
        yield made


def add_beach(volume_rows: VolumeRows) -> int:
    return volume_rows.add_whole_photo(
        "2019/beach.jpg",
        width=4032,
        height=3024,
        orientation=6,
        title="Dawn",
        keywords=["sea", "family"],
        taken_at="2019-07-03T12:30:11+02:00",
        taken_at_source="exif",
        taken_at_confidence=0.95,
        exposure_seconds=0.008,
        aperture=2.8,
        sources={"title": "xmp", "taken_at": "exif"},
        asset_facts={"xmp": {"title": "Dawn"}, "iptc": {"title": "IMG_1"}, "exif": {"software": "GIMP"}},
        asset_notes=["a damaged block"],
    )


def test_show_prints_one_json_object_per_photo(
    volume_rows: VolumeRows, originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    photo_id = add_beach(volume_rows)
    ran = run(capsysbinary, "show", "--json", originals / "2019/beach.jpg", str(photo_id))
    assert (ran.code, ran.err) == (0, b"")
    first, second = ran.json
    assert first["path"] == second["path"] == str(originals / "2019/beach.jpg")
    assert (first["id"], first["orientation"], first["keywords"]) == (photo_id, 6, ["sea", "family"])
    assert first["files"][0]["digest"] == f"{1:064x}"


def test_show_marks_times_that_are_only_the_files(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    copied = volume_rows.add_whole_photo(
        "copy.jpg", taken_at="2024-06-01T10:00:00+00:00", taken_at_source="mtime", taken_at_confidence=0.1,
        taken_at_utc=1717236000.0, sources={"taken_at": "mtime", "taken_at_utc": "mtime"},
    )  # fmt: skip
    dated = volume_rows.add_whole_photo("b.jpg", taken_at="2019-07-03T12:30:11", taken_at_source="exif")
    out = run(capsysbinary, "show", str(copied)).out.decode()
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert any(line.startswith("taken at ~2024-06-01T10:00:00+00:00 mtime, confidence 0.1") for line in lines)
    assert "instant ~2024-06-01 10:00:00 UTC mtime" in lines
    lines = run(capsysbinary, "show", str(dated)).out.decode().splitlines()
    assert next(line.split()[0] for line in lines if "mtime, not used" in line).startswith("~")
    assert not any("~2019" in line for line in lines)
    assert run(capsysbinary, "show", "--json", str(copied)).json[0]["taken_at"] == "2024-06-01T10:00:00+00:00"


def test_show_prints_facts_with_their_source_and_the_values_not_used(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    photo_id = add_beach(volume_rows)
    lines = [" ".join(line.split()) for line in run(capsysbinary, "show", str(photo_id)).out.decode().splitlines()]
    assert lines[0].startswith(f"photo {photo_id} ")
    for expected in (
        "kind image, jpeg, 7 B",
        "size 4032 x 3024 pixels, orientation 6",
        "taken at 2019-07-03T12:30:11+02:00 exif, confidence 0.95",
        "title Dawn xmp",
        "IMG_1 iptc, not used",
        "aperture f/2.8",
        "exposure 1/125 s",
        "keywords sea, family",
        "software GIMP exif",
        "a damaged block",
    ):
        assert expected in lines
    assert any(line.startswith("ingest done 0.25 s") for line in lines)


def test_show_names_each_unknown_token_shows_the_others_and_exits_11(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    photo_id = add_beach(volume_rows)
    ran = run(capsysbinary, "show", "--json", "4711", "/no where.jpg", str(photo_id))
    assert ran.code == 11
    assert [one["id"] for one in ran.json] == [photo_id]
    assert b"no photo with the id 4711" in ran.err
    assert b"photoindex why '/no where.jpg'" in ran.err


def test_show_finds_a_unique_name_in_any_case_and_without_its_extension(
    volume_rows: VolumeRows,
    originals: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    photo_id = add_beach(volume_rows)
    other = volume_rows.add_whole_photo("2020/Straße*.HEIC")
    volume_rows.add_file("2021/beach.txt")
    for name, found in (("beach.jpg", photo_id), ("BEACH", photo_id), ("straße*", other), ("STRASSE*.heic", other)):
        ran = run(capsysbinary, "show", "--json", name)
        assert (ran.code, [one["id"] for one in ran.json]) == (0, [found]), name
    assert run(capsysbinary, "show", "--json", "beach").json[0]["path"] == str(originals / "2019/beach.jpg")
    for name in ("bea", "beach.jpeg", "each.jpg", "*", "be*", "2020/Straße*", "straße"):
        assert run(capsysbinary, "show", name).code == 11, name
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beach.jpg").write_bytes(b"another one")
    here = run(capsysbinary, "show", "beach.jpg")
    assert (here.code, b"beach.jpg is not in the library" in here.err) == (11, True)


def test_show_lists_the_photos_of_a_name_with_their_ids(
    volume_rows: VolumeRows, originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    first = volume_rows.add_whole_photo("2019/IMG_1.jpg")
    second = volume_rows.add_whole_photo("2020/img_1.JPG")
    several = run(capsysbinary, "show", "IMG_1")
    assert (several.code, several.out) == (11, b"")
    lines = several.err.decode().splitlines()
    assert lines[0] == "photoindex: 2 photos are named IMG_1; name one by its id:"
    assert [line.split() for line in lines[1:]] == [
        [str(first), f"{originals}/2019/IMG_1.jpg"],
        [str(second), f"{originals}/2020/img_1.JPG"],
    ]
    # In exactly these letters there is one.
    assert run(capsysbinary, "show", "--json", "IMG_1.jpg").json[0]["id"] == first
    assert run(capsysbinary, "show", "Img_1.jpg").code == 11


def test_one_photo_with_several_files_of_a_name_is_unique(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    photo_id = volume_rows.add_whole_photo("2019/IMG_1.jpg")
    volume_rows.add_file("copies/IMG_1.jpg", asset_id=volume_rows.asset_of(photo_id))
    volume_rows.add_file("2019/IMG_1.xmp")
    assert run(capsysbinary, "show", "--json", "img_1").json[0]["id"] == photo_id
    broken = volume_rows.add_file("2019/broken.jpg")
    assert broken
    [shown] = run(capsysbinary, "show", "--json", "Broken").json
    assert (shown["id"], len(shown["files"])) == (None, 1)


def test_show_survives_a_hostile_name_in_json_and_escapes_it_for_people(
    volume_rows: VolumeRows, originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    volume_rows.add_file(HOSTILE)
    path = os.fsdecode(os.path.join(os.fsencode(originals), HOSTILE))
    [value] = run(capsysbinary, "show", "--json", path).json
    assert os.fsencode(value["files"][0]["path"]).endswith(HOSTILE)
    for command in ("show", "why"):
        ran = run(capsysbinary, command, path)
        assert ran.code == 0
        assert b"\x1b" not in ran.out
        assert rb"evil\x1b]0;owned\x07\n\xff.jpg" in ran.out


def test_show_without_a_library_says_how_to_create_one(
    library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "show", "--library", library_folder, "1")
    assert ran.code == 4
    assert b"photoindex scan PATH" in ran.err


def test_show_is_in_colour_on_a_terminal_and_plain_if_no_color_is_set(
    volume_rows: VolumeRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_id = add_beach(volume_rows)
    assert b"\x1b[1;36mphoto" in run_on_terminal("show", str(photo_id)).out
    monkeypatch.setenv("NO_COLOR", "1")
    plain = run_on_terminal("show", str(photo_id))
    assert plain.code == 0
    assert b"\x1b[1;36m" not in plain.out
    assert b"2019-07-03T12:30:11+02:00" in plain.out


def test_why_answers_in_words_and_exits_11_for_unknown_files(
    volume_rows: VolumeRows, originals: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    add_beach(volume_rows)
    (originals / "new.jpg").write_bytes(b"x")
    seen = run(capsysbinary, "why", originals / "2019/beach.jpg")
    unseen = run(capsysbinary, "why", originals / "new.jpg")
    both = run(capsysbinary, "why", "--json", originals / "2019/beach.jpg", originals / "new.jpg")
    assert (seen.code, unseen.code, both.code) == (0, 11, 11)
    assert b"as photo 1" in seen.out
    assert b"photoindex scan" in unseen.out
    assert [(one["answer"], one["seen"]) for one in both.json] == [("done", True), ("unscanned", False)]


def test_status_is_one_json_object_or_plain_text(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    add_beach(volume_rows)
    volume_rows.add_task(volume_rows.add_file("bad.jpg"), "quarantined", error_class="truncated", error="ends early")
    [value] = run(capsysbinary, "status", "--json").json
    assert (value["photos"], value["formats"]) == (1, {"jpeg": 1})
    assert value["quarantined"] == {"truncated": 1}
    page = run(capsysbinary, "status").out.decode()
    lines = [" ".join(line.split()) for line in page.splitlines()]
    assert "ingest 1 done, 1 quarantined" in lines
    assert "truncated 1" in lines
    assert "photoindex tasks --state quarantined 1 quarantined: see why" in lines
    assert json.dumps(value).isascii()


def test_show_prints_the_notes_and_the_unused_values_of_sidecars_with_their_names(
    library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    photo = write_photo(tmp_path / "photos" / "a.jpg", 1)
    for name, rating, year in (("a.jpg.xmp", 9, 2057), ("a.xmp", 3, 2011), ("a_01.jpg.xmp", 2, 2012)):
        photo.with_name(name).write_text(XMP.format(rating=rating, year=year))
    LibraryRunner(library_folder).scan(photo.parent)
    lines = [" ".join(line.split()) for line in run(capsysbinary, "show", photo).out.decode().splitlines()]
    assert "rating 3 sidecar" in lines
    assert "2 sidecar a_01.jpg.xmp, not used" in lines
    assert any(line.startswith("a.jpg.xmp sidecar: taken_at '2057") for line in lines)
    assert any(line.startswith("a.jpg.xmp sidecar: rating '9' refused") for line in lines)


def test_show_lists_the_faces_of_a_photo_and_how_each_is_known(
    library_folder: Path, originals: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    elements = mwg([Marked("Anna", 0.1, 0.2), Marked("Smith, Ben", 0.6, 0.4)])
    write(originals / "a.jpg", picture(elements, orientation=6))
    sidecar(originals / "a.jpg.xmp", microsoft([Marked("Anna", 0.11, 0.2)]))
    LibraryRunner(library_folder).scan(originals)
    shown = run(capsysbinary, "show", originals / "a.jpg")
    lines = [line.split(b"  ") for line in shown.out.splitlines()]
    words = [[part.strip().decode() for part in line if part.strip()] for line in lines]
    turned = "turned with the photo (orientation 6)"
    assert ["f2", "nobody yet", "marked in xmp mwg of a.jpg", "120 x 120 pixels at 120, 360", turned] in words
    why = "named in xmp mp of a.jpg.xmp and xmp mwg of a.jpg"
    assert ["f1", "Anna", why, "120 x 120 pixels at 200, 66", turned] in words
    assert any(b"Smith, Ben" in line and b"must not contain a comma" in line for line in shown.out.splitlines())
    [value] = [json.loads(line) for line in run(capsysbinary, "show", "--json", originals / "a.jpg").out.splitlines()]
    face = next(face for face in value["faces"] if face["face"] == "f1")
    assert face["person"] == {"id": 1, "name": "Anna"}
    assert (face["how"], face["turned_by"]) == ("metadata", 6)
    assert face["marked_in"] == [{"file": "a.jpg.xmp", "schema": "mp"}, {"file": "a.jpg", "schema": "mwg"}]
    assert face["pixels"] == {"left": 200, "top": 66, "width": 120, "height": 120}
