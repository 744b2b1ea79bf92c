"""The executor for services, without a network: what it holds, returns and pays for."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from photoindex.errors import ProviderFailed
from photoindex.pipeline.run.executor import Completed, Job
from photoindex.pipeline.run.services import ServiceCalls, pixels_only
from photoindex.stages.base import UnreadablePreview
from photoindex.store.night.ledger import Reservation
from photoindex.types import Label, Result


@dataclass
class Purse:
    """Money in memory. left: calls that may still be reserved."""

    left: int
    spent: int = 0

    def reserve(self, calls: int) -> Reservation | None:
        calls = min(calls, self.left)
        self.left -= calls
        return Reservation("2026-11", calls, ()) if calls else None

    def settle(self, reservation: Reservation, spent: int) -> None:
        self.spent += spent
        self.left += reservation.calls - spent


@dataclass
class Provider:
    """Answers when it may. fails: raises this instead."""

    may_answer: threading.Event = field(default_factory=threading.Event)
    fails: Exception | None = None
    runs_on: str = "here"

    def ask(self, jpeg: bytes, stage: str) -> tuple[Result, ...]:
        assert self.may_answer.wait(20)
        if self.fails is not None:
            raise self.fails
        return (Label("dog", 0.9, 0.9),)


@contextmanager
def asking(provider: Provider, purse: Purse) -> Iterator[ServiceCalls]:
    with ServiceCalls("service", provider, "tags", purse, at_once=2) as calls:  # type: ignore[arg-type]
        try:
            yield calls
        finally:
            provider.may_answer.set()


def collected(calls: ServiceCalls) -> list[Completed]:
    """Wait for the next batches."""
    found: list[Completed] = []
    while not found:
        found = calls.collect(1)
    return found


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    path = tmp_path / "preview.jpg"
    Image.new("RGB", (40, 30)).save(path)
    return [Job(number, number, 1, str(path)) for number in range(6)]


def test_no_more_tasks_are_wanted_while_the_last_calls_that_can_be_paid_for_are_under_way(jobs: list[Job]) -> None:
    provider, purse = Provider(), Purse(2)
    with asking(provider, purse) as calls:
        calls.submit(jobs[:3])
        calls.submit(jobs[3:])
        for _ in range(3):
            assert calls.collect(0.01) == []
            assert calls.batches_running == calls.batches_at_once
        provider.may_answer.set()
        (completed,) = collected(calls)
        assert [one.job.task_id for one in completed.finished] == [0, 1]
        with pytest.raises(ProviderFailed, match="the budget of this month is spent"):
            calls.collect(1)
    assert (purse.spent, purse.left) == (2, 0)


def test_an_error_of_the_provider_itself_ends_the_run_and_counts_as_billed(jobs: list[Job]) -> None:
    provider, purse = Provider(fails=ZeroDivisionError()), Purse(10)
    provider.may_answer.set()
    with asking(provider, purse) as calls:
        calls.submit(jobs[:2])
        with pytest.raises(ZeroDivisionError):
            collected(calls)
    assert purse.spent == 2


def test_what_is_dropped_at_the_end_is_not_paid_for(jobs: list[Job]) -> None:
    provider, purse = Provider(), Purse(10)
    with asking(provider, purse) as calls:
        calls.submit(jobs)
        calls.finish()
    assert purse.spent <= 2  # the calls that were being made
    assert purse.left + purse.spent == 10


def test_a_preview_that_is_damaged_costs_nothing(jobs: list[Job], tmp_path: Path) -> None:
    (tmp_path / "preview.jpg").write_bytes(b"\xff\xd8 no picture")
    provider, purse = Provider(), Purse(10)
    with asking(provider, purse) as calls:
        calls.submit(jobs[:1])
        (completed,) = collected(calls)
    (finished,) = completed.finished
    assert finished.failure is not None
    assert finished.failure.error_class == "preview_damaged"
    assert (purse.spent, purse.left) == (0, 10)


def test_pixels_alone_are_left_of_a_preview() -> None:
    picture = Image.new("RGB", (40, 30), (200, 30, 30))
    exif: Any = picture.getexif()
    exif[0x010E] = "a secret"
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=exif, comment=b"a secret", icc_profile=b"a secret", xmp=b"a secret")
    assert stream.getvalue().count(b"a secret") == 4
    plain = pixels_only(stream.getvalue() + b"a secret behind the end")
    assert b"secret" not in plain
    with Image.open(io.BytesIO(plain)) as read:
        assert (read.size, read.mode) == ((40, 30), "RGB")
    with pytest.raises(UnreadablePreview):
        pixels_only(b"a secret")
