"""An unattended run on a real library with tiny models; the computer that it watches is made up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from photoindex.domain.night.patience import Machine, Patience
from photoindex.errors import DeviceFailed, LibraryLocked, ModelUnavailable, UsageError
from photoindex.library.night import run as night
from photoindex.library.night.plan import plan
from photoindex.library.night.run import RunRequest, chosen_steps
from photoindex.library.night.state import running
from photoindex.library.night.summary import NightSummary, StepResult
from photoindex.progress import Notice
from tests.harness import LibraryRunner
from tests.sleeping_computer import SleepingComputer
from tests.tiny_clip.scenes import all_scenes
from tests.tiny_faces import install_tiny_faces
from tests.tiny_model import install_tiny, write_scenes


@dataclass
class Computer:
    """A made-up computer: what it shows at each look; the last one stays."""

    shows: list[Machine] = field(default_factory=list)
    looks: int = 0
    joules: float | None = None

    def look(self, *, own_runs: bool) -> Machine:
        self.looks += 1
        self.joules = (self.joules or 0.0) + 10.0
        return self.shows.pop(0) if len(self.shows) > 1 else self.shows[0] if self.shows else Machine()


@pytest.fixture
def computer() -> Computer:
    return Computer()


STAGES = ("embed", "faces", "cluster", "tags", "index")
PHOTOS = 12
SCENES = all_scenes()


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    """A library of PHOTOS scanned pictures with models for vectors, tags and faces; batches of 2."""
    write_scenes(tmp_path / "photos", SCENES[:PHOTOS])
    runner = LibraryRunner(tmp_path / "library", settings={"embed.batch_size": 2, "faces.batch_size": 2})
    runner.scan(tmp_path / "photos")
    install_tiny(runner.folder)
    install_tiny_faces(runner.folder)
    runner.events.clear()
    return runner


def done(
    runner: LibraryRunner,
    computer: Computer,
    stop: Callable[[], bool] = lambda: False,
    stages: Sequence[str] = STAGES,
    **request: Any,
) -> NightSummary:
    wanted = RunRequest(stages=stages, watcher=lambda: computer, sample_seconds=0.0, **request)
    with runner.open() as library:
        return night.run(library, wanted, runner.events.append, stop)


def step(summary: NightSummary, name: str) -> StepResult:
    return next(one for one in summary.steps if one.name == name)


def at_once() -> Patience:
    return Patience(busy_seconds=0.0, calm_seconds=0.0)


def said(runner: LibraryRunner) -> list[str]:
    return [one.message for one in runner.events if isinstance(one, Notice)]


def test_a_run_does_everything_in_order_and_a_second_one_finds_nothing(
    runner: LibraryRunner, computer: Computer
) -> None:
    summary = done(runner, computer)
    assert summary.outcome == "done"
    assert [one.name for one in summary.steps] == list(STAGES)
    assert (step(summary, "embed").done, step(summary, "faces").done, step(summary, "tags").done) == (PHOTOS,) * 3
    assert step(summary, "embed").model == "tiny-clip"
    assert (summary.left, summary.troubles, summary.error_code) == (0, 0, None)
    assert summary.joules == 10.0 * computer.looks
    again = done(runner, computer)
    assert [one.done for one in again.steps] == [0] * len(again.steps)
    with runner.open() as library:
        assert running(library.folder) is None
    rows = runner.rows("SELECT outcome, report FROM night ORDER BY id")
    assert [outcome for outcome, _ in rows] == ["done", "done"]
    assert json.loads(rows[0][1])["steps"][0]["done"] == PHOTOS


def test_steps_have_a_fixed_order_and_scan_only_if_it_is_asked_for() -> None:
    """Sensitive pictures are told before captions are made: a service may make them, and gets no sensitive picture."""
    assert [one.name for one in chosen_steps((), scan=False)] == [
        "hash", "embed", "faces", "cluster", "sensitive", "caption", "tags", "objects", "labels", "ocr", "duplicates", "index",
    ]  # fmt: skip
    assert [one.name for one in chosen_steps(("ocr", "embed"), scan=True)] == ["scan", "embed", "ocr"]


def test_a_stage_without_a_model_is_left_out_and_says_why(runner: LibraryRunner, computer: Computer) -> None:
    summary = done(runner, computer, stages=("objects", "tags"))
    assert "no model is set" in (step(summary, "objects").skipped or "")
    assert "no pictures are embedded" in (step(summary, "tags").skipped or "")
    assert (summary.outcome, summary.left) == ("done", 0)


def test_only_the_chosen_stages_run_and_an_unknown_one_is_named(runner: LibraryRunner, computer: Computer) -> None:
    summary = done(runner, computer, stages=("tags", "embed"))
    assert [one.name for one in summary.steps] == ["embed", "tags"]
    with pytest.raises(UsageError, match="there is no stage 'embedding'; choose of scan, hash, embed"):
        done(runner, computer, stages=("embedding",))


def test_new_photos_are_found_if_a_scan_is_asked_for(runner: LibraryRunner, computer: Computer, tmp_path: Path) -> None:
    write_scenes(tmp_path / "photos", SCENES[PHOTOS : PHOTOS + 2], seed=100)
    summary = done(runner, computer, scan=True, stages=("embed",))
    assert (step(summary, "scan").done, step(summary, "embed").done) == (2, PHOTOS + 2)


def test_a_limit_counts_for_each_stage_over_all_its_passes(runner: LibraryRunner, computer: Computer) -> None:
    computer.shows = [Machine(), Machine(), Machine(on_battery=True), Machine()]
    summary = done(runner, computer, limit=5, stages=("embed",), patience=at_once)
    assert step(summary, "embed").done == 5


def test_a_closed_window_leaves_the_rest_for_the_next_run(runner: LibraryRunner, computer: Computer) -> None:
    summary = done(runner, computer, window_seconds=0.0)
    assert summary.outcome == "window"
    assert (step(summary, "embed").done, step(summary, "embed").left) == (0, PHOTOS)
    assert done(runner, computer, window_seconds=600.0).outcome == "done"
    assert done(runner, computer, window_seconds=0.0).outcome == "done", "nothing was left, so no work was cut off"


def test_a_stop_ends_the_run_after_the_batch_and_loses_nothing(runner: LibraryRunner, computer: Computer) -> None:
    stops = iter([False] * 12)
    summary = done(runner, computer, stop=lambda: next(stops, True))
    assert summary.outcome == "stopped"
    before = runner.value("SELECT count(*) FROM vector")
    assert before < PHOTOS
    rest = done(runner, computer)
    assert step(rest, "embed").done == PHOTOS - before


def test_a_run_waits_while_others_need_the_computer_and_says_why_once(
    runner: LibraryRunner, computer: Computer
) -> None:
    busy = [Machine(others_gpu=share) for share in (0.9, 0.95, 0.97)]
    computer.shows = [*busy, Machine()]
    summary = done(runner, computer, stages=("embed",), patience=at_once)
    assert summary.outcome == "done"
    assert step(summary, "embed").done == PHOTOS
    assert step(summary, "embed").waited_seconds > 0
    assert list(summary.waited) == ["other programs use the GPU"]
    waits = [line for line in said(runner) if "waiting" in line]
    assert waits[0] == "embed: waiting: other programs use the GPU (90%, the limit is 85%)"
    assert waits[1].startswith("embed: goes on after waiting for")
    assert len(waits) == 2


def test_work_that_has_begun_pauses_and_goes_on_where_it_was(runner: LibraryRunner, computer: Computer) -> None:
    """The model process ends with the pass, so that its memory is free while the run waits."""
    computer.shows = [Machine(), Machine(), Machine(on_battery=True), Machine(on_battery=True), Machine()]
    summary = done(runner, computer, stages=("embed",), patience=at_once)
    assert step(summary, "embed").done == PHOTOS
    assert list(summary.waited) == ["the computer runs on its battery"]
    assert runner.value("SELECT count(*) FROM task WHERE stage = 'embed' AND attempts > 1") == 0


def test_a_window_that_closes_while_a_run_waits_ends_it(runner: LibraryRunner, computer: Computer) -> None:
    computer.shows = [Machine(celsius=99)]
    began = time.monotonic()
    summary = done(runner, computer, window_seconds=1.5, patience=at_once)
    assert summary.outcome == "window"
    assert sum(one.done for one in summary.steps) == 0
    assert sum(summary.waited.values()) <= time.monotonic() - began


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system does not count the time of sleep")
def test_a_window_closes_while_the_computer_sleeps(
    runner: LibraryRunner, computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleeping = SleepingComputer(monkeypatch)

    def falls_asleep() -> bool:
        if runner.value("SELECT count(*) FROM vector"):
            sleeping.sleep(3600.0)
        return False

    summary = done(runner, computer, falls_asleep, window_seconds=3600.0)
    assert summary.outcome == "window"
    assert 0 < step(summary, "embed").done < PHOTOS


def test_what_a_run_does_can_be_read_while_it_waits(runner: LibraryRunner, computer: Computer) -> None:
    computer.shows = [Machine(on_battery=True)]
    ended = threading.Event()
    thread = threading.Thread(target=lambda: done(runner, computer, stop=ended.is_set, stages=("embed",)))
    thread.start()
    try:
        state = _waiting_state(runner.folder)
        assert (state.step, state.waiting) == ("embed", "the computer runs on its battery")
        with pytest.raises(LibraryLocked, match="`run` \\(process"):
            done(runner, computer)
    finally:
        ended.set()
        thread.join()
    assert running(runner.folder) is None


def _waiting_state(folder: Path) -> Any:
    for _ in range(600):
        state = running(folder)
        if state is not None and state.waiting is not None:
            return state
        time.sleep(0.05)
    raise AssertionError("the run does not wait")


def test_a_stage_that_fails_does_not_keep_the_others_from_running(
    runner: LibraryRunner, computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise DeviceFailed("the GPU fell off the bus")

    monkeypatch.setattr("photoindex.library.people.faces.faces", lost)
    summary = done(runner, computer)
    assert (summary.outcome, summary.error_code) == ("failed", DeviceFailed.exit_code)
    assert step(summary, "faces").error == "the GPU fell off the bus"
    assert step(summary, "tags").done == PHOTOS
    assert "faces: the GPU fell off the bus" in said(runner)


def test_a_plan_changes_nothing_and_says_the_time_that_was_measured(
    runner: LibraryRunner, computer: Computer, tmp_path: Path
) -> None:
    before = runner.rows("SELECT count(*), max(updated_at) FROM task")
    planned = planned_of(runner)
    assert {one.name: one.left for one in planned.steps if one.left} == {
        "embed": PHOTOS,
        "faces": PHOTOS,
        "tags": PHOTOS,
        "cluster": 14,
    }
    assert [one.name for one in planned.unmeasured] == ["embed", "faces", "cluster", "tags"]
    assert runner.rows("SELECT count(*), max(updated_at) FROM task") == before
    took = step(done(runner, computer), "embed").seconds
    write_scenes(tmp_path / "photos", SCENES[PHOTOS : 2 * PHOTOS], seed=100)
    runner.scan(tmp_path / "photos")
    planned = planned_of(runner)
    embed = next(one for one in planned.steps if one.name == "embed")
    assert embed.left == PHOTOS
    assert embed.seconds is not None
    assert embed.seconds.low < took < embed.seconds.high
    assert planned.seconds.high >= embed.seconds.high


def planned_of(runner: LibraryRunner) -> Any:
    with runner.open() as library:
        return plan(library, chosen_steps(STAGES, scan=False), window_seconds=None, limit=None)


def test_a_run_with_nothing_to_do_does_not_wait_for_a_quiet_computer(runner: LibraryRunner, computer: Computer) -> None:
    done(runner, computer)
    computer.shows = [Machine(others_cpu=0.9)]
    summary = done(runner, computer, stages=(*STAGES, "labels"), window_seconds=60.0)
    assert (summary.outcome, summary.waited, said(runner)) == ("done", {}, [])
    assert "no model is set" in (step(summary, "labels").skipped or "")


def test_a_model_that_is_there_and_cannot_be_used_is_a_failure_and_not_a_missing_stage(
    runner: LibraryRunner, computer: Computer
) -> None:
    next((runner.folder / "models" / "tiny-faces").glob("*.onnx")).write_bytes(b"no network")
    summary = done(runner, computer, stages=("embed", "faces"))
    assert (summary.outcome, summary.error_code) == ("failed", ModelUnavailable.exit_code)
    assert "tiny-faces" in (step(summary, "faces").error or "")
    assert step(summary, "faces").skipped is None
    assert step(summary, "embed").done == PHOTOS
