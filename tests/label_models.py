"""Tiny label models in ONNX: a classifier of the colour of a picture, and a detector that always finds the same objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

COLOURS = ("red", "green", "blue")
DETECTOR_PX = 64
_CELLS = sum((DETECTOR_PX // stride) ** 2 for stride in (8, 16, 32))


def write_colour_model(
    folder: Path, *, names: str = "red\ngreen\nblue\n", more: str = "", softmax: bool = False, name: str = "colours"
) -> Path:
    """Write a classifier whose logits are 20 times the mean of each channel, 0 to 1, with its description; return that."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["means", "scale"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    output = "probabilities" if softmax else "logits"
    shape = ["n", 3, 16, 16]
    weights = {"scale": np.array(20 / 255, np.float32)}
    _write(folder / f"{name}.onnx", nodes[: 3 if softmax else 2], weights, shape, (output, ["n", 3]))
    (folder / f"{name}.txt").write_text(names)
    toml = folder / f"{name}.toml"
    toml.write_text(f'kind = "labels"\nfile = "{name}.onnx"\nnames = "{name}.txt"\n{more}')
    return toml


def write_detector(folder: Path, objects: dict[int, tuple[int, float, tuple[float, float, float, float]]]) -> Path:
    """Write a YOLOX detector of two classes, cup and plate, that finds in every picture what `objects` says.

    objects: cell of the coarsest grid (2 x 2, stride 32) -> class, score, box as left, top, right, bottom in pixels of its
    square input.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.zeros((1, _CELLS, 7), np.float32)
    for cell, (kind, score, (left, top, right, bottom)) in objects.items():
        row = rows[0, _CELLS - 4 + cell]
        row[:2] = np.array([(left + right) / 2, (top + bottom) / 2]) / 32 - [cell % 2, cell // 2]
        row[2:4] = np.log(np.array([right - left, bottom - top]) / 32)
        row[4], row[5 + kind] = score, 1
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["rows", "nothing"], ["output"]),
    ]
    weights: dict[str, NDArray[np.float32]] = {"zero": np.zeros(1, np.float32), "rows": rows}
    shape = [1, 3, DETECTOR_PX, DETECTOR_PX]
    _write(folder / "table.onnx", nodes, weights, shape, ("output", [1, _CELLS, 7]))
    toml = folder / "table.toml"
    toml.write_text(
        'kind = "objects"\nfile = "table.onnx"\nnames = ["cup", "plate"]\nprefix = "objects"\ncolours = "BGR"\n'
        'fit = "letterbox"\noutput = "yolox"\n'
    )
    return toml


def _write(
    path: Path,
    nodes: list[onnx.NodeProto],
    weights: dict[str, NDArray[np.float32]],
    shape: list[int | str],
    output: tuple[str, list[int | str]],
) -> None:
    graph = helper.make_graph(
        nodes, "labels",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
