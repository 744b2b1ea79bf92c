"""The fields of the query language: one row each, used by the parser, the compiler and the help.

Importing this module creates only names and functions: a search compiles the two or three fields that it uses, and
should not pay for the others at start-up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from difflib import get_close_matches
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_

from photoindex.errors import UsageError
from photoindex.query.near import check_near, name_of, read_near
from photoindex.query.people import check_age, check_face, check_person, meaning_of_age
from photoindex.query.syntax import Compare, FieldGrammar, Lookups, Node, Operator, leaves
from photoindex.query.times import (
    context_of,
    each_year,
    read_date,
    read_day,
    read_duration,
    read_exposure,
    read_instant,
    read_month,
    read_time_of_day,
    read_weekday,
)
from photoindex.query.values import (
    Span,
    check_text,
    read_decimal,
    read_f_number,
    read_integer,
    read_millimetres,
    read_size,
    regex_error,
    runs_backwards,
)
from photoindex.store.engine.statements import weekday
from photoindex.store.schema.tables import photo
from photoindex.store.search import albums, conditions, paths, people, sources, tags, text_index
from photoindex.store.search.choices import HAS, IS, ORIENTATIONS, TYPES, Choice
from photoindex.store.search.conditions import ends_by

Condition = ColumnElement[bool]

LIKE = "like"
"""The field that is not a filter: it ranks photos by similarity to the vector of the named photo."""


class ValueType(StrEnum):
    """The type of a field's values, which determines how they are read and compared."""

    TEXT = "text"
    PATH = "path"
    INTEGER = "whole number"
    DECIMAL = "number"
    F_NUMBER = "f-number"
    MILLIMETRES = "millimetres"
    SIZE = "size"
    DATE = "date"
    INSTANT = "date (local time)"
    TIME_OF_DAY = "time of day"
    MONTH = "month"
    DAY = "day of the year"
    WEEKDAY = "day of the week"
    DURATION = "length of time"
    EXPOSURE = "exposure time"
    CHOICE = "choice"
    NEAR = "position and distance"
    PICTURE = "photo"
    SOURCE = "fact=source"
    PERSON = "person"
    AGE = "person and age"
    FACE = "picture of a face"


Read = Callable[[str, str | None], Span]

_LOOKED_UP: Mapping[ValueType, Callable[[str, Lookups], str | None]] = {
    ValueType.NEAR: check_near,
    ValueType.PERSON: check_person,
    ValueType.AGE: check_age,
    ValueType.FACE: check_face,
}
"""Type whose values are looked up -> check, which returns their context."""
_FREE_TEXT = (ValueType.TEXT, ValueType.PATH, ValueType.PICTURE, *_LOOKED_UP)
_UNLISTED = (ValueType.NEAR, ValueType.PICTURE, ValueType.FACE)


def _without_context(read: Callable[[str], Span]) -> Read:
    return lambda value, _context: read(value)


READERS: Mapping[ValueType, Read] = {
    ValueType.INTEGER: _without_context(read_integer),
    ValueType.DECIMAL: _without_context(read_decimal),
    ValueType.F_NUMBER: _without_context(read_f_number),
    ValueType.MILLIMETRES: _without_context(read_millimetres),
    ValueType.SIZE: _without_context(read_size),
    ValueType.DATE: read_date,
    ValueType.INSTANT: read_instant,
    ValueType.TIME_OF_DAY: _without_context(read_time_of_day),
    ValueType.MONTH: _without_context(read_month),
    ValueType.DAY: _without_context(read_day),
    ValueType.WEEKDAY: _without_context(read_weekday),
    ValueType.DURATION: _without_context(read_duration),
    ValueType.EXPOSURE: _without_context(read_exposure),
}
"""Ordered type -> reader."""
_CYCLIC = (ValueType.TIME_OF_DAY, ValueType.MONTH, ValueType.DAY, ValueType.WEEKDAY)
"""Types whose ranges may span the end: 22..04, 11..02, friday..monday."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    column: returns the expression to compare (ordered types) or search (text). by: returns the condition for a value.
    by_any: returns the condition that one of several values matches, where that is faster than a condition for each.
    regex: returns the condition for a regular expression; text fields with a column do not need it. choices: all values
    of a CHOICE. check: raises ValueError with a message for the user. finds_missing: as in `Choice`, for any value.
    may_be_saved: a value also means the saved query of this name.
    """

    name: str
    type: ValueType
    help: str
    aliases: tuple[str, ...] = ()
    column: Callable[[], ColumnElement[Any]] | None = None
    by: Callable[[str], Condition] | None = None
    by_any: Callable[[Sequence[str]], Condition] | None = None
    regex: Callable[[str], Condition] | None = None
    choices: Mapping[str, Choice] = dataclass_field(default_factory=dict)
    check: Callable[[str], None] = check_text
    finds_missing: bool = False
    may_be_saved: bool = False

    @property
    def takes_regex(self) -> bool:
        """Whether `name::REGEX` is supported."""
        return self.regex is not None or (self.type is ValueType.TEXT and self.column is not None)


def _in_place(value: str) -> Condition:
    # Loading the country names slows start-up, so only queries for places do it.
    from photoindex.store.search.places import by_place

    return by_place(value)


def _is_near(value: str, context: str | None) -> Condition:
    from photoindex.store.search.places import is_near

    circle = read_near(value, context)
    return is_near(circle.latitude, circle.longitude, circle.km)


_IN_CONTEXT: Mapping[ValueType, Callable[[str, str | None], Condition]] = {
    ValueType.NEAR: _is_near,
    ValueType.AGE: lambda value, context: people.shows_at_age(value, context or ""),
    ValueType.FACE: lambda _value, context: people.shows_person(context or ""),
}
"""Type -> condition for a value in its context."""


def _reject_like(value: str) -> Condition:
    raise UsageError(
        f"{LIKE}:{value} ranks photos by similarity and does not filter them: use it only in `photoindex search`, next "
        "to other terms (not after '-' or in an OR)"
    )


def _check_not_empty(value: str) -> None:
    if not value.strip() or "\0" in value:
        raise ValueError("the path or number of a photo is needed")


FIELDS: tuple[Field, ...] = (
    Field(
        "date", ValueType.DATE, "when it was taken: 2019, 2019-06, 2019..2021, >2019-06-15, today, yesterday, last-30d (or w, mo, y), "
        "last-summer, december-2019, 12/2019, christmas; december alone is any; a photo dated only by year matches 2019, not 2019-06",
        ("taken",), column=lambda: photo.c.taken_at,
    ),
    Field(
        "time", ValueType.TIME_OF_DAY, "time of day, if the minute is known: 18 (the hour), 18:00..20:30, 22..04",
        column=conditions.time_of_day,
    ),
    Field(
        "month", ValueType.MONTH, "month of any year: 12, december, 6..8, 11..02", column=conditions.day_of_year
    ),
    Field("day", ValueType.DAY, "day of any year: 12-24, 12-24..12-26, 12-31..01-01", column=conditions.day_of_year),
    Field(
        "weekday", ValueType.WEEKDAY, "day of the week: sunday, monday..friday", column=lambda: weekday(photo.c.taken_at)
    ),
    Field(
        "place", ValueType.TEXT, 'words of a city, region or country: lisbon, lisboa, "paris, texas"', by=_in_place,
        regex=lambda pattern: conditions.matches(photo.c.place, pattern),
    ),
    Field(
        "near", ValueType.NEAR,
        'around a position or a place: 38.7,-9.1,30km, "Lisbon,30km"; 10 km if no distance is given',
    ),
    Field(
        "type", ValueType.CHOICE, "photo, image, raw, video, live, motion or a format such as jpeg, heic, cr3, mp4",
        ("format",), choices=TYPES,
    ),
    Field(
        "camera", ValueType.TEXT, 'maker or model contains: canon, "EOS 5D"',
        by=conditions.camera_contains, regex=conditions.camera_matches,
    ),
    Field("lens", ValueType.TEXT, "lens contains", column=lambda: photo.c.lens),
    Field("iso", ValueType.INTEGER, "sensitivity: 100..400", column=lambda: photo.c.iso),
    Field("aperture", ValueType.F_NUMBER, "1.4..2.8, f/1.8", column=lambda: photo.c.aperture),
    Field("exposure", ValueType.EXPOSURE, "1/250, >1s, 0.5..2", column=lambda: photo.c.exposure_seconds),
    Field("focal", ValueType.MILLIMETRES, "focal length: >=200, 50mm", column=lambda: photo.c.focal_length_mm),
    Field("rating", ValueType.INTEGER, "stars: >=4", column=lambda: photo.c.rating),
    Field(
        "text", ValueType.TEXT,
        'these consecutive words in names, folders, cameras, keywords, titles, descriptions, places, people, tags, captions '
        'and the text in pictures, not in what they show: beach, sun*, "golden gate"',
        by=text_index.contains_words, check=text_index.check_searchable,
    ),
    Field(
        "ocr", ValueType.TEXT, 'these consecutive words in the picture itself, as `photoindex ocr` read them: "boarding pass", gate*',
        by=text_index.contains_words_in_picture, check=text_index.check_searchable,
    ),
    Field(
        LIKE, ValueType.PICTURE,
        "looks like this photo of the library (path or number), most similar first: 12, 2019/IMG_1.jpg",
        by=_reject_like, check=_check_not_empty,
    ),
    Field("title", ValueType.TEXT, "title contains", column=lambda: photo.c.title),
    Field(
        "caption", ValueType.TEXT,
        'these consecutive words in the description or in what a model said of the picture: dog, sun*, "red boat"',
        by=text_index.captioned, check=text_index.check_searchable,
    ),
    Field("description", ValueType.TEXT, "description contains", column=lambda: photo.c.description),
    Field(
        "keyword", ValueType.TEXT, "has this whole keyword, or this level of one with levels; * matches anything: rome, rom*, animals/dog", ("keywords",),
        by=conditions.keyword_like, regex=conditions.keyword_matches,
    ),
    Field(
        "tag", ValueType.TEXT,
        "has this tag, or this level of one, given by you, its files or a model: dog, animals/dog; animals/ is all below; * matches "
        "anything; dog@80: of models, only those at least 80 % sure", ("tags",),
        by=tags.tagged, by_any=tags.tagged_any, regex=tags.tagged_matching, check=tags.check_tag,
    ),
    Field(
        "album", ValueType.TEXT,
        'is in an album with this whole name, or found by a saved query of this name; * matches anything: "Summer in Rome", rom*',
        by=albums.in_album, regex=albums.in_album_matching, check=albums.check_album, may_be_saved=True,
    ),
    Field(
        "path", ValueType.PATH, "at or below a path: /photos/2019, or the end of one: 2019/06, 2019/*.jpg", ("folder",),
        by=paths.by_path, regex=conditions.path_matches, check=paths.check_path,
    ),
    Field(
        "name", ValueType.TEXT, "file name contains: IMG_44, IMG_*.heic", ("filename",),
        by=paths.by_name, regex=conditions.name_matches,
    ),
    Field("ext", ValueType.TEXT, "file name ends in: jpg", by=paths.by_extension, check=paths.check_extension),
    Field(
        "volume", ValueType.TEXT,
        "on a disk with this label (or part of it), number or mount point: 2, backup, /mnt/nas",
        by=conditions.on_volume, regex=conditions.on_volume_matching,
    ),
    Field("size", ValueType.SIZE, "size of the original: >20MB, 1MB..5MB, <=500KiB", column=lambda: photo.c.size_bytes),
    Field("width", ValueType.INTEGER, "pixels as shown: >=4000", column=lambda: photo.c.width),
    Field("height", ValueType.INTEGER, "pixels as shown", column=lambda: photo.c.height),
    Field(
        "megapixels", ValueType.DECIMAL, "millions of pixels: >=20, 12..24",
        column=lambda: photo.c.width * photo.c.height / 1e6,
    ),
    Field(
        "orientation", ValueType.CHOICE, "landscape, portrait, square, or EXIF orientation 1 to 8",
        choices=ORIENTATIONS,
    ),
    Field(
        "duration", ValueType.DURATION, "length of a video: >10s, 1:30, 5min, 1m..2m", column=lambda: photo.c.duration_seconds,
    ),
    Field("has", ValueType.CHOICE, "", choices=HAS),
    Field("is", ValueType.CHOICE, "", choices=IS),
    Field(
        "added", ValueType.INSTANT, "when it was added to the library, like `date:`: last-7d, 2024-05",
        column=lambda: photo.c.added_at,
    ),
    Field(
        "source", ValueType.SOURCE, "where a fact came from: taken_at=mtime, zone=neighbours, title=sidecar; or a tag: person, file, tags, objects, labels, sensitive",
        by=sources.by_source, check=sources.check_source,
    ),
    Field(
        "event", ValueType.TEXT, "taken during an event with this key, or with these words in its title or places",
        by=conditions.in_event, regex=conditions.in_event_matching,
    ),
    Field(
        "person", ValueType.PERSON, 'shows this person, named whole or by number: anna, "Anna Berg", ann*, 12; two terms: both in the photo',
        by=people.shows, by_any=people.shows_any, regex=people.shows_somebody_matching,
    ),
    Field(
        "faces", ValueType.INTEGER, "number of faces; 0 only where they were looked for: 0, >2, 1..3",
        column=lambda: photo.c.faces,
    ),
    Field(
        "age", ValueType.AGE,
        "shows this person at this age in whole years, which needs a birth date: 'anna<6', anna:6, 'anna>=18', anna:3..5",
    ),
    Field("face", ValueType.FACE, "shows the person in this picture file, which has exactly one face: me.jpg"),
    Field("id", ValueType.INTEGER, "the photo's number", column=lambda: photo.c.id, finds_missing=True),
)  # fmt: skip
"""Every field."""

_BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}


def help_of(field: Field) -> str:
    """Return the help of a field; if empty, its choices with their help."""
    named = (f"{name} ({one.help})" if one.help else name for name, one in field.choices.items())
    return field.help or ", ".join(named)


def grammar() -> dict[str, FieldGrammar]:
    """Return the grammar of each field by name and alias, for the parser."""
    known: dict[str, FieldGrammar] = {}
    for field in FIELDS:
        known |= dict.fromkeys((field.name, *field.aliases), _grammar_of(field))
    return known


def _grammar_of(field: Field) -> FieldGrammar:
    read = READERS.get(field.type)
    return FieldGrammar(
        field.name,
        help=help_of(field),
        ordered=read is not None,
        free_text=field.type in _FREE_TEXT,
        check=partial(_check, field),
        backwards=partial(_is_backwards, field),
        regex_error=regex_error if field.takes_regex else None,
        listed=field.type not in _UNLISTED,
        subject="Anna" if field.type is ValueType.AGE else None,
        elsewhere=each_year if field.type is ValueType.DATE else None,
        may_be_saved=field.may_be_saved,
    )


def _check(field: Field, value: str, lookups: Lookups) -> str | None:
    """Check a value and return its context, None if it needs none. Raises ValueError."""
    if field.type in _LOOKED_UP:
        return _LOOKED_UP[field.type](value, lookups)
    if field.choices:
        _check_known(value, field.choices)
        return None
    read = READERS.get(field.type)
    if read is None:
        field.check(value)
        return None
    dated = field.type in (ValueType.DATE, ValueType.INSTANT)
    context = context_of(value, lookups) if dated else None
    read(value, context)
    return context


def _is_backwards(field: Field, lower: str, upper: str, context: str | None) -> bool:
    if field.type in _CYCLIC:
        return False
    read = READERS[field.type]
    return runs_backwards(read(lower, context), read(upper, context))


def _check_known(value: str, choices: Collection[str]) -> None:
    if value.lower() in choices:
        return
    near = get_close_matches(value.lower(), choices, n=3)
    if near:
        raise ValueError(f"'{value}' is not known; did you mean {' or '.join(near)}?")
    raise ValueError(f"'{value}' is not known; choose one of {', '.join(choices)}")


def finds_missing(compare: Compare) -> bool:
    """Return whether a query with this term also finds photos whose files are all missing."""
    field = _BY_NAME[compare.field]
    return field.choices[(compare.value or "").lower()].finds_missing if field.choices else field.finds_missing


def _meaning_of_near(value: str, context: str) -> str:
    circle = read_near(value, context)
    return f"{circle.km:g} km around {name_of(context)} at {circle.latitude:.4f},{circle.longitude:.4f}"


_MEANINGS: Mapping[ValueType, Callable[[str, str], str]] = {
    ValueType.NEAR: _meaning_of_near,
    ValueType.PERSON: lambda _value, context: context,
    ValueType.AGE: meaning_of_age,
    ValueType.FACE: lambda _value, context: context.partition(" ")[2],
}
"""Type -> what a value and its context mean, for people to read."""


def meaning(compare: Compare) -> str | None:
    """Return what a relative date, a place, a person or a face was resolved to; None for other values."""
    if compare.context is None:
        return None
    known = _MEANINGS.get(_BY_NAME[compare.field].type)
    if known is not None:
        return known(compare.value or "", compare.context)
    ends = (compare.value, compare.until)
    days = ["" if end is None else str(read_date(end, compare.context).low) for end in ends]
    if compare.operator is Operator.RANGE:
        return "..".join(days)
    span = read_date(compare.value or "", compare.context)
    if compare.operator is Operator.IS and span.near_high == span.high and span.high != f"{span.low}~":
        return f"{span.low}..{str(span.high).rstrip('~')}"
    since = compare.operator is Operator.IS and (compare.value or "").lower().startswith("last-")
    return f"{days[0]}.." if since else days[0]


def condition(compare: Compare) -> Condition:
    """Return the SQL condition of one term, already checked by the field's grammar."""
    field = _BY_NAME[compare.field]
    value = compare.value or ""
    if compare.operator is Operator.REGEX:
        return _matching(field, value)
    if field.choices:
        return field.choices[value.lower()].condition()
    if field.type in _IN_CONTEXT:
        return _IN_CONTEXT[field.type](value, compare.context)
    if field.by is not None:
        return field.by(value)
    assert field.column is not None
    if field.type in READERS:
        return _in_order(field, compare)
    return paths.contains(field.column(), value)


def frequent_person(connection: Connection, node: Node) -> Compare | None:
    """Return the first term of a query that asks for a person who is on many photos."""
    terms = (leaf for leaf in leaves(node) if isinstance(leaf, Compare) and leaf.operator is Operator.IS)
    asked = (term for term in terms if _BY_NAME[term.field].type is ValueType.PERSON)
    return next((term for term in asked if people.is_frequent(connection, term.value or "")), None)


def lists(parts: Sequence[Node]) -> tuple[list[Condition], list[Node]]:
    """Return one condition for all values of each field that can be looked up together, and the other alternatives."""
    together: dict[Callable[[Sequence[str]], Condition], list[str]] = {}
    others: list[Node] = []
    for part in parts:
        if isinstance(part, Compare) and part.operator is Operator.IS and (by_any := _BY_NAME[part.field].by_any):
            together.setdefault(by_any, []).append(part.value or "")
        else:
            others.append(part)
    return [by_any(values) for by_any, values in together.items()], others


def _matching(field: Field, pattern: str) -> Condition:
    if field.regex is not None:
        return field.regex(pattern)
    assert field.column is not None
    return conditions.matches(field.column(), pattern)


def _is_within(expression: ColumnElement[Any], span: Span) -> Condition:
    # With one value, an index on the column and the time gives its photos in the order of time.
    if span.near_low == span.near_high:
        return expression == span.near_low
    return and_(expression >= span.near_low, expression <= span.near_high)


def _in_order(field: Field, compare: Compare) -> Condition:
    assert field.column is not None
    read, expression = READERS[field.type], field.column()
    span = read(compare.value, compare.context) if compare.value else None
    until = read(compare.until, compare.context) if compare.until else None
    dated = field.type is ValueType.DATE
    if compare.operator is Operator.RANGE:
        ends = [expression >= span.low] if span else []
        ends += [expression <= until.high, *(ends_by(str(until.high)) if dated else ())] if until else []
        spans_end = field.type in _CYCLIC and span and until and str(span.low) > str(until.high)
        return or_(*ends) if spans_end else and_(*ends)
    assert span is not None
    compared: dict[Operator, Callable[[], Condition]] = {
        Operator.IS: lambda: _is_within(expression, span),
        Operator.GREATER: lambda: expression > span.high,
        Operator.GREATER_EQUAL: lambda: expression >= span.low,
        Operator.LESS: lambda: expression < span.low,
        Operator.LESS_EQUAL: lambda: expression <= span.high,
    }
    found = compared[compare.operator]()
    upper = {Operator.IS: span.near_high, Operator.LESS: span.low, Operator.LESS_EQUAL: span.high}.get(compare.operator)
    return and_(found, *ends_by(str(upper))) if dated and upper is not None else found
