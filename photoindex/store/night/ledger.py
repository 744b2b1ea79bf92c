"""The ledger of paid calls: what is reserved before a call, what was spent after it, what a month has cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from photoindex.store.schema.night_tables import ledger

PriceOf = Callable[[int], int]
"""Returns the price of a month's units of one feature, in millionths."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose calls are entered. owner: the run. features: what one call uses one unit of each. budget: millionths a month."""

    provider: str
    stage: str
    owner: str
    features: Collection[str]
    price: PriceOf
    budget: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """Calls that may be made. month: of their bill. rows: their rows of the ledger."""

    month: str
    calls: int
    rows: tuple[int, ...]


def month_of(at: float) -> str:
    """Return the month of a time (seconds since 1970), in UTC: 2026-11."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def reserve(connection: Connection, account: Account, calls: int, *, at: float | None = None) -> Reservation | None:
    """Reserve up to `calls` calls, as many as the month's budget has room for; None if it has no room for one.

    Call it in a write transaction, so that processes reserve one after the other; commit it before the first call.
    """
    at = time.time() if at is None else at
    month = month_of(at)
    state = _state(connection, account.provider, month)
    while calls and _committed(state, account, calls) > account.budget:
        calls -= 1
    if not calls:
        return None
    rows = []
    for feature in account.features:
        known = state.get(feature, _Units())
        price = account.price(known.units + calls) - account.price(known.units)
        rows.append(
            _insert(connection, account, feature, month=month, units=calls, micros=price, state="reserved", at=at)
        )
    return Reservation(month, calls, tuple(rows))


def settle(connection: Connection, account: Account, reservation: Reservation, spent: int) -> None:
    """Enter how many of the reserved calls may have been billed; the others are taken back. Call it in a write transaction.

    The calls of one run in one month are one row for each feature.
    """
    connection.execute(delete(ledger).where(ledger.c.id.in_(reservation.rows)))
    if not spent:
        return
    state = _state(connection, account.provider, reservation.month)
    for feature in account.features:
        before = state.get(feature, _Units()).spent
        price = account.price(before + spent) - account.price(before)
        own = (
            ledger.c.provider == account.provider, ledger.c.month == reservation.month, ledger.c.feature == feature,
            ledger.c.stage == account.stage, ledger.c.owner == account.owner, ledger.c.state == "spent",
        )  # fmt: skip
        more = {"units": ledger.c.units + spent, "micros": ledger.c.micros + price, "at": time.time()}
        if not connection.execute(update(ledger).where(*own).values(more)).rowcount:
            _insert(
                connection, account, feature, month=reservation.month, units=spent, micros=price, state="spent",
                at=time.time(),
            )  # fmt: skip


def spent_by(connection: Connection, owner: str) -> int:
    """Return what the calls of a run cost, with what it has reserved, in millionths."""
    total = select(func.coalesce(func.sum(ledger.c.micros), 0)).where(ledger.c.owner == owner)
    return int(connection.execute(total).scalar_one())


def committed(connection: Connection, account: Account, *, at: float) -> int:
    """Return what a provider has cost in the month of a time, with what is reserved, in millionths."""
    return _committed(_state(connection, account.provider, month_of(at)), account, 0)


@dataclass(frozen=True, slots=True)
class MonthlyCost:
    """What a stage used of a feature of a provider in a month. reserved: units of calls that were not ended, or are running."""

    provider: str
    month: str
    stage: str
    feature: str
    units: int
    reserved: int
    micros: int


def costs(connection: Connection, month: str | None = None) -> list[MonthlyCost]:
    """Return the costs of all months or of one, the newest month first."""
    reserved = func.sum(ledger.c.units).filter(ledger.c.state == "reserved")
    key = (ledger.c.provider, ledger.c.month, ledger.c.stage, ledger.c.feature)
    statement = (
        select(*key, func.sum(ledger.c.units), func.coalesce(reserved, 0), func.sum(ledger.c.micros))
        .group_by(*key)
        .order_by(ledger.c.month.desc(), ledger.c.provider, ledger.c.stage, ledger.c.feature)
    )
    if month is not None:
        statement = statement.where(ledger.c.month == month)
    return [MonthlyCost(*row) for row in connection.execute(statement)]


def units_of(connection: Connection, provider: str, month: str) -> dict[str, int]:
    """Return feature -> units of a month, spent and reserved."""
    return {feature: one.units for feature, one in _state(connection, provider, month).items()}


@dataclass(slots=True)
class _Units:
    """Units of one feature in a month. spent: without reserved ones. micros: price of those spent."""

    units: int = 0
    spent: int = 0
    micros: int = 0


def _state(connection: Connection, provider: str, month: str) -> dict[str, _Units]:
    found: dict[str, _Units] = {}
    statement = (
        select(ledger.c.feature, ledger.c.state, func.sum(ledger.c.units), func.sum(ledger.c.micros))
        .where(ledger.c.provider == provider, ledger.c.month == month)
        .group_by(ledger.c.feature, ledger.c.state)
    )
    for feature, state, units, micros in connection.execute(statement):
        one = found.setdefault(feature, _Units())
        one.units += units
        if state == "spent":
            one.spent, one.micros = units, micros
    return found


def _committed(state: Mapping[str, _Units], account: Account, calls: int) -> int:
    """Return what a month costs with more calls: what was spent, and the price of all units that may be used beyond it.

    The reserved rows' own prices are not added up: which units were free shows only when earlier reservations are settled.
    """
    total = 0
    for feature in state.keys() | set(account.features):
        one = state.get(feature, _Units())
        units = one.units + (calls if feature in account.features else 0)
        total += one.micros + account.price(units) - account.price(one.spent)
    return total


def _insert(connection: Connection, account: Account, feature: str, **values: Any) -> int:
    row = {"provider": account.provider, "stage": account.stage, "feature": feature, "owner": account.owner} | values
    key = connection.execute(insert(ledger).values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])
