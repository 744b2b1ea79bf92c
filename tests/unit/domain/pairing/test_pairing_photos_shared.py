"""The pairing rules on real photos, including files that must not be paired."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from photoindex.domain.pairing import Link, Member, bursts, group, links_in_folder
from photoindex.media.content import read_content
from photoindex.media.identify.kind import sniff
from photoindex.media.metadata.description import describe
from photoindex.types import Facts, FactValue

pytestmark = pytest.mark.shared


def stated(facts: Facts, name: str) -> FactValue:
    """Return the first value of a fact, EXIF first."""
    return next((facts[source][name] for source in ("exif", "xmp", "container") if name in facts.get(source, {})), None)


def text_of(facts: Facts, name: str) -> str | None:
    value = stated(facts, name)
    return None if value is None else str(value)


def members_of(folder: Path) -> list[Member]:
    """Return the photos and movies of a folder as members, by name; asset ids count from 1."""
    members = []
    for number, path in enumerate(sorted(path for path in folder.iterdir() if path.is_file()), 1):
        content = read_content(bytes(path))
        media = sniff(content.head, content.open)
        if media is None:
            continue
        described = describe(content, media)
        facts = described.facts
        taken_at = text_of(facts, "taken_at")
        exact = text_of(facts, "created_utc") or taken_at
        moment = datetime.fromisoformat(exact) if exact else None
        camera = " ".join(part for name in ("camera_make", "camera_model") if (part := text_of(facts, name)))
        members.append(
            Member(
                asset_id=number,
                file_id=number,
                folder_id=1,
                name=path.name.encode(),
                kind=media.kind,
                format=media.format,
                taken_at=taken_at,
                taken_at_utc=moment.timestamp() if moment and moment.tzinfo else None,
                camera=camera or None,
                serial=text_of(facts, "camera_serial"),
                content_identifier=text_of(facts, "content_identifier"),
                burst_identifier=text_of(facts, "burst_identifier"),
                width=described.width,
                height=described.height,
                duration_seconds=described.duration_seconds,
            )
        )
    return members


def pairs(members: list[Member]) -> set[tuple[str, str, str]]:
    names = {member.asset_id: member.name.decode() for member in members}
    found: list[Link] = links_in_folder(members)
    return {(link.kind, names[link.asset_id], names[link.other_asset_id]) for link in found}


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("formats/live-photo/iPhoneXR", {("live", "IMG_3589.mov", "IMG_3589.HEIC")}),
        ("formats/live-photo/same-name-not-a-pair", set()),
        ("formats/live-photo/id-only-in-movie", set()),
        ("formats/motion-photo", set()),
        ("formats/raw", set()),
        ("formats/raw/header-only", set()),
        ("formats/raw/canon-powershot-g2", {("companion", "CRW_0304.THM", "CRW_0304.CRW")}),
        ("formats/heic", set()),
        ("formats/video", set()),
        ("duplicates/iphone-copies", {("edit", "IMG_E4120.JPG", "IMG_4120.JPG")}),
        ("exif/elodie", set()),
        ("exif/file-names", set()),
        ("photos/large", set()),
    ],
)
def test_real_files_are_paired_correctly(testdata: Path, folder: str, expected: set[tuple[str, str, str]]) -> None:
    assert pairs(members_of(testdata / folder)) == expected


def test_the_primary_of_the_real_live_photo_is_its_picture(testdata: Path) -> None:
    members = members_of(testdata / "formats/live-photo/iPhoneXR")
    (photo,) = group(members, links_in_folder(members), [])
    assert photo.roles == {1: "primary", 2: "movie"}
    assert "1EA799FF-8384-4BC4-87AA-139A814D9125" in photo.reasons[2]


def test_the_real_live_photo_would_pair_by_name_too(testdata: Path) -> None:
    from dataclasses import replace

    still, movie = members_of(testdata / "formats/live-photo/iPhoneXR")
    for stripped in (
        [replace(still, content_identifier=None), movie],
        [still, replace(movie, content_identifier=None)],
    ):
        assert pairs(stripped) == {("live", "IMG_3589.mov", "IMG_3589.HEIC")}
    assert pairs([replace(still, content_identifier="7A7D4193-1D91-4907-98F8-3B7E41D991D7"), movie]) == set()


def test_frames_of_a_panorama_within_a_second_are_a_burst_of_separate_photos(testdata: Path) -> None:
    members = members_of(testdata / "photos/pano-burst")
    assert set(bursts(members)) == {1, 2, 3}
    assert len(set(bursts(members).values())) == 1
    assert len(group(members, links_in_folder(members), [])) == 3


@pytest.mark.parametrize(
    "folder", ["photos/large", "exif/elodie", "exif/dates", "duplicates/iphone-copies", "formats/raw"]
)
def test_photos_in_one_folder_are_not_a_burst(testdata: Path, folder: str) -> None:
    assert bursts(members_of(testdata / folder)) == {}
