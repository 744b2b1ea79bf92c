"""Whether our lens is the one that ExifTool names, leniently: the same words, or the same numbers."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from photoindex.domain.facts.lenses import focal_lengths, lens_name, lens_range

LENS_TAGS = ("LensID", "LensModel", "Lens", "LensInfo", "LensSpec", "LensType")
"""What ExifTool says of a lens, with its print conversion (without -n)."""

_MAKES = re.compile(r"^(?:canon|nikon|sony|olympus|panasonic|fujifilm|sigma|tamron|leica|pentax)\b", re.IGNORECASE)
_NUMBER = r"(\d+(?:\.\d+)?)"
_APERTURE = re.compile(rf"(?:(?<=mm)f/?|\bf/?|/|1:)\s*{_NUMBER}(?:\s*-\s*{_NUMBER})?", re.IGNORECASE)
_TOLERANCE = 0.02
"""ExifTool rounds focal lengths to one decimal; an aperture of 2.83 is written 2.8."""


def lenses_by_exiftool(*folders: Path) -> dict[bytes, list[str]]:
    """Return path -> what ExifTool says of the lens, for the files below the folders of which it says something."""
    command = [
        "exiftool",
        "-j",
        "-q",
        "-q",
        "-r",
        "-charset",
        "filename=utf8",
        "-Model",
        *(f"-{tag}" for tag in LENS_TAGS),
    ]
    output = subprocess.run(
        [*command, *map(os.fspath, folders)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    files = json.loads(output.stdout or b"[]")
    return {os.fsencode(tags["SourceFile"]): texts for tags in files if (texts := stated(tags))}


def share(verdicts: Mapping[str, int]) -> float:
    """Return the share of lenses that agree, from the number of each verdict."""
    return (verdicts.get("words", 0) + verdicts.get("numbers", 0)) / (sum(verdicts.values()) or 1)


def stated(tags: Mapping[str, object]) -> list[str]:
    """Return what ExifTool says that names a lens or its range; [] where it only says that it does not know."""
    texts = (str(tags[tag]) for tag in LENS_TAGS if tag in tags)
    known = [
        text for text in texts if lens_range(text) or (lens_name(text, tags.get("Model")) and _says_something(text))
    ]
    return [choice for text in known for choice in text.split(" or ")]


def verdict(mine: str | None, theirs: Iterable[str]) -> str:
    """Return `words` (the same name), `numbers` (the same focal lengths and, where both have them, apertures), `different`
    or `missing`. The first two are agreement."""
    if mine is None:
        return "missing"
    theirs = list(theirs)
    if _words(mine) in {_words(text) for text in theirs}:
        return "numbers" if lens_range(mine) else "words"
    return "numbers" if any(_same_numbers(mine, text) for text in theirs) else "different"


def _says_something(text: str) -> bool:
    """Leave out Nikon's and Canon's letters for a kind of lens (`G VR`)."""
    return bool(re.search(r"\d|[^\W\d_]{4}", text))


def _words(text: str) -> str:
    plain = _MAKES.sub("", text.strip().casefold())
    return re.sub(r"\.0(?!\d)|f/|[^a-z0-9.]", "", plain).replace("mmf", "mm")


def _same_numbers(mine: str, theirs: str) -> bool:
    ours, others = (_numbers(text) for text in (mine, theirs))
    if ours[0] is None or others[0] is None or not _close(ours[0], others[0]):
        return False
    return ours[1] is None or others[1] is None or _close(ours[1], others[1])


def _numbers(text: str) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    return focal_lengths(text), _pair(_APERTURE.search(text))


def _pair(match: re.Match[str] | None) -> tuple[float, float] | None:
    return None if match is None or float(match[1]) == 0 else (float(match[1]), float(match[2] or match[1]))


def _close(ours: tuple[float, float], others: tuple[float, float]) -> bool:
    return all(math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=0.06) for a, b in zip(ours, others, strict=True))
