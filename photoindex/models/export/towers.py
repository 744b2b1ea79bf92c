"""Writing the towers of an open_clip model as ONNX files."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photoindex.models.open_clip_loader import LoadedModel

if TYPE_CHECKING:
    import torch

OPSET = 20
_INLINE_BYTES_MAX = 8 * 1024 * 1024
"""Weights up to this size are stored in the ONNX file; larger ones in a separate file that is read without parsing."""
_HALVED_BYTES_MIN = 256 * 1024
_TABLE_BYTES_MIN = 256 * 1024 * 1024
"""The table of CLIP has 100 MB and stays in the ONNX file; those of models for many languages have 800 MB."""


def export_visual(loaded: LoadedModel, path: Path) -> None:
    """Write the image tower: from uint8 pixels [n, size, size, 3] to float32 unit vectors [n, dim]."""
    import torch

    class Visual(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower = loaded.visual
            self.mean = torch.nn.Buffer(_channels(loaded.preprocessing.mean))
            self.deviation = torch.nn.Buffer(_channels(loaded.preprocessing.standard_deviation))

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            values = (pixels.permute(0, 3, 1, 2).to(torch.float32) - self.mean) / self.deviation
            return torch.nn.functional.normalize(self.tower(values), dim=-1)

    size = loaded.preprocessing.size_px
    example = torch.randint(0, 256, (2, size, size, 3), dtype=torch.uint8)
    _write(Visual(), "pixels", example, {0: torch.export.Dim("batch")}, path, half_precision=False)


@dataclass(frozen=True, slots=True)
class ExportedText:
    """A written text tower.

    cut_padding: it needs no padding after a text: then it accepts any length, otherwise only the context length. table: the
    large table of token vectors that it does not contain, float16 [tokens, width]; its rows are then an input.
    """

    cut_padding: bool
    table: NDArray[np.float16] | None


def export_text(loaded: LoadedModel, path: Path) -> ExportedText:
    """Write the text tower: from int64 tokens [n, length] to float32 unit vectors [n, dim]."""
    import torch

    length = loaded.context_length
    if (causal := _causal_tower(loaded)) is not None:
        module, shorter = causal, True
    else:
        module, shorter = _whole_tower(loaded), _masks_padding(loaded)
    example = torch.randint(3, 50, (2, max(2, length // 2) if shorter else length), dtype=torch.int64)
    axes = {0: torch.export.Dim("batch")}
    if shorter:
        axes[1] = torch.export.Dim("length", max=length)
    # A search reads and hashes the whole file for a single query, so halving its size halves the delay.
    table = _write(module, "tokens", example, axes, path, half_precision=True)
    return ExportedText(shorter, table)


def _causal_tower(loaded: LoadedModel) -> torch.nn.Module | None:
    """Return open_clip's own text transformer for texts of any length, or None if it needs padding.

    In a causal tower, a token only attends to those before it, so padding after the end of the text changes nothing.
    """
    import torch
    from open_clip.transformer import text_global_pool

    tower = getattr(loaded.model, "text", loaded.model)
    pool = getattr(tower, "pool_type", getattr(tower, "text_pool_type", None))
    end = getattr(tower, "eos_id", getattr(tower, "text_eos_id", None))
    if (
        getattr(tower, "attn_mask", None) is None
        or getattr(tower, "cls_emb", None) is not None
        or getattr(tower, "use_pad_mask", False)
        or pool not in ("argmax", "eos")
    ):
        return None

    class Causal(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower = tower

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            tower: Any = self.tower
            length = tokens.shape[1]
            values = tower.token_embedding(tokens) + tower.positional_embedding[:length]
            values = tower.transformer(values, attn_mask=tower.attn_mask[:length, :length])
            values = text_global_pool(tower.ln_final(values), tokens, pool, end)
            projection = tower.text_projection
            if isinstance(projection, torch.nn.Module):
                values = projection(values)
            elif projection is not None:
                values = values @ projection
            return torch.nn.functional.normalize(values, dim=-1)

    return Causal()


def _whole_tower(loaded: LoadedModel) -> torch.nn.Module:
    import torch

    class Whole(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = loaded.model

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.normalize(self.model.encode_text(tokens), dim=-1)

    return Whole()


def _masks_padding(loaded: LoadedModel) -> bool:
    """Tell whether the text tower is a transformers model, to which open_clip always passes a padding mask."""
    from open_clip.hf_model import HFTextEncoder

    return isinstance(getattr(loaded.model, "text", None), HFTextEncoder)


def _channels(values: tuple[float, float, float]) -> torch.Tensor:
    """Scale per-channel values from 0..1 to pixels of 0..255: float32 [1, 3, 1, 1]."""
    import torch

    return (torch.tensor(values, dtype=torch.float32) * 255).reshape(1, 3, 1, 1)


def _write(
    module: torch.nn.Module, name: str, example: torch.Tensor, axes: dict[int, Any], path: Path, *, half_precision: bool
) -> NDArray[np.float16] | None:
    """Write a tower, and return the token table that was taken out of it; see ExportedText."""
    import torch

    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            module.eval(),
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[name],
            output_names=["vectors"],
            dynamic_shapes=(axes,),
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    large, table = slimmed(program.model, name, half_precision=half_precision)
    program.save(str(path), external_data=large)
    return table


def slimmed(model: Any, name: str, *, half_precision: bool) -> tuple[bool, NDArray[np.float16] | None]:
    """Prepare a tower, a model of onnx_ir with the input `name`, for its file.

    half_precision: store large weights so. Returns whether its weights belong into a separate file, and the token table that
    was taken out of it; see ExportedText.
    """
    # Exporters record source files and lines of their computer on every node.
    for value in (model, model.graph, *model.graph.all_nodes()):
        value.metadata_props.clear()
        value.doc_string = None
    weights_bytes = sum(
        one.const_value.nbytes for one in model.graph.initializers.values() if one.const_value is not None
    )
    large = weights_bytes > _INLINE_BYTES_MAX
    table = None
    if half_precision and large:
        table = _take_out_table(model.graph, name)
        _halve_weights(model.graph)
    return large, table


def _take_out_table(graph: Any, tokens_name: str) -> NDArray[np.float16] | None:
    """Replace the look-up of tokens in a very large table by an input with the rows; return the table, None if there is none.

    Of the 197 million numbers of such a table a query needs a few thousand, so it should not load all.
    """
    import onnx_ir
    from onnx_ir import convenience

    tokens = next(one for one in graph.inputs if one.name == tokens_name)
    for name, value in list(graph.initializers.items()):
        uses = list(value.uses())
        if value.const_value is None or value.const_value.nbytes < _TABLE_BYTES_MIN or len(uses) != 1:
            continue
        node, index = uses[0]
        numbers = value.const_value.numpy()
        if node.op_type != "Gather" or index != 0 or node.inputs[1] is not tokens or numbers.ndim != 2:
            continue
        if not np.abs(numbers).max() < np.finfo(np.float16).max:
            continue
        shape = [*tokens.shape, numbers.shape[1]]
        rows = onnx_ir.val("rows", onnx_ir.DataType.FLOAT16, shape)
        cast = onnx_ir.node("Cast", [rows], attributes={"to": onnx_ir.DataType.FLOAT})
        output = node.outputs[0]
        cast.outputs[0].type, cast.outputs[0].shape = output.type, output.shape
        convenience.replace_all_uses_with(output, cast.outputs[0])
        graph.insert_before(node, cast)
        graph.remove(node, safe=True)
        graph.inputs.append(rows)
        if not list(tokens.uses()):
            graph.inputs.remove(tokens)
        graph.initializers.pop(name)
        return np.asarray(numbers, np.float16)
    return None


def _halve_weights(graph: Any) -> None:
    """Store large weights as float16 and convert them on use; of an embedding table only the rows that are looked up."""
    import onnx_ir
    from onnx_ir import convenience

    for name, value in list(graph.initializers.items()):
        weights = value.const_value
        if weights is None or weights.dtype != onnx_ir.DataType.FLOAT or weights.nbytes < _HALVED_BYTES_MIN:
            continue
        numbers = weights.numpy()
        if not np.abs(numbers).max() < np.finfo(np.float16).max:
            continue
        short = onnx_ir.Value(name=f"{name}.short", const_value=onnx_ir.tensor(numbers.astype(np.float16)))
        graph.register_initializer(short)
        uses = list(value.uses())
        if all(node.op_type == "Gather" and index == 0 for node, index in uses):
            for node, index in uses:
                node.replace_input_with(index, short)
                output = node.outputs[0]
                cast = onnx_ir.node("Cast", [output], attributes={"to": onnx_ir.DataType.FLOAT})
                cast.outputs[0].type, cast.outputs[0].shape = output.type, output.shape
                output.type = onnx_ir.TensorType(onnx_ir.DataType.FLOAT16)
                convenience.replace_all_uses_with(output, cast.outputs[0])
                cast.replace_input_with(0, output)
                graph.insert_after(node, cast)
        else:
            cast = onnx_ir.node("Cast", [short], attributes={"to": onnx_ir.DataType.FLOAT})
            convenience.replace_all_uses_with(value, cast.outputs[0])
            graph.insert_before(graph[0], cast)
        graph.initializers.pop(name)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's log messages and warnings; its errors are exceptions."""
    loggers = [
        logging.getLogger(name) for name in ("torch.onnx", "torch.export", "torch._export", "onnxscript", "onnx_ir")
    ]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
