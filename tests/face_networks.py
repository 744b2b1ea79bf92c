"""Networks with the outputs of face detectors and embedders, made by recipe: one convolution with fixed random weights.

Their results mean nothing, but are the same for whoever reads them, so that decoders can be compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

STRIDES = (8, 16, 32)
ANCHORS = 2


class _Builder:
    def __init__(self, seed: int) -> None:
        from onnx import helper, numpy_helper

        self.helper, self._to_tensor = helper, numpy_helper.from_array
        self.random = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.outputs: list[Any] = []

    def constant(self, value: Any) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(self._to_tensor(np.array(value), name))
        return name

    def add(self, operation: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{operation}_{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(operation, list(inputs), [name], name=name, **attributes))
        return name

    def convolution(self, values: str, channels: int, stride: int, scale: float) -> str:
        weights = self.random.normal(size=(channels, 3, stride, stride)).astype(np.float32) * (scale / stride)
        return self.add("Conv", values, self.constant(weights), kernel_shape=[stride, stride], strides=[stride, stride])

    def as_rows(self, values: str, numbers: int, output: str, *, batched: bool) -> None:
        """Declare [n, channels, rows, columns] as an output with `numbers` columns, one anchor a row."""
        last = self.add("Transpose", values, perm=[0, 2, 3, 1])
        shape = self.constant(np.array([0, -1, numbers] if batched else [-1, numbers], dtype=np.int64))
        self.add("Reshape", last, shape, output=output)
        self.declare(output, ["n", "rows", numbers] if batched else ["rows", numbers])

    def declare(self, output: str, shape: list[Any]) -> None:
        self.outputs.append(self.helper.make_tensor_value_info(output, 1, shape))

    def save(self, path: Path, shape: list[Any]) -> Path:
        import onnx

        path.parent.mkdir(parents=True, exist_ok=True)
        start = self.helper.make_tensor_value_info("input", 1, shape)
        graph = self.helper.make_graph(self.nodes, "recipe", [start], self.outputs, self.constants)
        opset = self.helper.make_opsetid("", 17)
        onnx.save(self.helper.make_model(graph, opset_imports=[opset], ir_version=10), path)
        return path


def write_scrfd(path: Path, *, batched: bool = False, with_landmarks: bool = True, rare: float = 5.0) -> Path:
    """Write a network with SCRFD's outputs: scores, boxes and landmarks of three strides with two anchors each.

    rare: the higher, the fewer scores are above one half.
    """
    b = _Builder(1)
    template = np.tile(np.array([-1, -1, 1, -1, 0, 0, -0.7, 1, 0.7, 1], dtype=np.float32), ANCHORS)
    made: dict[str, list[str]] = {"score": [], "bbox": [], "kps": []}
    for stride in STRIDES:
        logits = b.add("Sub", b.convolution("input", ANCHORS, stride, 4.0), b.constant(np.float32(rare)))
        made["score"].append(b.add("Sigmoid", logits))
        distances = b.add("Abs", b.convolution("input", 4 * ANCHORS, stride, 0.5))
        made["bbox"].append(b.add("Add", distances, b.constant(np.float32(1.5))))
        wobble = b.convolution("input", 10 * ANCHORS, stride, 0.2)
        made["kps"].append(b.add("Add", wobble, b.constant(template.reshape(1, -1, 1, 1))))
    for part, numbers in (("score", 1), ("bbox", 4), ("kps", 10))[: 3 if with_landmarks else 2]:
        for stride, values in zip(STRIDES, made[part], strict=True):
            b.as_rows(values, numbers, f"{part}_{stride}", batched=batched)
    return b.save(path, ["n" if batched else 1, 3, "height", "width"])


def write_embedder(
    path: Path, *, dim: int = 64, normalises_itself: bool = False, seed: int = 2, side: int = 112
) -> Path:
    """Write an embedder; normalises_itself: it starts with nodes named as those converted from MXNet."""
    b = _Builder(seed)
    values = "input"
    if normalises_itself:
        values = b.add("Sub", values, b.constant(np.float32(127.5)), output="_minusscalar0")
        values = b.add("Mul", values, b.constant(np.float32(0.0078125)), output="_mulscalar0")
    size = side // 16 * 16
    features = b.add("Relu", b.convolution(values, 8, 16, 1.0))
    flat = b.add("Flatten", features, axis=1)
    weights = b.random.normal(size=(8 * (size // 16) ** 2, dim)).astype(np.float32) / 10
    b.add("MatMul", flat, b.constant(weights), output="output")
    b.declare("output", ["n", dim])
    return b.save(path, ["n", 3, side, side])


def write_other(path: Path, side: int, numbers: int) -> Path:
    """Write a network of an insightface pack that is neither detector nor embedder, by the side of its input."""
    b = _Builder(3)
    b.add("Flatten", b.convolution("input", 1, side, 1.0), output="one", axis=1)
    b.add("Concat", *["one"] * numbers, output="output", axis=1)
    b.declare("output", ["n", numbers])
    return b.save(path, ["n", 3, side, side])


def write_insightface_pack(folder: Path, *, dim: int = 64) -> Path:
    """Write a pack with the names and kinds of files of buffalo_l; return its folder."""
    write_other(folder / "1k3d68.onnx", 192, 5)
    write_other(folder / "2d106det.onnx", 192, 4)
    write_scrfd(folder / "det_10g.onnx", rare=10.0)
    write_other(folder / "genderage.onnx", 96, 3)
    write_embedder(folder / "w600k_r50.onnx", dim=dim)
    return folder


def write_retinaface(path: Path, *, seed: int = 4) -> Path:
    """Write a network with RetinaFace's outputs: loc, conf (after the softmax) and landms."""
    b = _Builder(seed)
    joined: dict[str, list[str]] = {"loc": [], "conf": [], "landms": []}
    for stride in STRIDES:
        for part, numbers, scale in (("loc", 4, 0.3), ("conf", 2, 4.0), ("landms", 10, 0.3)):
            values = b.convolution("input", numbers * ANCHORS, stride, scale)
            last = b.add("Transpose", values, perm=[0, 2, 3, 1])
            shape = b.constant(np.array([0, -1, numbers], dtype=np.int64))
            joined[part].append(b.add("Reshape", last, shape))
    for part, numbers in (("loc", 4), ("conf", 2), ("landms", 10)):
        rows = b.add("Concat", *joined[part], axis=1, output=None if part == "conf" else part)
        if part == "conf":
            b.add("Softmax", rows, axis=-1, output=part)
        b.declare(part, ["n", "priors", numbers])
    return b.save(path, ["n", 3, "height", "width"])
