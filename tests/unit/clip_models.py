"""Small open_clip models with random weights, as their folders look when they are installed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MERGES = ("s u", "su n", "n s", "sun s", "d o", "do g</w>", "t h", "th e</w>", "e n", "en d", "1 2", "! !", "è s")
VISION = {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16}
TEXT = {"context_length": 16, "width": 32, "heads": 2, "layers": 2}
PREPROCESSING = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def write_vocabulary(folder: Path, merges: tuple[str, ...] = MERGES) -> int:
    """Write a small BPE vocabulary and return how many tokens it has."""
    from open_clip.tokenizer import SimpleTokenizer

    path = folder / "bpe_simple_vocab.txt.gz"
    path.write_bytes(gzip.compress("\n".join(["#version: 0.2", *merges]).encode(), mtime=0))
    return int(SimpleTokenizer(str(path)).vocab_size)


def write_model(
    folder: Path, *, text: Mapping[str, Any] | None = None, preprocessing: Mapping[str, Any] | None = None
) -> Path:
    """Write a model with its own small vocabulary; `text` and `preprocessing` replace settings. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {**TEXT, "vocab_size": write_vocabulary(folder), **(text or {})}
    return write_weights(folder, settings, {**PREPROCESSING, **(preprocessing or {})})


def write_weights(folder: Path, text: Mapping[str, Any], preprocessing: Mapping[str, Any]) -> Path:
    """Write the configuration and random weights that fit to it."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    custom = bool(text.get("no_causal_mask"))
    model = {"embed_dim": 24, "vision_cfg": dict(VISION), "text_cfg": dict(text), "custom_text": custom}
    config = {"model_cfg": model, "preprocess_cfg": dict(preprocessing)}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    made = {name: value for name, value in model.items() if name != "custom_text"}
    with torch.random.fork_rng():
        torch.manual_seed(7)
        tower = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**made)
        # Vectors of freshly made towers are all alike: larger weights of the tokens tell texts apart.
        for name, parameter in tower.named_parameters():
            if "embedding" in name:
                torch.nn.init.normal_(parameter, std=0.5)
    save_file(
        {name: value.contiguous() for name, value in tower.state_dict().items()}, folder / "open_clip_model.safetensors"
    )
    return folder
