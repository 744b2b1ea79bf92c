"""A small captioner that brings its own Python code, in the layout of moondream2: it tells which colour a picture mostly has."""

from __future__ import annotations

import json
from pathlib import Path

MODELLING = "modeling_colours.py"
_HELPER = "words.py"
_CODE = """
import torch
from transformers import PretrainedConfig, PreTrainedModel

from .words import sentence_of


class ColoursConfig(PretrainedConfig):
    model_type = "colours-of-the-test"


class Colours(PreTrainedModel):
    config_class = ColoursConfig

    def __init__(self, config):
        super().__init__(config)
        self.channels = torch.nn.Linear(3, 3, bias=False)
        self.post_init()

    def caption(self, image, length="normal"):
        pixels = torch.tensor(image.resize((1, 1)).getpixel((0, 0)), dtype=torch.float32)
        return {"caption": sentence_of(int(self.channels(pixels).argmax()))}
"""
_WORDS = """
def sentence_of(channel):
    return f"A picture that is mostly {('red', 'green', 'blue')[channel]}."
"""


def write_own_code_captioner(folder: Path, code: str = _CODE, *, before: str = "") -> Path:
    """Write the model to a folder and return the folder. code: of its model; before: code in front of that."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    config = {
        "model_type": "colours-of-the-test",
        "architectures": ["Colours"],
        "auto_map": {
            "AutoConfig": "somebody/colours--modeling_colours.ColoursConfig",
            "AutoModelForCausalLM": "modeling_colours.Colours",
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / MODELLING).write_text(before + code)
    (folder / _HELPER).write_text(_WORDS)
    save_file({"channels.weight": torch.eye(3)}, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def with_caption(body: str) -> str:
    """Return the code of the model with another body of `caption`."""
    head, _, _ = _CODE.partition("        pixels = ")
    return f"{head}        {body}\n"
