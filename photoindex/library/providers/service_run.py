"""One run of a service over the pictures of a stage: which may be sent, what came back, what it cost."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from photoindex.durations import seconds_since_boot
from photoindex.errors import ProviderFailed
from photoindex.library.handle import Library
from photoindex.library.logs import both, log_events
from photoindex.library.providers.results import CheckedProvider
from photoindex.library.providers.rules import remedy_of, rules_of, stage_not_done
from photoindex.library.providers.settings import Service
from photoindex.library.stage_counting import CountingWriter
from photoindex.library.stage_figures import StageFigures, figures, outcome
from photoindex.library.stage_run import (
    NEVER_PLANNED,
    StageRequest,
    StageRun,
    StageSetup,
    Stop,
    count_to_do,
    stage_lock,
    variant_of,
)
from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.pipeline.run.asset_work import Writer
from photoindex.pipeline.run.runner import RunTally
from photoindex.pipeline.run.services import Patience, ServiceCalls
from photoindex.pipeline.run.spending import Purse
from photoindex.progress import EventSink
from photoindex.providers.base import OpenProvider
from photoindex.stages.base import Needs, Stage
from photoindex.store.night import ledger
from photoindex.store.night.ledger import Account
from photoindex.store.night.withheld import Rules, withheld
from photoindex.store.tasks import asset_tasks, queue
from photoindex.store.words.labels import LabelWriter
from photoindex.store.words.texts import TextWriter
from photoindex.types import Label, Result, Text

_CHECKED_AT_ONCE = 64
"""Pictures that are claimed together; whether they may be sent is checked once more then."""
_OF_TEXTS = ("caption", "ocr")
"""Stages whose results are texts, with the kind of these; those of the others are labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSummary(StageFigures):
    """What a run of one service did.

    stage: for which it was asked. pictures: answered. found: labels that are shown, or texts. kept_back: reason -> pictures that no
    service may see. unanswered: pictures for which the service gave no answer. calls: that may have been billed. micros: their
    price; month_micros: what the service has cost this month, budget_micros: what it may cost; all in millionths of
    `currency`. refused: why the run ended early, empty if it did not. remedies: what to do about stages that pictures wait for.
    """

    stage: str
    pictures: int
    found: int
    kept_back: Mapping[str, int]
    unanswered: int = 0
    calls: int = 0
    micros: int = 0
    month_micros: int = 0
    budget_micros: int
    currency: str
    refused: str = ""
    remedies: Sequence[str] = ()


@dataclass(slots=True)
class _Counted:
    """What a run has stored. threshold: least confidence of a label that is shown, 0 to 1."""

    threshold: float
    pictures: int = 0
    found: int = 0

    def add(self, asset_id: int, results: Sequence[Result]) -> None:  # noqa: ARG002
        """Count the results of one content."""
        self.pictures += 1
        self.found += sum(
            isinstance(one, Text) or (isinstance(one, Label) and one.confidence >= self.threshold) for one in results
        )


@dataclass(slots=True)
class ServiceRun:
    """Asks a service about pictures, once. asked: the only contents that may be asked about, None: all that represent a photo."""

    library: Library
    stage: Stage
    service: Service
    emit: EventSink
    asked: Collection[int] | None = None
    patience: Patience | None = None
    kept_back: dict[int, str] = field(default_factory=dict)
    unanswered: Collection[int] = ()
    owner: str = field(default_factory=queue.new_owner)
    _counted: _Counted = field(init=False)
    _rules: Rules | None = field(init=False)

    def __post_init__(self) -> None:
        self._counted = _Counted(self.library.config.ai_confidence_threshold / 100)
        self._rules = rules_of(self.library) if self.service.provider.sends else None
        # What a service sees is the preview, whatever a model of this computer reads.
        self.stage = replace(self.stage, needs=Needs.PREVIEW, after="", open="")

    @property
    def variant(self) -> dict[str, object]:
        """Everything that changes the results, for the variant's key."""
        name = self.service.name
        own: dict[str, object] = {"provider": name, "model": name, "code": self.service.provider.code_version}
        return own | ({"picture": {"of": "preview"}} if self.stage.name == "ocr" else {})

    def dry_run(self) -> ServiceSummary:
        """Return a summary whose `pending` says how many pictures would be sent."""
        pending = count_to_do(self.library, self.stage, self.variant, chosen=self._chosen)
        return replace(self._summary(RunTally()), pending=pending, dry_run=True)

    def run(self, provider: OpenProvider, request: StageRequest, stop: Stop) -> ServiceSummary:
        """Ask about pictures. A service that refuses or a budget that is spent is in the summary, and no error."""
        started = seconds_since_boot()
        refused = ""
        calls = ServiceCalls(
            self.service.name,
            CheckedProvider(provider),
            self.stage.name,
            Purse(self.library.database, self.account),
            at_once=self.library.config.providers.concurrency,
            patience=self.patience,
        )
        with stage_lock(self.library, self.stage) as log:
            emit = both(self.emit, log_events(log, self.stage.name))
            run = StageRun(self.library, self._setup(calls), request, emit, log, started)
            run.plan()
            try:
                run.run_tasks(stop)
            except ProviderFailed as error:
                refused = str(error)
            done = run.summary(stop)
            refused = refused or (calls.refused if done.pending else "")
            summary = replace(
                self._summary(run.tally),
                **outcome(done, started),
                unanswered=len(calls.unanswered),
                calls=calls.calls,
                refused=refused,
            )
            log.info("asked", extra={"action": self.stage.name, **asdict(summary)})
        self.unanswered = calls.unanswered
        return summary

    @property
    def account(self) -> Account:
        """Whose calls the ledger counts."""
        service = self.service
        features = tuple(service.provider.features[self.stage.name])
        return Account(service.name, self.stage.name, self.owner, features, service.price.of, service.budget)

    def passed_on(self) -> set[int]:
        """Return the contents that the next provider is asked about: not sent, not answered, or refused."""
        with self.library.database.read() as connection:
            variant_id = queue.find_variant(connection, self.stage.name, self.variant)
            known = NEVER_PLANNED if variant_id is None else variant_id
            failed = asset_tasks.failed_or_given_up(connection, variant_of(self.stage, known))
        found = failed.union(self.kept_back, self.unanswered)
        return found if self.asked is None else found & set(self.asked)

    def _setup(self, calls: ServiceCalls) -> StageSetup:
        return StageSetup(
            stage=self.stage,
            variant=self.variant,
            opening=lambda: None,
            executor=calls,
            writer=self._writer,
            phase=f"asking {self.service.name}",
            batch_size=_CHECKED_AT_ONCE,
            threads=1,
            inputs=self._inputs,
            chosen=self._chosen,
        )

    def _chosen(self, connection: Connection, variant_id: int) -> list[int]:
        of = variant_of(self.stage, variant_id)
        if self.asked is None:
            wanted = asset_tasks.to_ask(connection, of)
        else:
            wanted = asset_tasks.unfinished_among(connection, of, self.asked)
        self.kept_back = self._withheld(connection, wanted)
        return [one for one in wanted if one not in self.kept_back]

    def _inputs(self, connection: Connection, asset_ids: Sequence[int]) -> dict[int, str]:
        """Return the previews of contents that may still be sent: a person may have said since what they show."""
        held = self._withheld(connection, asset_ids)
        self.kept_back |= held
        known = asset_tasks.digests(connection, [one for one in asset_ids if one not in held])
        return {one: str(preview_path(self.library.derived_folder, digest)) for one, digest in known.items()}

    def _withheld(self, connection: Connection, asset_ids: Sequence[int]) -> dict[int, str]:
        return {} if self._rules is None else withheld(connection, asset_ids, self._rules)

    def _writer(self, connection: Connection, variant_id: int) -> CountingWriter:
        """Return a writer whose results take the place of those of an earlier version of the same service."""
        earlier = tuple(
            one
            for one, key in queue.variants(connection, self.stage.name).items()
            if one != variant_id and json.loads(key).get("provider") == self.service.name
        )
        writer: Writer
        if self.stage.name in _OF_TEXTS:
            writer = TextWriter(self.stage.name, variant_id, replaces=earlier)
        else:
            writer = LabelWriter(self.stage.name, variant_id, self._counted.threshold, earlier)
        return CountingWriter(writer, self._counted)

    def _summary(self, tally: RunTally) -> ServiceSummary:
        with self.library.database.read() as connection:
            spent = ledger.spent_by(connection, self.owner)
            of_month = ledger.committed(connection, self.account, at=time.time())
        kept_back = dict(sorted(Counter(self.kept_back.values()).items()))
        own: dict[str, Any] = figures(self.service.name, tally, self.library.config.providers.concurrency)
        return ServiceSummary(
            **own,
            stage=self.stage.name,
            pictures=self._counted.pictures,
            found=self._counted.found,
            kept_back=kept_back,
            micros=spent,
            month_micros=of_month,
            budget_micros=self.service.budget,
            currency=self.service.price.currency,
            remedies=[
                remedy_of(self.library, stage) for one in kept_back if (stage := stage_not_done(one)) is not None
            ],
        )
