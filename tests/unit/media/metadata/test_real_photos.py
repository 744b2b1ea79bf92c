"""Facts of real photos with known metadata."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from photoindex.media.content import read_content
from photoindex.media.identify.kind import sniff
from photoindex.media.metadata.description import describe
from photoindex.types import Described

GROUPS = {
    "IFD0": "exif",
    "ExifIFD": "exif",
    "GPS": "exif",
    "XMP-exif": "xmp",
    "XMP-tiff": "xmp",
    "CanonRaw": "container",
}
TAGS = {"DateTimeOriginal": "taken_at", "Make": "camera_make", "Model": "camera_model", "Orientation": "orientation"}


def describe_file(path: Path) -> Described | None:
    if path.stat().st_size == 0:
        return None
    content = read_content(bytes(path))
    media = sniff(content.head, content.open)
    return None if media is None else describe(content, media)


@pytest.mark.shared
def test_every_broken_file_is_described_without_an_exception(testdata: Path) -> None:
    described = [describe_file(path) for path in sorted((testdata / "broken").rglob("*")) if path.is_file()]
    assert sum(result is not None for result in described) > 50


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "exif/bad-values/altitude.jpg",
            {"latitude": 45.7528496, "taken_at": "2013-08-25T14:54:05", "altitude_m": None},
        ),
        (
            "exif/bad-values/huawei-gps-error.jpg",
            {"gps_at": "2020-06-16T16:52:44+00:00", "latitude": 48.3027778, "orientation": None},
        ),
        ("exif/bad-values/unreadable_date.jpg", {"taken_at": None, "digitized_at": None}),
        ("exif/elodie/with-null-coordinates.jpg", {"latitude": None, "taken_at": "2014-10-21T10:56:21"}),
        ("exif/elodie/with-location-zero-coordinate.jpg", {"latitude": 51.55325, "longitude": -0.0041778}),
        ("photos/large/iPhone_13_Pro_IMG_8568.JPG", {"camera_make": "Apple", "camera_model": "iPhone 13 Pro"}),
        ("formats/raw/header-only/Panasonic.rw2", {"iso": 80, "taken_at": "2008-08-06T15:21:56"}),
        (
            "formats/raw/header-only/CanonRaw.cr3",
            {"camera_model": "Canon EOS M50", "taken_at": "2018-02-21T12:08:56.21+00:00"},
        ),
    ],
)
def test_a_known_photo_gives_its_known_facts(testdata: Path, name: str, expected: dict[str, object]) -> None:
    result = describe_file(testdata / name)
    assert result is not None
    facts = result.facts["exif"]
    assert {fact: facts.get(fact) for fact in expected} == expected


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed (libimage-exiftool-perl)")
def test_time_camera_and_orientation_agree_with_exiftool(testdata: Path) -> None:
    folders = [os.fspath(testdata / folder) for folder in ("exif", "formats", "photos")]
    command = ["exiftool", "-j", "-n", "-G1", "-q", "-q", "-r", *(f"-{tag}" for tag in TAGS), *folders]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    verdicts: Counter[bool] = Counter()
    for tags in json.loads(output):
        result = describe_file(Path(tags.pop("SourceFile")))
        for key, value in tags.items():
            group, _, tag = key.partition(":")
            if result is not None and group in GROUPS and value not in ("", 0, "0000:00:00 00:00:00"):
                verdicts[_same(result.facts.get(GROUPS[group], {}).get(TAGS[tag]), value)] += 1
    assert verdicts.total() > 500
    assert verdicts[True] / verdicts.total() >= 0.99


def _same(ours: object, theirs: object) -> bool:
    if isinstance(theirs, str) and theirs[4:5] == ":":
        theirs = theirs[:10].replace(":", "-") + "T" + theirs[11:19]
        return str(ours)[:19] == theirs[:19]
    return " ".join(str(ours).split()) == " ".join(str(theirs).split())
