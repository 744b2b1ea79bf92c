"""What messages promise about finding faces."""

from __future__ import annotations

import pytest

from tests.cli.promises.house import House, Prepared, promises
from tests.tiny_faces import MODEL_ID, install_tiny_faces, write_faces

FACES = "SELECT count(*) FROM region"
SMALL = (300, 300, 420, 420)


@pytest.fixture
def with_faces(house: House, prepared: Prepared) -> House:
    """A library of two scanned photos with a face each, one of them small, and a face pack."""
    prepared.put("with faces", house, _with_faces)
    return house


def _with_faces(house: House) -> None:
    write_faces(house.photos / "it's small.jpg", {SMALL: 1}, size_px=(4096, 3072), seed=1)
    write_faces(house.photos / "large.jpg", {(60, 60, 160, 160): 2}, seed=2)
    house.run("scan", house.photos)
    install_tiny_faces(house.library)


GROUP = "to group the faces by person: photoindex cluster"


@promises("photoindex faces", "photoindex faces --model {}", GROUP)
def test_looking_for_faces_goes_on_with_the_pack_that_was_named(with_faces: House) -> None:
    install_tiny_faces(with_faces.library, model_id="second")
    assert "photoindex faces --model" not in with_faces.run("faces", "--model", MODEL_ID)
    said = with_faces.run("faces", "--model", "second", "--limit", "1")
    (command,) = with_faces.commands("photoindex faces --model {}", said)
    assert command == ["faces", "--model", "second"]
    assert with_faces.commands("photoindex faces --model {}", with_faces.run("status")) == [command]
    with_faces.follow(GROUP, with_faces.run(*command))
    assert with_faces.rows.value("SELECT model FROM region_space WHERE active = 1") == "second"
    said = with_faces.run("redo", "faces")
    with_faces.follow("photoindex faces", said)
    assert with_faces.rows.value("SELECT count(*) FROM task WHERE state = 'pending'") == 0


FIRST = "{} not looked through yet; first run: {}"
CHANGED = "the file has changed since it was scanned; run: photoindex scan"


@promises("photoindex faces --from originals", "{} --from originals", CHANGED)
def test_originals_are_looked_through_after_their_previews(with_faces: House) -> None:
    with_faces.follow(FIRST, with_faces.run("faces", "--from", "originals"))
    with (with_faces.photos / "it's small.jpg").open("ab") as file:
        file.write(b"edited")
    said = with_faces.run("faces", "--from", "originals", code=100)
    assert "failed; the next photoindex faces --from originals tries them again" in said
    with_faces.excerpt("{} --from originals", said)
    listed = with_faces.run("tasks", "--stage", "faces", "--state", "failed")
    with_faces.follow(CHANGED, listed)
    with_faces.run("faces")
    with_faces.run("faces", "--from", "originals")
    said = with_faces.run("redo", "faces")
    for command in with_faces.commands("photoindex faces --from originals", said):
        with_faces.run(*command)
    assert with_faces.rows.value(FACES) >= 2


@promises(
    "the face pack '{}' returns vectors of {} dimensions, but its faces are stored with {}; see: photoindex models verify {}"
)
def test_a_pack_whose_vectors_do_not_fit_is_looked_into(with_faces: House) -> None:
    lock = with_faces.library / "models" / "lock.json"
    lock.write_text(lock.read_text().replace('"dim": 48', '"dim": 64'))
    refused = with_faces.run("faces", code=7)
    with_faces.follow(
        "the face pack '{}' returns vectors of {} dimensions, but its faces are stored with {}; see: photoindex models verify {}",
        refused,
    )
