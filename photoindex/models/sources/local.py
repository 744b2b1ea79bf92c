"""Reading a model from local files: a folder in open_clip's layout, or a checkpoint file."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photoindex.errors import StorageFull, UsageError
from photoindex.models.captions.files import CONFIG_NAME as CAPTIONER_CONFIG
from photoindex.models.captions.files import is_captioner, names_of
from photoindex.models.description import (
    DATA_SUFFIX,
    DESCRIPTION,
    TABLE,
    TABLE_SUMS,
    TEXT,
    TOKENIZER,
    VISUAL,
    WHOLE,
    WHOLE_GRAPH,
    WHOLE_NEEDED,
    WHOLE_WANTED,
)
from photoindex.models.faces.description import FACE_PACK, read_face_pack
from photoindex.models.faces.insightface_layout import is_face_pack, recognised
from photoindex.models.open_clip_loader import (
    CONFIG_NAME,
    OWN_VOCABULARY,
    TEXT_MODEL_FOLDER,
    TOKENIZER_NAMES,
    WEIGHT_NAMES,
)
from photoindex.models.sources.licence import is_licence, licence_text
from photoindex.models.sources.pull import CODE_SUFFIXES, WEIGHT_SUFFIXES
from photoindex.paths import display

_ONNX_NAMES = (DESCRIPTION, TOKENIZER, TEXT, TEXT + DATA_SUFFIX, TABLE, TABLE_SUMS, VISUAL, VISUAL + DATA_SUFFIX)
_TEXT_TOWER_NAMES = ("config.json", *TOKENIZER_NAMES)
_SMALL_NAMES = (CONFIG_NAME, OWN_VOCABULARY, *_TEXT_TOWER_NAMES)
_SMALL_BYTES_MAX = 256_000_000
"""Larger than any configuration or vocabulary."""
_HEADER_BYTES_MAX = 100_000_000
"""Maximum header size of safetensors."""
_CHUNK_BYTES = 4 << 20
_GRAPH = WHOLE_GRAPH.removeprefix(f"{WHOLE}/")

BytesDone = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model on this computer that has not been copied yet.

    needs_export: it has only weights. is_whole: these are one ONNX file with both towers. total_bytes: of its files. code: its files of Python code. licence: the text of its own licence file, if it has one.
    copy_to: copies its files to an empty folder; raises StorageFull, UsageError, OSError.
    """

    needs_export: bool
    total_bytes: int
    copy_to: Callable[[Path, BytesDone], None]
    licence: str | None = None
    code: tuple[str, ...] = ()
    is_whole: bool = False


def model_of(files: dict[str, Path], config: str | None = None) -> LocalModel:
    """Return the model that consists of these files, by name. config: the text of its `open_clip_config.json`."""

    def copy_to(destination: Path, advance: BytesDone) -> None:
        copy_files(files, destination, advance)
        if config is not None:
            (destination / CONFIG_NAME).write_text(config, encoding="utf-8")

    licence = next((files[name] for name in sorted(files) if is_licence(name)), None)
    return LocalModel(
        needs_export=not _is_ready(files),
        total_bytes=sum(path.stat().st_size for path in files.values()),
        copy_to=copy_to,
        licence=None if licence is None else licence_text(licence.read_bytes()),
        code=tuple(sorted(name for name in files if name.endswith(CODE_SUFFIXES))),
        is_whole=WHOLE_GRAPH in files,
    )


def _is_ready(files: dict[str, Path]) -> bool:
    """Tell whether these are the files of a model that needs no export."""
    if WHOLE_GRAPH in files:
        return False
    is_exported = DESCRIPTION in files or any(name.endswith(".onnx") for name in files)
    return is_exported or (CONFIG_NAME not in files and CAPTIONER_CONFIG in files)


def files_of(folder: Path) -> dict[str, Path]:
    """Return the files of a model's folder that are needed, by name: one copy of the weights, and code only of a captioner that needs it.

    Symbolic links are followed only within the folder and to the blobs of the hub's cache. Raises UsageError.
    """
    if is_face_pack([path.name for path in folder.iterdir()]):
        return _files_of_face_pack(folder)
    if not any(_is_there(folder / name) for name in (CONFIG_NAME, DESCRIPTION)) and _is_there(folder / _GRAPH):
        return _files_of_whole(folder)
    if not _is_there(folder / CONFIG_NAME) and is_captioner(folder):
        return _files_of_captioner(folder)
    names = [name for name in (*_SMALL_NAMES, *_ONNX_NAMES) if _is_there(folder / name)]
    names += [
        f"{TEXT_MODEL_FOLDER}/{name}" for name in _TEXT_TOWER_NAMES if _is_there(folder / TEXT_MODEL_FOLDER / name)
    ]
    weights = next((name for name in WEIGHT_NAMES if _is_there(folder / name)), None)
    if CONFIG_NAME not in names and DESCRIPTION not in names:
        raise UsageError(
            f"{_shown(folder)} is not a model: it has none of {CONFIG_NAME}, {DESCRIPTION}, {_GRAPH} and {FACE_PACK}"
        )
    if weights is None and DESCRIPTION not in names:
        raise UsageError(f"{_shown(folder)} has no weights: expected one of {', '.join(WEIGHT_NAMES)}")
    missing = [name for name in (TOKENIZER, TEXT, VISUAL) if DESCRIPTION in names and name not in names]
    if missing:
        raise UsageError(f"{_shown(folder)} has {DESCRIPTION}, but no {missing[0]}; it is incomplete")
    files = {name: _real_file(folder, name) for name in names + ([] if weights is None else [weights])}
    if weights is not None:
        check_weights(files[weights], weights)
    return files


def _files_of_face_pack(folder: Path) -> dict[str, Path]:
    described = _is_there(folder / FACE_PACK)
    pack = read_face_pack(folder) if described else recognised(folder)
    names = [FACE_PACK] if described else []
    names += [pack.detector.file, pack.embedder.file]
    names += sorted(path.name for path in folder.iterdir() if is_licence(path.name))
    missing = [name for name in names if not _is_there(folder / name)]
    if missing:
        raise UsageError(f"{_shown(folder / FACE_PACK)} names {missing[0]}, which is not in {_shown(folder)}")
    return {name: _real_file(folder, name) for name in names}


def _files_of_whole(folder: Path) -> dict[str, Path]:
    needed = (_GRAPH, *WHOLE_NEEDED)
    missing = [name for name in needed if not _is_there(folder / name)]
    if missing:
        raise UsageError(f"{_shown(folder)} has {_GRAPH}, but no {missing[0]}; it is incomplete")
    names = [*needed, *(name for name in WHOLE_WANTED if _is_there(folder / name))]
    names += sorted(f"onnx/{path.name}" for path in (folder / _GRAPH).parent.glob("model.onnx[_.]*"))
    names += sorted(path.name for path in folder.iterdir() if is_licence(path.name))
    return {f"{WHOLE}/{name}": _real_file(folder, name) for name in names}


def _files_of_captioner(folder: Path) -> dict[str, Path]:
    licences = sorted(path.name for path in folder.iterdir() if is_licence(path.name))
    files = {name: _real_file(folder, name) for name in (*names_of(folder), *licences)}
    for name, path in files.items():
        if name.endswith(WEIGHT_SUFFIXES):
            check_weights(path, name)
    return files


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _real_file(folder: Path, name: str) -> Path:
    path = folder / name
    try:
        real = path.resolve(strict=True)
        mode, size = real.stat().st_mode, real.stat().st_size
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{_shown(path)} cannot be read: {error}") from error
    roots = [folder.resolve()]
    if folder.parent.name == "snapshots":
        roots.append(folder.resolve().parent.parent / "blobs")
    if not any(real.is_relative_to(root) for root in roots):
        raise UsageError(f"{_shown(path)} points outside the folder, to {_shown(real)}; copy the file itself there")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{_shown(path)} is not a file")
    if path.name in _SMALL_NAMES and size > _SMALL_BYTES_MAX:
        raise UsageError(f"{_shown(path)} has {size:,} bytes, too many for such a file")
    return real


def check_weights(path: Path, name: str) -> None:
    """Raise UsageError if a file, which the user calls `name`, is not a kind of weights that is safe to read."""
    suffix = Path(name).suffix
    if suffix not in WEIGHT_SUFFIXES:
        raise UsageError(f"{name} is not a weights file; supported: {', '.join(WEIGHT_SUFFIXES)}")
    with path.open("rb") as file:
        head, first = file.read(8), file.read(1)
    if suffix == ".safetensors":
        length = int.from_bytes(head, "little")
        if first != b"{" or not 2 <= length <= min(_HEADER_BYTES_MAX, path.stat().st_size - 8):
            raise UsageError(f"{name} is not a safetensors file, or is damaged or incomplete")
    # Files of torch are ZIP archives, or plain pickles if written by an old version.
    elif not head.startswith((b"PK\x03\x04", b"\x80")):
        raise UsageError(f"{name} is not a weights file written by torch")


def copy_files(files: dict[str, Path], destination: Path, advance: BytesDone) -> None:
    """Copy files to their names below a folder. Raises StorageFull, OSError."""
    require_room(sum(path.stat().st_size for path in files.values()), destination)
    done = 0
    for name, path in files.items():
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as reader, target.open("xb") as writer:
            while chunk := reader.read(_CHUNK_BYTES):
                writer.write(chunk)
                done += len(chunk)
                advance(done)


def require_room(needed: int, destination: Path) -> None:
    """Raise StorageFull if a model of so many bytes does not fit next to a folder."""
    free = shutil.disk_usage(destination).free
    if needed > free:
        raise StorageFull(
            f"the model needs {needed / 1e9:,.1f} GB; {free / 1e9:,.1f} GB are free in {destination.parent}"
        )


def weights_name(checkpoint: Path) -> str:
    """Return the file name for a checkpoint in a model's folder."""
    return WEIGHT_NAMES[0] if checkpoint.suffix == ".safetensors" else "open_clip_pytorch_model.bin"


def config_of_architecture(architecture: str) -> dict[str, Any]:
    """Return the `open_clip_config.json` of an open_clip architecture, for a checkpoint without one.

    Raises UsageError for an unknown architecture, or one whose pretrained models differ in preprocessing.
    """
    import open_clip

    model = open_clip.get_model_config(architecture)
    if model is None:
        raise UsageError(
            f"open_clip has no architecture '{architecture}'; name one such as ViT-B-32, or give --config FILE"
        )
    trained = [
        open_clip.get_pretrained_cfg(architecture, tag) for tag in open_clip.list_pretrained_tags_by_model(architecture)
    ]
    parts = ("mean", "std", "interpolation", "resize_mode")
    kinds = {json.dumps({part: one[part] for part in parts if one.get(part) is not None}) for one in trained}
    if len(kinds) != 1:
        raise UsageError(
            f"models of the architecture '{architecture}' use {len(kinds)} kinds of preprocessing; give --config FILE, the "
            f"{CONFIG_NAME} of the checkpoint"
        )
    return {"model_cfg": model, "preprocess_cfg": json.loads(kinds.pop())}


def _shown(path: Path) -> str:
    return display(os.fsencode(path))
