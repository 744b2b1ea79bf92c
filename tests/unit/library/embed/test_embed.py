"""The `embed` operation: what is planned, in which order, what remains, and what is redone; with a made-up model."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from photoindex.errors import ModelUnavailable
from photoindex.library.embed.embed import EmbedRequest, EmbedSummary, embed
from photoindex.library.index import maintain
from photoindex.library.index.status import index_status
from photoindex.library.maintenance.redo import redo
from photoindex.library.maintenance.retry import retry
from photoindex.library.maintenance.tasks import TaskQuery
from photoindex.library.stage_figures import bottleneck
from photoindex.pipeline.run.runner import RunTally
from photoindex.progress import Notice, PhaseAdvanced
from photoindex.store.tasks import asset_tasks, queue
from photoindex.store.tasks.asset_tasks import StageVariant
from photoindex.store.vectors import spaces
from tests.fault import faulty_encoder
from tests.harness import LibraryRunner
from tests.originals import write_photos
from tests.rows import VolumeRows, library_in

PHOTOS = 6


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    """A library of PHOTOS scanned photos and a made-up model; batches of 4."""
    write_photos(tmp_path / "photos", PHOTOS)
    runner = LibraryRunner(tmp_path / "library", settings={"embed.batch_size": 4, "embed.model": faulty_encoder.MODEL})
    runner.scan(tmp_path / "photos")
    faulty_encoder.install(runner.folder / "models")
    runner.events.clear()
    return runner


def run(runner: LibraryRunner, **request: object) -> EmbedSummary:
    with runner.open() as library:
        wanted = EmbedRequest(open=faulty_encoder.OPENER, **request)  # type: ignore[arg-type]
        return embed(library, wanted, runner.events.append)


def vectors(runner: LibraryRunner) -> dict[int, np.ndarray]:
    rows = runner.rows("SELECT asset_id, data FROM vector")
    return {asset: np.frombuffer(data, "<f2").astype(np.float32) for asset, data in rows}


def test_every_picture_gets_one_unit_vector(runner: LibraryRunner) -> None:
    summary = run(runner)
    assert (summary.embedded, summary.pending, summary.batches) == (PHOTOS, 0, 2)
    assert (summary.space, summary.active, summary.runs_on) == ("made-up", True, "a made-up device")
    found = vectors(runner)
    assert len(found) == PHOTOS
    assert all(abs(np.linalg.norm(each) - 1) < 2e-3 for each in found.values())
    assert len({each.tobytes() for each in found.values()}) == PHOTOS
    assert PhaseAdvanced("embedding", PHOTOS) in runner.events
    assert int((runner.folder / "models" / "niceness").read_text()) >= 10, "the worker runs at normal priority"
    again = run(runner)
    assert (again.embedded, again.batches, again.bottleneck) == (0, 0, None)
    assert runner.value("SELECT count(*) FROM variant WHERE stage = 'embed'") == 1


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_a_model_leaves_a_share_of_the_cores_free(runner: LibraryRunner) -> None:
    runner.settings["scan.cores_share"] = 0.5
    run(runner)
    assert int((runner.folder / "models" / "cores").read_text()) == len(os.sched_getaffinity(0)) // 2


def test_a_run_with_nothing_to_embed_rebuilds_an_index_that_lost_many_vectors(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintain, "DUE_LEAST", 2)
    run(runner)
    with runner.open() as library:
        assert [one.merged for one in index_status(library)] == [PHOTOS]
        with library.database.write() as connection:
            connection.execute(text("DELETE FROM vector WHERE id <= 3"))
    run(runner)
    with runner.open() as library:
        assert [(one.merged, one.gone) for one in index_status(library)] == [(PHOTOS - 3, 0)]


def test_the_summary_and_the_log_show_the_time_of_each_step(runner: LibraryRunner) -> None:
    faulty_encoder.install(runner.folder / "models", slow=0.3)
    summary = run(runner)
    assert summary.bottleneck == "infer"
    assert summary.infer_seconds > 0.6
    assert min(summary.decode_seconds, summary.write_seconds) > 0
    assert summary.images_per_second > 0
    log = (runner.folder / "logs" / "photoindex.log").read_text()
    assert log.count('"message": "batch"') == 2
    assert '"infer_seconds"' in log


def test_the_step_with_the_most_time_per_thread_is_the_bottleneck() -> None:
    tally = RunTally(batches=1, steps={"read": 1.0, "decode": 8.0, "infer": 3.0, "write": 0.5})
    assert bottleneck(tally, threads=2) == "decode"
    assert bottleneck(tally, threads=4) == "infer"


def test_the_next_run_embeds_only_new_photos(runner: LibraryRunner, tmp_path: Path) -> None:
    run(runner)
    write_photos(tmp_path / "photos", 2, first=50)
    runner.scan(tmp_path / "photos")
    assert run(runner).embedded == 2


def test_equal_files_are_embedded_once(runner: LibraryRunner, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos" / "copies", PHOTOS)
    runner.scan(tmp_path / "photos")
    assert run(runner).embedded == PHOTOS


def test_a_limit_leaves_the_rest_for_the_next_run(runner: LibraryRunner) -> None:
    summary = run(runner, limit=5)
    assert (summary.embedded, summary.pending, summary.window_ended, summary.stopped) == (5, 1, False, False)
    assert run(runner).embedded == 1


def test_nothing_starts_after_the_time_window_and_the_summary_says_so(runner: LibraryRunner) -> None:
    summary = run(runner, window_seconds=0.0)
    assert (summary.embedded, summary.pending, summary.window_ended) == (0, PHOTOS, True)
    assert run(runner, window_seconds=3600.0).window_ended is False
    assert run(runner, window_seconds=0.0).window_ended is False


def test_a_dry_run_counts_and_changes_nothing(runner: LibraryRunner) -> None:
    before = run(runner, dry_run=True)
    assert (before.pending, before.space, before.dry_run) == (PHOTOS, None, True)
    assert runner.value("SELECT count(*) FROM space") == 0
    assert runner.value("SELECT count(*) FROM variant WHERE stage = 'embed'") == 0
    run(runner, limit=4)
    after = run(runner, dry_run=True)
    assert (after.pending, after.space) == (PHOTOS - 4, "made-up")


def test_a_model_that_is_not_installed_is_named_with_the_command_to_run(runner: LibraryRunner) -> None:
    runner.settings["embed.model"] = "clip-vit-b-32"
    with pytest.raises(ModelUnavailable, match="photoindex models pull clip-vit-b-32"):
        run(runner)
    assert runner.value("SELECT count(*) FROM space") == 0


def test_redo_of_a_photo_replaces_its_vector(runner: LibraryRunner) -> None:
    run(runner)
    before = dict(runner.rows("SELECT asset_id, id FROM vector"))
    with runner.open() as library:
        assert redo(library, "embed", ["id:1"]) == 1
    assert run(runner).embedded == 1
    after = dict(runner.rows("SELECT asset_id, id FROM vector"))
    assert set(after) == set(before)
    changed = [asset for asset in before if after[asset] != before[asset]]
    assert len(changed) == 1
    assert after[changed[0]] > max(before.values())


def test_a_new_preview_leads_to_a_new_vector_and_the_old_one_stays_until_then(
    runner: LibraryRunner, tmp_path: Path
) -> None:
    run(runner)
    before = dict(runner.rows("SELECT asset_id, id FROM vector"))
    runner.settings["derived.preview_px"] = 300
    runner.scan(tmp_path / "photos")
    assert run(runner).embedded == 0
    with runner.open() as library:
        redo(library, "ingest", ["id:1"])
    runner.scan(tmp_path / "photos")
    assert dict(runner.rows("SELECT asset_id, id FROM vector")) == before
    assert run(runner).embedded == 1
    after = dict(runner.rows("SELECT asset_id, id FROM vector"))
    assert len(after) == PHOTOS
    assert len([each for each in before if after[each] != before[each]]) == 1


def test_a_vector_computed_from_an_outdated_preview_is_not_stored(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        volume_rows = VolumeRows(library, tmp_path)
        asset = volume_rows.asset_of(volume_rows.add_photo())
        with library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
            asset_tasks.plan(connection, StageVariant("embed", variant_id), first=asset, last=asset)
            (claimed,) = queue.claim(
                connection, queue.ClaimRequest("embed", 0, 5, 60.0, variant_id=variant_id), owner="me"
            )
            asset_tasks.reset_after_new_preview(connection, asset, ["embed"])
            assert asset_tasks.held(connection, [claimed.id], owner="me") == {}
            assert asset_tasks.count_waiting(connection, StageVariant("embed", variant_id)) == 1


def test_a_new_preview_requeues_a_quarantined_picture_unless_it_was_dismissed(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        volume_rows = VolumeRows(library, tmp_path)
        first, second = (volume_rows.asset_of(volume_rows.add_photo()) for _ in range(2))
        with library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
        values = {"subject_kind": "asset", "stage": "embed", "variant_id": variant_id, "error_class": "preview_missing"}
        volume_rows.add_task(first, "quarantined", **values)
        volume_rows.add_task(second, "quarantined", dismissed_at=1.0, **values)
        with library.database.write() as connection:
            for asset in (first, second):
                asset_tasks.reset_after_new_preview(connection, asset, ["embed"])
            found = connection.execute(
                text("SELECT subject_id, state, error_class FROM task WHERE stage = 'embed'")
            ).all()
    assert [tuple(row) for row in found] == [(first, "pending", None), (second, "quarantined", "preview_missing")]


def test_quarantined_pictures_do_not_hide_others_that_are_not_embedded(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        volume_rows = VolumeRows(library, tmp_path)
        first, second = (volume_rows.asset_of(volume_rows.add_photo()) for _ in range(2))
        without_preview = volume_rows.asset_of(volume_rows.add_photo(asset_derived=False))
        with library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
            space = spaces.ensure_space(connection, model="a", variant_id=variant_id, dim=4)
        values = {"subject_kind": "asset", "stage": "embed", "variant_id": variant_id}
        for asset in (first, without_preview):
            volume_rows.add_task(asset, "quarantined", **values)
        with library.database.read() as connection:
            assert spaces.count_not_embedded(connection, space) == 1
            assert asset_tasks.count_given_up(connection, StageVariant("embed", variant_id)) == 2
        volume_rows.add_task(second, "quarantined", **values)
        with library.database.read() as connection:
            assert spaces.count_not_embedded(connection, space) == 0


def test_retry_requeues_a_quarantined_picture(runner: LibraryRunner) -> None:
    faulty_encoder.install(runner.folder / "models", no_numbers_at=[1])
    assert run(runner).quarantined == 1
    faulty_encoder.install(runner.folder / "models")
    assert run(runner).embedded == 0
    with runner.open() as library:
        assert retry(library, TaskQuery(stage="embed")) == 1
    assert run(runner).embedded == 1


def test_a_second_model_gets_its_own_space_while_the_first_stays_active(runner: LibraryRunner) -> None:
    run(runner)
    faulty_encoder.install(runner.folder / "models", "another")
    runner.settings["embed.model"] = "another"
    summary = run(runner)
    assert (summary.space, summary.active, summary.embedded) == ("another", False, PHOTOS)
    assert runner.rows("SELECT name, active FROM space ORDER BY id") == [("made-up", 1), ("another", 0)]
    assert runner.value("SELECT count(*) FROM vector") == 2 * PHOTOS
    assert runner.value("SELECT count(*) FROM task WHERE stage = 'embed' AND state = 'done'") == 2 * PHOTOS


def test_different_weights_under_the_same_name_get_their_own_space_with_a_notice(runner: LibraryRunner) -> None:
    run(runner)
    faulty_encoder.install(runner.folder / "models", weights="1" * 64)
    summary = run(runner)
    assert (summary.space, summary.embedded) == ("made-up-2", PHOTOS)
    assert any(isinstance(one, Notice) and "a new space, 'made-up-2'" in one.message for one in runner.events)


def test_without_a_configured_model_the_active_spaces_model_is_used(runner: LibraryRunner) -> None:
    run(runner, limit=2)
    del runner.settings["embed.model"]
    assert run(runner).model == "made-up"


def test_primary_contents_are_embedded_first_and_superseded_ones_never(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        volume_rows = VolumeRows(library, tmp_path)
        photo = volume_rows.add_photo()
        movie = volume_rows.add_asset(photo, role="movie")
        volume_rows.add_asset(photo, role="superseded")
        volume_rows.add_photo(asset_derived=False)
        second = volume_rows.asset_of(volume_rows.add_photo())
        with library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
            ids = asset_tasks.unplanned(connection, StageVariant("embed", variant_id))
            assert asset_tasks.plan(connection, StageVariant("embed", variant_id), first=ids[0], last=ids[-1]) == 3
            assert asset_tasks.plan(connection, StageVariant("embed", variant_id), first=ids[0], last=ids[-1]) == 0
            rows = connection.execute(text("SELECT subject_id, priority FROM task ORDER BY priority, id")).all()
            assert rows == [(volume_rows.asset_of(photo), 0), (second, 0), (movie, 1)]
            assert asset_tasks.count_waiting(connection, StageVariant("embed", variant_id)) == 3
            assert len(asset_tasks.unplanned(connection, StageVariant("embed", variant_id))) == 2


def test_claiming_and_planning_use_indexes_instead_of_full_scans(tmp_path: Path) -> None:
    from sqlalchemy import event

    with library_in(tmp_path / "library") as library:
        VolumeRows(library, tmp_path).add_photo()
        statements: list[tuple[str, object]] = []
        with library.database.write() as connection:
            event.listen(
                connection,
                "before_cursor_execute",
                lambda _connection, _cursor, statement, parameters, *_: statements.append((statement, parameters)),
            )
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
            space = spaces.ensure_space(connection, model="a", variant_id=variant_id, dim=4)
            statements.clear()
            queue.claim(connection, queue.ClaimRequest("embed", 0, 5, 60.0, variant_id=variant_id), owner="me")
            asset_tasks.unplanned(connection, StageVariant("embed", variant_id))
            asset_tasks.count_to_do(connection, StageVariant("embed", variant_id))
            spaces.count_not_embedded(connection, space)
            looked_at = list(statements)
            plans = {
                str(row[3])
                for statement, parameters in looked_at
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            }
        assert any("task_pending" in one for one in plans)
        given = ("chosen", "pick", "anon_")  # the statement's own selection
        partial = ("INDEX asset_not_derived", "INDEX asset_superseded")  # these have the few rows of that state only
        scans = [one for one in plans if one.startswith("SCAN") and "COVERING INDEX" not in one]
        whole = [one for one in scans if not any(name in one for name in (*given, *partial))]
        assert whole == []
