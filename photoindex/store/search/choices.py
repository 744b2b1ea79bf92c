"""The values of the fields that take one of a list: kinds and formats, orientations, what a photo has and is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, or_, true

from photoindex.store.schema.tables import photo
from photoindex.store.search import conditions

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a field takes; `finds_missing`: a query with it also finds photos whose files are all missing."""

    condition: Callable[[], Condition]
    help: str = ""
    finds_missing: bool = False


def _known(name: str) -> Callable[[], Condition]:
    return lambda: photo.c[name].is_not(None)


def _equals(name: str, value: str) -> Callable[[], Condition]:
    return lambda: photo.c[name] == value


def _in_format(name: str) -> Callable[[], Condition]:
    # A RAW file beside the picture that the camera made of it is asked for by its own format too.
    return lambda: or_(photo.c.format == name, conditions.has_raw_of(name))


FORMATS: tuple[str, ...] = (
    "3fr", "3g2", "3gp", "arw", "avi", "avif", "bay", "bmp", "cap", "cr2", "cr3", "crw", "cs1", "dcr", "dcs",
    "dng", "drf", "dv", "erf", "fff", "flv", "gif", "gpr", "heic", "heif", "iiq", "j2k", "jp2", "jpeg", "jxl",
    "k25", "kdc", "m4v", "mdc", "mef", "mj2", "mkv", "mos", "mov", "mp4", "mpeg", "mpo", "mrw", "mts", "nef",
    "nrw", "ogv", "orf", "ori", "pef", "png", "pnm", "psd", "ptx", "pxn", "qoi", "r3d", "raf", "raw", "rw2", "rwl",
    "rwz", "sr2", "srf", "srw", "sti", "tiff", "webm", "webp", "wmv", "x3f",
)  # fmt: skip
"""Every format that `photo.format` may hold, except `raw`, which is taken by the kind."""
_FORMAT_ALIASES = {"jpg": "jpeg", "tif": "tiff", "mpg": "mpeg", "m2ts": "mts"}
_KINDS: Mapping[str, Choice] = {
    "photo": Choice(lambda: photo.c.kind.in_(["image", "raw"])),
    "image": Choice(_equals("kind", "image")),
    "raw": Choice(conditions.is_raw),
    "video": Choice(_equals("kind", "video")),
    "live": Choice(lambda: conditions.has_role("movie")),
    "motion": Choice(lambda: photo.c.motion.is_(true())),
}
# The kinds stand first for the message that lists all, and last because `raw` is both.
TYPES: Mapping[str, Choice] = {
    **_KINDS,
    **{name: Choice(_in_format(name)) for name in FORMATS},
    **{alias: Choice(_in_format(name)) for alias, name in _FORMAT_ALIASES.items()},
    **_KINDS,
}
ORIENTATIONS: Mapping[str, Choice] = {
    "landscape": Choice(lambda: photo.c.width > photo.c.height, "wider than high"),
    "portrait": Choice(lambda: photo.c.width < photo.c.height, "higher than wide"),
    "square": Choice(lambda: photo.c.width == photo.c.height),
    **{str(number): Choice(partial(lambda number: photo.c.orientation == number, number)) for number in range(1, 9)},
}
HAS: Mapping[str, Choice] = {
    "gps": Choice(_known("latitude"), "a position"),
    "place": Choice(_known("place_id"), "a place's name"),
    "date": Choice(_known("taken_at"), "a time"),
    "camera": Choice(lambda: or_(photo.c.camera_make.is_not(None), photo.c.camera_model.is_not(None))),
    "lens": Choice(_known("lens")),
    "title": Choice(_known("title")),
    "description": Choice(_known("description")),
    "keywords": Choice(conditions.has_keywords),
    "rating": Choice(_known("rating")),
    "sidecar": Choice(conditions.has_sidecar, "XMP, AAE or Takeout JSON beside it"),
    "raw": Choice(conditions.is_raw, "a RAW file"),
    "live": Choice(lambda: conditions.has_role("movie"), "a Live Photo's movie"),
    "edit": Choice(conditions.has_edit, "an edited form"),
    "faces": Choice(conditions.has_faces, "marked faces"),
}
IS: Mapping[str, Choice] = {
    "missing": Choice(lambda: conditions.present().is_not(true()), "no file is there now", finds_missing=True),
    "duplicate": Choice(conditions.is_duplicate, "the same bytes in two files"),
    "paired": Choice(conditions.is_paired, "made of several contents"),
    "quarantined": Choice(
        conditions.is_quarantined,
        "a file of it could not be read whole; files whose facts could not be read are no photos: photoindex tasks --state quarantined lists all",
    ),
    "edited": Choice(conditions.has_edit, "has an edited form"),
    "burst": Choice(_known("burst"), "one of a burst"),
    "live": _KINDS["live"],
    "motion": _KINDS["motion"],
}
