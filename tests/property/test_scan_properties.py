"""Properties for any history of a folder and any path: scans are idempotent, names are preserved byte for byte."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from photoindex import paths
from photoindex.store.schema.tables import folder, volume
from tests.harness import LibraryRunner, counts
from tests.originals import write_photo
from tests.printable import is_one_line
from tests.series import examples

path_bytes = st.binary(min_size=1, max_size=255).filter(lambda name: b"\0" not in name)
names = st.sampled_from(["a.jpg", "b.jpg", "sub/a.jpg", "sub/c.jpg", "other/d.jpg"])
steps = st.one_of(
    st.tuples(st.just("write"), names, st.integers(0, 4)),
    st.tuples(st.just("remove"), names, st.just(0)),
    st.tuples(st.just("rename"), names, st.integers(0, 4)),
    st.tuples(st.just("copy"), names, st.integers(0, 4)),
)


@pytest.fixture(scope="module")
def one_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a library for all examples of a test: opening it takes a thirtieth of the time of making one."""
    return tmp_path_factory.mktemp("one") / "library"


def apply_step(step: tuple[str, str, int], top: Path) -> None:
    what, name, number = step
    path = top / name
    if what == "write":
        write_photo(path, number)
        return
    if not path.exists():
        return
    target = top / "sub" / f"moved-{number}.jpg"
    target.parent.mkdir(exist_ok=True)
    if what == "remove":
        path.unlink()
    elif what == "rename":
        path.rename(target)
    else:
        shutil.copy(path, target)


@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(st.lists(steps, min_size=1, max_size=4), min_size=1, max_size=4))
def test_after_any_history_every_file_is_known_once_and_a_second_scan_changes_nothing(
    history: list[list[tuple[str, str, int]]],
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary) / "photos"
        write_photo(top / "anchor.jpg", 99)
        runner = LibraryRunner(Path(temporary) / "library")
        for round_of_steps in history:
            for step in round_of_steps:
                apply_step(step, top)
            on_disk = {os.fsencode(each) for each in top.rglob("*.jpg")}
            first = runner.scan(top, derive=False)
            assert first.candidates == len(on_disk)
            again = runner.scan(top, derive=False)
            assert {**counts(again), "missing": 0} == {"unchanged": len(on_disk), "missing": 0}
            assert again.bytes == 0
            assert again.missing == first.missing
            known = runner.rows(
                "SELECT folder.path || '/' || file.name, volume.mount_point FROM file JOIN folder ON folder.id = folder_id"
                " JOIN volume ON volume.id = volume_id WHERE state = 'present'"
            )
            found = {os.fsencode(f"{mount.rstrip('/')}/{path}") for path, mount in known}
            assert found == {os.path.realpath(each) for each in on_disk}
            orphans = "SELECT count(*) FROM task LEFT JOIN file ON file.id = task.subject_id WHERE file.id IS NULL"
            assert runner.value(orphans) == 0


@given(path=path_bytes)
def test_a_path_round_trips_through_text(path: bytes) -> None:
    assert paths.from_text(paths.to_text(path)) == path


@given(path=path_bytes)
def test_displayed_text_neither_moves_the_cursor_nor_breaks_a_line(path: bytes) -> None:
    shown = paths.display(path)
    assert is_one_line(shown)
    shown.encode("utf-8")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(many=st.lists(path_bytes, min_size=1, max_size=20, unique=True))
def test_paths_of_any_bytes_round_trip_through_the_database(one_library: Path, many: list[bytes]) -> None:
    with LibraryRunner(one_library).open() as library:
        with library.database.write() as connection:
            connection.execute(delete(folder))
            connection.execute(delete(volume))
            connection.execute(
                insert(volume).values(
                    id=1, identity="x", label="x", mount_point=b"/", file_system="x", last_seen_at=0.0
                )
            )
            connection.execute(insert(folder), [{"volume_id": 1, "path": path} for path in many])
        with library.database.read() as connection:
            assert set(connection.execute(select(folder.c.path)).scalars()) == set(many)
            for path in many:
                assert connection.execute(select(folder.c.path).where(folder.c.path == path)).scalar() == path
