"""Making both towers of a model that is published as one ONNX file, such as jina-clip-v2."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.base import Preprocessing
from photoindex.models.clip_onnx import OnnxImageEncoder, OnnxTextEncoder, open_session
from photoindex.models.description import (
    DESCRIPTION,
    FOLDER,
    TEXT,
    TOKENIZER,
    VISUAL,
    WHOLE,
    WHOLE_GRAPH,
    ExportDescription,
    TokenizerSettings,
)
from photoindex.models.export import check
from photoindex.models.export.run import ExportReport
from photoindex.models.export.whole_graph import (
    IMAGE_INPUT,
    IMAGE_OUTPUTS,
    TEXT_INPUT,
    TEXT_OUTPUTS,
    open_whole,
    preferred,
    write_text,
    write_visual,
)
from photoindex.models.open_clip_loader import preprocessing_of
from photoindex.models.token_table import MappedTable, write_table
from photoindex.models.tokenizer import TextTokenizer

_TOKENS_MAX = 512
"""jina-clip-v2 was trained on texts up to this length, and its own code truncates longer ones."""
_TEXTS = check.HARD_TEXTS[::6]
"""As many as pictures: a graph may have one name for both numbers."""


@dataclass(frozen=True, slots=True)
class _Vectors:
    """What the whole model gives for the same texts and pictures, float32 [n, dim] of unit length."""

    texts: NDArray[np.float32]
    images: NDArray[np.float32]


def split_to(work: Path, model_folder: Path) -> ExportReport:
    """Write `onnx/` in `work`: both towers of the file in `whole/`, the tokenizer and the description.

    The towers are compared with the whole file. The image tower gets uint8 pixels instead of normalised ones. Raises
    ModelUnavailable if the files are not as expected, OSError.
    """
    try:
        return _split(work, model_folder)
    except (ModelUnavailable, OSError):
        raise
    except Exception as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelUnavailable(f"the model in {model_folder} cannot be split into its towers: {first}") from error


def _split(work: Path, model_folder: Path) -> ExportReport:
    source, path = model_folder / WHOLE, model_folder / WHOLE_GRAPH
    preprocessing = _preprocessing(source / "preprocessor_config.json")
    settings, context_length = _tokenizing(source)
    shutil.copyfile(source / "tokenizer.json", work / TOKENIZER)
    open_whole(path)
    pictures = check.random_pictures(preprocessing.size_px)[: len(_TEXTS)]
    tokens = TextTokenizer.from_file(work / TOKENIZER, settings, context_length).whole(_TEXTS)
    expected = _whole_vectors(path, tokens, _normalised(pictures, preprocessing))

    dim = expected.texts.shape[1]
    write_visual(path, preprocessing, dim, work / VISUAL)
    values = write_text(path, dim, work / TEXT)
    table = None if values is None else write_table(values, work)
    description = ExportDescription(
        dim=dim, context_length=context_length, preprocessing=preprocessing, tokenizer=settings, table=table
    )
    mapped = None if table is None else MappedTable(work, table)
    session = open_session(work / TEXT, threads=None, quick_start=True)
    # The tower may attend to padding; then its vectors without padding differ.
    for cut_padding in (True, False):
        settings = settings.model_copy(update={"cut_padding": cut_padding})
        tokenizer = TextTokenizer.from_file(work / TOKENIZER, settings, context_length)
        texts = OnnxTextEncoder(session, tokenizer, description, mapped)
        text_cosine = check.cosine_of_texts(texts, _TEXTS, expected.texts)
        if text_cosine > check.COSINE_MIN:
            break
    description = description.model_copy(update={"tokenizer": settings})
    written = description.model_dump_json(indent=2, exclude={"table"} if table is None else None)
    (work / DESCRIPTION).write_text(written + "\n", encoding="utf-8")
    images = OnnxImageEncoder(open_session(work / VISUAL, threads=None, quick_start=False), description)
    return ExportReport(
        dim=dim,
        files=tuple(sorted(f"{FOLDER}/{path.name}" for path in (work / FOLDER).iterdir())),
        least_image_cosine=check.cosine_of_images(images, pictures, expected.images),
        least_text_cosine=text_cosine,
    )


def _preprocessing(path: Path) -> Preprocessing:
    config = _json(path)
    try:
        return preprocessing_of(config, path.parent)
    except KeyError as error:
        raise ModelUnavailable(f"{path} has no {error}: it does not say how to prepare pictures") from None


def _tokenizing(source: Path) -> tuple[TokenizerSettings, int]:
    """Return the settings for the model's tokenizer and its context length."""
    from tokenizers import Tokenizer

    path = source / "tokenizer.json"
    if not path.is_file():
        raise ModelUnavailable(f"{path} is missing")
    tokenizer = Tokenizer.from_file(str(path))
    described = source / "tokenizer_config.json"
    config = _json(described) if described.is_file() else {}
    pad = config.get("pad_token") or "<pad>"
    name = pad["content"] if isinstance(pad, Mapping) else pad
    pad_id = tokenizer.padding["pad_id"] if tokenizer.padding else tokenizer.token_to_id(name)
    if pad_id is None:
        raise ModelUnavailable(f"{path} has no token {name!r} for padding")
    limits = [_TOKENS_MAX, config.get("model_max_length"), (tokenizer.truncation or {}).get("max_length")]
    settings = TokenizerSettings(clean="whitespace", pad_id=pad_id)
    return settings, int(min(one for one in limits if isinstance(one, int | float)))


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelUnavailable(f"{path} is missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ModelUnavailable(f"{path} is not a JSON object")
    return content


def _normalised(pictures: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    mean, deviation = (np.array(one, np.float32) for one in (preprocessing.mean, preprocessing.standard_deviation))
    values = (pictures.astype(np.float32) / 255 - mean) / deviation
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def _whole_vectors(path: Path, tokens: NDArray[np.int64], pixels: NDArray[np.float32]) -> _Vectors:
    """Run the whole model once. Raises ModelUnavailable if its inputs or outputs are not as expected."""
    session = open_session(path, threads=None, quick_start=False)
    inputs = {one.name: one.type for one in session.get_inputs()}
    expected = {TEXT_INPUT: "tensor(int64)", IMAGE_INPUT: "tensor(float)"}
    if inputs != expected:
        raise ModelUnavailable(f"{path} takes {_listed(inputs)}; expected: {_listed(expected)}")
    outputs = [one.name for one in session.get_outputs()]
    names = [preferred(outputs, wanted, path) for wanted in (TEXT_OUTPUTS, IMAGE_OUTPUTS)]
    given = {TEXT_INPUT: tokens, IMAGE_INPUT: pixels}
    found = [np.asarray(one, np.float32) for one in session.run(names, given)]
    texts, images = (one / np.linalg.norm(one, axis=-1, keepdims=True) for one in found)
    if texts.ndim != 2 or images.shape[1:] != texts.shape[1:]:
        raise ModelUnavailable(f"{path} gives {_listed(dict(zip(names, (texts.shape, images.shape), strict=True)))}")
    return _Vectors(texts, images)


def _listed(described: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {what}" for name, what in described.items())
