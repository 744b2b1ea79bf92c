"""`people find FILE` and `face:FILE`: whom a picture shows, by a real face pack on drawn faces."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from photoindex.store.schema.tables import region_space
from tests.command_line import CommandResult, run
from tests.face_rows import FaceRows
from tests.harness import LibraryRunner
from tests.rows import library_in
from tests.tiny_faces import MODEL_ID, install_tiny_faces, write_faces

ANNA, BEN, CLEO, STRANGER = range(4)
MIDDLE = (200, 100, 300, 200)
LEFT, RIGHT = (60, 60, 160, 160), (400, 200, 500, 300)

Command = Callable[..., CommandResult]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with four photos of Anna, three of Ben, whose group has no name, and one of other people."""
    folder = tmp_path_factory.mktemp("find")
    photos = folder / "photos"
    for number in range(4):
        write_faces(photos / f"anna {number}.jpg", {MIDDLE: ANNA}, seed=number, variation=0.3)
    for number in range(3):
        write_faces(photos / f"ben {number}.jpg", {MIDDLE: BEN}, seed=10 + number, variation=0.3)
    for number in range(8):
        faces = {LEFT: 10 + 2 * number, RIGHT: 11 + 2 * number}
        write_faces(photos / f"others {number}.jpg", faces, seed=20 + number)
    runner = LibraryRunner(folder / "library", settings={"faces.device": "cpu"})
    runner.scan(photos)
    install_tiny_faces(folder / "library")
    with runner.open() as library:
        from photoindex.library.people.faces import FacesRequest, faces

        faces(library, FacesRequest(), runner.events.append)
        rows = FaceRows.__new__(FaceRows)
        rows.library = library
        for name, who in (("Anna", "anna%"), (None, "ben%")):
            found = runner.rows(
                "SELECT region.id FROM region JOIN file ON file.asset_id = region.asset_id WHERE file.name LIKE ?", who
            )
            rows.add_person(name, [region_id for (region_id,) in found])
    return folder


@pytest.fixture
def command(folder: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(folder / "library"))
    return lambda *words: run(capsysbinary, *map(str, words))


def names(result: CommandResult) -> list[str]:
    return sorted(Path(line).name for line in result.out.decode().splitlines())


def test_a_picture_with_one_face_finds_the_photos_of_the_person(command: Command, tmp_path: Path) -> None:
    picture = write_faces(tmp_path / "me now.png", {(40, 40, 120, 120): ANNA}, seed=99, variation=0.3)
    anna = [f"anna {number}.jpg" for number in range(4)]
    assert names(command("search", f"face:{picture}")) == anna
    assert names(command("search", f"face:{picture}", "person:Anna", "-name:2")) == [anna[0], anna[1], anna[3]]
    assert len(names(command("search", f"-face:{picture}"))) == 11
    explained = command("search", f"face:{picture}", "--explain")
    assert b"(Anna)" in explained.out


def test_a_face_finds_the_photos_of_a_group_without_a_name(command: Command, tmp_path: Path) -> None:
    picture = write_faces(tmp_path / "ben.jpg", {MIDDLE: BEN}, seed=98)
    assert names(command("search", f"face:{picture}")) == [f"ben {number}.jpg" for number in range(3)]


def test_find_says_who_each_face_is_with_the_nearest_examples(command: Command, tmp_path: Path) -> None:
    picture = write_faces(tmp_path / "party.jpg", {RIGHT: ANNA, LEFT: BEN}, seed=97, variation=0.3)
    done = command("people", "find", picture, "--json")
    assert done.code == 0
    first, second = done.json
    assert (first["face"], first["person"], first["name"], first["sure"]) == (1, 2, None, True)
    assert (second["face"], second["person"], second["name"], second["sure"]) == (2, 1, "Anna", True)
    assert second["confidence"] > 0.99
    assert len(second["examples"]) == 3
    assert second["example"] == second["examples"][0]["face"]
    assert second["path"].endswith(".jpg")
    assert 0.6 < second["x"] < 0.7
    cells = command("people", "find", picture).out.decode().splitlines()
    assert [line.split("\t")[:2] for line in cells] == [["2", ""], ["1", "Anna"]]


def test_a_stranger_is_nobody(command: Command, tmp_path: Path) -> None:
    picture = write_faces(tmp_path / "x y.jpg", {MIDDLE: CLEO}, seed=96)
    done = command("search", f"face:{picture}")
    assert done.code == 11
    assert f"for the nearest people: photoindex people find '{picture}'" in done.err.decode()
    done = command("people", "find", picture)
    assert done.code == 11
    assert "nobody is known who looks like a face in" in done.err.decode()


def test_pictures_without_a_face_and_with_several_are_refused_for_a_query(command: Command, tmp_path: Path) -> None:
    nobody = write_faces(tmp_path / "nobody.jpg", {}, seed=95)
    several = write_faces(tmp_path / "several.jpg", {LEFT: ANNA, RIGHT: BEN}, seed=94)
    done = command("search", f"face:{nobody}")
    assert (done.code, done.out) == (2, b"")
    assert f"no face is found in {nobody}" in done.err.decode()
    done = command("search", f"face:{several}")
    assert done.code == 2
    assert (
        f"shows 2 faces, and one is needed; to see who they are: photoindex people find {several}" in done.err.decode()
    )
    assert command("people", "find", nobody).code == 11


def test_files_that_are_no_pictures_are_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_bytes(b"no picture")
    for path, message in (
        (tmp_path / "text.jpg", "cannot be decoded"), (tmp_path, "is a folder"), (tmp_path / "none.jpg", "no such file"),
    ):  # fmt: skip
        for words in (("search", f"face:{path}"), ("people", "find", path)):
            done = command(*words)
            assert done.code == 2
            assert message in done.err.decode()


def test_a_library_without_faces_says_what_finds_them(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture = write_faces(tmp_path / "me.jpg", {MIDDLE: ANNA})
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))
    with library_in(tmp_path / "library"):
        pass
    done = command("search", f"face:{picture}")
    assert done.code == 11
    assert "no faces were found in the library yet; run: photoindex faces" in done.err.decode()


def test_faces_of_another_version_of_the_model_are_not_compared(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture = write_faces(tmp_path / "me.jpg", {MIDDLE: ANNA})
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))
    install_tiny_faces(tmp_path / "library")
    with library_in(tmp_path / "library") as library:
        rows = FaceRows(library, tmp_path / "photos", model=MODEL_ID)
        rows.add_person("Anna", rows.add_photos_of("anna", 3))
    done = command("people", "find", picture)
    assert done.code == 7
    assert (
        f"by another version of '{MODEL_ID}' than the installed one; describe them again: photoindex faces"
        in done.err.decode()
    )


def test_what_cluster_measured_decides_who_is_alike_enough(
    command: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder / "library", tmp_path / "library")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))
    picture = write_faces(tmp_path / "me.png", {MIDDLE: ANNA}, seed=99, variation=0.3)
    assert command("people", "find", picture).code == 0
    assert command("cluster", "calibrate").code == 0
    with library_in(tmp_path / "library") as library, library.database.write() as connection:
        (space,) = connection.execute(select(region_space)).all()
        measured = space.calibration["measured"] | {"mean": 0.9, "deviation": 0.5}
        connection.execute(update(region_space).values(calibration=space.calibration | {"measured": measured}))
    assert command("people", "find", picture).code == 11
