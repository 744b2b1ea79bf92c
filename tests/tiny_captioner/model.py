"""The tiny captioner's architecture: transformers' FastVLM with the tower of the tiny CLIP model and a small Qwen2.

timm's `resnetaa50d` with the widths of the tiny CLIP model is the same network as its tower, under other names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch

from tests.tiny_captioner.wording import BEGIN, END, IMAGE, PAD, SPECIAL, UNKNOWN, vocabulary

TINY_CLIP = Path(__file__).resolve().parents[1] / "fixtures" / "tiny-clip" / "open_clip_model.safetensors"
SIZE_PX = 96
PATCH_PX = 32
PATCHES = (SIZE_PX // PATCH_PX) ** 2
"""Places of the tower's last grid; the language model sees each as a token."""
LONGEST = 12
"""Words of a caption, with its end."""
_WIDTH = 6  # of the tiny CLIP tower's first stage
_CHAT = (
    "{% for message in messages %}{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    f"{IMAGE}{BEGIN}"
    "{% endif %}{% endfor %}{% endfor %}"
)
_STEM = {"conv1": "conv1.0", "bn1": "conv1.1", "conv2": "conv1.3", "bn2": "conv1.4", "conv3": "conv1.6", "bn3": "bn1"}
"""Names of the tower's first layers in open_clip, and in timm."""


def number_of(token: str) -> int:
    """Return the number of a token."""
    return vocabulary().index(token)


def configuration(text_width: int, text_layers: int) -> Any:
    """Return the configuration of the captioner."""
    from transformers import FastVlmConfig

    tower = {
        "model_type": "timm_wrapper", "architecture": "resnetaa50d", "hidden_size": 32 * _WIDTH, "do_pooling": False,
        "model_args": {"layers": [1] * 4, "channels": [_WIDTH * 2**stage for stage in range(4)], "stem_width": _WIDTH // 2,
                       "global_pool": ""},
    }  # fmt: skip
    text = {
        "model_type": "qwen2", "vocab_size": len(vocabulary()), "hidden_size": text_width, "num_hidden_layers": text_layers,
        "num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 2 * text_width,
        "max_position_embeddings": PATCHES + LONGEST + 1, "pad_token_id": number_of(PAD), "bos_token_id": number_of(BEGIN),
        "eos_token_id": number_of(END),
    }  # fmt: skip
    return FastVlmConfig(
        vision_config=tower, text_config=text, image_token_index=number_of(IMAGE), image_seq_length=PATCHES
    )


def untrained(text_width: int, text_layers: int) -> Any:
    """Return a captioner with the tower of the tiny CLIP model, and nothing else learned."""
    from safetensors.torch import load_file
    from transformers import FastVlmForConditionalGeneration

    model = FastVlmForConditionalGeneration(configuration(text_width, text_layers))
    weights = {_timm_name(name): value.float() for name, value in load_file(TINY_CLIP).items() if _of_tower(name)}
    torch.nn.Module.load_state_dict(model.model.vision_tower.timm_model, weights)
    return model


def processor() -> Any:
    """Return what turns pictures into pixels, and texts into tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import CLIPImageProcessor, LlavaProcessor, PreTrainedTokenizerFast

    numbers = {token: number for number, token in enumerate(vocabulary())}
    inner = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.add_special_tokens(list(SPECIAL))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token=PAD, unk_token=UNKNOWN, bos_token=BEGIN, eos_token=END,
        extra_special_tokens={"image_token": IMAGE}, padding_side="left", model_max_length=PATCHES + LONGEST + 1,
    )  # fmt: skip
    pictures = CLIPImageProcessor(
        size={"shortest_edge": SIZE_PX}, crop_size=SIZE_PX, image_mean=[0.5] * 3, image_std=[0.25] * 3
    )
    return LlavaProcessor(
        pictures, tokenizer, patch_size=PATCH_PX, vision_feature_select_strategy="full", chat_template=_CHAT
    )


def _of_tower(name: str) -> bool:
    return name.startswith("visual.") and not name.startswith("visual.attnpool.")


def _timm_name(name: str) -> str:
    first, _, rest = name.removeprefix("visual.").partition(".")
    rest = re.sub(r"downsample\.(\d)", lambda match: f"downsample.{int(match[1]) + 1}", rest)
    return f"{_STEM.get(first, first)}.{rest}"
