"""Trains the tests' tiny captioner and writes a folder that transformers can load; README.md has the results.

python -m tests.tiny_captioner.train tests/fixtures/tiny-captioner
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from numpy.typing import NDArray

from tests.tiny_captioner.model import LONGEST, PATCHES, SIZE_PX, number_of, processor, untrained
from tests.tiny_captioner.wording import BEGIN, END, PAD, sentence_of, vocabulary
from tests.tiny_clip.captions import traits_of
from tests.tiny_clip.scenes import Scene, all_scenes
from tests.tiny_clip.train import as_input, draw_examples

_MARGIN_PX = 6
"""Pictures are larger than the model's input by this, and cropped at random."""
_BLOCK = 500


@dataclass(frozen=True)
class Recipe:
    """Everything that the training depends on.

    views: crops of each picture that the language model learns from. dropout: of what the tower sees.
    """

    text_width: int = 64
    text_layers: int = 1
    pictures: int = 8000
    views: int = 2
    batch: int = 128
    steps: int = 1500
    learning_rate: float = 3e-3
    dropout: float = 0.1
    seed: int = 1


@dataclass(frozen=True)
class Examples:
    """Pictures, uint8 [n, side, side, 3], and the tokens of their captions [n, LONGEST]."""

    pixels: NDArray[np.uint8]
    tokens: torch.Tensor


def drawn(recipe: Recipe, processes: int) -> Examples:
    """Draw pictures of training combinations, and their mirror images, in worker processes."""
    side_px = SIZE_PX + _MARGIN_PX
    blocks = [(recipe.seed * 1000 + number, _BLOCK, side_px) for number in range(recipe.pictures // _BLOCK)]
    with ProcessPoolExecutor(processes) as pool:
        examples = [example for part in pool.map(draw_examples, blocks) for example in part]
    tokens = {traits_of(scene): tokens_of(scene) for scene in all_scenes()}
    pixels = np.stack([example.pixels for example in examples])
    return Examples(pixels, torch.tensor([tokens[example.traits] for example in examples]))


def tokens_of(scene: Scene) -> list[int]:
    """Return the tokens of a scene's caption, with its end, padded to LONGEST."""
    numbers = {token: number for number, token in enumerate(vocabulary())}
    tokens = [numbers[word] for word in [*sentence_of(scene).split(), END]]
    return tokens + [numbers[PAD]] * (LONGEST - len(tokens))


def views_of(model: Any, examples: Examples, recipe: Recipe) -> list[torch.Tensor]:
    """Return what the tower sees of all pictures, cropped at random, once for each view: float16 [n, PATCHES, channels]."""
    generator, tower = np.random.default_rng(recipe.seed), model.model.vision_tower.eval()
    blocks = np.array_split(examples.pixels, math.ceil(len(examples.pixels) / _BLOCK))
    views = []
    for _view in range(recipe.views):
        grids = []
        for pixels in blocks:
            top, left = generator.integers(0, _MARGIN_PX + 1, 2)
            with torch.no_grad():
                seen = tower(as_input(pixels[:, top : top + SIZE_PX, left : left + SIZE_PX])).last_hidden_state
            grids.append(seen.flatten(2).transpose(1, 2).half())
        views.append(torch.cat(grids))
    return views


def train(model: Any, examples: Examples, recipe: Recipe) -> None:
    """Teach the language model the captions of what the tower sees; the tower stays as it is.

    The learning rate warms up and then follows a cosine.
    """
    views, generator = views_of(model, examples, recipe), np.random.default_rng(recipe.seed)
    inner = model.model
    learned = [
        *inner.multi_modal_projector.parameters(),
        *inner.language_model.parameters(),
        *model.lm_head.parameters(),
    ]
    optimizer = torch.optim.AdamW(learned, lr=recipe.learning_rate, weight_decay=0.02)
    started, total = time.monotonic(), 0.0
    for step in range(recipe.steps):
        share = min((step + 1) / 50, 0.5 * (1 + math.cos(math.pi * step / recipe.steps)))
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * share
        rows = generator.choice(len(examples.pixels), recipe.batch, replace=False)
        grid = views[int(generator.integers(recipe.views))][rows].float()
        loss = caption_loss(model, F.dropout(grid, recipe.dropout), examples.tokens[rows])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        total += loss.item()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}: loss {total / 100:.3f}, {time.monotonic() - started:.0f} s", flush=True)
            total = 0.0


def caption_loss(model: Any, grid: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Return the cross entropy of captions: each word is asked after the picture, the beginning and the words before it."""
    before = F.pad(tokens[:, :-1], (1, 0), value=number_of(BEGIN))
    language = model.model.language_model
    embedded = torch.cat([model.model.multi_modal_projector(grid), language.get_input_embeddings()(before)], dim=1)
    words = model.lm_head(language(inputs_embeds=embedded, use_cache=False).last_hidden_state[:, PATCHES:])
    return F.cross_entropy(words.flatten(0, 1), tokens.flatten(), ignore_index=number_of(PAD))


def write(folder: Path, model: Any) -> None:
    """Write the model in half precision, its tokenizer and its image processor."""
    folder.mkdir(parents=True, exist_ok=True)
    processor().save_pretrained(folder)
    model.generation_config.update(do_sample=False, max_new_tokens=LONGEST)
    model.half().save_pretrained(folder)


def main() -> None:
    from tests.tiny_captioner import accuracy

    recipe, arguments = _arguments()
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(arguments.threads)
    model = untrained(recipe.text_width, recipe.text_layers)
    examples = drawn(recipe, arguments.threads)
    print(f"{len(examples.pixels)} pictures; {model.num_parameters()} parameters", flush=True)
    train(model, examples, recipe)
    write(arguments.folder, model)
    report = {
        "recipe": dataclasses.asdict(recipe),
        "pictures": len(examples.pixels),
        "parameters": model.num_parameters(),
        "accuracy": accuracy.measure(arguments.folder),
    }
    (arguments.folder / "accuracy.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


def _arguments() -> tuple[Recipe, argparse.Namespace]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the model's folder is written")
    parser.add_argument("--threads", type=int, default=2)
    for field in dataclasses.fields(Recipe):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    arguments = parser.parse_args()
    return Recipe(**{field.name: getattr(arguments, field.name) for field in dataclasses.fields(Recipe)}), arguments


if __name__ == "__main__":
    main()
