"""What services have cost, by month and stage, and what the pictures that wait for them would cost."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.errors import ConfigError, PhotoIndexError
from photoindex.library.handle import Library
from photoindex.library.providers.chain import Chain, ChainRequest, Local
from photoindex.library.providers.service_run import ServiceSummary
from photoindex.library.providers.settings import SETTINGS, Service, providers_of, service_of, services_of
from photoindex.library.stage_figures import StageFigures, figures
from photoindex.library.words.captioner import chosen_captioner
from photoindex.library.words.ocr import preview_variant
from photoindex.library.words.tagging.picture_models import sensitive_works
from photoindex.library.words.tagging.zero_shot import zero_shot_work
from photoindex.pipeline.run.runner import RunTally
from photoindex.progress import ignore_events
from photoindex.providers.base import Price
from photoindex.providers.registry import LOCAL
from photoindex.stages import STAGES
from photoindex.store.night import ledger
from photoindex.store.night.ledger import MonthlyCost

_MONTHS_MAX = 1_200
"""Work that takes a century is never done."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Pictures that wait for a service, for one stage. features: what is billed for each."""

    stage: str
    pictures: int
    features: Collection[str]


@dataclass(frozen=True, slots=True)
class SoFar:
    """What was used of a service in a month. units: by feature. micros: what they cost, in millionths."""

    month: str
    units: Mapping[str, int]
    micros: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is still to pay to one service.

    pictures: that may be sent now, by stage. micros: what they would cost this month, without a budget. left_micros: what is left
    of the month's budget; affordable: pictures that it pays for. done_in: the month (2027-02) in which the last one can be paid
    for, None if never. Amounts are millionths of `currency`.
    """

    provider: str
    month: str
    pictures: Mapping[str, int]
    micros: int
    spent_micros: int
    budget_micros: int
    left_micros: int
    affordable: int
    done_in: str | None
    currency: str


@dataclass(frozen=True, slots=True)
class Costs:
    """costs: by provider, month, stage and feature, the newest month first. problems: stage -> why nothing is foretold of it.

    currencies: of the providers in `costs`, where they are known.
    """

    costs: Sequence[MonthlyCost]
    currencies: Mapping[str, str]
    forecasts: Sequence[Forecast]
    problems: Mapping[str, str]


def costs(library: Library, month: str | None = None, *, at: float | None = None) -> Costs:
    """Return the costs of all months or of one (2026-11), and what the waiting pictures would cost. at: now, for tests."""
    at = time.time() if at is None else at
    waits: dict[str, list[Wait]] = {}
    services: dict[str, Service] = {}
    problems: dict[str, str] = {}
    for stage in SETTINGS:
        try:
            paid = {
                name: one
                for name, one in services_of(library, stage, providers_of(library, stage)).items()
                if one.provider.sends or one.price.micros_per_1000
            }
            asked = _asked(library, stage) if paid else []
        except PhotoIndexError as error:
            problems[stage] = str(error)
            continue
        services |= paid
        for one in asked:
            if one.model in paid:
                features = paid[one.model].provider.features[stage]
                waits.setdefault(one.model, []).append(Wait(stage, one.pending, features))
    with library.database.read() as connection:
        known = ledger.costs(connection, month)
        state = {name: _so_far(connection, name, ledger.month_of(at)) for name in services}
    forecasts = [
        forecast(name, service.price, service.budget, waits.get(name, []), state[name])
        for name, service in services.items()
    ]
    return Costs(known, _currencies(library, {one.provider for one in known}), forecasts, problems)


def _currencies(library: Library, names: Collection[str]) -> dict[str, str]:
    found = {}
    for name in names:
        # A package that is no longer installed has left its costs.
        with suppress(ConfigError):
            found[name] = service_of(library, name, name).price.currency
    return found


def _asked(library: Library, stage: str) -> list[ServiceSummary]:
    """Return what the services of a stage would be asked now."""
    of_stage = next(one for one in STAGES if one.name == stage)
    chain = Chain(library, of_stage, ChainRequest(dry_run=True), ignore_events)
    nothing = StageFigures(**figures(LOCAL, RunTally(), 1))
    found = chain.run(
        lambda: Local(lambda _chosen, _left: (nothing, 0), lambda: _local_variant(library, stage)), lambda: False
    )
    return [one for one in found if isinstance(one, ServiceSummary)]


def _local_variant(library: Library, stage: str) -> Mapping[str, object]:
    if stage == "caption":
        return chosen_captioner(library).variant
    if stage == "ocr":
        return preview_variant(library)
    return zero_shot_work(library).variant if stage == "tags" else sensitive_works(library)[0].variant


def _so_far(connection: Connection, provider: str, month: str) -> SoFar:
    own = [one for one in ledger.costs(connection, month) if one.provider == provider]
    units: dict[str, int] = {}
    for one in own:
        units[one.feature] = units.get(one.feature, 0) + one.units
    return SoFar(month, units, sum(one.micros for one in own))


def forecast(provider: str, price: Price, budget: int, waits: Sequence[Wait], so_far: SoFar) -> Forecast:
    """Return what waiting pictures cost after what was used this month.

    The stages are paid for in their order, as far as a month's budget goes, then from the next month's.
    """
    whole = _paid(price, so_far.units, [(one, one.pictures) for one in waits])[0]
    left = list(waits)
    now, used, cost, affordable = so_far.month, dict(so_far.units), so_far.micros, 0
    for number in range(_MONTHS_MAX):
        left, used, cost, paid_for = _one_month(price, budget, left, used, cost)
        affordable = paid_for if number == 0 else affordable
        if not left or (number > 0 and not paid_for):
            break
        now, used, cost = _next_month(now), {}, 0
    return Forecast(
        provider=provider,
        month=so_far.month,
        pictures={one.stage: one.pictures for one in waits},
        micros=whole,
        spent_micros=so_far.micros,
        budget_micros=budget,
        left_micros=max(0, budget - so_far.micros),
        affordable=affordable,
        done_in=None if left else now,
        currency=price.currency,
    )


def _one_month(
    price: Price, budget: int, waits: Sequence[Wait], used: dict[str, int], cost: int
) -> tuple[list[Wait], dict[str, int], int, int]:
    """Return what is left after a month, its units and cost, and how many pictures it pays for."""
    left: list[Wait] = []
    paid_for = 0
    for wait in waits:
        number = _affordable(price, budget - cost, wait, used)
        more, used = _paid(price, used, [(wait, number)])
        cost += more
        paid_for += number
        if number < wait.pictures:
            left.append(Wait(wait.stage, wait.pictures - number, wait.features))
    return left, used, cost, paid_for


def _affordable(price: Price, money: int, wait: Wait, used: Mapping[str, int]) -> int:
    """Return how many pictures of a stage an amount pays for."""
    least, most = 0, wait.pictures
    while least < most:
        middle = (least + most + 1) // 2
        if _paid(price, used, [(wait, middle)])[0] <= money:
            least = middle
        else:
            most = middle - 1
    return least


def _paid(price: Price, used: Mapping[str, int], pictures: Sequence[tuple[Wait, int]]) -> tuple[int, dict[str, int]]:
    """Return what pictures cost, and the units that are used then."""
    after = dict(used)
    for wait, number in pictures:
        for feature in wait.features:
            after[feature] = after.get(feature, 0) + number
    return sum(price.of(after[one]) - price.of(used.get(one, 0)) for one in after), after


def _next_month(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12:04}-{number % 12 + 1:02}"
