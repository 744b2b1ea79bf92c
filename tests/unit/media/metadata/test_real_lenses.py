"""Lenses of real photos, compared with ExifTool."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.lens_names import lenses_by_exiftool, share, verdict
from photoindex.library.photos.facts import resolved_alone
from photoindex.media.metadata.standards import lens_library
from tests.unit.media.metadata.test_real_photos import describe_file

FOLDERS = ("exif", "formats", "photos", "faces", "duplicates", "broken")


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ("EF24-105mm f/4L IS USM", ["Canon EF 24-105mm f/4L IS USM"], "words"),
        ("RF70-200mm F2.8 L IS USM", ["Canon RF 70-200mm F2.8L IS USM", "70.0 - 200.0 mm"], "words"),
        ("18-55mm f/3.5-5.6", ["AF-S DX VR Zoom-Nikkor 18-55mm f/3.5-5.6G"], "numbers"),
        ("7.4-22.2mm", ["Unknown 7-22mm", "7.4 - 22.2 mm"], "numbers"),
        ("18-55mm f/3.5-5.6", ["18-55mm f/4"], "different"),
        ("18-55mm", ["EF 18-135mm"], "different"),
        ("AF Nikkor 50mm f/1.8D", ["AF Nikkor 35mm f/1.8D"], "different"),
        (None, ["EF 50mm"], "missing"),
    ],
)
def test_the_comparison_is_lenient_about_spelling_and_strict_about_numbers(
    mine: str | None, theirs: list[str], expected: str
) -> None:
    assert verdict(mine, theirs) == expected


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed (libimage-exiftool-perl)")
@pytest.mark.parametrize(("with_library", "named"), [(False, 0.60), (True, 0.70)], ids=["alone", "with the extra"])
def test_lenses_agree_with_exiftool(
    testdata: Path, monkeypatch: pytest.MonkeyPatch, with_library: bool, named: float
) -> None:
    if not with_library:
        monkeypatch.setattr(lens_library, "library", lambda: None)
    elif lens_library.library() is None:
        pytest.skip("exiv2 is not installed (the extra lens)")
    verdicts: Counter[str] = Counter()
    wrong = []
    for path, theirs in lenses_by_exiftool(*(testdata / folder for folder in FOLDERS)).items():
        described = describe_file(Path(os.fsdecode(path)))
        if described is None:  # a sidecar
            continue
        mine = resolved_alone(described.facts).lens
        verdicts[verdict(mine, theirs)] += 1
        if verdict(mine, theirs) == "different":
            wrong.append((path, mine, theirs))
    assert verdicts.total() > 100
    assert share(verdicts) >= 0.95, verdicts
    assert verdicts["words"] / verdicts.total() >= named, verdicts
    assert wrong == []
