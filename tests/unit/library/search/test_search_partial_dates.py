"""Photos dated only by day, month or year: a query for a date finds those whose whole period it contains."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from photoindex.library.handle import Library
from photoindex.library.search.find import count_photos, matching_photo_ids
from photoindex.library.search.parse import parse
from tests.rows import VolumeRows, library_in

TIMES = {
    "year": ("1974-01-01T00:00:00", "year"),
    "month": ("1974-05-01T00:00:00", "month"),
    "day": ("1974-05-03T00:00:00", "day"),
    "second": ("1974-01-01T00:00:00+01:00", "second"),
    "unknown": ("1974-01-01T00:00:00", None),
}
NAMES = tuple(TIMES)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library with one photo of each precision."""
    folder = tmp_path_factory.mktemp("partial")
    with library_in(folder / "library") as library:
        volume_rows = VolumeRows(library, folder / "originals")
        for name, (taken_at, precision) in TIMES.items():
            volume_rows.add_whole_photo(f"{name}.jpg", taken_at=taken_at, taken_at_precision=precision)
        yield library


def found(library: Library, query: str) -> set[str]:
    return {NAMES[photo_id - 1] for photo_id in matching_photo_ids(library, parse(library, query))}


EXACT = {"second", "unknown"}
ALL = set(NAMES)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("date:1974", ALL),
        ("date:1974-01", EXACT),
        ("date:1974-01-01", EXACT),
        ("date:1974-01-01T00", EXACT),
        ("date:1974-01-01T00:00:00", EXACT),
        ("-date:1974-01", {"year", "month", "day"}),
        ("date:1974-05", {"month", "day"}),
        ("date:1974-05-01", set()),
        ("date:1974-05-03", {"day"}),
        ("date:1974-05-03T00", set()),
        ("date:1974-01..1974-12", ALL),
        ("date:1974-01-01..1974-12-31", ALL),
        ("date:1974-01-01..1974-12-31T23:59", ALL),
        ("date:1974-01..1974-11", ALL - {"year"}),
        ("date:1974-01..1974-05", ALL - {"year"}),
        ("date:..1974-05-30", {"day"} | EXACT),
        ("date:..1974-05-31", {"day", "month"} | EXACT),
        ("date:1973..1975", ALL),
        ("date:1974-05-03T00..1974-05-03T23", {"day"}),
        ("date:1974-05-03T00..1974-05-03T22", set()),
        ("date:>1973", ALL),
        ("date:>1973-12-31", ALL),
        ("date:>1974-01", {"month", "day"}),
        ("date:>=1974", ALL),
        ("date:>=1974-05", {"month", "day"}),
        ("date:>=1974-05-02", {"day"}),
        ("date:<1975", ALL),
        ("date:<1974", set()),
        ("date:<1974-12-31", ALL - {"year"}),
        ("date:<1974-06", ALL - {"year"}),
        ("date:<1974-05-31", {"day"} | EXACT),
        ("date:<=1974", ALL),
        ("date:<=1974-12", ALL),
        ("date:<=1974-11", ALL - {"year"}),
        ("date:<=1974-05-03T12", EXACT),
    ],
)
def test_a_date_finds_the_photos_whose_whole_period_it_contains(library: Library, query: str, names: set[str]) -> None:
    assert found(library, query) == names


@pytest.mark.parametrize("query", ["date:1974-05", "date:..1974-05-03", "date:<1974-05-03"])
def test_a_search_for_a_date_uses_the_index_of_times(library: Library, query: str) -> None:
    plans = []

    def explain(connection: object, cursor: object, statement: str, values: object, *_: object) -> None:
        if "FROM photo" in statement and not statement.startswith("EXPLAIN"):
            plan = connection.connection.driver_connection.execute("EXPLAIN QUERY PLAN " + statement, values)  # type: ignore[attr-defined]
            plans.append(" ".join(row[3] for row in plan))

    with library.database.read() as connection:
        engine = connection.engine
    event.listen(engine, "before_cursor_execute", explain)
    try:
        count_photos(library, parse(library, query))
    finally:
        event.remove(engine, "before_cursor_execute", explain)
    assert any("photo_by_taken_at" in plan for plan in plans)
