"""Embedding survives lost devices, killed and hanging processes, full memory and broken previews; nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from photoindex.errors import DeviceFailed, LibraryLocked, ModelUnavailable
from photoindex.library.embed.embed import EmbedRequest, EmbedSummary, embed
from photoindex.library.lock import exclusive
from photoindex.library.maintenance.redo import redo
from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.progress import Event, FileQuarantined, Notice
from tests.fault import faulty_encoder
from tests.harness import LibraryRunner
from tests.originals import write_photos

PHOTOS = 20
STATES = "SELECT state, count(*) FROM task WHERE stage = 'embed' GROUP BY state ORDER BY state"


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    """A library of PHOTOS scanned photos, embedded in batches of 4."""
    write_photos(tmp_path / "photos", PHOTOS)
    runner = LibraryRunner(tmp_path / "library", settings={"embed.batch_size": 4, "embed.model": faulty_encoder.MODEL})
    runner.scan(tmp_path / "photos")
    return runner


def install(runner: LibraryRunner, **faults: object) -> Path:
    faulty_encoder.install(runner.folder / "models", **faults)
    return runner.folder / "models"


def run(runner: LibraryRunner, stop: Callable[[], bool] = lambda: False, **request: object) -> EmbedSummary:
    with runner.open() as library:
        wanted = EmbedRequest(open=faulty_encoder.OPENER, **request)  # type: ignore[arg-type]
        return embed(library, wanted, runner.events.append, stop)


def notices(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Notice)]


def check_all_embedded(runner: LibraryRunner) -> None:
    assert runner.rows(STATES) == [("done", PHOTOS)]
    assert runner.value("SELECT count(*) FROM vector") == PHOTOS
    assert runner.value("SELECT count(DISTINCT asset_id) FROM vector") == PHOTOS
    assert runner.value("SELECT count(*) FROM task WHERE lease_owner IS NOT NULL") == 0


def test_a_batch_that_does_not_fit_is_halved_and_batches_grow_again(runner: LibraryRunner) -> None:
    models = install(runner, room=1, room_from_call=8, room_then=4)
    summary = run(runner)
    assert summary.embedded == PHOTOS
    assert summary.smallest_batch == 1
    assert summary.restarts == 0
    sizes = faulty_encoder.calls(models)
    assert sizes[:3] == [4, 2, 1]
    assert sizes[2:10] == [1] * 8
    assert sizes[10] == 2
    check_all_embedded(runner)


def test_a_device_without_memory_for_one_picture_ends_the_run_and_the_error_names_the_remedy(
    runner: LibraryRunner,
) -> None:
    install(runner, room=0)
    with pytest.raises(DeviceFailed, match=r"too little free memory for even one picture.*--device cpu"):
        run(runner)
    assert runner.rows(STATES) == [("pending", PHOTOS)]


@pytest.mark.parametrize("fault", ["kill_at", "lose_at", "raise_at"])
def test_a_lost_process_is_restarted_and_its_batches_are_redone(runner: LibraryRunner, fault: str) -> None:
    install(runner, **{fault: [2]})
    summary = run(runner)
    assert summary.restarts == 1
    assert summary.embedded == PHOTOS
    assert len(notices(runner.events)) == 1
    assert "restarting it (1 of 3 times in a row)" in notices(runner.events)[0]
    assert runner.value("SELECT max(attempts) FROM task WHERE stage = 'embed'") == 1
    check_all_embedded(runner)


def test_a_hanging_process_is_killed_and_restarted(runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photoindex.pipeline.run.model_process._HANG_SECONDS", 3.0)
    install(runner, hang_at=[2])
    summary = run(runner)
    assert (summary.restarts, summary.embedded) == (1, PHOTOS)
    assert "it did not respond for 3 s" in notices(runner.events)[0]
    check_all_embedded(runner)


def test_a_device_lost_four_times_ends_the_run_and_the_next_run_resumes(runner: LibraryRunner) -> None:
    install(runner, lose_at=[2, 3, 4, 5])
    with pytest.raises(
        DeviceFailed, match=r"lost 4 times, most recently because the device fell off the bus; finished work"
    ):
        run(runner)
    assert runner.rows(STATES) == [("done", 4), ("pending", PHOTOS - 4)]
    install(runner)
    assert run(runner).embedded == PHOTOS - 4
    check_all_embedded(runner)


def make_deadly(runner: LibraryRunner, preview: Path) -> None:
    """Replace a preview with a white one, and install a model that kills its process on a white picture."""
    Image.new("RGB", (64, 64), "white").save(preview, "JPEG")
    install(runner, kill_over=250)


def previews_in_order(runner: LibraryRunner) -> list[Path]:
    rows = runner.rows("SELECT digest FROM asset ORDER BY id")
    with runner.open() as library:
        return [Path(os.fsdecode(preview_path(library.derived_folder, row[0]))) for row in rows]


def test_a_picture_that_kills_the_process_is_found_and_quarantined_and_all_others_are_done(
    runner: LibraryRunner, tmp_path: Path
) -> None:
    deadly = previews_in_order(runner)[6]
    make_deadly(runner, deadly)
    summary = run(runner)
    assert (summary.embedded, summary.quarantined, summary.restarts, summary.pending) == (PHOTOS - 1, 1, 3, 0)
    (quarantined,) = [event for event in runner.events if isinstance(event, FileQuarantined)]
    assert quarantined.error_class == "preview_crashes"
    assert "alone made the model process fail 2 times: it was killed by signal SIGSEGV" in quarantined.message
    sizes = faulty_encoder.calls(runner.folder / "models")
    # One batch succeeds; the next is lost with all others in flight. Those are retried one by one, the rest in batches.
    assert sizes[:2] == [4, 4]
    assert sizes[-1] == 4
    assert set(sizes[2:-1]) <= {1, 4}
    assert run(runner).embedded == 0
    with runner.open() as library:
        redo(library, "ingest")
    runner.scan(tmp_path / "photos")
    install(runner)
    run(runner)
    check_all_embedded(runner)


def test_a_picture_that_kills_the_process_is_quarantined_even_if_no_other_is_pending(runner: LibraryRunner) -> None:
    install(runner)
    run(runner, limit=PHOTOS - 1)
    make_deadly(runner, previews_in_order(runner)[-1])
    summary = run(runner)
    assert (summary.embedded, summary.quarantined, summary.pending) == (0, 1, 0)


def test_no_picture_is_quarantined_if_every_picture_kills_the_process(runner: LibraryRunner) -> None:
    install(runner, kill_over=-1)
    with pytest.raises(DeviceFailed, match="lost 4 times, most recently because it was killed by signal SIGSEGV"):
        run(runner)
    assert runner.rows(STATES) == [("pending", PHOTOS)]


def test_the_output_of_a_lost_process_is_logged(runner: LibraryRunner) -> None:
    install(runner, raise_at=[1])
    run(runner)
    log = (runner.folder / "logs" / "photoindex.log").read_text()
    assert "LookupError: a runtime's own error" in log


def test_a_model_that_cannot_be_opened_ends_the_run_with_its_own_error(runner: LibraryRunner) -> None:
    install(runner, open_error="ModelUnavailable")
    with pytest.raises(ModelUnavailable, match="cannot be opened"):
        run(runner)
    assert runner.rows(STATES) == [("pending", PHOTOS)]


def test_a_model_whose_dimension_differs_from_its_space_is_refused(runner: LibraryRunner) -> None:
    install(runner, dim=8)
    faulty_encoder.install(runner.folder / "models", dim=faulty_encoder.DIM)
    (runner.folder / "models" / "faults.json").write_text('{"dim": 8}')
    with pytest.raises(ModelUnavailable, match="returns vectors of 8 dimensions, but its space 'made-up' has 16"):
        run(runner)
    assert runner.value("SELECT count(*) FROM vector") == 0


@pytest.mark.parametrize("fault", ["no_numbers_at", "zero_at", "long_at", "huge_at"])
def test_a_picture_without_a_unit_vector_is_quarantined_and_the_others_are_done(
    runner: LibraryRunner, fault: str
) -> None:
    install(runner, **{fault: [1]})
    summary = run(runner)
    assert (summary.embedded, summary.quarantined) == (PHOTOS - 1, 1)
    assert runner.value("SELECT error_class FROM task WHERE state = 'quarantined'") == "not_a_vector"


def test_missing_and_damaged_previews_are_quarantined_by_name_until_they_are_replaced(
    runner: LibraryRunner, tmp_path: Path
) -> None:
    install(runner)
    previews = sorted((runner.folder / "derived").rglob("*.preview.jpg"))
    previews[0].unlink()
    whole = previews[1].read_bytes()
    previews[1].write_bytes(whole[: len(whole) // 2])
    previews[2].write_bytes(b"")
    previews[3].write_bytes(b"no picture at all")
    previews[4].unlink()
    os.mkfifo(previews[4])
    summary = run(runner)
    assert (summary.embedded, summary.quarantined) == (PHOTOS - 5, 5)
    quarantined = [event for event in runner.events if isinstance(event, FileQuarantined)]
    assert sorted(event.error_class for event in quarantined) == ["preview_damaged"] * 4 + ["preview_missing"]
    assert all(
        b"/photos/" in event.path and "the next photoindex scan makes a new one" in event.message
        for event in quarantined
    )
    assert all("then run: photoindex embed" in event.message for event in quarantined)
    assert run(runner).embedded == 0
    runner.scan(tmp_path / "photos")
    assert runner.value("SELECT count(*) FROM task WHERE stage = 'embed' AND state = 'quarantined'") == 0
    run(runner)
    check_all_embedded(runner)


def test_an_unreadable_preview_is_retried_and_quarantined_at_the_third_attempt(runner: LibraryRunner) -> None:
    install(runner)
    preview = next((runner.folder / "derived").rglob("*.preview.jpg"))
    preview.unlink()
    preview.mkdir()
    for _ in range(2):
        summary = run(runner)
        assert (summary.failed, summary.quarantined) == (1, 0)
    assert run(runner).quarantined == 1
    assert runner.value("SELECT error_class FROM task WHERE state = 'quarantined'") == "preview_unreadable"


def test_a_content_removed_while_it_is_being_embedded_is_skipped(runner: LibraryRunner) -> None:
    install(runner)
    removed = []

    def remove_running() -> bool:
        # Called between claim and commit; by the second call the first batches are in flight.
        if len(removed) < 2:
            with runner.open() as library, library.database.write() as connection:
                task = "SELECT subject_id FROM task WHERE stage = 'embed' AND state = 'running' LIMIT 1"
                found = connection.exec_driver_sql(task).scalar()
                if found is not None:
                    removed.append(found)
                    connection.exec_driver_sql(
                        "DELETE FROM task WHERE subject_kind = 'asset' AND subject_id = ?", (found,)
                    )
        return False

    summary = run(runner, stop=remove_running)
    assert len(removed) == 2
    assert summary.embedded + len(removed) >= PHOTOS
    assert runner.value("SELECT count(*) FROM task WHERE stage = 'embed' AND state <> 'done'") == 0


def test_leases_of_a_dead_run_are_released_by_the_next(runner: LibraryRunner) -> None:
    install(runner)
    run(runner, limit=4)
    with runner.open() as library, library.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE task SET state = 'running', lease_owner = 'gone', lease_until = ? WHERE state = 'pending'",
            (time.time() + 9999,),
        )
    assert run(runner).embedded == PHOTOS - 4
    check_all_embedded(runner)


def test_only_one_run_per_library_at_a_time(runner: LibraryRunner) -> None:
    install(runner)
    with exclusive(runner.folder, "embed", name="embed.lock"), pytest.raises(LibraryLocked, match="`embed`"):
        run(runner)


def test_embedding_may_run_during_a_scan(runner: LibraryRunner, tmp_path: Path) -> None:
    install(runner)
    with exclusive(runner.folder, "scan"):
        assert run(runner).embedded == PHOTOS


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_finishes_its_current_batch_and_the_next_resumes(
    runner: LibraryRunner, number: signal.Signals, exit_code: int
) -> None:
    models = install(runner, slow=0.3)
    process = start_embed(runner)
    wait_for(lambda: len(faulty_encoder.calls(models)) >= 2)
    os.killpg(process.pid, number)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == exit_code, err
    done = dict(runner.rows(STATES))
    assert set(done) == {"done", "pending"}
    assert 0 < done["done"] < PHOTOS
    assert done["done"] == runner.value("SELECT count(*) FROM vector")
    install(runner)
    assert run(runner).embedded == PHOTOS - done["done"]
    check_all_embedded(runner)


def test_a_killed_run_leaves_no_process_and_the_next_completes_it(runner: LibraryRunner) -> None:
    import psutil

    models = install(runner, slow=0.3)
    process = start_embed(runner)
    wait_for(lambda: len(faulty_encoder.calls(models)) >= 2)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert children
    wait_for(lambda: not [one for one in children if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])
    install(runner)
    run(runner)
    check_all_embedded(runner)


def start_embed(runner: LibraryRunner) -> subprocess.Popen[bytes]:
    """Start `embed` in a process of its own, with the faulty model."""
    environment = {**os.environ, "PHOTOINDEX_LIBRARY": str(runner.folder), "PHOTOINDEX_EMBED__BATCH_SIZE": "4"}
    environment |= {"PHOTOINDEX_EMBED__MODEL": faulty_encoder.MODEL}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fault.faulty_encoder", "embed", "--json", "--progress", "none"], env=environment, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
