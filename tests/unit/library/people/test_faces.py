"""`faces` on pictures with drawn faces and a tiny face pack: every layer from the preview to the rows is the real one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photoindex.cli.commands.faces import lines
from photoindex.errors import ModelUnavailable
from photoindex.library.maintenance.redo import redo
from photoindex.library.maintenance.status import status
from photoindex.library.maintenance.tasks import commands_for_waiting
from photoindex.library.people.faces import FacesRequest, FacesSummary, faces
from photoindex.progress import Notice
from photoindex.store.people.regions import vectors_of
from tests.harness import LibraryRunner
from tests.tiny_faces import MODEL_ID, install_tiny_faces, write_faces
from tests.unit.library.people import limited_faces

ANNA, BEN, CARL = 1, 2, 3
LEFT, RIGHT = (60, 60, 160, 160), (400, 200, 460, 260)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with a face pack and three photos, not looked through; copy it."""
    folder = tmp_path_factory.mktemp("made")
    write_faces(folder / "photos" / "both.jpg", {LEFT: ANNA, RIGHT: BEN}, seed=1)
    write_faces(folder / "photos" / "anna.jpg", {(200, 100, 300, 200): ANNA}, seed=2, variation=0.3)
    write_faces(folder / "photos" / "nobody.jpg", {}, seed=3)
    LibraryRunner(folder / "library").scan(folder / "photos")
    install_tiny_faces(folder / "library")
    return folder


@pytest.fixture
def runner(made: Path, tmp_path: Path) -> LibraryRunner:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(tmp_path / "photos")
    return runner


def look(
    runner: LibraryRunner, stop: Callable[[], bool] = lambda: False, *, model: str | None = None, **request: object
) -> FacesSummary:
    settings = {"faces.batch_size": 2, "faces.device": "cpu"} | ({} if model is None else {"faces.model": model})
    with LibraryRunner(runner.folder, settings=settings).open() as library:
        return faces(library, FacesRequest(**request), runner.events.append, stop)  # type: ignore[arg-type]


def people_in(runner: LibraryRunner, name: str) -> list[int]:
    """Return the ids of the faces of a photo, from left to right."""
    found = runner.rows(
        "SELECT DISTINCT region.id, x FROM region JOIN file ON file.asset_id = region.asset_id WHERE file.name = ? ORDER BY x",
        name,
    )
    return [region_id for region_id, _x in found]


def likeness(runner: LibraryRunner, one: int, other: int) -> float:
    with runner.open() as library, library.database.read() as connection:
        vectors = vectors_of(connection, [one, other])
    return float(vectors[one].astype(np.float32) @ vectors[other].astype(np.float32))


def test_every_face_gets_its_place_and_a_vector_that_says_who_it_is(runner: LibraryRunner) -> None:
    summary = look(runner)
    assert (summary.model, summary.looked_through, summary.faces, summary.without_face) == (MODEL_ID, 3, 3, 1)
    assert (summary.pending, summary.in_use, summary.batches) == (0, True, 2)
    anna, ben = people_in(runner, "both.jpg")
    (again,) = people_in(runner, "anna.jpg")
    assert likeness(runner, anna, again) > 0.8
    assert abs(likeness(runner, anna, ben)) < 0.3
    ((x, y, width, height, size_px),) = runner.rows(
        "SELECT x, y, width, height, size_px FROM region WHERE id = ?", anna
    )
    assert (x * 640, y * 480, width * 640, height * 480) == pytest.approx((60, 60, 100, 100), abs=8)
    assert size_px == pytest.approx(100, abs=8)
    assert dict(runner.rows("SELECT faces, count(*) FROM photo GROUP BY 1")) == {0: 1, 1: 1, 2: 1}
    assert look(runner).looked_through == 0


def test_boxes_are_fractions_of_the_upright_photo(runner: LibraryRunner, tmp_path: Path) -> None:
    upright = write_faces(tmp_path / "upright.png", {(60, 300, 160, 400): ANNA}, size_px=(480, 640), seed=9)
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(upright) as image:
        image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "photos" / "turned.jpg", exif=exif)
    runner.scan(tmp_path / "photos")
    look(runner)
    (found,) = people_in(runner, "turned.jpg")
    ((x, y, size_px),) = runner.rows("SELECT x, y, size_px FROM region WHERE id = ?", found)
    assert (x * 480, y * 640, size_px) == pytest.approx((60, 300, 100), abs=8)


def test_a_limit_leaves_the_rest_for_the_next_run_and_a_dry_run_counts_it(runner: LibraryRunner) -> None:
    assert (look(runner, dry_run=True).pending, runner.value("SELECT count(*) FROM task WHERE stage = 'faces'")) == (
        3,
        0,
    )
    summary = look(runner, limit=1)
    assert (summary.looked_through, summary.pending, summary.stopped) == (1, 2, False)
    assert look(runner, dry_run=True).pending == 2
    assert (look(runner).looked_through, look(runner, dry_run=True).pending) == (2, 0)


def test_the_summary_counts_and_names_pictures_with_more_faces_than_are_kept(runner: LibraryRunner) -> None:
    summary = look(runner, open=limited_faces.OPENER)
    assert (summary.looked_through, summary.faces, summary.without_face, summary.limited) == (3, 2, 1, 1)
    assert summary.limited_path is not None
    assert summary.limited_path.endswith("/photos/both.jpg")
    (line,) = [line for line in lines(summary, "photoindex faces", verbose=False) if "may show more" in line]
    assert line.startswith("1 picture may show more than the 2,000 faces that are kept of one picture")
    assert line.endswith("/photos/both.jpg")
    with runner.open() as library:
        assert redo(library, "faces", ["name:both.jpg"]) == 1
    whole = look(runner)
    assert (whole.faces, whole.limited, whole.limited_path) == (2, 0, None)


def test_redo_looks_again_and_faces_keep_their_ids(runner: LibraryRunner) -> None:
    look(runner)
    before = runner.rows("SELECT id, asset_id FROM region ORDER BY id")
    with runner.open() as library:
        assert redo(library, "faces", ["name:both.jpg"]) == 1
        assert commands_for_waiting(library, ["faces"]) == "photoindex faces"
        assert status(library).for_faces == {"photoindex faces": 1}
    assert look(runner).looked_through == 1
    assert runner.rows("SELECT id, asset_id FROM region ORDER BY id") == before


def test_status_counts_pictures_only_where_a_face_pack_is_installed(runner: LibraryRunner, tmp_path: Path) -> None:
    with runner.open() as library:
        assert status(library).for_faces == {"photoindex faces": 3}
    shutil.rmtree(runner.folder / "models")
    with runner.open() as library:
        assert status(library).for_faces == {}


def test_another_pack_replaces_the_faces_photo_by_photo_and_is_used_when_it_has_seen_all(runner: LibraryRunner) -> None:
    look(runner)
    before = runner.rows("SELECT id FROM region ORDER BY id")
    install_tiny_faces(runner.folder, model_id="other")
    runner.events.clear()
    summary = look(runner, model="other", limit=2)
    assert (summary.in_use, summary.pending) == (False, 1)
    assert any(isinstance(each, Notice) and "found by another model" in each.message for each in runner.events)
    assert look(runner, dry_run=True).model == MODEL_ID
    summary = look(runner, model="other")
    assert (summary.in_use, summary.other_faces) == (True, 0)
    assert runner.rows("SELECT id FROM region ORDER BY id") == before
    assert look(runner, dry_run=True).model == "other"
    assert runner.value("SELECT count(*) FROM task WHERE stage = 'faces'") == 3
    assert look(runner, model=MODEL_ID, dry_run=True).pending == 3


def test_a_pack_that_is_not_installed_is_named_with_the_command_to_run(runner: LibraryRunner) -> None:
    with pytest.raises(ModelUnavailable, match="photoindex models"):
        look(runner, model="absent")


def test_a_model_that_finds_no_faces_is_refused(runner: LibraryRunner) -> None:
    from tests.tiny_model import install_tiny

    install_tiny(runner.folder, model_id="clip")
    with pytest.raises(ModelUnavailable, match="cannot find faces"):
        look(runner, model="clip")


def test_vectors_that_do_not_fit_to_the_stored_ones_are_refused(runner: LibraryRunner) -> None:
    """The description in the lock file and the networks disagree."""
    lock = runner.folder / "models" / "lock.json"
    lock.write_text(lock.read_text().replace('"dim": 48', '"dim": 64'))
    with pytest.raises(ModelUnavailable, match=r"48 dimensions, but its faces are stored with 64"):
        look(runner)
    assert runner.value("SELECT count(*) FROM region") == 0
