"""Trains the tests' tiny model and writes a folder that open_clip can load; README.md has the results.

python -m tests.tiny_clip.train tests/fixtures/tiny-clip
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from tests import demo_pictures
from tests.tiny_clip import captions, scenes, vocabulary
from tests.tiny_clip.captions import Traits
from tests.tiny_clip.scenes import Scene

# Pictures are a little larger than the model's input, and cropped at random in each step.
_MARGIN_PX = 6
_CAPTIONS_EACH = 6
_LANDSCAPE_DRAWINGS = 30
_CONTEXT_LENGTH = 20


@dataclass(frozen=True)
class Example:
    """A small picture, uint8 [side, side, 3], its traits, and true captions."""

    pixels: NDArray[np.uint8]
    traits: Traits
    texts: list[tuple[str, Traits]]


@dataclass(frozen=True)
class Recipe:
    """Everything that the training depends on."""

    size_px: int = 96
    dim: int = 64
    vision_width: int = 6
    text_width: int = 64
    text_layers: int = 1
    pictures: int = 8000
    batch: int = 128
    steps: int = 3000
    learning_rate: float = 4e-3
    seed: int = 1


def configuration(recipe: Recipe, token_count: int) -> dict[str, Any]:
    """Return the content of open_clip_config.json. Mean and deviation differ from CLIP's, so readers must use these."""
    return {
        "model_cfg": {
            "embed_dim": recipe.dim,
            "vision_cfg": {
                "image_size": recipe.size_px,
                # Four numbers make it a residual network, which learns counts and positions sooner than a transformer.
                "layers": [1, 1, 1, 1],
                "width": recipe.vision_width,
                "head_width": recipe.vision_width * 8,
            },
            "text_cfg": {
                "context_length": _CONTEXT_LENGTH,
                "vocab_size": token_count,
                "width": recipe.text_width,
                "heads": 4,
                "layers": recipe.text_layers,
            },
        },
        "preprocess_cfg": {
            "mean": [0.5, 0.5, 0.5],
            "std": [0.25, 0.25, 0.25],
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }


def draw_examples(task: tuple[int, int, int]) -> list[Example]:
    """Draw `number` pictures of training combinations, and their mirror images. task: seed, number, side in px."""
    seed, number, side_px = task
    generator = np.random.default_rng(seed)
    seen = [scene for scene in scenes.all_scenes() if not scenes.is_unseen(scene)]
    examples = []
    for _picture in range(number):
        scene = seen[int(generator.integers(len(seen)))]
        drawn_px = int(generator.integers(side_px, 3 * side_px))
        picture = _as_stored(scenes.render(scene, generator, (drawn_px, drawn_px)), generator, side_px)
        examples.append(_example(picture, scene, generator))
        other_side = {"left": "right", "right": "left"}.get(scene.position, scene.position)
        mirrored = dataclasses.replace(scene, position=other_side)
        if not scenes.is_unseen(mirrored):
            examples.append(_example(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), mirrored, generator))
    return examples


def draw_landscapes(task: tuple[int, int, int]) -> list[Example]:
    """Draw a landscape repeatedly, in varying light and from varying positions. task: landscape, count, side in px."""
    landscape, number, side_px = task
    draw = getattr(demo_pictures, scenes.LANDSCAPES[landscape])
    examples = []
    for drawing in range(number):
        # The demo uses seeds below a hundred, so the model has not seen its pictures.
        generator = np.random.default_rng((1000 + drawing, landscape))
        picture = draw(generator).resize((400, 300))
        for _look in range(12):
            side = int(generator.integers(240, 301))
            left, top = generator.integers(0, 401 - side), generator.integers(0, 301 - side)
            look = picture.crop((left, top, left + side, top + side))
            if generator.random() < 0.15:
                look = look.convert("L").convert("RGB")
            if generator.random() < 0.5:
                look = look.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            look = ImageEnhance.Brightness(look).enhance(generator.uniform(0.8, 1.15))
            texts = [captions.view_caption(landscape, generator) for _caption in range(_CAPTIONS_EACH)]
            pixels = np.asarray(_as_stored(look, generator, side_px))
            examples.append(Example(pixels, Traits(landscape=landscape), texts))
    return examples


def _as_stored(picture: Image.Image, generator: np.random.Generator, side_px: int) -> Image.Image:
    """Return the picture after JPEG compression, like a preview, at the size used in training."""
    if generator.random() < 0.7:
        picture = scenes.jpeg(picture, int(generator.integers(60, 96)))
    return picture.resize((side_px, side_px), Image.Resampling.BICUBIC)


def _example(picture: Image.Image, scene: Scene, generator: np.random.Generator) -> Example:
    texts = [captions.caption(scene, generator) for _caption in range(_CAPTIONS_EACH)]
    return Example(np.asarray(picture), captions.traits_of(scene), texts)


def all_examples(recipe: Recipe, processes: int) -> list[Example]:
    """Draw all training pictures in worker processes; the result depends only on the recipe."""
    side_px, block = recipe.size_px + _MARGIN_PX, 500
    blocks = [(recipe.seed * 1000 + number, block, side_px) for number in range(recipe.pictures // block)]
    views = [(landscape, _LANDSCAPE_DRAWINGS, side_px) for landscape in range(len(scenes.LANDSCAPES))]
    with ProcessPoolExecutor(processes) as pool:
        landscapes = pool.map(draw_landscapes, views)
        return [example for part in (*pool.map(draw_examples, blocks), *landscapes) for example in part]


class Batches:
    """Infinite batches: pixels, tokens, and which caption is true of which picture."""

    def __init__(self, examples: list[Example], tokenizer: Any, recipe: Recipe) -> None:
        self._generator = np.random.default_rng(recipe.seed)
        self._recipe = recipe
        self._pixels = np.stack([example.pixels for example in examples])
        self._traits = np.array([example.traits.numbers() for example in examples])
        absent = [captions.absent_caption(self._generator) for _text in range(2000)]
        texts = [text for example in examples for text, _asked in example.texts] + [text for text, _asked in absent]
        numbers = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        self._tokens = tokenizer(list(numbers))
        self._text_rows = np.array([numbers[text] for text in texts])
        asked = [asked for example in examples for _text, asked in example.texts] + [asked for _text, asked in absent]
        self._asked = np.array([traits.numbers() for traits in asked])

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        generator, number, batch = self._generator, len(self._pixels), self._recipe.batch
        while True:
            rows = generator.choice(number, batch, replace=False)
            said = rows * _CAPTIONS_EACH + generator.integers(0, _CAPTIONS_EACH, batch)
            nothing = number * _CAPTIONS_EACH + generator.integers(0, 2000, batch // 16)
            said = np.concatenate([said, nothing])
            asked = self._asked[said]
            true = ((asked == -1) | (asked == self._traits[rows][:, None])).all(axis=2)
            pixels = self._cut(self._pixels[rows])
            yield as_input(pixels), self._tokens[self._text_rows[said]], torch.from_numpy(true)

    def _cut(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        top, left = self._generator.integers(0, _MARGIN_PX + 1, 2)
        side = self._recipe.size_px
        return pixels[:, top : top + side, left : left + side]


def as_input(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Return float32 [n, 3, side, side] of uint8 [n, side, side, 3], with the configuration's mean and deviation."""
    return (torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.25


def loss_of(logits: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Return CLIP's loss generalised to several true captions per picture, which share its probability."""
    wanted = true.float()
    of_pictures = wanted / wanted.sum(dim=1, keepdim=True).clamp(min=1)
    # Captions without a picture have nothing to find; they remain wrong answers for the pictures.
    found = true.any(dim=0)
    of_captions = (wanted / wanted.sum(dim=0, keepdim=True).clamp(min=1))[:, found]
    # A divergence, not cross entropy: it is 0 for a perfect model, however many captions are true.
    rows = F.kl_div(logits.log_softmax(dim=1), of_pictures, reduction="sum") / len(of_pictures)
    columns = F.kl_div(logits.log_softmax(dim=0)[:, found], of_captions, reduction="sum") / of_captions.shape[1]
    return (rows + columns) / 2


def train(model: Any, batches: Batches, recipe: Recipe) -> None:
    """Run all steps; the learning rate warms up and then follows a cosine."""
    decayed = [value for value in model.parameters() if value.ndim > 1]
    plain = [value for value in model.parameters() if value.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98))
    started, total = time.monotonic(), 0.0
    for step, (pixels, tokens, true) in zip(range(recipe.steps), batches, strict=False):
        share = min((step + 1) / 100, 0.5 * (1 + math.cos(math.pi * step / recipe.steps)))
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * share
        image, text, scale = model(pixels, tokens)
        loss = loss_of(scale * image @ text.T, true)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(50))
        total += loss.item()
        if (step + 1) % 100 == 0:
            print(
                f"step {step + 1}: loss {total / 100:.3f}, scale {scale.item():.1f}, {time.monotonic() - started:.0f} s"
            )
            total = 0.0


def main() -> None:
    from open_clip import CLIP
    from open_clip.tokenizer import SimpleTokenizer
    from safetensors.torch import save_file

    from tests.tiny_clip import accuracy

    recipe, arguments = _arguments()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(arguments.threads)
    merges = vocabulary.learn_merges(captions.vocabulary_words())
    vocabulary.write_vocabulary(folder / "bpe_simple_vocab.txt.gz", merges)
    settings = configuration(recipe, vocabulary.token_count(merges))
    (folder / "open_clip_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    started = time.monotonic()
    examples = all_examples(recipe, arguments.threads)
    drawn = time.monotonic()
    print(f"{len(examples)} pictures drawn in {drawn - started:.0f} s")
    tokenizer = SimpleTokenizer(str(folder / "bpe_simple_vocab.txt.gz"), context_length=_CONTEXT_LENGTH)
    model = CLIP(**settings["model_cfg"]).to(memory_format=torch.channels_last)
    print(f"{sum(value.numel() for value in model.parameters())} parameters")
    train(model, Batches(examples, tokenizer, recipe), recipe)
    trained = time.monotonic() - drawn
    seconds = {
        "drawing": round(drawn - started),
        "training": round(trained),
        "training_cpu": round(time.process_time()),
    }
    # Half precision halves the file; accuracy is measured on the written weights.
    weights = {name: value.detach().half().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    measured = accuracy.measure(folder)
    report = {"recipe": dataclasses.asdict(recipe), "seconds": seconds, "accuracy": measured}
    (folder / "accuracy.json").write_text(json.dumps(report, indent=2) + "\n")
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
