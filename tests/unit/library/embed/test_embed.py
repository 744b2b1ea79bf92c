"""`embed` as an operation: what is planned, in which order, what is left, what is done again; with a made-up model."""

from __future__ import annotations

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
from photoindex.pipeline.embed.run import EmbedTally
from photoindex.progress import Notice, PhaseAdvanced
from photoindex.store.tasks import embed_tasks, queue
from photoindex.store.vectors import spaces
from tests.fault import faulty_encoder
from tests.harness import Keeper
from tests.originals import write_photos
from tests.rows import Shelf, library_in

PHOTOS = 6


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    """A library of PHOTOS scanned photos and a made-up model; batches of 4."""
    write_photos(tmp_path / "photos", PHOTOS)
    keeper = Keeper(tmp_path / "library", settings={"embed.batch_size": 4, "embed.model": faulty_encoder.MODEL})
    keeper.scan(tmp_path / "photos")
    faulty_encoder.install(keeper.folder / "models")
    keeper.events.clear()
    return keeper


def run(keeper: Keeper, **request: object) -> EmbedSummary:
    with keeper.open() as library:
        wanted = EmbedRequest(opener=faulty_encoder.OPENER, **request)  # type: ignore[arg-type]
        return embed(library, wanted, keeper.events.append)


def vectors(keeper: Keeper) -> dict[int, np.ndarray]:
    rows = keeper.rows("SELECT asset_id, data FROM vector")
    return {asset: np.frombuffer(data, "<f2").astype(np.float32) for asset, data in rows}


def test_every_picture_gets_a_unit_vector_once(keeper: Keeper) -> None:
    summary = run(keeper)
    assert (summary.embedded, summary.pending, summary.batches) == (PHOTOS, 0, 2)
    assert (summary.space, summary.active, summary.runs_on) == ("made-up", True, "a made-up device")
    found = vectors(keeper)
    assert len(found) == PHOTOS
    assert all(abs(np.linalg.norm(each) - 1) < 2e-3 for each in found.values())
    assert len({each.tobytes() for each in found.values()}) == PHOTOS
    assert PhaseAdvanced("embedding", PHOTOS) in keeper.events
    assert int((keeper.folder / "models" / "niceness").read_text()) >= 10, "other programs go first"
    again = run(keeper)
    assert (again.embedded, again.batches, again.bottleneck) == (0, 0, None)
    assert keeper.value("SELECT count(*) FROM variant WHERE stage = 'embed'") == 1


def test_a_run_with_nothing_to_embed_makes_an_index_again_from_which_many_vectors_went(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintain, "DUE_LEAST", 2)
    run(keeper)
    with keeper.open() as library:
        assert [one.merged for one in index_status(library)] == [PHOTOS]
        with library.database.write() as connection:
            connection.execute(text("DELETE FROM vector WHERE id <= 3"))
    run(keeper)
    with keeper.open() as library:
        assert [(one.merged, one.gone) for one in index_status(library)] == [(PHOTOS - 3, 0)]


def test_the_summary_and_the_log_say_where_the_time_went(keeper: Keeper) -> None:
    faulty_encoder.install(keeper.folder / "models", slow=0.3)
    summary = run(keeper)
    assert summary.bottleneck == "infer"
    assert summary.infer_seconds > 0.6
    assert min(summary.decode_seconds, summary.write_seconds) > 0
    assert summary.images_per_second > 0
    log = (keeper.folder / "logs" / "photoindex.log").read_text()
    assert log.count('"message": "batch"') == 2
    assert '"infer_seconds"' in log


def test_the_step_that_is_busiest_for_its_threads_is_the_bottleneck() -> None:
    tally = EmbedTally(batches=1, read_seconds=1.0, decode_seconds=8.0, infer_seconds=3.0, write_seconds=0.5)
    assert tally.bottleneck(decode_threads=2) == "decode"
    assert tally.bottleneck(decode_threads=4) == "infer"


def test_new_photos_are_embedded_by_the_next_run_and_only_they(keeper: Keeper, tmp_path: Path) -> None:
    run(keeper)
    write_photos(tmp_path / "photos", 2, first=50)
    keeper.scan(tmp_path / "photos")
    assert run(keeper).embedded == 2


def test_equal_files_are_embedded_once(keeper: Keeper, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos" / "copies", PHOTOS)
    keeper.scan(tmp_path / "photos")
    assert run(keeper).embedded == PHOTOS


def test_a_limit_leaves_the_rest_for_the_next_run(keeper: Keeper) -> None:
    summary = run(keeper, limit=5)
    assert (summary.embedded, summary.pending, summary.window_ended, summary.stopped) == (5, 1, False, False)
    assert run(keeper).embedded == 1


def test_a_window_that_is_over_begins_nothing_and_says_so(keeper: Keeper) -> None:
    summary = run(keeper, window_seconds=0.0)
    assert (summary.embedded, summary.pending, summary.window_ended) == (0, PHOTOS, True)
    assert run(keeper, window_seconds=3600.0).window_ended is False
    assert run(keeper, window_seconds=0.0).window_ended is False


def test_a_dry_run_counts_and_changes_nothing(keeper: Keeper) -> None:
    before = run(keeper, dry_run=True)
    assert (before.pending, before.space, before.dry_run) == (PHOTOS, None, True)
    assert keeper.value("SELECT count(*) FROM space") == 0
    assert keeper.value("SELECT count(*) FROM variant WHERE stage = 'embed'") == 0
    run(keeper, limit=4)
    after = run(keeper, dry_run=True)
    assert (after.pending, after.space) == (PHOTOS - 4, "made-up")


def test_a_model_that_is_not_installed_is_named_with_the_command_to_run(keeper: Keeper) -> None:
    keeper.settings["embed.model"] = "clip-vit-b-32"
    with pytest.raises(ModelUnavailable, match="photoindex models pull clip-vit-b-32"):
        run(keeper)
    assert keeper.value("SELECT count(*) FROM space") == 0


def test_redo_of_a_photo_leads_to_a_new_vector_in_the_place_of_the_old_one(keeper: Keeper) -> None:
    run(keeper)
    before = dict(keeper.rows("SELECT asset_id, id FROM vector"))
    with keeper.open() as library:
        assert redo(library, "embed", ["id:1"]) == 1
    assert run(keeper).embedded == 1
    after = dict(keeper.rows("SELECT asset_id, id FROM vector"))
    assert set(after) == set(before)
    changed = [asset for asset in before if after[asset] != before[asset]]
    assert len(changed) == 1
    assert after[changed[0]] > max(before.values())


def test_a_preview_that_is_made_anew_leads_to_a_new_vector_and_the_old_one_stays_until_then(
    keeper: Keeper, tmp_path: Path
) -> None:
    run(keeper)
    before = dict(keeper.rows("SELECT asset_id, id FROM vector"))
    keeper.settings["derived.preview_px"] = 300
    keeper.scan(tmp_path / "photos")
    assert run(keeper).embedded == 0
    with keeper.open() as library:
        redo(library, "ingest", ["id:1"])
    keeper.scan(tmp_path / "photos")
    assert dict(keeper.rows("SELECT asset_id, id FROM vector")) == before
    assert run(keeper).embedded == 1
    after = dict(keeper.rows("SELECT asset_id, id FROM vector"))
    assert len(after) == PHOTOS
    assert len([each for each in before if after[each] != before[each]]) == 1


def test_a_vector_that_is_coming_from_an_earlier_preview_is_not_kept(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        shelf = Shelf(library, tmp_path)
        asset = shelf.asset_of(shelf.add_photo())
        with library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
            embed_tasks.plan(connection, variant_id, first=asset, last=asset)
            (claimed,) = queue.claim(connection, queue.Wanted("embed", 0, 5, 60.0, variant_id=variant_id), owner="me")
            embed_tasks.preview_was_made_anew(connection, asset)
            assert embed_tasks.held(connection, [claimed.id], owner="me") == {}
            assert embed_tasks.count_waiting(connection, variant_id) == 1


def test_what_was_given_up_waits_again_with_a_new_preview_unless_it_was_dismissed(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        shelf = Shelf(library, tmp_path)
        first, second = (shelf.asset_of(shelf.add_photo()) for _ in range(2))
        with library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
        values = {"subject_kind": "asset", "stage": "embed", "variant_id": variant_id, "error_class": "preview_missing"}
        shelf.add_task(first, "quarantined", **values)
        shelf.add_task(second, "quarantined", dismissed_at=1.0, **values)
        with library.database.write() as connection:
            for asset in (first, second):
                embed_tasks.preview_was_made_anew(connection, asset)
            found = connection.execute(
                text("SELECT subject_id, state, error_class FROM task WHERE stage = 'embed'")
            ).all()
    assert [tuple(row) for row in found] == [(first, "pending", None), (second, "quarantined", "preview_missing")]


def test_what_was_given_up_hides_no_other_picture_that_lacks_its_vector(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        shelf = Shelf(library, tmp_path)
        first, second = (shelf.asset_of(shelf.add_photo()) for _ in range(2))
        without_preview = shelf.asset_of(shelf.add_photo(asset_derived=False))
        with library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
            space = spaces.ensure_space(connection, model="a", variant_id=variant_id, dim=4)
        values = {"subject_kind": "asset", "stage": "embed", "variant_id": variant_id}
        for asset in (first, without_preview):
            shelf.add_task(asset, "quarantined", **values)
        with library.database.read() as connection:
            assert embed_tasks.count_lacking(connection, space.id, variant_id) == 1
            assert embed_tasks.count_given_up(connection, variant_id) == 2
        shelf.add_task(second, "quarantined", **values)
        with library.database.read() as connection:
            assert embed_tasks.count_lacking(connection, space.id, variant_id) == 0


def test_retry_puts_a_picture_back_that_was_given_up(keeper: Keeper) -> None:
    faulty_encoder.install(keeper.folder / "models", no_numbers_at=[1])
    assert run(keeper).quarantined == 1
    faulty_encoder.install(keeper.folder / "models")
    assert run(keeper).embedded == 0
    with keeper.open() as library:
        assert retry(library, TaskQuery(stage="embed")) == 1
    assert run(keeper).embedded == 1


def test_a_second_model_gets_a_space_of_its_own_while_the_first_serves(keeper: Keeper) -> None:
    run(keeper)
    faulty_encoder.install(keeper.folder / "models", "another")
    keeper.settings["embed.model"] = "another"
    summary = run(keeper)
    assert (summary.space, summary.active, summary.embedded) == ("another", False, PHOTOS)
    assert keeper.rows("SELECT name, active FROM space ORDER BY id") == [("made-up", 1), ("another", 0)]
    assert keeper.value("SELECT count(*) FROM vector") == 2 * PHOTOS
    assert keeper.value("SELECT count(*) FROM task WHERE stage = 'embed' AND state = 'done'") == 2 * PHOTOS


def test_other_weights_under_the_same_name_get_a_space_of_their_own_and_it_is_said(keeper: Keeper) -> None:
    run(keeper)
    faulty_encoder.install(keeper.folder / "models", weights="1" * 64)
    summary = run(keeper)
    assert (summary.space, summary.embedded) == ("made-up-2", PHOTOS)
    assert any(isinstance(one, Notice) and "a new space, 'made-up-2'" in one.message for one in keeper.events)


def test_without_a_set_model_that_of_the_space_in_use_is_embedded(keeper: Keeper) -> None:
    run(keeper, limit=2)
    del keeper.settings["embed.model"]
    assert run(keeper).model == "made-up"


def test_contents_that_stand_for_a_photo_come_first_and_superseded_ones_not_at_all(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        shelf = Shelf(library, tmp_path)
        photo = shelf.add_photo()
        movie = shelf.add_asset(photo, role="movie")
        shelf.add_asset(photo, role="superseded")
        shelf.add_photo(asset_derived=False)
        second = shelf.asset_of(shelf.add_photo())
        with library.database.write() as connection:
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
            ids = embed_tasks.unplanned(connection, variant_id)
            assert embed_tasks.plan(connection, variant_id, first=ids[0], last=ids[-1]) == 3
            assert embed_tasks.plan(connection, variant_id, first=ids[0], last=ids[-1]) == 0
            rows = connection.execute(text("SELECT subject_id, priority FROM task ORDER BY priority, id")).all()
            assert rows == [(shelf.asset_of(photo), 0), (second, 0), (movie, 1)]
            assert embed_tasks.count_waiting(connection, variant_id) == 3
            assert len(embed_tasks.unplanned(connection, variant_id)) == 2


def test_claiming_and_planning_read_indexes_and_not_whole_tables(tmp_path: Path) -> None:
    from sqlalchemy import event

    with library_in(tmp_path / "library") as library:
        Shelf(library, tmp_path).add_photo()
        statements: list[tuple[str, object]] = []
        with library.database.write() as connection:
            event.listen(
                connection,
                "before_cursor_execute",
                lambda _connection, _cursor, statement, parameters, *_: statements.append((statement, parameters)),
            )
            variant_id = queue.ensure_variant(connection, "embed", {"code": 1})
            statements.clear()
            queue.claim(connection, queue.Wanted("embed", 0, 5, 60.0, variant_id=variant_id), owner="me")
            embed_tasks.unplanned(connection, variant_id)
            embed_tasks.count_to_do(connection, variant_id)
            embed_tasks.count_lacking(connection, 1, variant_id)
            looked_at = list(statements)
            plans = {
                str(row[3])
                for statement, parameters in looked_at
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            }
        assert any("task_pending" in one for one in plans)
        whole = [one for one in plans if one.startswith("SCAN") and "COVERING INDEX" not in one and "chosen" not in one]
        assert whole == []
