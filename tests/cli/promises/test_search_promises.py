"""What messages promise about searching by meaning, its indices, and volumes that are away."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from photoindex.library.embed import embed
from photoindex.stages.embed import Opening
from tests.cli.promises.house import House, promises
from tests.conftest import REPOSITORY
from tests.originals import write_photo
from tests.tiny_model import MODEL_ID

BEST = "these are the best {}; -n N gives more, --all ranks every photo"


@promises(BEST)
def test_more_than_the_best_are_shown(embedded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photoindex.library.search.find.MOST_PHOTOS", 1)
    said = embedded.run("search", "like:1", "--min-score", "-1")
    assert said.count(".jpg") == 1
    embedded.excerpt(BEST, said)
    assert embedded.run("search", "like:1", "--min-score", "-1", "-n", "2").count(".jpg") == 2
    assert embedded.run("search", "like:1", "--all").count(".jpg") == 3


DROPPED = "the space '{}' was dropped meanwhile; run the command again"


@promises(DROPPED)
def test_a_search_whose_space_was_dropped_is_run_again(embedded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as faults:
        faults.setattr("photoindex.library.spaces.query_encoder.variant_key", lambda *_: None)
        embedded.excerpt(DROPPED, embedded.run("search", "a dog"))
    assert "dropped" not in embedded.run("search", "a dog")


INDEX = (
    "the index of space '{}' is damaged ({}); missing vectors were read from the database. Rebuild it with: "
    "photoindex index rebuild"
)


@promises(INDEX)
def test_an_index_whose_vectors_cannot_be_read_is_rebuilt(embedded: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from photoindex.library.index.validation import DatabaseVectors
    from photoindex.store.vectors import spaces

    embedded.run("index", "rebuild")
    said: list[Any] = []
    with embedded.rows.open() as library:
        with library.database.read() as connection:
            (space,) = spaces.all_spaces(connection)
        DatabaseVectors(library, space, said.append).damaged("a page is lost")
    (rebuild,) = embedded.commands(INDEX, said[0].message)
    assert "damaged" in embedded.run("index", "status", code=None)
    embedded.run(*rebuild)
    assert "damaged" not in embedded.run("index", "status", "--verify")


REPLACED = "the model '{}' was replaced in the meantime; run the command again"
OTHER_VECTORS = (
    "the model '{}' returns vectors of {} dimensions, but its space '{}' has {}; see: photoindex models verify {}"
)
NO_GPU = "there is no {}: torch finds {} GPUs; see: nvidia-smi, or use --device cpu"


@promises(REPLACED, OTHER_VECTORS, NO_GPU)
def test_embedding_goes_on_after_a_model_was_replaced(installed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = embed._Run._opening
    for pattern, change in ((REPLACED, {"digest": "0" * 64}), (OTHER_VECTORS, {"dim": 1})):
        with monkeypatch.context() as faults:
            faults.setattr(embed._Run, "_opening", functools.partialmethod(_changed, real, change))
            said = installed.run("embed", code=7)
        installed.excerpt(pattern, said)
    assert "intact" in installed.follow(OTHER_VECTORS, said)
    installed.excerpt(NO_GPU, installed.run("embed", "--device", "cuda:7", code=8))
    assert "embedded: 3 pictures" in installed.run("embed", "--device", "cpu")


def _changed(run: Any, real: Any, change: dict[str, Any]) -> Opening:
    return replace(real(run), **change)


OWN_CODE = "{} contains the model's own code, {}; read it, then use --trust-remote-code"


@promises(OWN_CODE)
def test_a_bundle_with_code_is_installed_once_it_is_trusted(installed: House) -> None:
    said = installed.run("models", "install", _with_code(installed, declared=True), code=2)
    installed.excerpt(OWN_CODE, said)
    installed.run("models", "install", installed.folder / "code.tar", "--trust-remote-code")
    said = installed.run("models", "install", _with_code(installed, declared=False), code=2)
    assert "--trust-remote-code" not in said


def _with_code(installed: House, *, declared: bool) -> Path:
    """Write a bundle with a program, and say so in its manifest or not."""
    archive, hostile = installed.folder / "OUT.tar", installed.folder / "code.tar"
    if not archive.exists():
        installed.run("models", "bundle", MODEL_ID, archive)
    code = b"raise SystemExit"
    with tarfile.open(archive) as before, tarfile.open(hostile, "w") as after:
        for member in before:
            data = before.extractfile(member).read()  # type: ignore[union-attr]
            if member.name == "photoindex-model.json":
                manifest = json.loads(data)
                manifest["model"]["trust_remote_code"] = declared
                manifest["model"]["files"]["own.py"] = {
                    "sha256": hashlib.sha256(code).hexdigest(),
                    "size_bytes": len(code),
                }
                data = json.dumps(manifest).encode()
            member.size = len(data)
            after.addfile(member, io.BytesIO(data))
        member = tarfile.TarInfo("own.py")
        member.size = len(code)
        after.addfile(member, io.BytesIO(code))
    return hostile


OFFLINE = "volume {} is not mounted: mount it, then scan"
UNAVAILABLE = "{} is unavailable: its volume {} is not mounted. No file was marked; mount it and scan again, or {}"


@promises(OFFLINE, UNAVAILABLE)
def test_a_volume_that_is_away_is_scanned_once_it_is_mounted(house: House, small_disk: Path) -> None:
    photos, kept = small_disk / "photos", house.folder / "kept"
    write_photo(photos / "a.jpg", 1)
    house.run("scan", photos)
    shutil.copytree(photos, kept)
    subprocess.run(["umount", small_disk], check=True)
    try:
        house.excerpt(OFFLINE, house.run("status"))
        house.excerpt(UNAVAILABLE, house.run("scan", code=12))
    finally:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", small_disk], check=True)
    shutil.copytree(kept, photos)
    house.run("scan")
    assert "is not mounted" not in house.run("status")
    assert house.rows.value("SELECT count(*) FROM file WHERE state = 'present'") == 1


@promises(
    "there is no library here yet; `photoindex scan PATH` creates one",
    "a model is not installed, cannot be used, or its files have changed since; see `photoindex models list`",
)
def test_the_exit_codes_name_commands_that_help(house: House) -> None:
    reference = (REPOSITORY / "docs" / "exit-codes.md").read_text()
    house.write_photos("a.jpg")
    house.run("status", code=4)
    house.follow("there is no library here yet; `photoindex scan PATH` creates one", reference, PATH=house.photos)
    house.run("status")
    house.run("embed", code=7)
    see = "a model is not installed, cannot be used, or its files have changed since; see `photoindex models list`"
    assert "clip-vit-b-32" in house.follow(see, reference)


UNDERSTOOD = "understood as: {} (--literal: as written)"


@promises(UNDERSTOOD)
def test_what_was_understood_can_be_searched_as_it_was_written(scanned: House) -> None:
    said = scanned.run("search", "beach", "in", "2019")
    scanned.excerpt(UNDERSTOOD, said)
    assert "beach date:2019" in said
    assert "understood" not in scanned.run("search", "beach", "in", "2019", "--literal")


NOT_EMBEDDED = "{} of {} pictures {} not embedded yet and not found by what they show; run: {}"


def test_pictures_that_are_not_embedded_are_counted_until_they_are(embedded: House) -> None:
    assert "not embedded" not in embedded.run("search", "a dog")
    write_photo(embedded.photos / "new.jpg", 11)
    embedded.run("scan")
    (command,) = embedded.commands(NOT_EMBEDDED, said := embedded.run("search", "a dog"))
    assert "1 of 4 pictures is not embedded yet" in said
    embedded.run(*command)
    assert "not embedded" not in embedded.run("search", "a dog")
