"""People whose names files give: what was said about them holds for new files too, and undo gives the files their say."""

from __future__ import annotations

from pathlib import Path

import pytest

from photoindex.library.maintenance.journal import undo
from photoindex.library.people.decisions import changes
from tests.harness import LibraryRunner
from tests.marked_faces import Marked, mwg, picture, write

ANNA, BEN = Marked("Anna", 0.1, 0.2), Marked("Ben", 0.6, 0.4)
NAMES = """SELECT individual.name, region.id FROM region JOIN file ON file.asset_id = region.asset_id
LEFT JOIN assignment ON assignment.region_id = region.id
LEFT JOIN individual ON individual.id = assignment.individual_id ORDER BY file.name"""


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    """A library of two photos, a.jpg names Anna and b.jpg names Ben."""
    (tmp_path / "photos").mkdir()
    write(tmp_path / "photos" / "a.jpg", picture(mwg([ANNA]), seed=1))
    write(tmp_path / "photos" / "b.jpg", picture(mwg([BEN]), seed=2))
    found = LibraryRunner(tmp_path / "library")
    found.scan(tmp_path / "photos")
    return found


def names(runner: LibraryRunner) -> list[str | None]:
    """Return who is in a.jpg, in b.jpg and so on."""
    return [name for name, _ in runner.rows(NAMES)]


def test_a_merged_name_means_the_person_in_new_files_until_undo(runner: LibraryRunner, tmp_path: Path) -> None:
    with runner.open() as library:
        done = changes.merge(library, "Anna", ["Ben"])
    write(tmp_path / "photos" / "c.jpg", picture(mwg([BEN]), seed=3))
    runner.scan()
    assert names(runner) == ["Anna", "Anna", "Anna"]
    with runner.open() as library:
        undone = undo(library, done.entry_id)
    assert names(runner) == ["Anna", "Ben", "Ben"]
    with runner.open() as library:
        undo(library, undone.undone_by)
    assert names(runner) == ["Anna", "Anna", "Anna"]


def test_a_rejected_name_comes_back_with_undo(runner: LibraryRunner) -> None:
    (_, face), *_ = runner.rows(NAMES)
    with runner.open() as library:
        done = changes.reject(library, "Anna", [f"f{face}"])
    runner.scan()
    assert names(runner) == [None, "Ben"]
    with runner.open() as library:
        undo(library, done.entry_id)
    assert names(runner) == ["Anna", "Ben"]


def test_a_name_that_the_file_changed_since_stays_after_undo(runner: LibraryRunner, tmp_path: Path) -> None:
    with runner.open() as library:
        done = changes.merge(library, "Anna", ["Ben"])
    write(tmp_path / "photos" / "b.jpg", picture(mwg([Marked("Cleo", 0.6, 0.4)]), seed=2))
    runner.scan()
    assert names(runner) == ["Anna", "Cleo"]
    with runner.open() as library:
        undo(library, done.entry_id)
    assert names(runner) == ["Anna", "Cleo"]


def test_files_name_a_person_anew_after_the_undo_of_a_name_that_they_joined(
    runner: LibraryRunner, tmp_path: Path
) -> None:
    with runner.open() as library:
        done = changes.name(library, "Ben", "Zoë")
    write(tmp_path / "photos" / "z.jpg", picture(mwg([Marked("Zoë", 0.3, 0.3)]), seed=4))
    runner.scan()
    assert names(runner) == ["Anna", "Zoë", "Zoë"]
    with runner.open() as library:
        undo(library, done.entry_id)
    assert names(runner)[:2] == ["Anna", "Ben"]
