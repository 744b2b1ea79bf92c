"""The tests' small model as a folder, a repository and a catalogue entry."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.hub_server import Repository

TINY_CLIP = Path(__file__).resolve().parent / "fixtures" / "tiny-clip"
"""A trained model in open_clip's layout with `onnx/`; copy it before you change it."""
TINY_CLIP_DIM = 64
TINY_CLIP_SIZE_PX = 96

_CATALOG = """
[[model]]
id = "tiny"
title = "A tiny model"
dim = {dim}
input_px = {size_px}
licence = "CC0-1.0"
terms = "{terms}"
restricted = {restricted}

[[model.sources]]
repository = "someone/tiny"
needed = ["open_clip_config.json"]
weights = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
wanted = {wanted}
"""


def copy_of(folder: Path, destination: Path) -> Path:
    """Copy a model folder and return the copy."""
    shutil.copytree(folder, destination)
    return destination


def repository_of(folder: Path) -> Repository:
    """Return the files of a folder as a hub repository."""
    return Repository(
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    )


def write_catalog(
    models_folder: Path,
    *,
    dim: int = TINY_CLIP_DIM,
    terms: str = "Free.",
    restricted: bool = False,
    wanted: tuple[str, ...] = ("*.txt.gz", "onnx/*"),
) -> None:
    """Write a user catalogue with the model `tiny` from the repository someone/tiny."""
    models_folder.mkdir(parents=True, exist_ok=True)
    text = _CATALOG.format(
        dim=dim, size_px=TINY_CLIP_SIZE_PX, terms=terms, restricted=str(restricted).lower(), wanted=list(wanted)
    )
    (models_folder / "catalog.toml").write_text(text)
