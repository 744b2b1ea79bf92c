"""Picasa's file of a folder across scans: each photo gets its own faces, and only what changed is resolved again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from photoindex.library.maintenance.journal import undo
from photoindex.library.maintenance.prune import PruneRequest, prune
from photoindex.pipeline.resolve.photo import Resolver
from tests.harness import LibraryRunner, counts
from tests.marked_faces import Marked, microsoft, mwg, picture, sidecar, write

PEOPLE = """[Contacts2]
aa=Anna;;
bb=Ben;;
"""
LEFT, RIGHT = "rect64(1000200030004000)", "rect64(9000a000b000c000)"
FACES = """SELECT file.name, individual.name, assignment.how, region.schema FROM region
JOIN file ON file.asset_id = region.asset_id LEFT JOIN assignment ON assignment.region_id = region.id
LEFT JOIN individual ON individual.id = assignment.individual_id ORDER BY 1, region.id"""


@pytest.fixture
def runner(tmp_path: Path) -> LibraryRunner:
    return LibraryRunner(tmp_path / "library")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for seed, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        write(tmp_path / "photos" / name, picture(seed=seed))
    return tmp_path / "photos"


def faces(runner: LibraryRunner) -> list[tuple[Any, ...]]:
    return runner.rows(FACES)


def test_each_photo_gets_its_own_faces(runner: LibraryRunner, photos: Path) -> None:
    ini = f"{PEOPLE}[a.jpg]\nfaces={LEFT},aa;{RIGHT},bb\nstar=yes\n[B.JPG]\nfaces={LEFT},bb\ncaption=Two\n"
    write(photos / ".picasa.ini", ini)
    assert counts(runner.scan(photos)) == {"new": 3, "sidecars": 1}
    assert faces(runner) == [
        ("a.jpg", "Anna", "metadata", "picasa"),
        ("a.jpg", "Ben", "metadata", "picasa"),
        ("b.jpg", "Ben", "metadata", "picasa"),
    ]
    described = "SELECT file.name, description FROM photo JOIN file ON file.asset_id = primary_asset_id ORDER BY 1"
    assert runner.rows(described) == [("a.jpg", None), ("b.jpg", "Two"), ("c.jpg", None)]
    assert counts(runner.scan()) == {"unchanged": 3, "sidecars": 1}


def test_an_edited_file_resolves_only_the_photos_that_it_changed(
    runner: LibraryRunner, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(photos / ".picasa.ini", f"{PEOPLE}[a.jpg]\nfaces={LEFT},aa\n[b.jpg]\nfaces={LEFT},bb\n")
    runner.scan(photos)
    resolved: list[int] = []
    refresh = Resolver.refresh
    monkeypatch.setattr(
        Resolver, "refresh", lambda self, connection, ids: (resolved.extend(ids), refresh(self, connection, ids))
    )
    write(path, f"{PEOPLE}[a.jpg]\nfaces={LEFT},aa\n[b.jpg]\nfaces={RIGHT},aa\n[c.jpg]\nstar=yes\n")
    runner.scan()
    names = dict(runner.rows("SELECT asset.photo_id, file.name FROM file JOIN asset ON asset.id = file.asset_id"))
    assert sorted({names[photo] for photo in resolved}) == ["b.jpg", "c.jpg"]
    assert [row[:2] for row in faces(runner)] == [("a.jpg", "Anna"), ("b.jpg", "Anna")]
    path.unlink()
    runner.scan()
    assert faces(runner) == []


def test_faces_that_the_file_and_its_photo_both_mark_are_one(runner: LibraryRunner, photos: Path) -> None:
    left = Marked("Anna", 0x1000 / 65535, 0x2000 / 65535, 0x2000 / 65535, 0x2000 / 65535)
    write(photos / "a.jpg", picture(mwg([left]) + microsoft([left])))
    sidecar(photos / "b.jpg.xmp", mwg([Marked("Anna B", left.x, left.y, left.width, left.height)]))
    write(photos / ".picasa.ini", f"{PEOPLE}[a.jpg]\nfaces={LEFT},aa\n[b.jpg]\nfaces={LEFT},bb\n")
    runner.scan(photos)
    assert [row[:2] for row in faces(runner)] == [("a.jpg", "Anna"), ("b.jpg", "Anna B")]


def test_the_view_of_sidecars_knows_the_faces_of_each_photo(runner: LibraryRunner, photos: Path) -> None:
    write(photos / ".picasa.ini", f"{PEOPLE}[a.jpg]\nfaces={LEFT},aa\n[b.jpg]\nstar=yes\n")
    runner.scan(photos)
    rows = runner.rows("SELECT json_array_length(regions), facts FROM v_sidecar ORDER BY 1 DESC")
    assert rows == [(1, "{}"), (0, '{"favourite": 1}')]


def test_a_pruned_file_comes_back_with_its_parts(runner: LibraryRunner, photos: Path) -> None:
    path = write(photos / ".picasa.ini", f"{PEOPLE}[a.jpg]\nfaces={LEFT},aa\n")
    runner.scan(photos)
    before = runner.rows("SELECT * FROM sidecar_part")
    path.unlink()
    runner.scan()
    with runner.open() as library:
        prune(library, PruneRequest())
    assert runner.rows("SELECT * FROM sidecar_part") == []
    with runner.open() as library:
        undo(library)
    assert runner.rows("SELECT * FROM sidecar_part") == before
