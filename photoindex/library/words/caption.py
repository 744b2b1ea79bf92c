"""Captions: describes in words all pictures that a model has not described yet."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from photoindex.domain.words.answer_language import is_in
from photoindex.domain.words.captions import PARSER, NotACaption, caption_of
from photoindex.durations import seconds_since_boot
from photoindex.errors import PhotoIndexError
from photoindex.library.handle import Library
from photoindex.library.logs import both, log_events
from photoindex.library.stage_counting import CountingWriter
from photoindex.library.stage_figures import StageFigures, figures, outcome, threads_or_all
from photoindex.library.stage_run import Chosen, StageRequest, StageRun, StageSetup, count_to_do, stage_lock
from photoindex.library.words.captioner import CaptionerChoice, chosen_captioner
from photoindex.library.words.model_choice import command_to_caption
from photoindex.paths import shell_word
from photoindex.pipeline.run.runner import RunTally
from photoindex.progress import EventSink, Notice
from photoindex.stages.caption import KIND, STAGE
from photoindex.store.tasks import asset_tasks, queue
from photoindex.store.words import texts
from photoindex.store.words.texts import Answer, TextWriter
from photoindex.types import Result, Text

PHASE = "describing"
_COUNTED_MAX = 10_000
_SAME_LEAST = 20
_SAME_SHARE = 0.9
"""A sentence said of so large a share of at least so many pictures is no description of any of them."""

_WORD = re.compile(r"\w+")
_WORDS_OF_QUERY = 8


@dataclass(frozen=True, slots=True)
class CaptionRequest:
    """What to describe; model, endpoint, prompt, device and batch size are settings (`caption.*`).

    limit: maximum number of pictures. window_seconds: no batch starts later than this after the start. open: as in
    `Stage`, for a captioner other than the chosen one. hang_seconds: see `ModelProcess`. chosen: as of `StageSetup`.
    """

    limit: int | None = None
    window_seconds: float | None = None
    dry_run: bool = False
    open: str | None = None
    hang_seconds: float | None = None
    chosen: Chosen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionSummary(StageFigures):
    """What a run did.

    captions: number of new captions. untested: the model runs code of its own. example: the last of them. reread: stored answers that a new version of the parser
    read again. same: how many captions are the most frequent sentence, if that is suspicious, else 0;
    same_text: that sentence. other_language: captions that are clearly not in the language that was asked for.
    """

    captions: int
    untested: bool = False
    example: str | None = None
    reread: int = 0
    language: str
    same: int = 0
    same_text: str | None = None
    other_language: int = 0


def caption(
    library: Library, request: CaptionRequest, emit: EventSink, stop: Callable[[], bool] = lambda: False
) -> CaptionSummary:
    """Describe all contents with a preview that the model has not described yet.

    Raises ModelUnavailable, DeviceFailed, ProviderFailed, LibraryLocked, StorageFull; finished work is kept.
    """
    started = seconds_since_boot()
    if request.dry_run:
        choice = chosen_captioner(library)
        pending = count_to_do(library, STAGE, choice.variant, chosen=request.chosen)
        return replace(_summary(library, choice, RunTally(), _Counted(choice.language)), pending=pending, dry_run=True)
    with stage_lock(library, STAGE) as log:
        reread = _read_answers_again(library)
        try:
            choice = chosen_captioner(library)
        except PhotoIndexError:
            if reread:
                emit(Notice(f"{reread:,} of the stored answers read again by a newer version of photoindex"))
            raise
        run = _Run(library, request, choice, both(emit, log_events(log, STAGE.name)), log)
        summary = replace(run.run(stop, started), reread=reread)
        log.info("described", extra={"action": STAGE.name, **asdict(summary)})
    return summary


def _read_answers_again(library: Library) -> int:
    """Make the captions of stored answers with this version of the parser, and return how many.

    Where an answer is no caption any more, its caption is removed, and the model is asked again.
    """
    done = 0
    last: Answer | None = None
    while True:
        with library.database.write() as connection:
            answers = texts.parsed_before(connection, KIND, PARSER, last)
            if not answers:
                return done
            read = [(answer, _caption_or_nothing(answer.raw)) for answer in answers]
            texts.reparse(connection, KIND, read, parser=PARSER)
            _ask_again(connection, [answer for answer, text in read if not text])
        done += len(answers)
        last = answers[-1]


def _caption_or_nothing(raw: str) -> str:
    try:
        return caption_of(raw)
    except NotACaption:
        return ""


def _ask_again(connection: Connection, answers: Sequence[Answer]) -> None:
    for answer in answers:
        asset_tasks.reset_done(connection, answer.asset_id, STAGE.name, answer.variant_id)


@dataclass(slots=True)
class _Counted:
    """What a run has stored. language: in which the model was asked to answer."""

    language: str
    captions: int = 0
    other_language: int = 0
    last: str | None = None
    sentences: Counter[str] = field(default_factory=Counter)

    def add(self, asset_id: int, results: Sequence[Result]) -> None:  # noqa: ARG002
        """Count the captions of one content; the frequency of sentences only in the first ten thousand."""
        for one in results:
            if not isinstance(one, Text):
                continue
            self.captions += 1
            self.last = one.text
            self.other_language += not is_in(one.text, self.language)
            if self.captions <= _COUNTED_MAX:
                self.sentences[one.text] += 1

    @property
    def same(self) -> tuple[str, int] | None:
        """The sentence that was said of nearly all pictures and how often, None if there is none."""
        counted = self.sentences.total()
        ((text, number),) = self.sentences.most_common(1) or [("", 0)]
        return (text, number) if counted >= _SAME_LEAST and number >= _SAME_SHARE * counted else None


@dataclass(slots=True)
class _Run:
    library: Library
    request: CaptionRequest
    choice: CaptionerChoice
    emit: EventSink
    log: logging.Logger

    def run(self, stop: Callable[[], bool], started: float) -> CaptionSummary:
        counted = _Counted(self.choice.language)
        request = StageRequest(self.request.limit, self.request.window_seconds)
        run = StageRun(self.library, self._setup(counted), request, self.emit, self.log, started)
        if run.plan():
            run.run_tasks(stop)
        self._warn(counted)
        summary = run.summary(stop)
        return replace(
            _summary(self.library, self.choice, run.tally, counted),
            **outcome(summary, started),
        )

    def _setup(self, counted: _Counted) -> StageSetup:
        config = self.library.config.caption
        command = command_to_caption(self.library, self.choice.model).removeprefix("photoindex ")

        def writer(connection: Connection, variant_id: int) -> CountingWriter:
            replaced = tuple(number for number in _same_model(connection, self.choice.variant) if number != variant_id)
            return CountingWriter(TextWriter(KIND, variant_id, parser=PARSER, replaces=replaced), counted)

        return StageSetup(
            stage=replace(STAGE, open=self.request.open or self.choice.open, command=command),
            variant=self.choice.variant,
            opening=lambda: self.choice.opening,
            writer=writer,
            phase=PHASE,
            batch_size=self.choice.round_size,
            threads=threads_or_all(config.decode_threads),
            hang_seconds=self.request.hang_seconds or self.choice.hang_seconds,
            chosen=self.request.chosen,
        )

    def _warn(self, counted: _Counted) -> None:
        same = counted.same
        if same is not None:
            self.emit(
                Notice(
                    f"{same[1]:,} of {counted.sentences.total():,} pictures got the same caption, '{same[0]}': the model may "
                    f"not see the pictures, or not fit the prompt; look at them with: photoindex caption list "
                    f"{_query_of(same[0])}; then set another caption.prompt, or choose another model: photoindex models list",
                    "warning",
                )
            )
        if counted.other_language:
            self.emit(
                Notice(
                    f"{counted.other_language:,} of {counted.captions:,} captions are not in the language that was asked for "
                    f"({counted.language})",
                    "warning",
                )
            )


def _query_of(caption: str) -> str:
    """Return the query, as a word of a shell, that finds photos by the beginning of their caption."""
    words = " ".join(_WORD.findall(caption)[:_WORDS_OF_QUERY])
    return shell_word(f'caption:"{words}"'.encode())


def _same_model(connection: Connection, variant: Mapping[str, Any]) -> list[int]:
    """Return the variants of the stage with the model and language of this one."""
    return [
        number
        for number, key in queue.variants(connection, STAGE.name).items()
        if _identity(json.loads(key)) == _identity(variant)
    ]


def _identity(variant: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what a caption is told apart by: another prompt of the same model takes the place of the one before."""
    return variant.get("model"), variant.get("language"), bool(variant.get("weights"))


def _summary(library: Library, choice: CaptionerChoice, tally: RunTally, counted: _Counted) -> CaptionSummary:
    same = counted.same
    return CaptionSummary(
        **figures(choice.model, tally, threads_or_all(library.config.caption.decode_threads)),
        captions=counted.captions,
        untested=choice.untested,
        example=counted.last,
        language=choice.language,
        same=0 if same is None else same[1],
        same_text=None if same is None else same[0],
        other_language=counted.other_language,
    )
