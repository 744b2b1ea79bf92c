"""Sidecars of real photos: all are read and matched to the right file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from photoindex.domain.sidecars.match import match_sidecars
from photoindex.domain.sidecars.names import MediaName, SidecarName
from photoindex.media.content import read_content
from photoindex.media.identify.kind import sniff
from photoindex.media.sidecars.read import read_sidecar
from photoindex.media.sidecars.recognise import recognise_sidecar
from photoindex.types import Kind, SidecarKind, SidecarRead

pytestmark = pytest.mark.shared

XMP_FACTS = {
    "APhotoManager-exmaple.xmp": {"title": "Title2", "rating": 2, "latitude": 52.02, "keywords": ["tagA2", "tagB2"]},
    "digikam-example.xmp": {"camera_model": "MD86063", "iso": 80, "keywords": ["test3", "test", "test2"]},
    "exiftool-9.74-example.xmp": {"city": "München", "latitude": 48.150053, "longitude": 11.576156},
    "iso-value-array.xmp": {"iso": 160, "camera_make": "Canon", "longitude": -76.2871415},
    "jPhotoTagger-example.xmp": {"city": "GarmischPatenkirchen", "digitized_at": "2006-05-24T15:06:26"},
    "immich-dates/2000.xmp": {"digitized_at": "2000-09-27T14:35:33+02:00"},
    "immich-dates/2010.xmp": {"digitized_at": "2010-09-27T14:35:33+02:00"},
    "immich-dates/2020.xmp": {"digitized_at": "2020-09-27T14:35:33+02:00"},
    "immich-go/159d9172-2a1e-4d95-aef1-b5133549927b.jpg.xmp": {"description": "Alors!", "rating": 4},
    "immich-go/IMG_2477.CR2.xmp": {"latitude": 48.4083761, "longitude": -3.0905898},
    "pairs/fstop-favorite.xmp": {"favourite": 1},
    "pairs/ladybug.xmp": {"title": "Ladybug", "taken_at": "2011-07-10T19:34:28"},
    "pairs/photoshop.xmp": {"camera_model": "ELE-L29", "rating": 4},
}


def read(path: Path) -> SidecarRead | None:
    content = read_content(os.fsencode(path))
    kind = recognise_sidecar(os.fsencode(path.name), content)
    return None if kind is None else read_sidecar(kind, content)


def matched(folder: Path) -> tuple[set[tuple[str, str]], set[str]]:
    """Return (sidecar, file) of every match, and the sidecars without one; a name decides for files without content."""
    sidecars: list[SidecarName] = []
    media: list[MediaName] = []
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    for number, name in enumerate(names):
        content = read_content(os.fsencode(folder / name))
        medium = sniff(content.head, content.open)
        sidecar = read(folder / name) if medium is None else None
        if sidecar is not None and sidecar.kind is SidecarKind.TAKEOUT_ALBUM:
            continue
        if sidecar is not None:
            sidecars.append(SidecarName(number, os.fsencode(name), sidecar.kind, sidecar.title))
        elif medium is not None or name.endswith(".JPG"):
            media.append(MediaName(number, os.fsencode(name), medium.kind if medium else Kind.IMAGE))
    found = {(names[match.sidecar_id], names[match.file_id]) for match in match_sidecars(sidecars, media)}
    return found, {names[sidecar.id] for sidecar in sidecars} - {sidecar for sidecar, _ in found}


def test_every_xmp_gives_its_facts(testdata: Path) -> None:
    folder = testdata / "formats" / "xmp"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.xmp")} == set(XMP_FACTS)
    for name, expected in XMP_FACTS.items():
        sidecar = read(folder / name)
        assert sidecar is not None
        assert sidecar.kind is SidecarKind.XMP
        assert {fact: sidecar.facts.get(fact) for fact in expected} == expected
        assert sidecar.notes == ()


def test_a_real_aae_is_an_edit(testdata: Path) -> None:
    sidecar = read(testdata / "formats" / "xmp" / "PLIST.aae")
    assert sidecar is not None
    assert sidecar.facts == {"edited": 1, "adjustment_format": "com.apple.video.slomo"}


@pytest.mark.parametrize(
    ("folder", "sidecar", "photo"),
    [
        ("xmp/pairs", "ladybug.xmp", "ladybug.jpg"),
        ("xmp/pairs", "photoshop.xmp", "photoshop.jpg"),
        ("heic", "iphone_7.xmp", "iphone_7.heic"),
        ("raw", "canon_eos_6d.xmp", "canon_eos_6d.dng"),
    ],
)
def test_every_xmp_with_a_photo_finds_it(testdata: Path, folder: str, sidecar: str, photo: str) -> None:
    found, _ = matched(testdata / "formats" / folder)
    assert {pair for pair in found if pair[0] == sidecar} == {(sidecar, photo)}


def test_the_numbered_takeout_pairs_as_its_readme_says(testdata: Path) -> None:
    found, without = matched(testdata / "formats" / "takeout" / "numbered")
    assert found == {
        ("2015-02-04.jpg.json", "2015-02-04.jpg"),
        ("2015-02-04.jpg(1).json", "2015-02-04(1).jpg"),
    }
    assert without == set()


def test_takeout_names_that_only_look_numbered_are_matched_correctly(testdata: Path) -> None:
    found, without = matched(testdata / "formats" / "takeout" / "Takeout3" / "Photos from 2023")
    assert found == {
        ("DSC_0238.JPG.json", "DSC_0238.JPG"),
        ("DSC_0238.JPG(1).json", "DSC_0238(1).JPG"),
        ("DSC_0238_1.JPG.json", "DSC_0238_1.JPG"),
    }
    assert without == set()


def test_every_takeout_folder_pairs_each_photo_with_the_json_of_its_name(testdata: Path) -> None:
    folders = sorted(
        {
            path.parent
            for part in ("Takeout1", "Takeout2")
            for path in (testdata / "formats" / "takeout" / part).rglob("*.jpg")
        }
    )
    assert len(folders) == 3
    for folder in folders:
        found, without = matched(folder)
        assert found == {(f"{path.name}.json", path.name) for path in folder.glob("*.jpg")}
        assert without == {path.name for path in folder.glob("*.LS.mp4.json")}


def test_albums_are_recognised_with_their_titles(testdata: Path) -> None:
    takeout = testdata / "formats" / "takeout"
    albums = [*takeout.rglob("m*tadonn*es.json"), takeout / "photoprism-json" / "gphotos-album.json"]
    titles = [None if (found := read(path)) is None else (found.kind, found.title) for path in albums]
    kind = SidecarKind.TAKEOUT_ALBUM
    assert sorted(titles, key=str) == sorted([(kind, None), (kind, "Album test 6/10/23"), (kind, "iPhone")], key=str)


def test_every_takeout_json_gives_the_time_and_if_known_the_position(testdata: Path) -> None:
    folder = testdata / "formats" / "takeout"
    by_name = {path.name: read(path) for path in sorted(folder.rglob("*.json"))}
    photos = {name: one for name, one in by_name.items() if one is not None and one.kind is SidecarKind.TAKEOUT}
    assert all("taken_at" in one.facts and one.title and not one.notes for one in photos.values())
    assert photos["gphotos-1.json"].facts["taken_at"] == "2015-12-06T16:18:30+00:00"
    assert photos["gphotos-2.json"].facts["latitude"] == 52.5107943
    assert "latitude" not in photos["gphotos-3.json"].facts
    assert photos["PXL_20231006_063851485.jpg.json"].facts["favourite"] == 1
