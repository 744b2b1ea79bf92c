"""The runner handles every fault of a one-file stage, and all commands support it without any change."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photoindex import stages
from photoindex.durations import seconds_since_boot
from photoindex.errors import DeviceFailed
from photoindex.library import stage_run
from photoindex.library.maintenance.redo import redo
from photoindex.library.maintenance.retry import retry
from photoindex.library.maintenance.status import status
from photoindex.library.maintenance.tasks import TaskQuery, stage_names, tasks
from photoindex.library.stage_run import StageRequest, StageSummary, run_stage
from photoindex.progress import Notice, PhaseAdvanced
from photoindex.stages.base import StageFaulty
from tests.fault import brightness, mean_colour
from tests.fault.mean_colour import STAGE, MeanColour, setup
from tests.harness import LibraryRunner
from tests.originals import write_photos

PHOTOS = 10
STATES = f"SELECT state, count(*) FROM task WHERE stage = '{STAGE.name}' GROUP BY state ORDER BY state"


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    """A library of PHOTOS scanned photos, with the toy stage registered."""
    monkeypatch.setattr(stages, "STAGES", (*stages.STAGES, STAGE))
    write_photos(tmp_path / "photos", PHOTOS)
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(tmp_path / "photos")
    runner.events.clear()
    return runner


def run(
    runner: LibraryRunner,
    folder: Path,
    stop: Callable[[], bool] = lambda: False,
    request: StageRequest | None = None,
    **faults: object,
) -> StageSummary:
    with runner.open() as library:
        return run_stage(library, setup(folder, **faults), request or StageRequest(), runner.events.append, stop)  # type: ignore[arg-type]


def check_all_done(runner: LibraryRunner) -> None:
    assert runner.rows(STATES) == [("done", PHOTOS)]
    assert runner.value("SELECT count(*) FROM mean_colour") == 3 * PHOTOS
    assert runner.value("SELECT count(*) FROM task WHERE lease_owner IS NOT NULL") == 0


def test_the_labels_of_a_picture_match_its_preview(runner: LibraryRunner, tmp_path: Path) -> None:
    summary = run(runner, tmp_path)
    assert (summary.tally.succeeded, summary.tally.batches, summary.pending) == (PHOTOS, 3, 0)
    check_all_done(runner)
    digest = runner.value("SELECT hex(digest) FROM asset WHERE id = 1").lower()
    preview = runner.folder / "derived" / digest[:3] / f"{digest}.preview.jpg"
    expected = np.asarray(Image.open(io.BytesIO(preview.read_bytes())), np.float32).mean(axis=(0, 1)) / 255
    found = dict(runner.rows("SELECT name, score FROM mean_colour WHERE asset_id = 1"))
    assert [found[name] for name in mean_colour.CHANNELS] == pytest.approx(expected.tolist(), abs=1e-5)
    assert PhaseAdvanced("measuring colours", PHOTOS) in runner.events
    assert run(runner, tmp_path).tally.done == 0


def test_status_tasks_redo_and_retry_support_the_stage(runner: LibraryRunner, tmp_path: Path) -> None:
    with runner.open() as library, library.database.read() as connection:
        assert STAGE.name in stage_names(connection)
    run(runner, tmp_path, request=StageRequest(limit=4))
    with runner.open() as library:
        found = status(library)
        assert found.tasks[STAGE.name]["done"] == 4
        assert found.waiting(STAGE.name) == PHOTOS - 4
        assert f"photoindex {STAGE.command}" in {step.command for step in found.next_steps}
        assert {one.state for one in tasks(library, TaskQuery(stage=STAGE.name))} == {"done", "pending"}
        assert redo(library, STAGE.name) == 4
    previews = sorted((runner.folder / "derived").glob("*/*.preview.jpg"))
    previews[0].write_bytes(b"no picture")
    summary = run(runner, tmp_path)
    assert (summary.tally.succeeded, summary.tally.quarantined) == (PHOTOS - 1, 1)
    with runner.open() as library:
        (given_up,) = tasks(library, TaskQuery(stage=STAGE.name, states=("quarantined",)))
        assert given_up.error_class == "preview_damaged"
        assert retry(library, TaskQuery(stage=STAGE.name)) == 1
    assert runner.rows(STATES) == [("done", PHOTOS - 1), ("pending", 1)]


def test_a_new_preview_makes_the_stage_due_again(runner: LibraryRunner, tmp_path: Path) -> None:
    run(runner, tmp_path)
    with runner.open() as library:
        redo(library, "ingest", ["id:1"])
    runner.scan(tmp_path / "photos")
    assert run(runner, tmp_path).tally.succeeded == 1


def test_a_killed_process_is_replaced_and_costs_no_attempt(runner: LibraryRunner, tmp_path: Path) -> None:
    summary = run(runner, tmp_path, kill_at=(2,))
    assert (summary.tally.succeeded, summary.tally.restarts) == (PHOTOS, 1)
    assert runner.value(f"SELECT max(attempts) FROM task WHERE stage = '{STAGE.name}'") == 1
    check_all_done(runner)


def test_a_hanging_process_is_killed_and_replaced(runner: LibraryRunner, tmp_path: Path) -> None:
    summary = run(runner, tmp_path, hang_at=(2,), hang_seconds=3.0)
    assert (summary.tally.succeeded, summary.tally.restarts) == (PHOTOS, 1)
    assert any("it did not respond for 3 s" in one.message for one in runner.events if isinstance(one, Notice))
    check_all_done(runner)


def test_a_batch_that_does_not_fit_is_halved(runner: LibraryRunner, tmp_path: Path) -> None:
    summary = run(runner, tmp_path, room=1)
    assert (summary.tally.succeeded, summary.tally.smallest_batch, summary.tally.restarts) == (PHOTOS, 1, 0)
    assert MeanColour.calls(tmp_path)[:3] == [4, 2, 1]
    check_all_done(runner)


def test_a_preview_that_kills_the_process_is_found_and_quarantined(runner: LibraryRunner, tmp_path: Path) -> None:
    previews = sorted((runner.folder / "derived").glob("*/*.preview.jpg"))
    Image.new("RGB", (64, 64), "white").save(previews[3], "JPEG")
    summary = run(runner, tmp_path, kill_over=250.0)
    assert (summary.tally.succeeded, summary.tally.quarantined, summary.pending) == (PHOTOS - 1, 1, 0)
    assert runner.value("SELECT error_class FROM task WHERE state = 'quarantined'") == "preview_crashes"


def test_a_process_that_keeps_dying_ends_the_run_and_nothing_is_lost(runner: LibraryRunner, tmp_path: Path) -> None:
    with pytest.raises(DeviceFailed, match="lost 4 times, most recently because it was killed by signal SIGKILL"):
        run(runner, tmp_path, kill_over=-1.0)
    assert runner.rows(STATES) == [("pending", PHOTOS)]
    assert run(runner, tmp_path).tally.succeeded == PHOTOS


def test_nothing_starts_after_the_time_window(runner: LibraryRunner, tmp_path: Path) -> None:
    summary = run(runner, tmp_path, request=StageRequest(window_seconds=0.0))
    assert (summary.tally.done, summary.pending, summary.window_ended) == (0, PHOTOS, True)


def test_a_stopped_run_finishes_its_batch_and_the_next_resumes(runner: LibraryRunner, tmp_path: Path) -> None:
    summary = run(runner, tmp_path, stop=lambda: len(MeanColour.calls(tmp_path)) > 0, slow=0.5)
    assert 0 < summary.tally.succeeded < PHOTOS
    assert summary.stopped
    assert runner.rows(STATES) == [("done", summary.tally.succeeded), ("pending", PHOTOS - summary.tally.succeeded)]
    assert run(runner, tmp_path).tally.succeeded == PHOTOS - summary.tally.succeeded
    check_all_done(runner)


def test_no_batch_starts_after_the_window_ended_during_a_run(
    runner: LibraryRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clock() -> float:
        """Return a time in the window until the first batch is in the model, then one after it."""
        return seconds_since_boot() + (3600 if MeanColour.calls(tmp_path) else 0)

    with monkeypatch.context() as patch:
        patch.setattr(stage_run, "seconds_since_boot", clock)
        summary = run(runner, tmp_path, request=StageRequest(window_seconds=1800.0), slow=0.5)
    assert 0 < summary.tally.succeeded < PHOTOS
    assert (summary.window_ended, summary.stopped) == (True, False)
    assert summary.pending == PHOTOS - summary.tally.succeeded
    assert run(runner, tmp_path).tally.succeeded == summary.pending
    check_all_done(runner)


def test_a_stage_reads_what_another_found_and_waits_for_it(runner: LibraryRunner, tmp_path: Path) -> None:
    def judge() -> StageSummary:
        with runner.open() as library:
            return run_stage(library, brightness.setup(), StageRequest(), runner.events.append)

    run(runner, tmp_path, request=StageRequest(limit=4))
    assert (judge().tally.succeeded, judge().tally.succeeded) == (4, 0)
    run(runner, tmp_path)
    assert judge().tally.succeeded == PHOTOS - 4
    expected = {
        asset_id: "bright" if mean > 0.5 else "dark"
        for asset_id, mean in runner.rows("SELECT asset_id, avg(score) FROM mean_colour GROUP BY asset_id")
    }
    assert dict(runner.rows("SELECT asset_id, name FROM brightness")) == expected
    assert len(expected) == PHOTOS


@pytest.mark.parametrize(
    ("wrong", "message"), [("too few", "returned 0 outcomes for 4 inputs"), ("kind", "returned a Vector")]
)
def test_a_stage_that_breaks_its_contract_ends_the_run_and_blames_no_picture(
    runner: LibraryRunner, tmp_path: Path, wrong: str, message: str
) -> None:
    run(runner, tmp_path)
    with runner.open() as library, pytest.raises(StageFaulty, match=message):
        run_stage(library, brightness.setup(wrong=wrong), StageRequest(), runner.events.append)
    assert runner.value("SELECT count(*) FROM task WHERE state = 'quarantined'") == 0
