"""Names of lenses from Exiv2, where its Python package is installed (the extra `lens`; GPL-3.0-or-later).

Most cameras with interchangeable lenses write a number into their maker note that only a table explains. The library has such
tables; this program has none and copies none.
"""

from __future__ import annotations

import functools
import importlib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from photoindex.domain.facts.lenses import focal_lengths, lens_name
from photoindex.media.apart import run_apart
from photoindex.media.metadata.blocks import Blocks, Directory, ExifBlock
from photoindex.media.metadata.findings import Findings
from photoindex.types import FactValue

_TAGS = ("LensType", "RFLensType", "LensIDNumber", "LensID")
_NAME_CHARACTERS = 1000
_STRUCTURE_BYTES = 16 << 20
"""Maker notes are near the start of a RAW file; the rest is not needed."""

_ALTERNATIVES = re.compile(r"\s(?:\*?or\*?|\|)\s(?=.*mm)", re.IGNORECASE)
"""Between lenses that share a number; not in `Sigma 85mm F1.4 DG HSM | A`."""

_TOLERANCE = 0.05


def read_lens_library(blocks: Blocks, embedded: Iterable[Findings]) -> Findings:
    """Return the lens that Exiv2 names, if no embedded source names one in words.

    A name that contradicts the focal length or range in the other facts is rejected: makers give a number to several lenses.
    """
    found = Findings("exiv2")
    facts: dict[str, FactValue] = {}
    for findings in embedded:
        facts = findings.facts | facts
    if "lens" in facts or not blocks.has_maker_note or library() is None:
        return found
    for block in blocks.exif:
        if block.first is Directory.IMAGE:
            choose_lens(run_apart(_names, _structure(block)), facts, found)
    return found


@functools.cache
def library() -> Any:
    """Return the module `exiv2`, None where it is not installed."""
    try:
        return importlib.import_module("exiv2")
    except ImportError:
        return None


def choose_lens(stated: Iterable[str], facts: Mapping[str, FactValue], found: Findings) -> None:
    """Add the first stated name that fits the facts; one that stands for several lenses only if a single one of them fits."""
    for text in stated:
        fitting = [name for name in _ALTERNATIVES.split(text) if _fits(name, facts)]
        if len(fitting) == 1:
            found.add("lens", lens_name(fitting[0]))
        elif focal_lengths(text) is not None:
            found.refuse(
                "lens", text, "several lenses have its number" if fitting else "it contradicts the focal length"
            )


def _fits(name: str, facts: Mapping[str, FactValue]) -> bool:
    """Tell whether a name has focal lengths, and they agree with the range and the focal length in the facts."""
    lens = focal_lengths(name)
    if lens is None:
        return False
    stated, used = facts.get("lens_range"), facts.get("focal_length_mm")
    if isinstance(stated, str) and (known := focal_lengths(stated)):
        return all(math.isclose(a, b, rel_tol=_TOLERANCE) for a, b in zip(lens, known, strict=True))
    return not isinstance(used, float) or lens[0] * (1 - _TOLERANCE) <= used <= lens[1] * (1 + _TOLERANCE)


def _structure(block: ExifBlock) -> bytes:
    block.stream.seek(block.start)
    return block.stream.read(_STRUCTURE_BYTES)


def _names(structure: bytes) -> list[str]:
    """Return what Exiv2 prints for the tags that hold the number of a lens; runs apart."""
    exiv2 = library()
    exiv2.LogMsg.setLevel(exiv2.LogMsg.Level.mute)
    image = exiv2.ImageFactory.open(structure)
    image.readMetadata()
    data = image.exifData()
    stated = [
        (_TAGS.index(datum.tagName()), str(datum.print(data))[:_NAME_CHARACTERS])
        for datum in data
        if datum.tagName() in _TAGS
    ]
    return [text for _, text in sorted(stated)]
