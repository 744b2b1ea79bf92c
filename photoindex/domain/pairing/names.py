"""Parsing file names: stem, edit, copy, burst and running number."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_EXTENSION = re.compile(r"(?<=.)\.(\w{1,5})\Z", re.ASCII | re.DOTALL)
# RAW programs name their exports IMG_1234.CR2.jpg.
_RAW_EXTENSION = re.compile(
    r"(?<=.)\.(?:3fr|arw|cr[23w]|dng|erf|gpr|kdc|mos|mrw|nef|nrw|orf|pef|ra[fw]|rw2|rwl|sr2|srf|srw|x3f)\Z",
    re.ASCII | re.DOTALL,
)
# PXL_20231207_032111247.RAW-01.MP.COVER, PXL_20230816_132648337.NIGHT
_PIXEL = re.compile(r"(pxl_\d{8}_\d{9})(?:\.[a-z_]+(?:-\d+)?)*\Z", re.ASCII)
# The camera makes PXL_….PORTRAIT-01.COVER from PXL_….PORTRAIT-02.ORIGINAL.
_PIXEL_COVER = re.compile(r"(pxl_\d{8}_\d{9}\.(?!raw)[a-z_]+)-01(?:\.mp)?\.cover\Z", re.ASCII)
_GOOGLE_MOTION = re.compile(r"mvimg_|.*\.mp(?:\.cover)?\Z", re.ASCII | re.DOTALL)

_APPLE_EDIT = re.compile(r"(.*img_)e(\d{4,}.*)\Z", re.ASCII | re.DOTALL)
_EDITED_WORDS = (
    "edited", "bearbeitet", "bewerkt", "modifié", "modifie", "modificato", "editado", "editada", "ha editado", "editat",
    "edytowane", "redigerad", "redigeret", "redigert", "muokattu", "upraveno", "upravené", "szerkesztve", "editată",
    "düzenlendi", "изменено", "відредаговано", "編集済み", "已編輯", "已编辑", "已修改", "수정됨",
)  # fmt: skip
"""Suffixes that Google's export adds to the name of an edited picture, by account language, in lower case."""
_EDIT_SUFFIXES = (*(f"{mark}{word}" for word in _EDITED_WORDS for mark in "-_"), " (edited)", "(edited)", "-edit")
_NUMBERED_EDIT = re.compile(r"(.+)(?:-edit-\d{1,2}|~(?:[2-9]|[1-9]\d))\Z", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"\(\d{1,3}\)\Z", re.ASCII)
_COPY = re.compile(
    r"(.*[^ _-])(?: ?\(\d{1,3}\)|[ _-](?:copy|kopie|copie|copia)(?:[ _]?\(?\d{1,3}\)?)?|(?<=\d{4})-\d{1,2})\Z",
    re.ASCII | re.DOTALL,
)

_COPY_ENDS = (")", "copy", "kopie", "copie", "copia", *"0123456789")
_BURST_TIME = re.compile(r"burst(\d{14,17})(?!\d)", re.ASCII)
_BURST_NUMBER = re.compile(r"(.+?)[_-]?burst[_-]?\d{1,5}(?:_cover)?\Z", re.ASCII | re.DOTALL)
_BURST_SAMSUNG = re.compile(r"(\d{8}_\d{6})_\d{3}\Z", re.ASCII)
# IMG_1234, DSC01234, P1000123; six digits are a time of day, eight a date, nine a time with milliseconds.
_RUNNING_NUMBER = re.compile(r"(?<!\d)(\d{3,5}|\d{7})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedName:
    """A parsed file name; all texts are in lower case and composed (NFC).

    full: the name without its extension. stem: shared by the files of one shot. extension: without its dot, may be empty.
    original: `full` of the original if the name is that of an edit. shot: the stem without the markers of edits and copies.
    burst: shared by the files of one burst in this folder. number: the camera's running number.
    """

    full: str
    stem: str
    extension: str
    original: str | None
    shot: str
    burst: str | None
    burst_is_certain: bool
    number: int | None
    google_motion: bool


def parse_name(name: bytes) -> ParsedName:
    """Parse a file name of any bytes."""
    text = unicodedata.normalize("NFC", name.decode("utf-8", "surrogateescape")).lower()
    extension = _EXTENSION.search(text)
    full = text[: extension.start()] if extension else text
    burst, certain = _burst_of(full)
    shot = _shot_of(full)
    number = _RUNNING_NUMBER.search(shot)
    return ParsedName(
        full=full,
        stem=stem_of(full),
        extension=extension[1] if extension else "",
        original=original_of(full),
        shot=shot,
        burst=burst,
        burst_is_certain=certain,
        number=int(number[1]) if number else None,
        google_motion=_GOOGLE_MOTION.match(full) is not None,
    )


def stem_of(full: str) -> str:
    """Return the part of a name that RAW, picture and movie of one shot share."""
    if full.startswith("pxl_") and (pixel := _PIXEL.match(full)):
        return pixel[1]
    # Live Photos downloaded from iCloud: IMG_1234.HEIC, IMG_1234_HEVC.MOV
    return (_RAW_EXTENSION.sub("", full) if "." in full else full).removesuffix("_hevc")


def original_of(full: str) -> str | None:
    """Return the name of the original if `full` is the name of an edit, else None.

    Recognises Apple's IMG_E1234, Google's -edited in its languages (before the number of a second file of the same name),
    the ~2 of Google's app, Lightroom's -Edit, and Google's covers. Copies (`X (1)`, `X-2`, `X copy`) are not edits.
    """
    if full.endswith(".cover") and (cover := _PIXEL_COVER.match(full)):
        return f"{cover[1]}-02.original"
    if "img_e" in full and (apple := _APPLE_EDIT.match(full)):
        return apple[1] + apple[2]
    number = _NUMBER.search(full) if full.endswith(")") else None
    base = full[: number.start()] if number else full
    if base.endswith(_EDIT_SUFFIXES):
        original = base[: -max(len(suffix) for suffix in _EDIT_SUFFIXES if base.endswith(suffix))]
    elif ("~" in base or "-edit-" in base) and (numbered := _NUMBERED_EDIT.match(base)):
        original = numbered[1]
    else:
        return None
    return original + (number[0] if number else "") if original else None


def _shot_of(full: str) -> str:
    """Return the stem without markers of edits and copies, up to four of them."""
    for _ in range(4):
        original = original_of(full)
        if original is None and full.endswith(_COPY_ENDS) and (copy := _COPY.match(full)):
            original = copy[1]
        if original is None:
            break
        full = original
    return stem_of(full)


def _burst_of(full: str) -> tuple[str | None, bool]:
    """Return the burst part of a name, and whether the name alone proves a burst."""
    if "burst" in full:
        if by_time := _BURST_TIME.search(full):
            return f"burst{by_time[1]}", True
        if by_number := _BURST_NUMBER.match(full):
            return by_number[1], False
    if samsung := _BURST_SAMSUNG.match(full):
        return samsung[1], False
    return None, False
