"""The fields of the query language: one row each, read by the parser, by the compiler and by the help."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from difflib import get_close_matches
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select, true

from photoindex.store import field_paths
from photoindex.store.field_values import READERS, Span, check_text, fold, glob_pattern, runs_backwards
from photoindex.store.tables import asset, file, photo
from photoindex.syntax import Compare, FieldGrammar, Operator

Condition = ColumnElement[bool]


class ValueType(StrEnum):
    """What the values of a field are, and so how they are read and compared."""

    TEXT = "text"
    PATH = "path"
    INTEGER = "whole number"
    DECIMAL = "number"
    SIZE = "size"
    DATE = "date"
    CHOICE = "choice"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    expression: what is compared (an ordered type), searched (text) or true (a flag, which is written `is:name`); or a
    function from the value to the condition. choices: the condition of each value of a choice. refuse: raises ValueError
    with a sentence for the user. unscoped: a query with the field also finds photos whose files are all missing.
    """

    name: str
    type: ValueType
    help: str
    expression: ColumnElement[Any] | Callable[[str], Condition]
    aliases: tuple[str, ...] = ()
    choices: Mapping[str, Condition] = dataclass_field(default_factory=dict)
    refuse: Callable[[str], None] = check_text
    unscoped: bool = False


_KINDS: dict[str, Condition] = {
    "photo": photo.c.kind.in_(["image", "raw"]),
    "image": photo.c.kind == "image",
    "raw": photo.c.kind == "raw",
    "video": photo.c.kind == "video",
}
FORMATS: tuple[str, ...] = (
    "3fr", "3g2", "3gp", "arw", "avi", "avif", "bay", "bmp", "cap", "cr2", "cr3", "crw", "cs1", "dcr", "dcs",
    "dng", "drf", "dv", "erf", "fff", "flv", "gif", "gpr", "heic", "heif", "iiq", "j2k", "jp2", "jpeg", "jxl",
    "k25", "kdc", "m4v", "mdc", "mef", "mj2", "mkv", "mos", "mov", "mp4", "mpeg", "mpo", "mrw", "mts", "nef",
    "nrw", "ogv", "orf", "ori", "pef", "png", "pnm", "psd", "ptx", "pxn", "qoi", "r3d", "raf", "raw", "rw2", "rwl",
    "rwz", "sr2", "srf", "srw", "sti", "tiff", "webm", "webp", "wmv", "x3f",
)  # fmt: skip
"""Every format that `photo.format` may hold, except `raw`, which is taken by the kind."""
_FORMAT_ALIASES = {"jpg": "jpeg", "tif": "tiff", "mpg": "mpeg", "m2ts": "mts"}


def _types() -> dict[str, Condition]:
    formats = {name: photo.c.format == name for name in FORMATS}
    aliases = {alias: photo.c.format == name for alias, name in _FORMAT_ALIASES.items()}
    # The kinds stand first for the message that lists all, and last because `raw` is both.
    return _KINDS | formats | aliases | _KINDS


def present() -> Condition:
    """Return the condition that at least one file of the photo is present."""
    files = select(file.c.id).join_from(asset, file, file.c.asset_id == asset.c.id)
    return exists(files.where(asset.c.photo_id == photo.c.id, file.c.state == "present").correlate(photo))


def _keyword(value: str) -> Condition:
    keyword = func.json_each(photo.c.keywords).table_valued("value")
    return exists(
        select(keyword.c.value).where(func.photoindex_fold(keyword.c.value).bool_op("GLOB")(glob_pattern(fold(value))))
    )


_CAMERA = func.coalesce(photo.c.camera_make, "") + " " + func.coalesce(photo.c.camera_model, "")

FIELDS: tuple[Field, ...] = (
    Field("date", ValueType.DATE, "when it was taken: 2019, 2019-06, 2019..2021, >2019-06-15", photo.c.taken_at, ("taken",)),
    Field(
        "type", ValueType.CHOICE, "photo, image, raw, video or a format such as jpeg, heic, cr3, mp4",
        photo.c.format, ("format",), choices=_types(),
    ),
    Field("camera", ValueType.TEXT, 'maker or model contains: canon, "EOS 5D"', _CAMERA),
    Field("lens", ValueType.TEXT, "lens contains", photo.c.lens),
    Field(
        "path", ValueType.PATH, "at or below a path: /photos/2019, or the end of one: 2019/06, 2019/*.jpg",
        field_paths.by_path, ("folder",), refuse=field_paths.refuse_path,
    ),
    Field("name", ValueType.TEXT, "file name contains: IMG_44, IMG_*.heic", field_paths.by_name, ("filename",)),
    Field("ext", ValueType.TEXT, "file name ends in: jpg", field_paths.by_extension, refuse=field_paths.refuse_extension),
    Field("size", ValueType.SIZE, "size of the original: >20MB, 1MB..5MB, <=500KiB", photo.c.size_bytes),
    Field("width", ValueType.INTEGER, "pixels as shown: >=4000", photo.c.width),
    Field("height", ValueType.INTEGER, "pixels as shown", photo.c.height),
    Field("iso", ValueType.INTEGER, "sensitivity: 100..400", photo.c.iso),
    Field("aperture", ValueType.DECIMAL, "f-number: 1.4..2.8", photo.c.aperture),
    Field("focal", ValueType.DECIMAL, "focal length in mm: >=200", photo.c.focal_length_mm),
    Field("rating", ValueType.INTEGER, "stars: >=4", photo.c.rating),
    Field("title", ValueType.TEXT, "title contains", photo.c.title),
    Field("keyword", ValueType.TEXT, "has the whole keyword; * for anything: rome, rom*", _keyword, ("keywords",)),
    Field("id", ValueType.INTEGER, "the photo's number", photo.c.id, unscoped=True),
    Field("missing", ValueType.FLAG, "no file of the photo is there now", present().is_not(true()), unscoped=True),
)  # fmt: skip
"""Every field; a FLAG is written `is:name`."""

FLAGS: Mapping[str, Field] = {field.name: field for field in FIELDS if field.type is ValueType.FLAG}
_BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS if field.type is not ValueType.FLAG}


def grammar() -> dict[str, FieldGrammar]:
    """Return what the parser must know, by each field's name and aliases; the flags together are the field `is`."""
    known = {
        "is": FieldGrammar(
            "is",
            help=", ".join(f"{flag.name}: {flag.help}" for flag in FLAGS.values()),
            ordered=False,
            free_text=False,
            refusal=_refusal_of_choice(FLAGS),
            backwards=_is_never_backwards,
        )
    }
    for field in _BY_NAME.values():
        known |= dict.fromkeys((field.name, *field.aliases), _grammar_of(field))
    return known


def _grammar_of(field: Field) -> FieldGrammar:
    read = READERS.get(field.type)
    return FieldGrammar(
        field.name,
        help=field.help,
        ordered=read is not None,
        free_text=field.type in (ValueType.TEXT, ValueType.PATH),
        refusal=_refusal_of_choice(field.choices) if field.choices else _refusal(read or field.refuse),
        backwards=partial(runs_backwards, read) if read else _is_never_backwards,
    )


def _is_never_backwards(_lower: str, _upper: str) -> bool:
    return False


def is_unscoped(compare: Compare) -> bool:
    """Tell whether a query with this term also looks among photos whose files are all missing."""
    return _field_of(compare).unscoped


def condition(compare: Compare) -> Condition:
    """Return the SQL condition of one term; its field and values were accepted by the field's grammar."""
    field = _field_of(compare)
    value = compare.value or ""
    if field.choices:
        return field.choices[value.lower()]
    if not isinstance(field.expression, ColumnElement):
        return field.expression(value)
    if field.type is ValueType.FLAG:
        return field.expression
    if field.type in READERS:
        return _in_order(field.expression, READERS[field.type], compare)
    return func.photoindex_fold(field.expression).bool_op("GLOB")(f"*{glob_pattern(fold(value))}*")


def _field_of(compare: Compare) -> Field:
    return FLAGS[(compare.value or "").lower()] if compare.field == "is" else _BY_NAME[compare.field]


def _in_order(expression: ColumnElement[Any], read: Callable[[str], Span], compare: Compare) -> Condition:
    span = read(compare.value) if compare.value else None
    until = read(compare.until) if compare.until else None
    if compare.operator is Operator.RANGE:
        ends = [expression >= span.low] if span else []
        return and_(*ends, *([expression <= until.high] if until else []))
    assert span is not None
    conditions: dict[Operator, Condition] = {
        Operator.IS: and_(expression >= span.near_low, expression <= span.near_high),
        Operator.GREATER: expression > span.high,
        Operator.GREATER_EQUAL: expression >= span.low,
        Operator.LESS: expression < span.low,
        Operator.LESS_EQUAL: expression <= span.high,
    }
    return conditions[compare.operator]


def _refusal(read: Callable[[str], object]) -> Callable[[str], str | None]:
    def refusal(value: str) -> str | None:
        try:
            read(value)
        except ValueError as error:
            return str(error)
        return None

    return refusal


def _refusal_of_choice(choices: Collection[str]) -> Callable[[str], str | None]:
    def refusal(value: str) -> str | None:
        if value.lower() in choices:
            return None
        near = get_close_matches(value.lower(), choices, n=3)
        if near:
            return f"'{value}' is not known; did you mean {' or '.join(near)}?"
        return f"'{value}' is not known; it is one of {', '.join(choices)}"

    return refusal
