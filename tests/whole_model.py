"""Writes a model as one ONNX file with both towers, in the layout in which jina-clip-v2 is published."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.model_folders import TINY_CLIP, TINY_CLIP_SIZE_PX

OUTPUTS = ("text_embeddings", "image_embeddings", "l2norm_text_embeddings", "l2norm_image_embeddings")
PICTURES: Mapping[str, Any] = {
    "size": TINY_CLIP_SIZE_PX,
    "mean": [0.5] * 3,
    "std": [0.25] * 3,
    "resize_mode": "shortest",
    "interpolation": "bicubic",
    "fill_color": 0,
    "auto_map": {"AutoImageProcessor": "evil.Processor"},
}
TEXTS: Mapping[str, Any] = {"pad_token": {"content": "!"}, "model_max_length": 20}


def write_whole_model(folder: Path, *, text_tower: Any = None) -> Path:
    """Write the tiny model so; needs torch. Return the folder.

    text_tower: replaces its own, a module of torch. The image tower gets normalised pixels. The weights lie beside the graph, shapes in it.
    """
    import onnx
    import torch

    from photoindex.models.export.towers import _causal_tower
    from photoindex.models.open_clip_loader import load_model

    loaded = load_model(TINY_CLIP)

    class Both(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.text, self.visual = text_tower or _causal_tower(loaded), loaded.visual

        def forward(self, input_ids: torch.Tensor, pixel_values: torch.Tensor) -> tuple[torch.Tensor, ...]:
            # The tower gives unit vectors; a whole graph has both kinds.
            text, image = self.text(input_ids), self.visual(pixel_values)  # type: ignore[misc]
            return 3 * text, image, text, torch.nn.functional.normalize(image, dim=-1)

    size = loaded.preprocessing.size_px
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            Both().eval(),
            (torch.randint(3, 50, (2, 10), dtype=torch.int64), torch.rand(3, 3, size, size)),
            dynamo=True,
            opset_version=18,
            input_names=["input_ids", "pixel_values"],
            output_names=list(OUTPUTS),
            dynamic_shapes=(
                {0: torch.export.Dim("texts"), 1: torch.export.Dim("length", max=loaded.context_length)},
                {0: torch.export.Dim("images")},
            ),
            verbose=False,
        )
    assert program is not None
    (folder / "onnx").mkdir(parents=True)
    onnx.save_model(
        program.model_proto,
        str(folder / "onnx" / "model.onnx"),
        save_as_external_data=True,
        location="model.onnx_data",
        size_threshold=1024,
    )
    shutil.copyfile(TINY_CLIP / "onnx" / "tokenizer.json", folder / "tokenizer.json")
    (folder / "preprocessor_config.json").write_text(json.dumps(PICTURES))
    (folder / "tokenizer_config.json").write_text(json.dumps(TEXTS))
    # What its repository has besides, and nobody needs: weights of torch, and a description that names code.
    (folder / "config.json").write_text(
        json.dumps({"model_type": "jina_clip", "auto_map": {"AutoModel": "evil.Model"}})
    )
    (folder / "evil.py").write_text("raise AssertionError('code of the model was run')\n")
    return folder
