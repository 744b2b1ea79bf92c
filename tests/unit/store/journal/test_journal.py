"""The journal: a person's changes are recorded row by row, shown, and undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from photoindex.errors import EXIT_USAGE, NothingFound
from photoindex.store.engine.database import Database
from photoindex.store.journal.journal import (
    Change,
    changes_of,
    entries,
    newest_undoable,
    readable,
    record,
    rows_as_changes,
    stored_row,
    updates_as_changes,
)
from photoindex.store.journal.undo import CannotUndo, Undone, undo_in
from photoindex.store.schema import migrate
from photoindex.store.schema.tables import asset, file, folder, journal, photo, photo_text, task, variant, volume


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A library with one photo in two files, one with a name that is not UTF-8."""
    made = Database(tmp_path / "photoindex.db")
    migrate.bring_up_to_date(made)
    with made.write() as connection:
        connection.execute(
            insert(volume).values(id=1, identity="x", label="x", mount_point=b"/", file_system="ext4", last_seen_at=0.0)
        )
        connection.execute(insert(folder).values(id=1, volume_id=1, path=b"photos"))
        connection.execute(insert(variant).values(id=1, stage="ingest", key="{}", created_at=0.0))
        connection.execute(
            insert(photo).values(
                id=1, kind="image", format="jpeg", size_bytes=7, keywords=["sea", "käse"], sources={}, added_at=0.1
            )
        )
        connection.execute(
            insert(photo_text).values(photo_id=1, name="a", folder="", camera="", keywords="", title="", description="")
        )
        connection.execute(
            insert(asset).values(
                id=1, digest=bytes(range(32)), size_bytes=7, kind="image", format="jpeg", facts={}, notes=[],
                perceptual_hash=-(2**63), derived=True, variant_id=1, photo_id=1, role="primary", added_at=0.1,
            )
        )  # fmt: skip
        for number, name in enumerate((b"a.jpg", b"\xff.jpg"), 1):
            connection.execute(
                insert(file).values(
                    id=number, folder_id=1, name=name, size_bytes=7, mtime_ns=2**62 + 1, state="missing",
                    asset_id=1, first_seen_at=0.1, missing_since=None if number == 1 else 3.25,
                )
            )  # fmt: skip
    yield made
    made.close()


ALL_TABLES = (file, photo_text, asset, photo)
"""Children before parents, as `prune` deletes them."""


def all_rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows with their storage classes."""
    with database.read() as connection:
        found = {}
        for table in ALL_TABLES:
            columns = ", ".join(f'"{column.name}", typeof("{column.name}")' for column in table.columns)
            found[table.name] = [
                tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table.name} ORDER BY 1"))
            ]
        return found


def prune(database: Database) -> int:
    """Delete all rows of the photo in one journalled operation."""
    with database.write() as connection:
        entry = record(
            connection,
            command="prune",
            summary="forgot 1 photo",
            changes=(one for table in ALL_TABLES for one in rows_as_changes(connection, table, select(table))),
        )
        for table in ALL_TABLES:
            connection.execute(delete(table))
    return entry


def rate(database: Database, stars: int) -> int:
    """Change one column in one journalled operation."""
    with database.write() as connection:
        chosen = select(photo.c.id).where(photo.c.id == 1)
        entry = record(
            connection,
            command="rate",
            summary=f"{stars} stars",
            changes=updates_as_changes(connection, photo, chosen, {"rating": stars}),
        )
        connection.execute(update(photo).where(photo.c.id == 1).values(rating=stars))
    return entry


def rating(database: Database) -> int | None:
    with database.read() as connection:
        found: int | None = connection.execute(select(photo.c.rating)).scalar_one()
        return found


def test_deleted_rows_are_restored_bit_for_bit_with_their_storage_classes(database: Database) -> None:
    before = all_rows(database)
    entry = prune(database)
    assert not any(all_rows(database).values())

    assert undo_in(database, entry) == Undone(entry, entry + 1, 5)

    assert all_rows(database) == before
    assert before["file"][1][2:6] == (1, "integer", b"\xff.jpg", "blob")


def test_an_undo_can_be_undone_repeatedly(database: Database) -> None:
    first = rate(database, 4)
    for number, expected in enumerate([None, 4, None, 4], 1):
        undo_in(database, first + number - 1)
        assert rating(database) == expected
    with database.read() as connection:
        found = {one.id: (one.undoes, one.undone_by) for one in entries(connection)}
    assert found[first][0] is None
    assert found[first][1] is None  # in effect again
    assert found[first + 4] == (first + 3, None)


def test_the_newest_undoable_entry_is_the_newest_still_in_force_that_is_no_undoing(database: Database) -> None:
    first = rate(database, 1)
    second = rate(database, 2)
    with database.read() as connection:
        assert newest_undoable(connection) == second
    undo_in(database, second)
    with database.read() as connection:
        assert newest_undoable(connection) == first
    undo_in(database, first)
    with database.read() as connection:
        assert newest_undoable(connection) is None
    assert rating(database) is None


def test_an_entry_can_be_undone_only_once(database: Database) -> None:
    entry = rate(database, 4)
    undo_in(database, entry)
    with pytest.raises(CannotUndo, match=f"entry {entry} was already undone by entry {entry + 1}") as refusal:
        undo_in(database, entry)
    assert refusal.value.exit_code == EXIT_USAGE


def test_the_error_names_an_unknown_entry(database: Database) -> None:
    with pytest.raises(NothingFound, match="no entry 99"):
        undo_in(database, 99)


def test_a_row_changed_meanwhile_stops_the_undo_and_nothing_changes(database: Database) -> None:
    entry = rate(database, 4)
    rate(database, 5)
    with pytest.raises(CannotUndo, match="photo 1 has changed since; nothing was changed"):
        undo_in(database, entry)
    assert rating(database) == 5
    with database.read() as connection:
        assert [one.command for one in entries(connection)] == ["rate", "rate"]


def test_a_row_that_is_gone_since_stops_the_undo(database: Database) -> None:
    entry = rate(database, 4)
    prune(database)
    with pytest.raises(CannotUndo, match="photo 1 no longer exists"):
        undo_in(database, entry)


def test_a_row_that_has_taken_the_place_of_a_deleted_one_stops_the_undo(database: Database) -> None:
    entry = prune(database)
    with database.write() as connection:
        connection.execute(
            insert(file).values(
                id=7, folder_id=1, name=b"a.jpg", size_bytes=7, mtime_ns=1, state="present", first_seen_at=0.2
            )
        )
    with pytest.raises(CannotUndo, match="another row of file conflicts with a row to restore"):
        undo_in(database, entry)
    assert [len(rows) for rows in all_rows(database).values()] == [1, 0, 0, 0]


def test_a_deleted_row_that_is_there_again_stops_the_undo(database: Database) -> None:
    entry = prune(database)
    with database.write() as connection:
        connection.execute(
            insert(file).values(
                id=1, folder_id=1, name=b"other.jpg", size_bytes=7, mtime_ns=1, state="present", first_seen_at=0.2
            )
        )
    with pytest.raises(CannotUndo, match="file 1 exists again"):
        undo_in(database, entry)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_row_whose_parent_was_deleted_stops_the_undo(database: Database, dry_run: bool) -> None:
    with database.write() as connection:
        entry = record(
            connection, command="prune", summary="x", changes=rows_as_changes(connection, file, select(file.c.id))
        )
        connection.execute(delete(file))
    with database.write() as connection:
        connection.execute(delete(folder))
    with pytest.raises(CannotUndo, match="refer to one that no longer exists"):
        undo_in(database, entry, dry_run=dry_run)
    assert all_rows(database)["file"] == []


def test_a_dry_run_checks_and_counts_and_changes_nothing(database: Database) -> None:
    entry = prune(database)
    assert undo_in(database, entry, dry_run=True) == Undone(entry, None, 5)
    assert not any(all_rows(database).values())
    with database.read() as connection:
        assert [one.undone_by for one in entries(connection)] == [None]
    undo_in(database, entry)


def test_several_changes_of_one_row_in_one_entry_are_undone_last_first(database: Database) -> None:
    with database.write() as connection:
        rows = []
        for stars in (1, 2, 3):
            before = stored_row(connection, photo, {"id": 1})
            connection.execute(update(photo).values(rating=stars))
            rows.append(Change("photo", {"id": 1}, before=before, after=stored_row(connection, photo, {"id": 1})))
        entry = record(connection, command="rate", summary="three times", changes=rows)
    undo_in(database, entry)
    assert rating(database) is None
    undo_in(database, entry + 1)
    assert rating(database) == 3


def test_an_inserted_row_is_removed_by_the_undo(database: Database) -> None:
    with database.write() as connection:
        connection.execute(
            insert(task).values(
                id=5, subject_kind="file", subject_id=1, stage="ingest", variant_id=1, state="pending", updated_at=0.5
            )
        )
        after = stored_row(connection, task, {"id": 5})
        entry = record(
            connection, command="redo", summary="x", changes=[Change("task", {"id": 5}, before=None, after=after)]
        )
    undo_in(database, entry)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(task)).scalar_one() == 0
    undo_in(database, entry + 1)
    with database.read() as connection:
        assert stored_row(connection, task, {"id": 5}) == after


def test_rows_that_would_not_change_are_not_recorded(database: Database) -> None:
    rate(database, 4)
    entry = rate(database, 4)
    with database.read() as connection:
        assert list(changes_of(connection, entry)) == []


def test_a_deleted_row_has_null_after(database: Database) -> None:
    prune(database)
    with database.read() as connection:
        kinds = connection.execute(text("SELECT DISTINCT typeof(before), typeof(after) FROM journal_change")).all()
    assert [tuple(kind) for kind in kinds] == [("text", "null")]


def test_changes_to_unknown_columns_from_another_version_are_not_undone(database: Database) -> None:
    with database.write() as connection:
        entry = record(
            connection,
            command="x",
            summary="x",
            changes=[Change("photo", {"id": 1}, before={"id": 1, "mood": "calm"}, after=None)],
        )
        other = record(
            connection, command="x", summary="x", changes=[Change("nothing", {"id": 1}, before={}, after=None)]
        )
    for number in (entry, other):
        with pytest.raises(CannotUndo, match="written by another version"):
            undo_in(database, number)


def test_a_column_added_later_does_not_stop_an_undo(database: Database) -> None:
    with database.write() as connection:
        before = stored_row(connection, photo, {"id": 1})
        assert before is not None
        del before["lens"]
        connection.execute(update(photo).values(rating=3))
        entry = record(
            connection, command="x", summary="x", changes=[Change("photo", {"id": 1}, before, {**before, "rating": 3})]
        )
    undo_in(database, entry)
    assert rating(database) is None


def test_many_changes_are_handled_in_batches(database: Database) -> None:
    with database.write() as connection:
        rows = [
            {
                "folder_id": 1,
                "name": b"%d" % n,
                "size_bytes": n,
                "mtime_ns": n,
                "state": "missing",
                "first_seen_at": 0.0,
            }
            for n in range(2_500)
        ]
        connection.execute(insert(file), rows)
    before = all_rows(database)
    entry = prune(database)
    with database.read() as connection:
        assert next(entries(connection)).changes == 2_505
        assert sum(1 for _ in changes_of(connection, entry)) == 2_505
    undo_in(database, entry)
    assert all_rows(database) == before


def test_the_journal_lists_the_newest_entries_first_up_to_a_limit(database: Database) -> None:
    for stars in (1, 2, 3):
        rate(database, stars)
    with database.read() as connection:
        assert [one.summary for one in entries(connection, 2)] == ["3 stars", "2 stars"]
        assert connection.execute(select(func.count()).select_from(journal)).scalar_one() == 3


def test_an_amended_row_is_restored_as_amended_and_can_be_undone_again(database: Database) -> None:
    entry = prune(database)

    def without_previews(change: Change) -> Change:
        if change.table_name != "asset" or change.before is None:
            return change
        return replace(change, before={**change.before, "derived": 0})

    undone = undo_in(database, entry, amend=without_previews)
    with database.read() as connection:
        assert connection.execute(select(asset.c.derived)).scalar_one() is False
    assert undone.undone_by is not None
    undo_in(database, undone.undone_by)
    assert not any(all_rows(database).values())


def test_rows_are_shown_with_paths_as_bytes_digests_in_hexadecimal_and_lists_as_lists(database: Database) -> None:
    with database.read() as connection:
        shown = {
            table.name: readable(table.name, stored_row(connection, table, {"id": 1})) for table in (asset, file, photo)
        }
    assert (shown["asset"] or {})["digest"] == bytes(range(32)).hex()
    assert (shown["asset"] or {})["derived"] is True
    assert (shown["file"] or {})["name"] == b"a.jpg"
    assert (shown["photo"] or {})["keywords"] == ["sea", "käse"]
    assert readable("nothing", {"a": b"x"}) == {"a": b"x"}
    assert readable("photo", None) is None
