"""The values of choice fields: `type:`, `orientation:`, `has:` and `is:`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, Connection, or_, select, true

from photoindex.store.engine.statements import numbers
from photoindex.store.schema.tables import photo
from photoindex.store.search import conditions, people, tags

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a field; finds_missing: a query with it also finds photos whose files are all missing."""

    condition: Callable[[], Condition]
    help: str = ""
    finds_missing: bool = False


def _known(name: str) -> Callable[[], Condition]:
    return lambda: photo.c[name].is_not(None)


def _equals(name: str, value: str) -> Callable[[], Condition]:
    return lambda: photo.c[name] == value


def _in_format(name: str) -> Callable[[], Condition]:
    # The format of a RAW file paired with a camera JPEG matches too.
    return lambda: or_(photo.c.format == name, conditions.has_raw_of(name))


FORMATS: tuple[str, ...] = (
    "3fr", "3g2", "3gp", "arw", "avi", "avif", "bay", "bmp", "cap", "cr2", "cr3", "crw", "cs1", "dcr", "dcs",
    "dng", "drf", "dv", "erf", "fff", "flv", "gif", "gpr", "heic", "heif", "iiq", "j2k", "jp2", "jpeg", "jxl",
    "k25", "kdc", "m4v", "mdc", "mef", "mj2", "mkv", "mos", "mov", "mp4", "mpeg", "mpo", "mrw", "mts", "nef",
    "nrw", "ogv", "orf", "ori", "pef", "png", "pnm", "psd", "ptx", "pxn", "qoi", "r3d", "raf", "raw", "rw2", "rwl",
    "rwz", "sr2", "srf", "srw", "sti", "tiff", "webm", "webp", "wmv", "x3f",
)  # fmt: skip
"""Every format that `photo.format` can contain; `type:raw` means the kind instead."""
_FORMAT_ALIASES = {"jpg": "jpeg", "tif": "tiff", "mpg": "mpeg", "m2ts": "mts"}
_KINDS: Mapping[str, Choice] = {
    "photo": Choice(lambda: photo.c.kind.in_(["image", "raw"])),
    "image": Choice(_equals("kind", "image")),
    "raw": Choice(conditions.is_raw),
    "video": Choice(_equals("kind", "video")),
    "live": Choice(lambda: conditions.has_role("movie")),
    "motion": Choice(lambda: photo.c.motion.is_(true())),
}
# The kinds come first so that messages list them first, and again last to override the format `raw`.
TYPES: Mapping[str, Choice] = {
    **_KINDS,
    **{name: Choice(_in_format(name)) for name in FORMATS},
    **{alias: Choice(_in_format(name)) for alias, name in _FORMAT_ALIASES.items()},
    **_KINDS,
}
ORIENTATIONS: Mapping[str, Choice] = {
    "landscape": Choice(lambda: photo.c.width > photo.c.height, "wider than tall"),
    "portrait": Choice(lambda: photo.c.width < photo.c.height, "taller than wide"),
    "square": Choice(lambda: photo.c.width == photo.c.height),
    **{str(number): Choice(partial(lambda number: photo.c.orientation == number, number)) for number in range(1, 9)},
}
HAS: Mapping[str, Choice] = {
    "gps": Choice(_known("latitude"), "a position"),
    "place": Choice(_known("place_id"), "a place name"),
    "date": Choice(_known("taken_at"), "a time"),
    "camera": Choice(lambda: or_(photo.c.camera_make.is_not(None), photo.c.camera_model.is_not(None))),
    "lens": Choice(_known("lens")),
    "title": Choice(_known("title")),
    "description": Choice(_known("description")),
    "keywords": Choice(conditions.has_keywords),
    "tag": Choice(tags.has_tag, "of you, its files or a model"),
    "rating": Choice(lambda: photo.c.rating != 0, "any but 0"),
    "sidecar": Choice(conditions.has_sidecar, "XMP, AAE, Takeout JSON or Picasa file"),
    "raw": Choice(conditions.is_raw, "a RAW file"),
    "live": Choice(lambda: conditions.has_role("movie"), "a Live Photo's movie"),
    "edit": Choice(conditions.has_edit, "an edited version"),
    "faces": Choice(people.has_faces, "found or marked"),
}
IS: Mapping[str, Choice] = {
    "missing": Choice(lambda: conditions.present().is_not(true()), "no file present", finds_missing=True),
    "duplicate": Choice(conditions.is_duplicate, "the same bytes in two or more files"),
    "paired": Choice(conditions.is_paired, "made of several different files"),
    "quarantined": Choice(
        conditions.is_quarantined,
        "a file could not be read completely; files with unreadable metadata are not photos, see: photoindex tasks "
        "--state quarantined",
    ),
    "edited": Choice(conditions.has_edit, "has an edited version"),
    "burst": Choice(_known("burst"), "part of a burst"),
    "alone": Choice(people.is_alone, "exactly one face: person:Anna is:alone"),
    "unnamed": Choice(people.has_unnamed, "a face of nobody with a name, other than of a stranger"),
    "unreviewed": Choice(
        people.has_unreviewed, "a face that the program gave to somebody with a name, and nobody confirmed"
    ),
    "favourite": Choice(lambda: photo.c.favourite.is_(true()), "marked by you, or by the program it comes from"),
    "rejected": Choice(lambda: photo.c.rating == -1, "rated -1: to be sorted out"),
    "sensitive": Choice(tags.is_sensitive, "tagged so by a model or you; galleries, sheets and previews leave it out"),
    "live": _KINDS["live"],
    "motion": _KINDS["motion"],
}


def photos_of_types(
    connection: Connection, photo_ids: Sequence[int], types: Sequence[str]
) -> dict[str, frozenset[int]]:
    """Return for each of these values of `type:` those of the photos that it finds."""
    chosen = photo.c.id.in_(numbers(photo_ids))
    return {
        name: frozenset(connection.execute(select(photo.c.id).where(chosen, TYPES[name].condition())).scalars())
        for name in types
    }
