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

from tests.tiny_captioner.wording import sentence_of
from tests.tiny_clip import scenes
from tests.tiny_clip.accuracy import as_seen
from tests.tiny_clip.train import as_input

SIZE_PX = 96


def captions_of(folder: Path, wanted: list[scenes.Scene], seed: int = 7) -> list[str]:
    """Return what the captioner says of these scenes."""
    from transformers import AutoModelForImageTextToText, AutoTokenizer

    model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    generator = np.random.default_rng(seed)
    seen = [as_seen(scenes.render(scene, generator, (1200, 900)), SIZE_PX) for scene in wanted]
    said: list[str] = []
    for start in range(0, len(seen), 64):
        with torch.inference_mode():
            tokens = model.generate(pixel_values=as_input(np.stack(seen[start : start + 64])))
        said += tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return said


def measure(folder: Path) -> dict[str, float | int]:
    """Return the share of unseen scenes whose caption is right word for word, and the share of right words by position."""
    unseen = [scene for scene in scenes.all_scenes() if scenes.is_unseen(scene)]
    said, right = captions_of(folder, unseen), [sentence_of(scene) for scene in unseen]
    parts = {
        "colour": [scene.colour in text.split() for scene, text in zip(unseen, said, strict=True)],
        "place": [text.split()[3:] == wanted.split()[3:] for text, wanted in zip(said, right, strict=True)],
        "count": [text.split()[:1] == wanted.split()[:1] for text, wanted in zip(said, right, strict=True)],
    }
    return {
        "unseen_combinations": len(unseen),
        "exact": _share([one == other for one, other in zip(said, right, strict=True)]),
        **{f"{name}_right": _share(values) for name, values in parts.items()},
    }


def _share(right: list[bool]) -> float:
    return round(sum(right) / len(right), 4)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1])), indent=2))
