"""Measures how well the tiny captioner describes combinations that it was not trained on.

    python -m tests.tiny_captioner.accuracy tests/fixtures/tiny-captioner

The pictures are processed as in a library: drawn at 1200 x 900 px, saved as a camera's JPEG, reduced to a 1024 px preview at
quality 82, of which the model sees the middle square. This uses torch and transformers, and nothing of photoindex.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.tiny_captioner.model import LONGEST, PATCHES, SIZE_PX
from tests.tiny_captioner.wording import BEGIN, IMAGE, sentence_of
from tests.tiny_clip import scenes
from tests.tiny_clip.accuracy import as_seen
from tests.tiny_clip.captions import AT, ON, describe
from tests.tiny_clip.train import as_input

_BATCH = 64


def captions_of(folder: Path, wanted: list[scenes.Scene], seed: int = 7) -> list[str]:
    """Return what the captioner says of these scenes."""
    from transformers import AutoModelForImageTextToText, AutoTokenizer

    model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    generator = np.random.default_rng(seed)
    pixels = as_input(np.stack([as_seen(scenes.render(scene, generator, (1200, 900)), SIZE_PX) for scene in wanted]))
    asked = torch.tensor([tokenizer.convert_tokens_to_ids([*[IMAGE] * PATCHES, BEGIN])])
    said: list[str] = []
    for seen in pixels.split(_BATCH):
        question = asked.expand(len(seen), -1)
        with torch.inference_mode():
            tokens = model.generate(
                input_ids=question, attention_mask=torch.ones_like(question), pixel_values=seen, max_new_tokens=LONGEST,
                do_sample=False,
            )  # fmt: skip
        said += tokenizer.batch_decode(tokens[:, asked.shape[1] :], skip_special_tokens=True)
    return said


def measure(folder: Path) -> dict[str, float | int]:
    """Return the share of unseen scenes whose caption is right word for word, and for each part the share that names it."""
    unseen = [scene for scene in scenes.all_scenes() if scenes.is_unseen(scene)]
    said = captions_of(folder, unseen)
    named = {
        "exact": [text == sentence_of(scene) for scene, text in zip(unseen, said, strict=True)],
        "colour": [text.split()[1:2] == [scene.colour] for scene, text in zip(unseen, said, strict=True)],
        "shape": [scene.shape in text for scene, text in zip(unseen, said, strict=True)],
        "count": [text.split()[:1] == describe(scene).split()[:1] for scene, text in zip(unseen, said, strict=True)],
        "background": [text.endswith(ON[scene.background][0]) for scene, text in zip(unseen, said, strict=True)],
        "position": [f" {AT[scene.position][0]} " in text for scene, text in zip(unseen, said, strict=True)],
    }
    return {
        "unseen_combinations": len(unseen),
        **{name: round(float(np.mean(right)), 4) for name, right in named.items()},
    }


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1])), indent=2))
