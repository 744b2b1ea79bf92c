"""Reads the text in all pictures: in their previews, and where these show text once more in their originals."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial

from sqlalchemy import Connection

from photoindex.durations import seconds_since_boot
from photoindex.library.handle import Library
from photoindex.library.logs import both, log_events
from photoindex.library.originals.larger import LargerOriginals
from photoindex.library.stage_counting import CountingWriter
from photoindex.library.stage_figures import StageFigures, figures, outcome, threads_or_all
from photoindex.library.stage_run import (
    NEVER_PLANNED,
    Chosen,
    StageRequest,
    StageRun,
    StageSetup,
    StageSummary,
    count_to_do,
    stage_lock,
)
from photoindex.library.words.reader_choice import command_to_read, find_reader, reader_of
from photoindex.paths import to_text
from photoindex.pipeline.run.runner import RunTally
from photoindex.progress import EventSink
from photoindex.stages import ocr as stage
from photoindex.stages.base import Needs
from photoindex.stages.ocr import KIND, STAGE, Opening
from photoindex.store.search.targets import path_of_content
from photoindex.store.tasks import queue
from photoindex.store.tasks.asset_tasks import StageVariant
from photoindex.store.words import read_texts
from photoindex.store.words.texts import TextWriter
from photoindex.types import MoreThere, Result, Text

LOOKS_PX = (1024,)
"""Longer side at which a preview is looked through for text."""
LONGEST_PX = 3000
"""Longest side of the originals that are decoded; lines are read at this size."""
CLOSE_LOOKS_PX = (1024, 2048)
"""Longer sides at which an original is looked through: small letters are seen at the larger one, large ones at the smaller one."""
PREVIEW: Mapping[str, object] = {"of": "preview", "looks_px": list(LOOKS_PX)}
ORIGINAL: Mapping[str, object] = {"of": "original", "longest_px": LONGEST_PX, "looks_px": list(CLOSE_LOOKS_PX)}
_ORIGINALS_AT_ONCE = 2
"""Pictures per batch; these are nine times as large as previews."""


@dataclass(frozen=True, slots=True)
class OcrRequest:
    """What to read; language, device and batch size are settings (`ocr.*`).

    limit: maximum number of pictures, previews and originals together. window_seconds: no batch starts later than this
    after the start. previews_only: read no originals. open: as in `Stage`. chosen: the only previews to read, as of `StageSetup`.
    """

    limit: int | None = None
    window_seconds: float | None = None
    dry_run: bool = False
    previews_only: bool = False
    open: str = STAGE.open
    chosen: Chosen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrSummary(StageFigures):
    """What a run did.

    previews, originals: pictures looked through. with_text: previews that show any. lines: that were read in previews;
    original_lines: those in originals, which take their place. limited:
    pictures with more text than is kept of one; limited_path: of one of them, with bytes that are not UTF-8 as surrogates.
    originals_left: known originals of pictures with text that are still to be read. offline: label of a volume that is not mounted -> originals left out; without_file: originals left
    out because their files are missing.
    """

    previews: int
    with_text: int
    lines: int
    originals: int
    original_lines: int
    limited: int = 0
    limited_path: str | None = None
    originals_left: int = 0
    offline: Mapping[str, int] = field(default_factory=dict)
    without_file: int = 0


def ocr(library: Library, request: OcrRequest, emit: EventSink, stop: Callable[[], bool] = lambda: False) -> OcrSummary:
    """Read the text in all contents with a preview that were not read yet.

    Raises ModelUnavailable, DeviceFailed, LibraryLocked, StorageFull; finished work is kept.
    """
    reader, weights = find_reader(library)
    opening = Opening(reader, library.config.ocr.device, LOOKS_PX)
    run = _Run(library, request, opening, reader_of(library), weights, emit)
    if request.dry_run:
        return run.dry_run()
    with stage_lock(library, STAGE) as log:
        run.emit, run.log = both(emit, log_events(log, STAGE.name)), log
        summary = run.run(stop)
        log.info("read text", extra={"action": STAGE.name, **asdict(summary)})
    return summary


def preview_variant(library: Library) -> dict[str, object]:
    """Return the variant of reading previews with the reader of the settings. Raises ModelUnavailable."""
    return stage.variant(reader=reader_of(library), weights=find_reader(library)[1], picture=PREVIEW)


@dataclass(slots=True)
class _Counted:
    """What one pass of a run has stored."""

    pictures: int = 0
    with_text: int = 0
    lines: int = 0
    limited: int = 0
    limited_asset: int | None = None

    def add(self, asset_id: int, results: Sequence[Result]) -> None:
        """Count the results of one content."""
        self.pictures += 1
        for one in results:
            if isinstance(one, Text):
                self.with_text += bool(one.text)
                self.lines += sum(bool(line.text) for line in one.lines)
            elif isinstance(one, MoreThere):
                self.limited += 1
                self.limited_asset = asset_id


@dataclass(slots=True)
class _Run:
    library: Library
    request: OcrRequest
    opening: Opening
    reader: str
    weights: str
    emit: EventSink
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))
    started: float = field(default_factory=seconds_since_boot)
    previews: _Counted = field(default_factory=_Counted)
    originals: _Counted = field(default_factory=_Counted)

    def dry_run(self) -> OcrSummary:
        """Return how much is left."""
        larger = self._larger()
        with self.library.database.read() as connection:
            left = len(larger.chosen(connection, self._known_variant(connection, ORIGINAL)))
        summary = replace(self._summary(RunTally(), larger), dry_run=True, originals_left=left)
        return replace(
            summary, pending=count_to_do(self.library, STAGE, self._variant(PREVIEW), chosen=self.request.chosen)
        )

    def run(self, stop: Callable[[], bool]) -> OcrSummary:
        """Read previews, then originals."""
        first = StageRun(self.library, self._setup(), self._request(0), self.emit, self.log, self.started)
        if first.plan():
            first.run_tasks(stop)
        done = first.summary(stop)
        larger = self._larger()
        if self.request.previews_only or done.stopped or done.window_ended:
            with self.library.database.read() as connection:
                left = len(larger.chosen(connection, self._known_variant(connection, ORIGINAL)))
            return self._finished(first.tally, larger, done, left)
        second = StageRun(
            self.library, self._close_setup(larger), self._request(first.tally.done), self.emit, self.log, self.started
        )
        if second.plan():
            second.run_tasks(stop)
        then = second.summary(stop)
        both_done = replace(done, stopped=then.stopped, window_ended=then.window_ended)
        return self._finished(_added(first.tally, second.tally), larger, both_done, then.pending)

    def _request(self, done: int) -> StageRequest:
        limit = None if self.request.limit is None else max(0, self.request.limit - done)
        return StageRequest(limit, self.request.window_seconds)

    def _finished(
        self, tally: RunTally, larger: LargerOriginals, done: StageSummary, originals_left: int
    ) -> OcrSummary:
        return replace(
            self._summary(tally, larger),
            originals_left=originals_left,
            **outcome(done, self.started),
        )

    def _variant(self, picture: Mapping[str, object]) -> dict[str, object]:
        return stage.variant(reader=self.reader, weights=self.weights, picture=picture)

    def _known_variant(self, connection: Connection, picture: Mapping[str, object]) -> int:
        found = queue.find_variant(connection, STAGE.name, self._variant(picture))
        return NEVER_PLANNED if found is None else found

    def _setup(self) -> StageSetup:
        config = self.library.config.ocr
        command = command_to_read(self.library, self.reader).removeprefix("photoindex ")
        return StageSetup(
            stage=replace(STAGE, open=self.request.open, command=command),
            variant=self._variant(PREVIEW),
            opening=lambda: self.opening,
            writer=partial(self._writer, self.previews),
            phase="reading text",
            batch_size=config.batch_size,
            threads=threads_or_all(config.decode_threads),
            chosen=self.request.chosen,
        )

    def _close_setup(self, larger: LargerOriginals) -> StageSetup:
        setup = self._setup()
        return replace(
            setup,
            stage=replace(setup.stage, needs=Needs.ORIGINAL),
            variant=self._variant(ORIGINAL),
            opening=lambda: replace(self.opening, looks_px=CLOSE_LOOKS_PX),
            writer=partial(self._writer, self.originals),
            phase="reading text in originals",
            batch_size=min(setup.batch_size, _ORIGINALS_AT_ONCE),
            inputs=larger.inputs,
            chosen=larger.chosen,
            around=larger.around,
        )

    def _writer(self, counted: _Counted, connection: Connection, variant_id: int) -> CountingWriter:
        """Return a writer whose texts take the place of what the same reader found before, in either picture."""
        own = [queue.ensure_variant(connection, STAGE.name, self._variant(one)) for one in (PREVIEW, ORIGINAL)]
        earlier = [
            one
            for one, key in queue.variants(connection, STAGE.name).items()
            if one not in own and json.loads(key).get("model") == self.reader
        ]
        other = tuple(one for one in own if one != variant_id)
        return CountingWriter(TextWriter(KIND, variant_id, replaces=tuple(earlier), stands_for=other), counted)

    def _larger(self) -> LargerOriginals:
        return LargerOriginals(self.library, LONGEST_PX, self._with_text)

    def _with_text(self, connection: Connection, variant_id: int) -> list[tuple[int, int | None]]:
        return read_texts.contents_with_text(
            connection,
            preview_px=self.library.config.derived.preview_px,
            found_by=StageVariant(STAGE.name, self._known_variant(connection, PREVIEW)),
            without_task=StageVariant(STAGE.name, variant_id),
        )

    def _summary(self, tally: RunTally, larger: LargerOriginals) -> OcrSummary:
        config = self.library.config.ocr
        limited = self.originals.limited_asset or self.previews.limited_asset
        with self.library.database.read() as connection:
            path = None if limited is None else path_of_content(connection, limited)
        return OcrSummary(
            **figures(self.reader, tally, threads_or_all(config.decode_threads)),
            previews=self.previews.pictures,
            with_text=self.previews.with_text,
            lines=self.previews.lines,
            originals=self.originals.pictures,
            original_lines=self.originals.lines,
            limited=self.previews.limited + self.originals.limited,
            limited_path=None if path is None else to_text(path),
            offline=dict(larger.offline),
            without_file=larger.without_file,
        )


def _added(first: RunTally, second: RunTally) -> RunTally:
    """Return what two runs did together."""
    total = RunTally(runs_on=second.runs_on or first.runs_on)
    for one in (first, second):
        for name in _COUNTS:
            setattr(total, name, getattr(total, name) + getattr(one, name))
        for step, seconds in one.steps.items():
            total.add(step, seconds)
        if one.smallest_batch is not None:
            total.smallest_batch = min(total.smallest_batch or one.smallest_batch, one.smallest_batch)
    return total


_COUNTS = tuple(one.name for one in fields(RunTally) if one.name not in ("steps", "smallest_batch", "runs_on"))
