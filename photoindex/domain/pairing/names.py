"""Parsing file names: stem, edit, copy, companion, burst and running number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from photoindex.domain.sidecars.names import as_text
from photoindex.domain.sidecars.takeout_names import EDITED_WORDS

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
# A date and a time to the second or better: such a name is of one shot, whatever the clocks in its files say.
_DATED = re.compile(r"(?<!\d)(?:19|20)\d{6}[_-]?\d{6}(?:\d{3})?(?!\d)", re.ASCII)
_GOOGLE_MOTION = re.compile(r"mvimg_|.*\.mp(?:\.cover)?\Z", re.ASCII | re.DOTALL)

_ORIGINAL_MARKS = ("_original", "-original")
"""Some apps save the edit under the old name and the original as `X_original.jpg`."""
_BACKUP_SUFFIX = "_original"
"""ExifTool adds it to the whole name of a file that it changes."""
_COMPANION_EXTENSIONS = frozenset({"thm", "lrv", "lrf"})
"""Thumbnails of movies and RAW files (Canon, Sony, GoPro, …), small copies of movies (GoPro, DJI)."""
_GOPRO_SMALL = re.compile(r"gl(\d{6})\Z", re.ASCII)  # GL010123.LRV is of GX010123.MP4
_INSTA360_SMALL = re.compile(r"((?:pro_)?)lrv_(\d{8}_\d{6})_\d\d_(\d{3})\Z", re.ASCII)  # of VID_…_00_001.insv

_APPLE_EDIT = re.compile(r"(.*img_)e(\d{4,}.*)\Z", re.ASCII | re.DOTALL)
_EDIT_SUFFIXES = (*(f"{mark}{word}" for word in EDITED_WORDS for mark in "-_"), " (edited)", "(edited)", "-edit")
_NUMBERED_EDIT = re.compile(r"(.+)(?:-edit-\d{1,2}|~(?:[2-9]|[1-9]\d))\Z", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"\(\d{1,3}\)\Z", re.ASCII)
_COPY = re.compile(
    r"(.*[^ _-])(?: ?\(\d{1,3}\)|[ _-](?:copy|kopie|copie|copia)(?:[ _]?\(?\d{1,3}\)?)?|(?<=\d{4})-\d{1,2})\Z",
    re.ASCII | re.DOTALL,
)

_COPY_ENDS = (")", "copy", "kopie", "copie", "copia", *"0123456789")
_BURST_TIME = re.compile(r"burst(\d{14,17})(?!\d)", re.ASCII)
_BURST_NUMBER = re.compile(r"(.+?)[_-]?burst[_-]?\d{1,5}(?:_cover)?\Z", re.ASCII | re.DOTALL)
# 20231207_101605_001.jpg (Samsung), IMG_20230101_120000_01.jpg, IMG20230101120000_02.jpg (OnePlus, Oppo, Huawei)
_BURST_DATED = re.compile(r"((?:img_?)?(?:19|20)\d{6}_?\d{6})_b?\d{2,3}(?:\(\d{1,2}\))?\Z", re.ASCII)
# IMG_1234, DSC01234, P1000123; six digits are a time of day, eight a date, nine a time with milliseconds.
_RUNNING_NUMBER = re.compile(r"(?<!\d)(\d{3,5}|\d{7})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedName:
    """A parsed file name; all texts are in lower case and composed (NFC).

    full: the name without its extension. stem: shared by the files of one shot. extension: without its dot, may be empty.
    original: `full` of the original if the name is that of an edit. shot: the stem without the markers of edits and copies.
    burst: shared by the files of one burst in this folder. number: the camera's running number. dated: the stem has a date
    and a time of day. companion: `backup` is what ExifTool kept of a file before it changed it, `companion` a thumbnail or a
    small copy by the camera; the name without its mark is then that of the file that it belongs to, if it is known.
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
    dated: bool
    companion: Literal["backup", "companion"] | None


def parse_name(name: bytes) -> ParsedName:
    """Parse a file name of any bytes."""
    text = as_text(name).lower()
    unmarked = text.removesuffix(_BACKUP_SUFFIX)
    backup = unmarked not in ("", text)
    extension = _EXTENSION.search(unmarked)
    full = unmarked[: extension.start()] if extension else unmarked
    burst, certain = _burst_of(full)
    shot = _shot_of(full)
    number = _RUNNING_NUMBER.search(shot)
    stem, suffix = stem_of(full), extension[1] if extension else ""
    return ParsedName(
        full=full,
        stem=stem,
        extension=suffix,
        original=original_of(full),
        shot=shot,
        burst=burst,
        burst_is_certain=certain,
        number=int(number[1]) if number else None,
        google_motion=_GOOGLE_MOTION.match(full) is not None,
        dated=_DATED.search(stem) is not None,
        companion="backup" if backup else "companion" if _is_companion(full, suffix) else None,
    )


def _is_companion(full: str, extension: str) -> bool:
    return extension in _COMPANION_EXTENSIONS or len(main_stems(full)) > 1


def main_stems(full: str) -> tuple[str, ...]:
    """Return the stems that the file may have which a companion named `full` belongs to, its own first."""
    if full.startswith("gl") and (gopro := _GOPRO_SMALL.match(full)):
        return full, *(f"{prefix}{gopro[1]}" for prefix in ("gx", "gh", "gs"))
    if "lrv_" in full and (insta360 := _INSTA360_SMALL.match(full)):
        return full, *(f"{insta360[1]}vid_{insta360[2]}_{lens}_{insta360[3]}" for lens in ("00", "10"))
    return (stem_of(full),)


def stem_of(full: str) -> str:
    """Return the part of a name that RAW, picture and movie of one shot share."""
    if full.startswith("pxl_") and (pixel := _PIXEL.match(full)):
        return pixel[1]
    # Live Photos downloaded from iCloud: IMG_1234.HEIC, IMG_1234_HEVC.MOV; Lumia's WP_20131125_001__highres.dng
    stem = (_RAW_EXTENSION.sub("", full) if "." in full else full).removesuffix("_hevc").removesuffix("__highres")
    return stem.removesuffix("_raw") if stem.endswith("_raw") and _DATED.search(stem) else stem


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


def named_originals(name: ParsedName) -> tuple[str, ...]:
    """Return what `full` of the original of a file may be, most likely first."""
    if name.original is not None:
        return (name.original,)
    return tuple(name.full + mark for mark in _ORIGINAL_MARKS)


def _shot_of(full: str) -> str:
    """Return the stem without markers of edits, originals and copies, up to four of them."""
    for _ in range(4):
        original = original_of(full)
        if original is None and full.endswith(_COPY_ENDS) and (copy := _COPY.match(full)):
            original = copy[1]
        if original is None and full.endswith(_ORIGINAL_MARKS):
            original = full[: -len("_original")]
        if not original:
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
    if dated := _BURST_DATED.match(full):
        return dated[1], False
    return None, False
