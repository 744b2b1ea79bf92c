"""The ledger of paid calls: what is reserved, spent and taken back, and what a month may cost."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.library.handle import Library
from photoindex.providers.base import Price
from photoindex.store.engine.database import Database
from photoindex.store.night import ledger
from photoindex.store.night.ledger import Account, Reservation
from tests.rows import library_in

NOVEMBER, DECEMBER = 1_795_000_000.0, 1_797_000_000.0
PRICE = Price(micros_per_1000=1_500_000, free=10)
"""1,500 millionths a unit, ten units a month free."""


@pytest.fixture
def library(library_folder: Path) -> Iterator[Library]:
    with library_in(library_folder) as library:
        yield library


def account(*features: str, stage: str = "tags", owner: str = "a", budget: int = 30_000) -> Account:
    return Account("google_vision", stage, owner, features or ("LABELS",), PRICE.of, budget)


def reserve(library: Library, of: Account, calls: int, at: float = NOVEMBER) -> Reservation | None:
    with library.database.write() as connection:
        return ledger.reserve(connection, of, calls, at=at)


def settle(library: Library, of: Account, reservation: Reservation, spent: int) -> None:
    with library.database.write() as connection:
        ledger.settle(connection, of, reservation, spent)


def committed(library: Library, of: Account, at: float = NOVEMBER) -> int:
    with library.database.read() as connection:
        return ledger.committed(connection, of, at=at)


def test_free_units_cost_nothing_and_the_budget_pays_for_the_rest_to_the_last_call(library: Library) -> None:
    first = reserve(library, account(), 100)
    assert first is not None
    assert first.calls == 30  # 10 free and 20 of 1,500 millionths
    assert committed(library, account()) == 30_000
    assert reserve(library, account(), 1) is None


def test_each_feature_has_free_units_of_its_own_and_all_share_the_budget(library: Library) -> None:
    both = reserve(library, account("LABELS", "TEXT"), 100)
    assert both is not None
    assert both.calls == 20  # 10 free of each, 10 paid of each
    assert reserve(library, account("SAFE"), 100).calls == 10  # type: ignore[union-attr]


def test_calls_that_did_not_reach_the_service_are_taken_back_and_the_others_stay(library: Library) -> None:
    made = reserve(library, account(), 12)
    assert made is not None
    settle(library, account(), made, 11)
    assert committed(library, account()) == 1_500
    again = reserve(library, account(), 100)
    assert again is not None
    assert again.calls == 19
    settle(library, account(), again, 0)
    assert committed(library, account()) == 1_500
    with library.database.read() as connection:
        (row,) = ledger.costs(connection)
    assert (row.units, row.reserved, row.micros) == (11, 0, 1_500)


def test_which_units_were_free_is_told_by_what_was_spent_whatever_the_order_of_settling(library: Library) -> None:
    first, second = reserve(library, account(), 8), reserve(library, account(), 8)
    assert first is not None
    assert second is not None
    settle(library, account(), second, 8)
    assert committed(library, account()) == 9_000  # the first ones may still be spent
    settle(library, account(), first, 1)
    assert committed(library, account()) == 0


def test_a_reservation_of_a_process_that_was_killed_counts_for_ever(library: Library) -> None:
    assert reserve(library, account(owner="killed"), 30) is not None
    assert reserve(library, account(owner="next"), 1) is None
    with library.database.read() as connection:
        (row,) = ledger.costs(connection, "2026-11")
    assert (row.units, row.reserved, row.micros) == (30, 30, 30_000)


def test_each_month_has_its_own_budget_and_free_units(library: Library) -> None:
    assert (ledger.month_of(NOVEMBER), ledger.month_of(DECEMBER)) == ("2026-11", "2026-12")
    assert reserve(library, account(), 100) is not None
    later = reserve(library, account(), 100, at=DECEMBER)
    assert later is not None
    assert later.calls == 30


def test_stages_and_runs_are_rows_of_their_own_and_share_the_budget(library: Library) -> None:
    for stage, owner in (("tags", "a"), ("caption", "a"), ("tags", "b"), ("tags", "b")):
        of = account(stage=stage, owner=owner)
        made = reserve(library, of, 5)
        assert made is not None
        settle(library, of, made, 5)
    with library.database.read() as connection:
        known = {one.stage: (one.units, one.micros) for one in ledger.costs(connection)}
        assert ledger.spent_by(connection, "b") == 15_000
    assert known == {"tags": (15, 15_000), "caption": (5, 0)}
    assert library_rows(library) == 3


def library_rows(library: Library) -> int:
    with library.database.raw_connection() as connection:
        return int(connection.execute("SELECT count(*) FROM ledger").fetchone()[0])


def test_a_higher_price_holds_for_new_units_alone(library: Library) -> None:
    made = reserve(library, account(), 20)
    assert made is not None
    settle(library, account(), made, 20)
    dearer = Account("google_vision", "tags", "a", ("LABELS",), Price(3_000_000, 10).of, 30_000)
    more = reserve(library, dearer, 100)
    assert more is not None
    assert more.calls == 5


def _spend(path: Path, name: str, reserved: multiprocessing.Queue[int]) -> None:
    database = Database(path)
    total = 0
    of = account(owner=name, budget=60_000)
    while True:
        with database.write() as connection:
            made = ledger.reserve(connection, of, 3, at=NOVEMBER)
        if made is None:
            break
        total += made.calls
        with database.write() as connection:
            ledger.settle(connection, of, made, made.calls)
    reserved.put(total)
    database.close()


def test_processes_cannot_overspend_together(library: Library) -> None:
    context = multiprocessing.get_context("spawn")
    reserved: multiprocessing.Queue[int] = context.Queue()
    processes = [context.Process(target=_spend, args=(library.database.path, name, reserved)) for name in ("a", "b")]
    for one in processes:
        one.start()
    totals = [reserved.get(timeout=60) for _ in processes]
    for one in processes:
        one.join(60)
    assert sum(totals) == 50  # 10 free, and 40 of 1,500 millionths
    assert committed(library, account(budget=60_000)) == 60_000
