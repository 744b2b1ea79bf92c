"""Numbers of photos by what is known of them: day, hour, camera, lens, place and so on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from photoindex.query.syntax import Node
from photoindex.store.engine.sqlite import engine_of
from photoindex.store.engine.statements import numbers
from photoindex.store.schema.tables import photo
from photoindex.store.search.compile import condition
from photoindex.store.search.conditions import time_of_day

_BETWEEN = "\x1f"
_KNOWN_CHARACTERS = {"year": 4, "month": 7}


def _text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.replace(column, _BETWEEN, " ")


_TAKEN_AT = case((func.coalesce(photo.c.taken_at_source, "") != "mtime", photo.c.taken_at))
_EXPRESSIONS: Mapping[str, ColumnElement[Any]] = {
    "day": func.substr(_TAKEN_AT, 1, case(_KNOWN_CHARACTERS, value=photo.c.taken_at_precision, else_=10)),
    "hour": case((_TAKEN_AT.is_not(None), func.substr(time_of_day(), 1, 2))),
    # Maker and model, with a line between them where both are known.
    "camera": _text(func.coalesce(photo.c.camera_make + "\n" + photo.c.camera_model, photo.c.camera_model, photo.c.camera_make)),
    "lens": _text(photo.c.lens),
    "focal": photo.c.focal_length_mm,
    "iso": photo.c.iso,
    "place": _text(photo.c.place),
}  # fmt: skip
"""What photos are counted by. day: the known beginning of YYYY-MM-DD, unless it is only the time of a file."""


def counts(
    connection: Connection, chosen: Node | Sequence[int], keys: Sequence[str]
) -> tuple[int, int, dict[str, Counter[str]]]:
    """Return the number of photos, of those with only their file's time, and for each of `keys` of those with each value.

    chosen: a query, or the ids of photos. keys: of day, hour, camera, lens, focal, iso, place. Values are text.
    """
    # The values of a column as one text: grouping sorts all photos for each column, which takes three times as long.
    columns = [func.aggregate_strings(_EXPRESSIONS[key], _BETWEEN) for key in keys]
    asked: list[ColumnElement[Any]] = [
        func.count(),
        func.count(case((photo.c.taken_at_source == "mtime", 1))),
        *columns,
    ]
    wanted = photo.c.id.in_(numbers(chosen)) if isinstance(chosen, Sequence) else condition(chosen)
    statement: Select[Any] = select(*asked).select_from(photo)
    with engine_of(connection).functions(connection):
        total, of_file, *texts = connection.execute(statement.where(wanted)).one()
    found = zip(keys, texts, strict=True)
    return total, of_file, {key: Counter() if text is None else Counter(text.split(_BETWEEN)) for key, text in found}
