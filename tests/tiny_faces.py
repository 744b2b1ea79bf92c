"""A face pack made by recipe, and pictures with faces that it finds; nothing is trained or downloaded.

A drawn face is a square with a magenta left and upper edge, a green right and lower edge, and 4 x 4 colours inside that say
who it is. The detector has YuNet's outputs and finds such squares from 30 px, upright and not mirrored; the embedder returns
the colours. Faces of one person have a cosine of about 1 (less with `variation`), faces of two of the persons 0 to 46 about
0, also after JPEG and scaling.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MODEL_ID = "tiny-faces"
DIM = 48
PERSONS = 47
"""Persons with numbers below this have orthogonal vectors."""
LEAST_PX = 30

_EDGE = 6
"""An edge is a sixth of the face."""
_GREY, _CONTRAST = 130.0, 46.0
_WINDOWS = tuple(2**step for step in range(9))
"""Distances that add up to how far the detector looks for an edge: half of the largest face."""
_STRIDE = 8
_TEMPLATE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))

_DESCRIPTION = f"""
version = 1

[detector]
layout = "yunet"
file = "detector.onnx"
colours = "BGR"
longest_px = 1024
score = 0.6
overlap = 0.3

[embedder]
file = "embedder.onnx"
colours = "RGB"
mean = [{_GREY}, {_GREY}, {_GREY}]
standard_deviation = [{_CONTRAST}, {_CONTRAST}, {_CONTRAST}]
dim = {DIM}
"""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; faces are square."""


def draw_face(image: Image.Image, person: int, box: Box, *, variation: float = 0.0, seed: int = 0) -> None:
    """Draw a face of a person into an RGB picture.

    box: at least LEAST_PX wide at the size of the preview. variation: how much the face differs from the person's others;
    two faces with 0.5 have a cosine of about 0.8. seed: of the variation.
    """
    left, top, right, bottom = box
    side, edge = right - left, round((right - left) / _EDGE)
    assert side == bottom - top, "faces are square"
    image.paste((0, 255, 0), box)
    image.paste((255, 0, 255), (left, top, right, top + edge))
    image.paste((255, 0, 255), (left, top, left + edge, bottom))
    image.paste((0, 255, 0), (left + edge, bottom - edge, right, bottom))
    image.paste((0, 255, 0), (right - edge, top + edge, right, bottom))
    code = _code(person)
    noise = np.random.default_rng((person, seed)).normal(size=code.shape) * variation
    colours = np.clip(_GREY + _CONTRAST * (code + noise), 40, 188).round().astype(np.uint8)
    inside = side - 2 * edge
    pattern = Image.fromarray(colours.reshape(3, 4, 4).transpose(1, 2, 0))
    image.paste(pattern.resize((inside, inside), Image.Resampling.NEAREST), (left + edge, top + edge))


def write_faces(
    path: Path, faces: dict[Box, int], *, size_px: tuple[int, int] = (640, 480), seed: int = 0, variation: float = 0.0
) -> Path:
    """Draw a picture with faces (person by box) on a calm background into a JPEG file, or the kind that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    background = np.random.default_rng(seed).integers(90, 170, (5, 7, 3), dtype=np.uint8)
    image = Image.fromarray(background).resize(size_px, Image.Resampling.BICUBIC)
    for number, (box, person) in enumerate(faces.items()):
        draw_face(image, person, box, variation=variation, seed=seed + number)
    image.save(path)
    return path


def write_tiny_faces(folder: Path) -> Path:
    """Write the face pack; return its folder. The test is skipped if the package onnx is not installed."""
    import pytest

    onnx = pytest.importorskip("onnx")
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_detector(), folder / "detector.onnx")
    onnx.save(_embedder(), folder / "embedder.onnx")
    (folder / "face_pack.toml").write_text(_DESCRIPTION)
    return folder


def install_tiny_faces(library_folder: Path, *, model_id: str = MODEL_ID) -> None:
    """Install the face pack into a library; create the library if necessary."""
    from photoindex.library.models.install import InstallRequest, install
    from tests.harness import LibraryRunner

    runner = LibraryRunner(library_folder)
    pack = write_tiny_faces(library_folder.parent / f"{library_folder.name}-{model_id}-pack")
    with runner.open() as library:
        install(library, InstallRequest(pack, model_id))


def _code(person: int) -> NDArray[np.float64]:
    """Return the 48 numbers of a person, each 1 or -1."""
    if 0 <= person < PERSONS:
        return _hadamard()[person + 1]
    return np.random.default_rng(person).choice([-1.0, 1.0], size=DIM)


def _hadamard() -> NDArray[np.float64]:
    """Return a Hadamard matrix of order 48 by Paley's construction over the field of 47 numbers."""
    squares = {number * number % PERSONS for number in range(1, PERSONS)}
    matrix = np.ones((DIM, DIM))
    for row in range(PERSONS):
        for column in range(PERSONS):
            matrix[row + 1, column + 1] = 1.0 if (column - row) % PERSONS in squares else -1.0
    return matrix


class _Graph:
    """An ONNX graph under construction; every method adds a node and returns the name of its output."""

    def __init__(self) -> None:
        from onnx import helper, numpy_helper

        self._helper, self._to_tensor = helper, numpy_helper.from_array
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, kind: type = np.float32) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(self._to_tensor(np.array(value, dtype=kind), name))
        return name

    def add(self, operation: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        output = name or f"{operation.lower()}{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def number(self, operation: str, values: str, number: float) -> str:
        return self.add(operation, values, self.constant(number))

    def part(self, values: str, axis: int, start: int, end: int, step: int = 1) -> str:
        numbers = ([start], [end], [axis], [step])
        return self.add("Slice", values, *(self.constant(one, np.int64) for one in numbers))

    def all_of(self, *conditions: str) -> str:
        result = conditions[0]
        for one in conditions[1:]:
            result = self.add("And", result, one)
        return result

    def floats(self, condition: str) -> str:
        return self.add("Cast", condition, to=self._helper.TensorProto.FLOAT)

    def model(self, shape: list[Any], outputs: dict[str, list[Any]]) -> Any:
        """Return the model with one input, `input`, and these outputs."""
        helper = self._helper
        kind = helper.TensorProto.FLOAT
        graph = helper.make_graph(
            self.nodes,
            "tiny-faces",
            [helper.make_tensor_value_info("input", kind, shape)],
            [helper.make_tensor_value_info(name, kind, one) for name, one in outputs.items()],
            self.constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def _detector() -> Any:
    """Return the detector: YuNet's twelve outputs for BGR pictures, with faces only at stride 8."""
    g = _Graph()
    blue, green, red = (g.part("input", 1, channel, channel + 1) for channel in range(3))
    bright = {name: g.number("Greater", values, 190.0) for name, values in (("b", blue), ("g", green), ("r", red))}
    dark = {name: g.number("Less", values, 80.0) for name, values in (("b", blue), ("g", green), ("r", red))}
    magenta = g.floats(g.all_of(bright["b"], bright["r"], dark["g"]))
    greens = g.floats(g.all_of(bright["g"], dark["b"], dark["r"]))
    left, right, middle_x = _edges(g, magenta, greens, axis=3)
    upper, lower, middle_y = _edges(g, magenta, greens, axis=2)
    centre_x, centre_y = (g.number("Mul", g.add("Add", *ends), 0.5) for ends in ((left, right), (upper, lower)))
    inner_x, inner_y = g.add("Sub", right, left), g.add("Sub", lower, upper)
    off_x, off_y = g.add("Sub", centre_x, middle_x), g.add("Sub", centre_y, middle_y)
    skew = g.add("Abs", g.add("Sub", inner_x, inner_y))
    is_face = g.all_of(
        *(g.number("Greater", edge, 0.0) for edge in (left, upper)),
        *(g.number("Greater", inner, 12.0) for inner in (inner_x, inner_y)),
        *(g.number("LessOrEqual", g.add("Abs", off), _STRIDE / 2) for off in (off_x, off_y)),
        g.add("Less", skew, g.number("Add", g.number("Mul", inner_x, 0.15), 4.0)),
    )
    # The inside is two thirds of the face.
    side = g.number("Mul", g.add("Add", inner_x, inner_y), 0.5 / (1 - 2 / _EDGE) / _STRIDE)
    size = g.add("Log", g.number("Max", side, 0.1))
    place_x, place_y = (g.number("Add", g.number("Div", off, float(_STRIDE)), 0.5) for off in (off_x, off_y))
    points = []
    for x, y in _TEMPLATE:
        points += [
            g.add("Add", place_x, g.number("Mul", side, x / 112 - 0.5)),
            g.add("Add", place_y, g.number("Mul", side, y / 112 - 0.5)),
        ]
    found = {
        "cls": g.floats(is_face),
        "obj": g.floats(is_face),
        "bbox": g.add("Concat", place_x, place_y, size, size, axis=1),
        "kps": g.add("Concat", *points, axis=1),
    }
    outputs: dict[str, list[Any]] = {}
    for stride in (8, 16, 32):
        for part, values in found.items():
            numbers = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}[part]
            step = stride // _STRIDE
            rows = g.part(values, 2, 0, 2**30, step)
            fewer = g.number("Mul", g.part(rows, 3, 0, 2**30, step), 1.0 if step == 1 else 0.0)
            last = g.add("Transpose", fewer, perm=[0, 2, 3, 1])
            shape = g.constant([0, -1, numbers], np.int64)
            g.add("Reshape", last, shape, name=f"{part}_{stride}")
            outputs[f"{part}_{stride}"] = ["batch", "cells", numbers]
    return g.model(["batch", 3, "height", "width"], outputs)


def _edges(g: _Graph, magenta: str, green: str, *, axis: int) -> tuple[str, str, str]:
    """Return where the inside of a face around each cell begins and ends along an axis, and the middle of the cell.

    [n, 1, rows, columns], in pixels. The edge before a cell must be magenta, the one behind it green; otherwise the
    inside has no length.
    """
    across = 5 - axis
    magenta, green = (g.part(one, across, _STRIDE // 2, 2**30, _STRIDE) for one in (magenta, green))
    marked = g.add("Max", magenta, green)
    ones = g.number("Add", g.number("Mul", marked, 0.0), 1.0)
    which = g.constant(axis, np.int64)
    from_start, from_end = g.add("CumSum", ones, which), g.add("CumSum", ones, which, reverse=1)
    length = g.add("ReduceMax", from_start, keepdims=1, axes=[axis])
    begin = _nearest(g, from_start, marked, magenta, axis=axis, before=True)
    end = g.add("Sub", length, _nearest(g, from_end, marked, green, axis=axis, before=False))
    begin, end, middle = (
        g.part(one, axis, _STRIDE // 2, 2**30, _STRIDE) for one in (begin, end, g.number("Sub", from_start, 1.0))
    )
    # Without an edge before it, or with one of the other colour, the beginning is 0.
    wrong = g.add("Equal", end, length)
    return begin, g.add("Where", wrong, begin, end), middle


def _nearest(g: _Graph, number: str, marked: str, wanted: str, *, axis: int, before: bool) -> str:
    """Return the number of the nearest marked pixel, 0 if there is none near or it is not of the wanted colour."""
    # The last bit is the colour, the rest the number: the largest one is the nearest.
    best = g.add("Mul", marked, g.add("Add", g.number("Mul", number, 2.0), wanted))
    for distance in _WINDOWS:
        pads = [0] * 8
        pads[axis if before else axis + 4] = distance
        wider = g.add("Pad", best, g.constant(pads, np.int64))
        moved = g.part(wider, axis, 0, -distance) if before else g.part(wider, axis, distance, 2**30)
        best = g.add("Max", best, moved)
    half = g.number("Mul", best, 0.5)
    whole = g.add("Floor", half)
    return g.add("Mul", whole, g.floats(g.add("Greater", half, whole)))


def _embedder() -> Any:
    """Return the embedder: the mean of the middle of each of the 4 x 4 colours of an aligned face, RGB."""
    g = _Graph()
    inside = g.part(g.part("input", 2, 23, 90), 3, 23, 90)
    colours = g.add("AveragePool", inside, kernel_shape=[10, 10], strides=[19, 19])
    g.add("Flatten", colours, name="output", axis=1)
    return g.model(["batch", 3, 112, 112], {"output": ["batch", DIM]})
