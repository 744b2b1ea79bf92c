"""Trains the tests' tiny captioner and writes a folder that transformers can load; README.md has the results.

python -m tests.tiny_captioner.train tests/fixtures/tiny-captioner
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Iterable, Iterator
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
from tests.tiny_clip import scenes
from tests.tiny_clip.captions import traits_of
from tests.tiny_clip.train import as_input, draw_examples

_MARGIN_PX = 6
"""Pictures are larger than the model's input by this, and cropped at random."""
_BLOCK = 500
_PARTS = (
    len(scenes.COLOURS),
    len(scenes.SHAPES),
    1 + max(scenes.COUNTS),
    len(scenes.BACKGROUNDS),
    len(scenes.POSITIONS),
)
"""How many answers there are for each part of a scene."""


@dataclass(frozen=True)
class Recipe:
    """Everything that the training depends on. views: crops of each picture that the language model sees."""

    text_width: int = 96
    text_layers: int = 2
    pictures: int = 8000
    tower_steps: int = 1000
    tower_batch: int = 96
    tower_rate: float = 2e-3
    views: int = 3
    language_steps: int = 2500
    language_batch: int = 192
    language_rate: float = 2e-3
    seed: int = 1


@dataclass(frozen=True)
class Examples:
    """Pictures, uint8 [n, side, side, 3], the parts of their scenes [n, 5], and the tokens of their captions [n, LONGEST]."""

    pixels: NDArray[np.uint8]
    parts: torch.Tensor
    tokens: torch.Tensor

    def cut(self, rows: Any, generator: np.random.Generator) -> torch.Tensor:
        """Return these pictures as the tower sees them, all cropped at one random place."""
        top, left = generator.integers(0, _MARGIN_PX + 1, 2)
        return as_input(self.pixels[rows][:, top : top + SIZE_PX, left : left + SIZE_PX])


def drawn(recipe: Recipe, processes: int) -> Examples:
    """Draw pictures of training combinations, and their mirror images, in worker processes."""
    blocks = [
        (recipe.seed * 1000 + number, _BLOCK, SIZE_PX + _MARGIN_PX) for number in range(recipe.pictures // _BLOCK)
    ]
    with ProcessPoolExecutor(processes) as pool:
        examples = [example for part in pool.map(draw_examples, blocks) for example in part]
    known = [example.traits.numbers()[: len(_PARTS)] for example in examples]
    tokens = {traits_of(scene).numbers()[: len(_PARTS)]: tokens_of(scene) for scene in scenes.all_scenes()}
    return Examples(
        np.stack([example.pixels for example in examples]),
        torch.tensor(known),
        torch.tensor([tokens[parts] for parts in known]),
    )


def tokens_of(scene: scenes.Scene) -> list[int]:
    """Return the tokens of a scene's caption, with its end, padded to LONGEST."""
    numbers = {token: number for number, token in enumerate(vocabulary())}
    tokens = [numbers[word] for word in [*sentence_of(scene).split(), END]]
    return tokens + [numbers[PAD]] * (LONGEST - len(tokens))


def train_tower(model: Any, examples: Examples, recipe: Recipe) -> None:
    """Teach the tower to tell the parts of a scene, by a layer on its last grid that is not kept.

    The tower has learned whether a picture and a text fit; a caption needs every part.
    """
    tower, generator = model.model.vision_tower.train(), np.random.default_rng(recipe.seed)
    asked = torch.nn.Linear(PATCHES * tower.config.hidden_size, sum(_PARTS))

    def losses() -> Iterator[torch.Tensor]:
        while True:
            rows = generator.choice(len(examples.pixels), recipe.tower_batch, replace=False)
            answers = asked(grid_of(tower, examples.cut(rows, generator)).flatten(1)).split(_PARTS, dim=1)
            yield sum(F.cross_entropy(one, examples.parts[rows, part]) for part, one in enumerate(answers))  # type: ignore[misc]

    optimise([*tower.parameters(), *asked.parameters()], losses(), recipe.tower_steps, recipe.tower_rate)
    tower.eval()


def train_language(model: Any, examples: Examples, recipe: Recipe) -> None:
    """Teach the language model the captions of what the tower sees; the tower stays as it is."""
    generator, tower = np.random.default_rng(recipe.seed), model.model.vision_tower
    everything = np.array_split(np.arange(len(examples.pixels)), len(examples.pixels) // 256)
    with torch.inference_mode():
        views = [
            torch.cat([grid_of(tower, examples.cut(rows, generator)).half() for rows in everything])
            for _view in range(recipe.views)
        ]

    def losses() -> Iterator[torch.Tensor]:
        while True:
            rows = generator.choice(len(examples.pixels), recipe.language_batch, replace=False)
            grid = views[int(generator.integers(recipe.views))][rows].float()
            yield caption_loss(model, grid, examples.tokens[rows])

    learned = [*model.model.multi_modal_projector.parameters(), *model.model.language_model.parameters()]
    optimise([*learned, *model.lm_head.parameters()], losses(), recipe.language_steps, recipe.language_rate)


def grid_of(tower: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Return the tower's last grid: [n, PATCHES, channels]."""
    grid: torch.Tensor = tower(pixels).last_hidden_state.flatten(2).transpose(1, 2)
    return grid


def caption_loss(model: Any, grid: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Return the cross entropy of captions: after the picture and the beginning, each word is asked."""
    before = torch.nn.functional.pad(tokens[:, :-1], (1, 0), value=number_of(BEGIN))
    language = model.model.language_model
    embedded = torch.cat([model.model.multi_modal_projector(grid), language.get_input_embeddings()(before)], dim=1)
    words = model.lm_head(language(inputs_embeds=embedded, use_cache=False).last_hidden_state[:, PATCHES:])
    return F.cross_entropy(words.flatten(0, 1), tokens.flatten(), ignore_index=number_of(PAD))


def optimise(learned: list[Any], losses: Iterable[torch.Tensor], steps: int, rate: float) -> None:
    """Run all steps; the learning rate warms up and then follows a cosine."""
    optimizer = torch.optim.AdamW(learned, lr=rate, weight_decay=0.02)
    started, total = time.monotonic(), 0.0
    for step, loss in zip(range(steps), losses, strict=False):
        share = min((step + 1) / 100, 0.5 * (1 + math.cos(math.pi * step / steps)))
        for group in optimizer.param_groups:
            group["lr"] = rate * share
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        total += loss.item()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1}: loss {total / 100:.3f}, {time.monotonic() - started:.0f} s", flush=True)
            total = 0.0


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
    times, seconds = [time.monotonic()], {}
    model = untrained(recipe.text_width, recipe.text_layers)
    examples = drawn(recipe, arguments.threads)
    print(f"{len(examples.pixels)} pictures; {model.num_parameters()} parameters", flush=True)
    for name, work in {"drawing": None, "tower": train_tower, "language": train_language}.items():
        if work is not None:
            work(model, examples, recipe)
        times.append(time.monotonic())
        seconds[name] = round(times[-1] - times[-2])
    write(arguments.folder, model)
    report = {
        "recipe": dataclasses.asdict(recipe),
        "pictures": len(examples.pixels),
        "parameters": model.num_parameters(),
        "seconds": seconds,
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
