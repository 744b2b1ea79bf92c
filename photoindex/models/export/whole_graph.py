"""Cutting one tower out of an ONNX graph that has both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.base import Preprocessing
from photoindex.models.description import DATA_SUFFIX
from photoindex.models.export.towers import slimmed

TEXT_INPUT, IMAGE_INPUT = "input_ids", "pixel_values"
TEXT_OUTPUTS = ("l2norm_text_embeddings", "text_embeddings")
IMAGE_OUTPUTS = ("l2norm_image_embeddings", "image_embeddings")
"""By preference: vectors of unit length, or of any length."""


def preferred(outputs: Sequence[str], wanted: Sequence[str], path: Path) -> str:
    """Return the first wanted output that is there. Raises ModelUnavailable if none is."""
    found = next((name for name in wanted if name in outputs), None)
    if found is None:
        raise ModelUnavailable(f"{path} has no output {' or '.join(wanted)}; it has {', '.join(outputs)}")
    return found


def open_whole(path: Path) -> Any:
    """Read the graph; its weights stay in their files. Raises ModelUnavailable if one of these is missing."""
    import onnx_ir

    model = onnx_ir.load(path)
    for value in model.graph.initializers.values():
        if isinstance(value.const_value, onnx_ir.ExternalTensor):
            data = path.parent / Path(value.const_value.location).name
            if Path(value.const_value.location) != Path(data.name) or not data.is_file() or data.is_symlink():
                raise ModelUnavailable(
                    f"{path} needs the file {value.const_value.location} beside it, which is missing"
                )
    return model


def _tower(path: Path, given: str, outputs: Sequence[str], dim: int) -> tuple[Any, Any]:
    """Return the part of the whole model that leads from one input to vectors of unit length, and that input."""
    import onnx_ir
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    model = open_whole(path)
    graph = model.graph
    there = {one.name: one for one in graph.outputs}
    name = preferred(list(there), outputs, path)
    vectors = there[name]
    if name != outputs[0]:
        node = onnx_ir.node("LpNormalization", [vectors], attributes={"axis": -1, "p": 2})
        graph.append(node)
        (vectors,) = node.outputs
    vectors.name, vectors.shape, vectors.dtype = "vectors", onnx_ir.Shape(["batch", dim]), onnx_ir.DataType.FLOAT
    graph.outputs.clear()
    graph.outputs.append(vectors)
    # Unused nodes are looked for from the last to the first.
    graph.sort()
    RemoveUnusedNodesPass()(model)
    for one in [one for one in graph.inputs if one.name != given]:
        if list(one.uses()):
            raise ModelUnavailable(f"{name} of {path} depends on {one.name} too; its towers cannot be separated")
        graph.inputs.remove(one)
    return model, graph.inputs[0]


def write_text(path: Path, dim: int, target: Path) -> NDArray[np.float16] | None:
    """Write the text tower of a whole model, and return the token table that was taken out of it."""
    model, tokens = _tower(path, TEXT_INPUT, TEXT_OUTPUTS, dim)
    tokens.name = "tokens"
    return _save(model, "tokens", target)


def write_visual(path: Path, preprocessing: Preprocessing, dim: int, target: Path) -> None:
    """Write the image tower of a whole model, which then gets uint8 pixels [n, size, size, 3] and normalises them itself."""
    import onnx_ir
    from onnx_ir import convenience

    model, values = _tower(path, IMAGE_INPUT, IMAGE_OUTPUTS, dim)
    graph, size = model.graph, preprocessing.size_px
    pixels = onnx_ir.val("pixels", onnx_ir.DataType.UINT8, ["batch", size, size, 3])
    last = pixels
    steps: list[Any] = []
    for kind, numbers, attributes in (
        ("Transpose", None, {"perm": [0, 3, 1, 2]}),
        ("Cast", None, {"to": onnx_ir.DataType.FLOAT}),
        ("Sub", preprocessing.mean, {}),
        ("Div", preprocessing.standard_deviation, {}),
    ):
        others = []
        if numbers is not None:
            scaled = onnx_ir.tensor(np.array(numbers, np.float32).reshape(1, 3, 1, 1) * np.float32(255))
            others = [onnx_ir.Value(name=f"pixels.{kind}", const_value=scaled)]
            graph.register_initializer(others[0])
        steps.append(onnx_ir.node(kind, [last, *others], attributes=attributes))
        (last,) = steps[-1].outputs
    convenience.replace_all_uses_with(values, last)
    graph.insert_before(graph[0], steps)
    graph.inputs[:] = [pixels]
    _save(model, "pixels", target)


def _save(model: Any, name: str, path: Path) -> NDArray[np.float16] | None:
    """Write a tower, and return the token table that was taken out of it."""
    import onnx_ir

    large, table = slimmed(model, name, half_precision=name == "tokens")
    if not large:
        onnx_ir.external_data.load_to_model(model)
    onnx_ir.save(model, path, external_data=path.name + DATA_SUFFIX if large else None)
    return table
