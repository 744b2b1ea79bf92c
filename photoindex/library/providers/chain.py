"""Runs the providers of a stage in turn: each is asked where the one before it fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from photoindex.durations import seconds_since_boot
from photoindex.errors import ModelUnavailable
from photoindex.library.handle import Library
from photoindex.library.providers.service_run import ServiceRun, ServiceSummary
from photoindex.library.providers.settings import check_may_send, providers_of, services_of
from photoindex.library.stage_figures import StageFigures
from photoindex.library.stage_run import NEVER_PLANNED, Chosen, StageRequest, Stop, variant_of
from photoindex.pipeline.run.services import Patience
from photoindex.progress import EventSink, Notice
from photoindex.providers.registry import LOCAL
from photoindex.stages.base import Stage
from photoindex.store.tasks import asset_tasks, queue

Summary = TypeVar("Summary", bound=StageFigures)


@dataclass(frozen=True, slots=True)
class Local(Generic[Summary]):
    """What a stage does on this computer.

    run: runs it, given the only contents to do (None: all) and the request; returns its summary and how many pictures it did.
    variant: returns the variant whose failures the next provider takes on. after_variant: as of StageVariant.
    """

    run: Callable[[Chosen | None, StageRequest], tuple[Summary, int]]
    variant: Callable[[], Mapping[str, object]]
    after_variant: int | None = None


@dataclass(frozen=True, slots=True)
class ChainRequest:
    """limit: maximum number of pictures, of all providers together. window_seconds: no call starts later than this."""

    limit: int | None = None
    window_seconds: float | None = None
    dry_run: bool = False
    patience: Patience | None = None


@dataclass(slots=True)
class Chain:
    """The providers of one stage, in turn. Raises ConfigError, ProviderFailed for one that may not send, or lacks its key."""

    library: Library
    stage: Stage
    request: ChainRequest
    emit: EventSink
    started: float = field(default_factory=seconds_since_boot)

    def run(self, local: Callable[[], Local[Summary]], stop: Stop) -> list[Summary | ServiceSummary]:
        """Run them, and return a summary of each; one that refuses or fails does not keep the next ones from their turn.

        Raises what the first one raises where it is that of this computer.
        """
        names = providers_of(self.library, self.stage.name)
        services = services_of(self.library, self.stage.name, names)
        for service in services.values():
            check_may_send(self.library, service)
        dry = self.request.dry_run
        opened = {} if dry else {name: one.provider.open(one.connection) for name, one in services.items()}
        asked: set[int] | None = None
        done = 0
        summaries: list[Summary | ServiceSummary] = []
        summary: Summary | ServiceSummary
        for name in names:
            request = self._request(done)
            if summaries and (stop() or request.limit == 0 or not asked):
                break
            if name == LOCAL:
                try:
                    here = local()
                    summary, number = here.run(self._only(asked, here.after_variant), request)
                except ModelUnavailable as error:
                    if not summaries:
                        raise
                    self.emit(Notice(f"{LOCAL}: {error}", "warning"))
                    continue
                asked = self._failed(here, asked) if name != names[-1] else None
            else:
                run = ServiceRun(self.library, self.stage, services[name], self.emit, asked, self.request.patience)
                answered = run.dry_run() if dry else run.run(opened[name], request, stop)
                summary, number = answered, answered.pictures + answered.failed + answered.quarantined
                asked = run.passed_on()
            summaries.append(summary)
            done += number
            if summary.stopped or summary.window_ended:
                break
        return summaries

    def _request(self, done: int) -> StageRequest:
        limit, window = self.request.limit, self.request.window_seconds
        return StageRequest(
            None if limit is None else max(0, limit - done),
            None if window is None else max(0.0, self.started + window - seconds_since_boot()),
        )

    def _only(self, asked: Collection[int] | None, after_variant: int | None) -> Chosen | None:
        if asked is None:
            return None

        def chosen(connection: Connection, variant_id: int) -> list[int]:
            return asset_tasks.unfinished_among(connection, variant_of(self.stage, variant_id, after_variant), asked)

        return chosen

    def _failed(self, local: Local[Any], asked: Collection[int] | None) -> set[int]:
        with self.library.database.read() as connection:
            variant_id = queue.find_variant(connection, self.stage.name, local.variant())
            known = NEVER_PLANNED if variant_id is None else variant_id
            failed = asset_tasks.failed_or_given_up(connection, variant_of(self.stage, known))
        return failed if asked is None else failed & set(asked)
