"""Networks that read made-up letters, in place of those of the package rapidocr; nothing is trained or downloaded.

A line is a black strip on light grey; a letter is a square of one of six colours in it, followed by a black square. A line
whose first letter is C is taken to be upside down, and read from its other end.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from photoindex.models.ocr.rapidocr_models import ReaderFiles, find_models

LETTERS: Mapping[str, tuple[int, int, int]] = {
    "A": (255, 0, 0), "B": (0, 255, 0), "C": (0, 0, 255), "D": (255, 255, 0), "E": (0, 255, 255), "F": (255, 0, 255),
}  # fmt: skip
_GREY = 208
_WHITE = (255, 255, 255)
_STEP = 8
_MIDDLE = (20, 28)
"""Rows of a line of 48 px that are inside the strip: a box is 2.6 times as high as what the detector marks."""


def write_lines(
    path: Path, lines: Mapping[tuple[int, int, int], str], *, size_px: tuple[int, int] = (1024, 768)
) -> Path:
    """Write a picture with lines of letters; each at (left, top, height of the strip) in pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", size_px, (_GREY,) * 3)
    draw = ImageDraw.Draw(picture)
    for (left, top, height), text in lines.items():
        draw.rectangle((left, top, left + (2 * len(text) + 1) * height, top + height - 1), (0, 0, 0))
        for number, letter in enumerate(text):
            start = left + (2 * number + 1) * height
            draw.rectangle((start, top, start + height - 1, top + height - 1), LETTERS[letter])
    picture.save(path, quality=95, subsampling=0)
    return path


def install_tiny_ocr(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ReaderFiles:
    """Put a package rapidocr with these models before any other."""
    write_tiny_ocr(folder)
    monkeypatch.syspath_prepend(str(folder))
    files = find_models()
    assert files.detector.is_relative_to(folder), "another test imported the package rapidocr"
    return files


def write_tiny_ocr(folder: Path) -> Path:
    """Write a package rapidocr with these models, which cannot be imported, into a folder for `sys.path`."""
    models = folder / "rapidocr" / "models"
    models.mkdir(parents=True)
    (folder / "rapidocr" / "__init__.py").write_text("raise ImportError('the package is not imported')\n")
    _write(models / "PP-OCRv6_det_small.onnx", _detector(), ("n", 3, "h", "w"), ("n", 1, "h", "w"))
    _write(models / "ch_ppocr_mobile_v2.0_cls_mobile.onnx", _turned(), ("n", 3, 48, "w"), ("n", 2))
    _write(
        models / "PP-OCRv6_rec_small.onnx", _recogniser(), ("n", 3, 48, "w"), ("n", "steps", len(LETTERS) + 2),
        character="\n".join(LETTERS),
    )  # fmt: skip
    return folder


_Nodes = tuple[list[Any], dict[str, np.ndarray]]


def _detector() -> _Nodes:
    """Text is where one of the colours, -1 to 1, is below -0.3."""
    from onnx.helper import make_node

    nodes = [
        make_node("ReduceMin", ["x"], ["least"], axes=[1], keepdims=1),
        make_node("Mul", ["least", "steep"], ["scaled"]),
        make_node("Add", ["scaled", "from"], ["moved"]),
        make_node("Sigmoid", ["moved"], ["y"]),
    ]
    return nodes, {"steep": np.float32([-20]), "from": np.float32([-6])}


def _turned() -> _Nodes:
    """A line is upside down if its first letter is C: blue and nothing else."""
    from onnx.helper import make_node

    nodes = [
        make_node("Slice", ["x", "starts", "ends", "axes"], ["first"]),
        make_node("ReduceMean", ["first"], ["colour"], axes=[2, 3], keepdims=0),
        make_node("Gemm", ["colour", "weights", "bias"], ["scores"]),
        make_node("Softmax", ["scores"], ["y"], axis=1),
    ]
    # The first letter of a line of 48 px begins a strip's height and a margin of 0.8 heights behind the left edge.
    place = {"starts": np.int64([_MIDDLE[0], 36]), "ends": np.int64([_MIDDLE[1], 50]), "axes": np.int64([2, 3])}
    weights = 10 * np.float32([[-1, 1], [1, -1], [1, -1]])
    return nodes, place | {"weights": weights, "bias": np.float32([20, -20])}


def _recogniser() -> _Nodes:
    """The nearest colour of each step: none for dark and for grey, a letter, or the space for white."""
    from onnx.helper import make_node

    colours = [(0, 0, 0), (_GREY,) * 3, *LETTERS.values(), _WHITE]
    known = np.float32(colours)[:, ::-1] / 127.5 - 1
    nodes = [
        make_node("Slice", ["x", "starts", "ends", "axes"], ["middle"]),
        make_node("ReduceMean", ["middle"], ["row"], axes=[2], keepdims=0),
        make_node("AveragePool", ["row"], ["steps"], kernel_shape=[_STEP], strides=[_STEP]),
        make_node("Transpose", ["steps"], ["by_step"], perm=[0, 2, 1]),
        make_node("MatMul", ["by_step", "weights"], ["products"]),
        make_node("Sub", ["products", "lengths"], ["near"]),
        make_node("Split", ["near", "parts"], ["nothing", "letters"], axis=2),
        make_node("ReduceMax", ["nothing"], ["none"], axes=[2], keepdims=1),
        make_node("Concat", ["none", "letters"], ["all"], axis=2),
        make_node("Mul", ["all", "steep"], ["scores"]),
        make_node("Softmax", ["scores"], ["y"], axis=2),
    ]
    return nodes, {
        "starts": np.int64([_MIDDLE[0]]), "ends": np.int64([_MIDDLE[1]]), "axes": np.int64([2]),
        "weights": np.ascontiguousarray(2 * known.T), "lengths": (known**2).sum(axis=1).astype(np.float32),
        "parts": np.int64([2, len(LETTERS) + 1]), "steep": np.float32([10]),
    }  # fmt: skip


def _write(path: Path, made: _Nodes, takes: tuple[Any, ...], gives: tuple[Any, ...], **metadata: str) -> None:
    import onnx
    from onnx import helper, numpy_helper

    nodes, constants = made
    graph = helper.make_graph(
        nodes,
        "recipe",
        [helper.make_tensor_value_info("x", 1, takes)],
        [helper.make_tensor_value_info("y", 1, gives)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, metadata)
    onnx.save(model, path)


def install_fake_tesseract(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a program tesseract that reads `rus` and `eng`, and finds one line in every picture; it comes first in PATH."""
    folder.mkdir(parents=True)
    for language in ("rus", "eng"):
        (folder / f"{language}.traineddata").write_text(language)
    program = folder / "tesseract"
    program.write_text(_PROGRAM.format(folder=folder))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return program


_PROGRAM = """#!/bin/sh
case "$1" in
--list-langs) printf 'List of available languages in "{folder}" (2):\\nrus\\neng\\n' ;;
--version) echo 'tesseract 0 (a fake)' ;;
*) cat > /dev/null
   printf 'level\\tpage_num\\tblock_num\\tpar_num\\tline_num\\tword_num\\tleft\\ttop\\twidth\\theight\\tconf\\ttext\\n'
   printf '5\\t1\\t1\\t1\\t1\\t1\\t100\\t100\\t60\\t20\\t96.1\\tлыжи\\n'
   printf '5\\t1\\t1\\t1\\t1\\t2\\t170\\t100\\t60\\t20\\t92.5\\t"нити\\n' ;;
esac
"""
