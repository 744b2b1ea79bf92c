"""Measures how well the tiny model finds pictures of combinations that it was not trained on.

    python -m tests.tiny_clip.accuracy tests/fixtures/tiny-clip

The pictures are processed as in a library: drawn at 1200 x 900 px, saved as a camera's JPEG, reduced to a 1024 px preview at
quality 82, then preprocessed for the model. This uses torch and open_clip, and nothing of photoindex.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from tests.tiny_clip import captions, scenes

_PARTS = ("colour", "shape", "count", "background", "position")


def load(folder: Path) -> tuple[Any, Any]:
    """Return the open_clip model, in float32, and its tokenizer."""
    from open_clip import CLIP
    from open_clip.tokenizer import SimpleTokenizer
    from safetensors.torch import load_file

    settings = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    model = CLIP(**settings)
    model.load_state_dict(load_file(folder / "open_clip_model.safetensors"))
    context_length = settings["text_cfg"]["context_length"]
    return model.eval(), SimpleTokenizer(str(folder / "bpe_simple_vocab.txt.gz"), context_length=context_length)


def as_seen(picture: Image.Image, size_px: int) -> NDArray[np.uint8]:
    """Return an original as the model sees it, through its preview: uint8 [size_px, size_px, 3]."""
    preview = scenes.jpeg(picture, 90)
    preview.thumbnail((1024, 1024), Image.Resampling.LANCZOS)
    preview = scenes.jpeg(preview, 82)
    shorter = min(preview.size)
    size = tuple(round(side * size_px / shorter) for side in preview.size)
    small = preview.resize(size, Image.Resampling.BICUBIC)
    left, top = (small.width - size_px) // 2, (small.height - size_px) // 2
    return np.asarray(small.crop((left, top, left + size_px, top + size_px)))


def measure(folder: Path) -> dict[str, float | int]:
    """Return the recall of unseen combinations by full description, and the precision of partial descriptions."""
    model, tokenizer = load(folder)
    unseen = [scene for scene in scenes.all_scenes() if scenes.is_unseen(scene)]
    # One number or two, depending on the kind of tower.
    size_px = int(np.ravel(model.visual.image_size)[0])
    images = _pictures(model, unseen, size_px)
    with torch.no_grad():
        texts = model.encode_text(tokenizer([captions.describe(scene) for scene in unseen]), normalize=True).numpy()
        similar = texts @ images.T
        # How many pictures rank before the right one.
        before = (similar > np.diag(similar)[:, None]).sum(axis=1)
        before_text = (similar > np.diag(similar)[None, :]).sum(axis=0)
        absent = model.encode_text(tokenizer(list(captions.ABSENT)), normalize=True).numpy() @ images.T
    return {
        "unseen_combinations": len(unseen),
        "text_to_image_recall_at_1": _share(before < 1),
        "text_to_image_recall_at_5": _share(before < 5),
        "image_to_text_recall_at_5": _share(before_text < 5),
        **_parts(model, tokenizer, unseen, images),
        "cosine_right": round(float(np.diag(similar).mean()), 3),
        "cosine_any": round(float(similar.mean()), 3),
        "cosine_absent_99th_percentile": round(float(np.percentile(absent, 99)), 3),
    }


def _pictures(model: Any, unseen: list[scenes.Scene], size_px: int) -> NDArray[np.float32]:
    from tests.tiny_clip.train import as_input

    generator = np.random.default_rng(7)
    seen = [as_seen(scenes.render(scene, generator, (1200, 900)), size_px) for scene in unseen]
    with torch.no_grad():
        return np.asarray(model.encode_image(as_input(np.stack(seen)), normalize=True).numpy())


def _parts(
    model: Any, tokenizer: Any, unseen: list[scenes.Scene], images: NDArray[np.float32]
) -> dict[str, float | int]:
    """Return for each part of a scene the precision of the first 20 pictures when only this part is named."""
    ways = {
        "colour": {colour: f"something {colour}" for colour in scenes.COLOURS},
        "shape": {shape: f"{shape}s" for shape in scenes.SHAPES},
        "count": {count: f"{captions.NUMBER_WORDS[count][-2]} shapes" for count in (2, 3, 4)},
        "background": {name: phrases[0] for name, phrases in captions.ON.items()},
        "position": {name: phrases[0] for name, phrases in captions.AT.items()},
    }
    result: dict[str, float | int] = {}
    for part in _PARTS:
        with torch.no_grad():
            texts = model.encode_text(tokenizer(list(ways[part].values())), normalize=True).numpy()
        first = np.argsort(-texts @ images.T, axis=1)[:, :20]
        right = [
            getattr(unseen[row], part) == value for value, rows in zip(ways[part], first, strict=True) for row in rows
        ]
        result[f"{part}_precision_at_20"] = _share(np.array(right))
    return result


def _share(right: NDArray[np.bool_]) -> float:
    return round(float(right.mean()), 4)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1])), indent=2))
