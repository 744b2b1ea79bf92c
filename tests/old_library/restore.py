"""Restores the old library and its originals."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

from photoindex.mounts import mount_of
from tests.model_folders import TINY_CLIP
from tests.old_library import answers, pictures


def restore(library: Path, photos: Path) -> None:
    """Draw the originals and restore the library; the folder must be named `photos`, as in the dump."""
    pictures.draw(photos)
    (photos / os.fsdecode(pictures.MISSING)).unlink()
    library.mkdir(parents=True)
    connection = sqlite3.connect(library / "photoindex.db")
    connection.executescript((answers.FIXTURE / answers.DATABASE).read_text())
    _set_volume(connection, photos)
    connection.close()
    shutil.copytree(answers.FIXTURE / answers.DERIVED, library / "derived")
    _install_model(library / "models")


def _set_volume(connection: sqlite3.Connection, photos: Path) -> None:
    """Replace the placeholder volume by the one that contains `photos`."""
    mount = mount_of(os.fsencode(photos))
    above = os.path.relpath(os.path.realpath(photos.parent), os.fsdecode(mount.point))
    prefix = "" if above == "." else f"{above}/"
    with connection:
        connection.execute(
            "UPDATE volume SET identity = ?, mount_point = ?, file_system = ?",
            (mount.identity, os.fsdecode(mount.point), mount.file_system),
        )
        for table in ("folder", "root"):
            connection.execute(f"UPDATE {table} SET path = ? || path", (prefix,))


def _install_model(models: Path) -> None:
    models.mkdir()
    text = (answers.FIXTURE / answers.MODEL_LOCK).read_text()
    (models / "lock.json").write_text(text)
    for name in json.loads(text)["models"][answers.MODEL_ID]["files"]:
        target = models / answers.MODEL_ID / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(TINY_CLIP / name, target)
