"""Marked faces: where they are in the upright picture, which of them are the same, and which face each one marks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from photoindex.domain.people.boxes import Box, turned
from photoindex.domain.people.marks import KnownFace, Mark, Picture, RegionSource, marks_of, matched_marks

PHOTO = Picture(600, 400, 1, "image")
PORTRAIT = Picture(400, 600, 6, "image")
BOX = (0.1, 0.2, 0.2, 0.3)


def marked(name: str | None = "Anna", box: tuple[float, ...] = BOX, schema: str = "mwg", **more: Any) -> dict[str, Any]:
    place = dict(zip(("x", "y", "width", "height"), box, strict=True))
    return {"kind": "face", "name": name, "schema": schema, **place, **more}


def names(*sources: RegionSource, shown: Picture = PHOTO) -> list[str | None]:
    return [face.name for face in marks_of(sources, shown).faces]


def test_regions_read_by_an_earlier_version_are_of_the_stored_picture() -> None:
    [face] = marks_of([RegionSource("a.jpg", PORTRAIT, [marked()])], PORTRAIT).faces
    assert (face.box, face.turned_by) == (turned(Box(*BOX), 6), 6)


def test_the_size_that_a_region_was_drawn_in_tells_the_upright_picture_from_the_stored_one() -> None:
    regions = [
        marked(drawn_width=1200, drawn_height=1801),
        marked("Ben", (0.6, 0.6, 0.1, 0.1), drawn_width=3, drawn_height=2),
    ]
    upright, stored = marks_of([RegionSource("a.jpg", PORTRAIT, regions)], PORTRAIT).faces
    assert (upright.box, upright.turned_by) == (Box(*BOX), 1)
    assert (stored.box, stored.turned_by) == (turned(Box(0.6, 0.6, 0.1, 0.1), 6), 6)


def test_picasa_marks_raw_files_upright_and_others_as_stored() -> None:
    region = marked(schema="picasa")
    raw, jpeg = (
        marks_of([RegionSource(".picasa.ini", picture, [region])], picture).faces[0]
        for picture in (replace(PORTRAIT, kind="raw"), PORTRAIT)
    )
    assert (raw.box, raw.turned_by) == (Box(*BOX), 1)
    assert (jpeg.box, jpeg.turned_by) == (turned(Box(*BOX), 6), 6)


def test_a_raw_file_may_have_a_margin_that_the_program_cut_off() -> None:
    regions = [marked(drawn_width=6000, drawn_height=4200)]
    assert names(RegionSource("a.cr2", replace(PHOTO, kind="raw"), regions)) == ["Anna"]
    found = marks_of([RegionSource("a.jpg", PHOTO, regions)], PHOTO)
    assert (found.faces, found.unplaced) == ([], ["Anna"])
    assert found.notes == ["a.jpg: the face of Anna was marked in a picture of another shape, and is not used"]


def test_regions_of_another_content_are_used_if_it_shows_the_same_picture() -> None:
    raw = RegionSource("a.xmp", Picture(6016, 4016, 1, "raw"), [marked()])
    assert names(raw) == ["Anna"]
    assert names(raw, shown=Picture(400, 400, 1, "image")) == []


def test_the_first_source_with_a_name_wins_and_all_are_remembered() -> None:
    sources = [
        RegionSource("a.xmp", PHOTO, [marked(None)]),
        RegionSource("a.jpg", PHOTO, [marked("Anna", (0.12, 0.2, 0.2, 0.3)), marked("Anna", schema="mp")]),
        RegionSource(".picasa.ini", PHOTO, [marked("Bea", schema="picasa")]),
    ]
    [face] = marks_of(sources, PHOTO).faces
    assert (face.name, face.box) == ("Anna", Box(*BOX))
    assert face.sources == (("a.xmp", "mwg"), ("a.jpg", "mwg"), ("a.jpg", "mp"), (".picasa.ini", "picasa"))


def test_faces_that_touch_in_one_list_stay_two() -> None:
    assert names(RegionSource("a.jpg", PHOTO, [marked(), marked("Ben", (0.15, 0.2, 0.2, 0.3))])) == ["Anna", "Ben"]


def test_a_schema_that_another_program_left_in_an_old_place_adds_no_faces() -> None:
    regions = [marked(), marked(schema="mp", box=(0.7, 0.6, 0.2, 0.3)), marked(None, (0.5, 0.1, 0.1, 0.1), "mp")]
    assert names(RegionSource("a.jpg", PHOTO, regions)) == ["Anna"]


@pytest.mark.parametrize("name", [None, "", " ", "Unknown", "unknown person", "UNNAMED"])
def test_names_of_nobody_are_no_names(name: str | None) -> None:
    found = marks_of([RegionSource("a.jpg", PHOTO, [marked(name)])], PHOTO)
    assert ([face.name for face in found.faces], found.notes) == ([None], [])


@pytest.mark.parametrize("name", ["Smith, Anna", "12", "a\tb", "-x", "x" * 300])
def test_a_refused_name_leaves_a_note_and_a_face(name: str) -> None:
    found = marks_of([RegionSource("a.jpg", PHOTO, [marked(name)])], PHOTO)
    assert [face.name for face in found.faces] == [None]
    assert len(found.notes) == 1
    assert found.notes[0].startswith("a.jpg: a face is named ")


def mark(*box: float) -> Mark:
    return Mark(Box(*box), None, "mwg", (("a.jpg", "mwg"),))


def test_a_mark_goes_to_the_decided_face_before_the_detected_and_the_marked_one() -> None:
    only_marked, detected, decided = (
        KnownFace(Box(*BOX), detected=False, decided=False),
        KnownFace(Box(*BOX), detected=True, decided=False),
        KnownFace(Box(*BOX), detected=False, decided=True),
    )
    assert matched_marks([mark(*BOX)], [only_marked, detected, decided]) == {0: 2}
    assert matched_marks([mark(*BOX)], [only_marked, detected]) == {0: 1}
    assert matched_marks([mark(*BOX)], [only_marked]) == {0: 0}


def test_a_loose_mark_goes_to_the_only_face_inside_it() -> None:
    inside = [KnownFace(Box(0.2, 0.3, 0.05, 0.08), detected=True, decided=False)]
    other = KnownFace(Box(0.7, 0.7, 0.05, 0.08), detected=True, decided=False)
    assert matched_marks([mark(0.1, 0.1, 0.4, 0.8)], [other, *inside]) == {0: 1}
    assert matched_marks([mark(0.1, 0.1, 0.8, 0.8)], [other, *inside]) == {}
    assert matched_marks([mark(0.1, 0.1, 0.4, 0.8), mark(0.15, 0.1, 0.3, 0.8)], inside) == {}
