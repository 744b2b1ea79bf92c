"""Folders of a small model that is exported already, made once in a run of the tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from tests.hub_server import Repository

TINY_CATALOG = """
[[model]]
id = "tiny"
title = "A tiny model"
dim = {dim}
input_px = 32
licence = "CC0-1.0"
terms = "{terms}"
restricted = {restricted}

[[model.sources]]
repository = "someone/tiny"
needed = ["open_clip_config.json"]
weights = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
wanted = {wanted}
"""


def exported_model(factory: pytest.TempPathFactory) -> Path:
    """Return a folder in open_clip's layout with its weights and `onnx/`; it is shared, so copy what you change."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "exported-model"
    with FileLock(shared / "exported-model.lock"):
        if not folder.exists():
            from photoindex.models.export import export
            from tests.unit.clip_models import write_model

            making = write_model(shared / "exported-model-making")
            export(making)
            making.rename(folder)
    return folder


def copy_of(folder: Path, destination: Path) -> Path:
    """Copy a model's folder and return the copy."""
    shutil.copytree(folder, destination)
    return destination


def repository_of(folder: Path) -> Repository:
    """Return the files of a folder as a repository of a hub."""
    return Repository(
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    )


def write_catalog(
    models_folder: Path,
    *,
    dim: int = 24,
    terms: str = "Free.",
    restricted: bool = False,
    wanted: tuple[str, ...] = ("*.txt.gz", "onnx/*"),
) -> None:
    """Write a catalogue of the user's with the model `tiny`, which comes from the repository someone/tiny."""
    models_folder.mkdir(parents=True, exist_ok=True)
    text = TINY_CATALOG.format(dim=dim, terms=terms, restricted=str(restricted).lower(), wanted=list(wanted))
    (models_folder / "catalog.toml").write_text(text)
