"""Matching sidecars to the files of a folder by name and by the titles in Takeout's JSON."""

from __future__ import annotations

import os
import random
import unicodedata

import pytest

from photoindex.domain.sidecars.match import match_sidecars
from photoindex.domain.sidecars.names import MediaName, SidecarMatch, SidecarName
from photoindex.types import Kind, SidecarKind

KINDS = {"xmp": SidecarKind.XMP, "aae": SidecarKind.AAE, "json": SidecarKind.TAKEOUT}
RAW = {"cr2", "cr3", "nef", "dng", "arw"}
MOVIES = {"mov", "mp4", "mp"}
EDIT_WORDS = [
    "edited", "bearbeitet", "modifié", "editado", "ha editado", "modificato", "bewerkt", "edytowane", "編集済み", "изменено",
]  # fmt: skip


def folder(
    *names: str, titles: dict[str, str] | None = None
) -> tuple[list[SidecarName], list[MediaName], dict[int, str]]:
    """Return the sidecars and media of a folder with these names."""
    sidecars: list[SidecarName] = []
    media: list[MediaName] = []
    for number, name in enumerate(names):
        extension = name.rpartition(".")[2].lower()
        raw_name = os.fsencode(name)
        if extension in KINDS:
            sidecars.append(SidecarName(number, raw_name, KINDS[extension], (titles or {}).get(name)))
        else:
            kind = Kind.RAW if extension in RAW else Kind.VIDEO if extension in MOVIES else Kind.IMAGE
            media.append(MediaName(number, raw_name, kind))
    return sidecars, media, dict(enumerate(names))


def matched(*names: str, titles: dict[str, str] | None = None) -> set[tuple[str, str]]:
    """Return (sidecar, file) of every match in a folder with these names."""
    sidecars, media, by_id = folder(*names, titles=titles)
    return {(by_id[match.sidecar_id], by_id[match.file_id]) for match in match_sidecars(sidecars, media)}


def why(*names: str, titles: dict[str, str] | None = None) -> str:
    """Return the reason of the only match in a folder with these names."""
    sidecars, media, _ = folder(*names, titles=titles)
    (match,) = match_sidecars(sidecars, media)
    return match.why


def test_an_xmp_with_the_full_name_belongs_to_that_file_only() -> None:
    assert matched("a.jpg", "a.cr2", "a.jpg.xmp") == {("a.jpg.xmp", "a.jpg")}
    assert why("a.jpg", "a.jpg.xmp") == "the XMP has the file's full name: a.jpg.xmp"


def test_an_xmp_with_the_stem_belongs_to_the_raw_file_if_there_is_one() -> None:
    assert matched("a.jpg", "a.CR2", "a.xmp") == {("a.xmp", "a.CR2")}


def test_an_xmp_with_the_stem_belongs_to_every_other_file_of_that_stem() -> None:
    assert matched("a.heic", "a.mov", "b.jpg", "a.xmp") == {("a.xmp", "a.heic"), ("a.xmp", "a.mov")}


def test_an_xmp_without_its_file_belongs_to_no_other() -> None:
    assert matched("a.cr2", "b.jpg", "a.jpg.xmp", "c.xmp") == set()


def test_darktables_additional_versions_belong_to_the_file() -> None:
    names = ("a.CR2", "a.CR2.xmp", "a_01.CR2.xmp")
    assert matched(*names) == {("a.CR2.xmp", "a.CR2"), ("a_01.CR2.xmp", "a.CR2")}
    assert matched("a.CR2", "a_01.CR2", "a_01.CR2.xmp") == {("a_01.CR2.xmp", "a_01.CR2")}


def test_exact_case_wins_and_another_case_is_accepted_if_there_is_no_exact_match() -> None:
    assert matched("a.jpg", "A.JPG", "A.JPG.xmp") == {("A.JPG.xmp", "A.JPG")}
    assert matched("A.JPG", "a.xmp") == {("a.xmp", "A.JPG")}
    assert matched("IMG.JPG", "img.jpg.json") == {("img.jpg.json", "IMG.JPG")}
    assert matched("IMG.JPG", "img.jpg.json", "IMG.JPG.json") == {("IMG.JPG.json", "IMG.JPG")}


def test_letters_that_only_look_alike_do_not_match() -> None:
    assert matched("strasse.jpg", "straße.jpg.xmp") == set()


@pytest.mark.parametrize("extension", ["xmp", "json"])
@pytest.mark.parametrize(("of_photo", "of_sidecar"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_decomposed_accents_match(extension: str, of_photo: str, of_sidecar: str) -> None:
    photo = unicodedata.normalize(of_photo, "Café.jpg")  # type: ignore[arg-type]
    sidecar = unicodedata.normalize(of_sidecar, f"Café.jpg.{extension}")  # type: ignore[arg-type]
    assert matched(photo, sidecar) == {(sidecar, photo)}


def test_names_that_are_not_utf_8_match_by_their_bytes() -> None:
    photo, other, sidecar = (os.fsdecode(name) for name in (b"\xff\xe9.jpg", b"\xff\xe8.jpg", b"\xff\xe9.jpg.xmp"))
    assert matched(photo, other, sidecar) == {(sidecar, photo)}
    assert why(photo, sidecar).isprintable()


def test_an_aae_belongs_to_the_picture_of_its_name() -> None:
    assert matched("IMG_1234.HEIC", "IMG_1234.MOV", "IMG_1234.AAE") == {("IMG_1234.AAE", "IMG_1234.HEIC")}
    assert matched("IMG_1.MOV", "IMG_1.AAE") == {("IMG_1.AAE", "IMG_1.MOV")}


def test_apples_letters_for_original_and_edit_are_ignored() -> None:
    assert matched("IMG_1234.HEIC", "IMG_O1234.AAE") == {("IMG_O1234.AAE", "IMG_1234.HEIC")}
    assert matched("IMG_1234.JPG", "IMG_E1234.AAE") == {("IMG_E1234.AAE", "IMG_1234.JPG")}
    both = matched("IMG_1234.JPG", "IMG_E1234.JPG", "IMG_E1234.AAE", "IMG_1234.AAE")
    assert both == {("IMG_E1234.AAE", "IMG_E1234.JPG"), ("IMG_1234.AAE", "IMG_1234.JPG")}


def test_takeouts_json_belongs_to_the_file_with_its_full_name() -> None:
    assert matched("X.jpg", "X.png", "X.jpg.json") == {("X.jpg.json", "X.jpg")}


def test_takeouts_number_comes_before_the_photos_extension_and_after_it_in_the_jsons_name() -> None:
    names = ("X.jpg", "X(1).jpg", "X(2).jpg", "X.jpg.json", "X.jpg(1).json", "X.jpg(2).json")
    titles = dict.fromkeys(names[3:], "X.jpg")
    assert matched(*names, titles=titles) == {
        ("X.jpg.json", "X.jpg"),
        ("X.jpg(1).json", "X(1).jpg"),
        ("X.jpg(2).json", "X(2).jpg"),
    }
    assert why("X(1).jpg", "X.jpg(1).json") == "the JSON has the file's name and number: X.jpg(1).json"


def test_a_numbered_json_whose_photo_is_missing_belongs_to_no_other_number() -> None:
    titles = {"X.jpg(1).json": "X.jpg"}
    assert matched("X.jpg", "X(2).jpg", "X.jpg(1).json", titles=titles) == set()
    assert matched("X(1).jpg", "X.jpg.json", titles={"X.jpg.json": "X.jpg"}) == set()


def test_names_that_only_look_numbered_are_matched_in_full() -> None:
    names = ("D.JPG", "D(1).JPG", "D_1.JPG", "D.JPG.json", "D.JPG(1).json", "D_1.JPG.json")
    expected = {("D.JPG.json", "D.JPG"), ("D.JPG(1).json", "D(1).JPG"), ("D_1.JPG.json", "D_1.JPG")}
    assert matched(*names, titles={"D.JPG(1).json": "D.JPG"}) == expected


def test_a_number_in_the_title_is_part_of_the_name() -> None:
    names = (
        "N-35(1).jpg",
        "N-35(1)(1).jpg",
        "N-35(1).jpg.supplemental-metadata.json",
        "N-35(1).jpg.supplemental-metadata(1).json",
    )
    assert matched(*names) == {(names[2], names[0]), (names[3], names[1])}


def test_a_number_may_appear_twice_in_the_jsons_name() -> None:
    assert matched("img(18).jpg", "img(18).jpg.supple(18).json") == {("img(18).jpg.supple(18).json", "img(18).jpg")}


def test_a_number_may_come_before_an_inner_dot() -> None:
    sidecar = "21.12.11 - 1.supplemental-metadata(1).json"
    assert matched("21.12(1).11 - 1.jpg", sidecar) == {(sidecar, "21.12(1).11 - 1.jpg")}
    assert matched("PXL_1(1).MP.jpg", "PXL_1.MP.jpg(1).json") == {("PXL_1.MP.jpg(1).json", "PXL_1(1).MP.jpg")}


@pytest.mark.parametrize("length", range(len("supplemental-metadata") + 1))
@pytest.mark.parametrize("number", ["", "(1)"])
def test_every_truncation_of_supplemental_metadata_is_recognised(length: int, number: str) -> None:
    sidecar = f"IMG_1.jpg.{'supplemental-metadata'[:length]}{number}.json"
    photo = f"IMG_1{number}.jpg"
    assert matched("IMG_1.jpg", "IMG_1(1).jpg", sidecar) == {(sidecar, photo)}


def test_another_word_before_json_is_not_a_truncation() -> None:
    assert matched("IMG_1.jpg", "IMG_1.jpg.settings.json") == set()


def test_a_json_in_the_old_and_the_new_naming_both_belong_to_the_photo() -> None:
    names = ("X.jpg", "X.jpg.json", "X.jpg.supplemental-metadata.json")
    assert matched(*names) == {(names[1], "X.jpg"), (names[2], "X.jpg")}


def test_a_json_truncated_to_46_characters_belongs_to_the_photo_with_that_beginning() -> None:
    photo = "Screenshot_20220207_102421_com.snapchat.android.jpg"
    sidecar = "Screenshot_20220207_102421_com.snapchat.androi.json"
    assert len(sidecar) == 51
    assert matched(photo, sidecar, titles={sidecar: photo}) == {(sidecar, photo)}
    assert matched(photo, sidecar) == {(sidecar, photo)}
    assert why(photo, sidecar) == f"the JSON's name is the file's, truncated by Takeout: {sidecar}"


def test_a_truncation_within_the_extension_is_recognised() -> None:
    photo = "a" * 42 + ".jpeg"
    assert matched(photo, photo[:46] + ".json") == {(photo[:46] + ".json", photo)}


def test_a_photo_whose_own_name_was_truncated_is_matched() -> None:
    title = "original_1d4caa6f-16c6-4c3d-901b-9387de10e528_PXL_20220516_164814158.jpg"
    photo, sidecar = f"{title[:47]}.jpg", f"{title[:46]}.json"
    assert matched(photo, sidecar, titles={sidecar: title}) == {(sidecar, photo)}


def test_photos_with_the_same_beginning_are_distinguished_by_titles() -> None:
    start = "w" * 46
    titles = {f"{start}.json": f"{start}B-wedding.jpg", f"{start}(1).json": f"{start}A-wedding.jpg"}
    names = (f"{start}A.jpg", f"{start}B.jpg", *titles)
    assert matched(*names, titles=titles) == {(f"{start}.json", f"{start}B.jpg"), (f"{start}(1).json", f"{start}A.jpg")}
    assert matched(*names) == set()


def test_numbers_of_truncated_names_are_paired_in_order() -> None:
    start = "w" * 46
    titles = {
        f"{start}.json": f"{start}A1.jpg",
        f"{start}(1).json": f"{start}B1.jpg",
        f"{start}(2).json": f"{start}A2.jpg",
    }
    names = (f"{start}A.jpg", f"{start}A(1).jpg", f"{start}B.jpg", *titles)
    assert matched(*names, titles=titles) == {
        (f"{start}.json", f"{start}A.jpg"),
        (f"{start}(1).json", f"{start}B.jpg"),
        (f"{start}(2).json", f"{start}A(1).jpg"),
    }


@pytest.mark.parametrize("ending", ["_2.jpg", "_2.JPG"])
def test_a_truncated_json_whose_number_counts_missing_photos_is_matched_by_its_title(ending: str) -> None:
    start = "long_title_of_more_than_46_chars_that_truncates"
    sidecar, photo = f"{start[:46]}(1).json", f"{start}_at_46_chars{ending}"
    titles = {sidecar: photo}
    assert matched(photo, sidecar, titles=titles) == {(sidecar, photo)}
    assert why(photo, sidecar, titles=titles) == f"the title in the JSON is the file's name: {sidecar}"
    other = f"{start}_at_46_chars_1.jpg"
    assert matched(photo, other, sidecar, titles=titles) == {(sidecar, photo)}
    both = {**titles, f"{start[:46]}.json": photo}
    assert matched(photo, *both, titles=both) == {(f"{start[:46]}.json", photo)}


def test_a_truncated_json_with_the_title_of_another_photo_is_not_matched() -> None:
    start = "w" * 46
    assert matched(f"{start}A.jpg", f"{start}.json", titles={f"{start}.json": f"{start}B.jpg"}) == set()


def test_names_with_emoji_are_truncated_by_their_utf_16_length() -> None:
    stem = "😀😃😄😁😆😅😂🤣🥲☺️😊😇🙂🙃😉😌😍🥰😘😗😙😚😋😛😝"
    assert matched(f"{stem[:-1]}.jpg", f"{stem[:24]}.json") == {(f"{stem[:24]}.json", f"{stem[:-1]}.jpg")}


def test_a_title_without_extension_matches_the_photo_of_that_stem() -> None:
    names = ("Peanut Butter.jpg", "Peanut Butter(1).jpg", "Peanut Butter.supplemental-metadata.json")
    assert matched(*names) == {(names[2], "Peanut Butter.jpg")}
    numbered = "2013-12-23.supplemental-metadata(1).json"
    assert matched("2013-12-23(1).jpg", "2013-12-23.jpg", numbered) == {(numbered, "2013-12-23(1).jpg")}


def test_a_stem_that_two_pictures_share_needs_a_title() -> None:
    assert matched("a.jpg", "a.png", "a.json") == set()
    assert matched("a.jpg", "a.png", "a.json", titles={"a.json": "a.png"}) == {("a.json", "a.png")}


def test_the_title_is_used_if_the_jsons_name_matches_no_photo() -> None:
    titles = {"gphotos-1.json": "2019-05-18.jpg", "gphotos-2.json": "Bei den Landungsbrücken.png"}
    expected = {("gphotos-1.json", "2019-05-18.jpg"), ("gphotos-2.json", "Bei den Landungsbrücken.png")}
    assert matched("2019-05-18.jpg", "Bei den Landungsbrücken.png", *titles, titles=titles) == expected


def test_a_title_with_forbidden_characters_matches_the_sanitised_file() -> None:
    assert matched("Me _ you_.jpg", "x.json", titles={"x.json": "Me &amp; you?.jpg"}) == {("x.json", "Me _ you_.jpg")}


@pytest.mark.parametrize("sign", [*list("&'?*:<>\"|/\\%#=~"), "&amp;", "&#39;"])
@pytest.mark.parametrize("sidecar", ["foo_bar.jpg.json", "foo_bar.jpg.supplemental-metadata.json", "gphotos-1.json"])
def test_characters_that_takeout_replaces_in_file_names_do_not_prevent_a_match_by_title(
    sign: str, sidecar: str
) -> None:
    titles = {sidecar: f"foo{sign}bar.jpg"}
    assert matched("foo_bar.jpg", "foo_baz.jpg", sidecar, titles=titles) == {(sidecar, "foo_bar.jpg")}


def test_characters_kept_only_in_the_jsons_name_do_not_prevent_a_match() -> None:
    assert matched("foo_bar_s.jpg", "foo&bar's.jpg.json") == {("foo&bar's.jpg.json", "foo_bar_s.jpg")}
    numbered = "foo&bar's.jpg.supplemental-metadata(1).json"
    assert matched("foo_bar_s.jpg", "foo_bar_s(1).jpg", numbered) == {(numbered, "foo_bar_s(1).jpg")}
    assert matched("foo_bar_s.jpg", numbered, titles={numbered: "foo&bar's.jpg"}) == set()


@pytest.mark.parametrize("word", EDIT_WORDS)
def test_an_edited_copy_shares_the_json_of_its_original(word: str) -> None:
    copy = f"X-{word}.jpg"
    assert matched("X.jpg", copy, "X.jpg.json") == {("X.jpg.json", "X.jpg"), ("X.jpg.json", copy)}
    assert matched(copy, "X.jpg.json") == {("X.jpg.json", copy)}
    decomposed = unicodedata.normalize("NFD", copy)
    assert matched(decomposed, "X.jpg.json") == {("X.jpg.json", decomposed)}


def test_an_edited_copy_may_have_another_extension_than_its_original() -> None:
    names = ("X.HEIC", "X-edited.jpg", "X.HEIC.json")
    assert matched(*names) == {("X.HEIC.json", "X.HEIC"), ("X.HEIC.json", "X-edited.jpg")}


@pytest.mark.parametrize(
    ("copy", "json_file"),
    [
        ("X-edited.jpg", "X.supplemental-metadata.json"),
        ("X-edited.jpg", "X.suppl.json"),
        ("X-edited.jpg", "X.json"),
        ("X-bearbeitet.jpg", "X.jpg.suppl.json"),
        ("X-edited.jpg", "X.HEIC.supplemental-metadata.json"),
        ("X-edited(1).jpg", "X.supplemental-metadata(1).json"),
        ("X(1)-edited.jpg", "X(1).supplemental-metadata.json"),
        ("X-edited(1).jpg", "X(1).supplemental-metadata.json"),
        ("X(1)-edited.jpg", "X.HEIC.supplemental-metadata(1).json"),
    ],
)
def test_an_edited_copy_whose_original_is_not_there_takes_its_json(copy: str, json_file: str) -> None:
    assert matched(copy, json_file) == {(json_file, copy)}
    assert matched("Y" + copy, json_file) == set()


def test_an_edited_copy_of_one_of_two_missing_originals_takes_the_json_with_its_extension_or_none() -> None:
    assert matched("X-edited.jpg", "X.HEIC.json", "X.jpg.json") == {("X.jpg.json", "X-edited.jpg")}
    assert matched("X-edited.jpg", "X.HEIC.json", "X.png.json") == set()


def test_numbered_edited_copies_share_the_json_of_their_number() -> None:
    names = ("X.jpg", "X(1).jpg", "X-edited.jpg", "X-edited(1).jpg", "X.jpg.json", "X.jpg(1).json")
    assert matched(*names) == {
        ("X.jpg.json", "X.jpg"),
        ("X.jpg.json", "X-edited.jpg"),
        ("X.jpg(1).json", "X(1).jpg"),
        ("X.jpg(1).json", "X-edited(1).jpg"),
    }
    literal = ("N(1).jpg", "N(1)-editat.jpg", "N(1).jpg.supplemental-metadata.json")
    assert matched(*literal) == {(literal[2], literal[0]), (literal[2], literal[1])}


def test_an_edited_copy_with_its_own_json_does_not_share_another() -> None:
    names = ("X.jpg", "X-edited.jpg", "X.jpg.json", "X-edited.jpg.json")
    assert matched(*names) == {("X.jpg.json", "X.jpg"), ("X-edited.jpg.json", "X-edited.jpg")}


def test_an_edited_copy_with_a_truncated_suffix_is_recognised_by_its_length() -> None:
    original = "IMG_20210101_123456789_HDR_BURST_COVER_01.jpg"
    copy = f"{original[:-4]}-edited"[:47] + ".jpg"
    sidecar = f"{original}.json"
    assert "-edite" in copy
    assert matched(original, copy, sidecar) == {(sidecar, original), (sidecar, copy)}
    assert matched("X.jpg", "X-e.jpg", "X.jpg.json") == {("X.jpg.json", "X.jpg")}


@pytest.mark.parametrize("movie", ["X.MP4", "X.MOV", "X.mp4"])
def test_the_movie_of_a_live_photo_shares_the_json_of_its_picture(movie: str) -> None:
    assert matched("X.HEIC", movie, "X.HEIC.json") == {("X.HEIC.json", "X.HEIC"), ("X.HEIC.json", movie)}
    assert matched(movie, "X.HEIC.json") == {("X.HEIC.json", movie)}


def test_the_movie_of_a_numbered_live_photo_shares_the_json_of_its_number() -> None:
    names = ("X.HEIC", "X(1).HEIC", "X(1).MOV", "X.HEIC.json", "X.HEIC(1).json")
    assert ("X.HEIC(1).json", "X(1).MOV") in matched(*names)
    assert ("X.HEIC.json", "X(1).MOV") not in matched(*names)


def test_the_movie_of_a_motion_photo_without_its_own_extension_shares_its_json() -> None:
    names = ("PXL_1.MP.jpg", "PXL_1.MP", "PXL_1.MP.jpg.json")
    assert matched(*names) == {(names[2], names[0]), (names[2], names[1])}


def test_a_movie_with_its_own_json_shares_no_other_and_a_second_picture_gets_none() -> None:
    names = ("X.HEIC", "X.MOV", "X.JPG", "X.HEIC.json", "X.MOV.json")
    assert matched(*names) == {("X.HEIC.json", "X.HEIC"), ("X.MOV.json", "X.MOV")}


def test_the_json_of_a_missing_movie_is_not_matched_to_a_picture() -> None:
    names = ("PXL_20231006_063909898.LS.jpg", "PXL_20231006_063909898.jpg", "PXL_20231006_063909898.LS.mp4.json")
    assert matched(*names, titles={names[2]: "TST_20231006_063909898.LS.mp4"}) == set()


def test_the_order_of_the_folder_does_not_matter() -> None:
    start = "w" * 46
    names = [
        "a.jpg", "a.cr2", "a.xmp", "a.jpg.xmp", "X.HEIC", "X.MOV", "X-edited.jpg", "X.HEIC.json", "X(1).HEIC", "X.HEIC(1).json",
        f"{start}A.jpg", f"{start}B.jpg", f"{start}.json", f"{start}(1).json", "IMG_0001.JPG", "IMG_O0001.AAE",
    ]  # fmt: skip
    titles = {f"{start}.json": f"{start}B.jpg", f"{start}(1).json": f"{start}A.jpg"}
    expected = matched(*names, titles=titles)
    assert len(expected) == 9
    chance = random.Random(1)
    for _ in range(20):
        chance.shuffle(names)
        assert matched(*names, titles=titles) == expected


def test_every_match_has_a_reason_that_names_its_sidecar() -> None:
    sidecars, media, by_id = folder("X.HEIC", "X.MOV", "X-edited.jpg", "X.HEIC.json", "X.xmp")
    matches = match_sidecars(sidecars, media)
    assert len(matches) == 5
    assert all(
        isinstance(match, SidecarMatch) and match.why.endswith(f": {by_id[match.sidecar_id]}") for match in matches
    )


def test_a_sidecar_of_a_folder_belongs_to_the_files_it_names_exact_case_first() -> None:
    parts = ("IMG_1.JPG", "img_1.jpg", "IMG_2.jpg", "gone.jpg")
    sidecar = SidecarName(1, b".picasa.ini", SidecarKind.PICASA, parts=parts)
    names = [b"img_1.jpg", b"IMG_2.JPG", b"IMG_3.JPG"]
    found = match_sidecars([sidecar], [MediaName(10 + i, name, Kind.IMAGE) for i, name in enumerate(names)])
    assert {(match.file_id, match.part) for match in found} == {(10, "img_1.jpg"), (11, "IMG_2.jpg")}
