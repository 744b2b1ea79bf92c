"""Trains the tests' tiny captioner and writes a folder that transformers can load.

python -m tests.tiny_captioner.train tests/fixtures/tiny-captioner
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from tests.tiny_captioner.wording import sentence_of, vocabulary
from tests.tiny_clip import scenes
from tests.tiny_clip.scenes import Scene
from tests.tiny_clip.train import as_input

MARGIN_PX = 6
"""Pictures are larger than the model's input by this, and cropped at random in each step."""
LONGEST = 16
"""Tokens of a caption, with its start and end."""


@dataclass(frozen=True)
class Recipe:
    """Everything that the training depends on."""

    size_px: int = 96
    pictures: int = 7000
    batch: int = 64
    seconds: int = 1200
    learning_rate: float = 2e-3
    seed: int = 1


def configuration(recipe: Recipe, tokens: int) -> Any:
    """Return the configuration of a SegFormer encoder with a BERT decoder.

    SegFormer has overlapping patches and convolutions, from which it learns counts and positions sooner than a plain vision
    transformer.
    """
    from transformers import BertConfig, SegformerConfig, VisionEncoderDecoderConfig

    encoder = SegformerConfig(
        image_size=recipe.size_px, depths=[1, 1, 1, 1], hidden_sizes=[16, 32, 64, 96], num_attention_heads=[1, 1, 2, 3],
        strides=[4, 2, 2, 1], sr_ratios=[8, 4, 2, 1], mlp_ratios=[3, 3, 3, 3], drop_path_rate=0.0,
        reshape_last_stage=False, hidden_size=96,
    )  # fmt: skip
    decoder = BertConfig(
        vocab_size=tokens, hidden_size=96, num_hidden_layers=1, num_attention_heads=4, intermediate_size=192,
        max_position_embeddings=LONGEST, is_decoder=True, add_cross_attention=True, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        encoder, decoder, decoder_start_token_id=2, pad_token_id=0, eos_token_id=3
    )


def drawn_examples(recipe: Recipe) -> list[tuple[NDArray[np.uint8], Scene]]:
    """Draw pictures of training combinations, and their mirror images."""
    generator = np.random.default_rng(recipe.seed)
    side_px = recipe.size_px + MARGIN_PX
    seen = [scene for scene in scenes.all_scenes() if not scenes.is_unseen(scene)]
    examples = []
    for _picture in range(recipe.pictures):
        scene = seen[int(generator.integers(len(seen)))]
        drawn_px = int(generator.integers(side_px, 2 * side_px))
        picture = scenes.render(scene, generator, (drawn_px, drawn_px))
        if generator.random() < 0.5:
            picture = scenes.jpeg(picture, int(generator.integers(70, 96)))
        picture = picture.resize((side_px, side_px), Image.Resampling.BICUBIC)
        examples.append((np.asarray(picture), scene))
        other_side = {"left": "right", "right": "left"}.get(scene.position, scene.position)
        mirrored = dataclasses.replace(scene, position=other_side)
        if not scenes.is_unseen(mirrored):
            examples.append((np.asarray(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)), mirrored))
    return examples


class Batches:
    """Infinite batches of pictures and the tokens of their captions."""

    def __init__(self, recipe: Recipe) -> None:
        examples = drawn_examples(recipe)
        self._generator = np.random.default_rng(recipe.seed)
        self._recipe = recipe
        self._pixels = np.stack([pixels for pixels, _ in examples])
        numbers = {token: number for number, token in enumerate(vocabulary())}
        self._labels = np.full((len(examples), LONGEST - 1), -100)
        for row, (_, scene) in enumerate(examples):
            tokens = [*(numbers[word] for word in sentence_of(scene).split()), numbers["[SEP]"]]
            self._labels[row, : len(tokens)] = tokens

    def __len__(self) -> int:
        return len(self._pixels)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        side = self._recipe.size_px
        while True:
            rows = self._generator.choice(len(self._pixels), self._recipe.batch, replace=False)
            top, left = self._generator.integers(0, MARGIN_PX + 1, 2)
            pixels = self._pixels[rows][:, top : top + side, left : left + side]
            yield as_input(pixels), torch.from_numpy(self._labels[rows])


def train(model: Any, batches: Batches, recipe: Recipe) -> int:
    """Train for the recipe's seconds; the learning rate warms up and then follows a cosine. Return the number of steps."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=0.02)
    started, total = time.monotonic(), 0.0
    for step, (pixels, labels) in enumerate(batches, start=1):
        share = (time.monotonic() - started) / recipe.seconds
        if share >= 1:
            return step - 1
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * min(step / 100, 0.5 * (1 + math.cos(math.pi * share)))
        # Exposure and white balance vary more than the pictures that were drawn.
        tint, light = torch.randn(len(pixels), 3, 1, 1), torch.randn(len(pixels), 1, 1, 1)
        loss = model(pixel_values=pixels * (1 + 0.05 * tint) + 0.05 * light, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
        if step % 100 == 0:
            print(f"step {step}: loss {total / 100:.3f}, {time.monotonic() - started:.0f} s", flush=True)
            total = 0.0
    return 0


def write(folder: Path, model: Any, recipe: Recipe) -> None:
    """Write the model in half precision, its tokenizer and its image processor."""
    from transformers import BertTokenizerFast, CLIPImageProcessor

    words = folder / "vocab.txt"
    words.write_text("\n".join(vocabulary()) + "\n")
    BertTokenizerFast(vocab=str(words), model_max_length=LONGEST).save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": recipe.size_px}, crop_size=recipe.size_px, image_mean=[0.5] * 3, image_std=[0.25] * 3
    ).save_pretrained(folder)
    model.generation_config.update(max_length=LONGEST, do_sample=False, num_beams=1)
    model.half().save_pretrained(folder, safe_serialization=True)


def main() -> None:
    from transformers import VisionEncoderDecoderModel

    from tests.tiny_captioner import accuracy

    recipe, arguments = _arguments()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(arguments.threads)
    started = time.monotonic()
    batches = Batches(recipe)
    drawn = time.monotonic()
    if arguments.start is None:
        model = VisionEncoderDecoderModel(configuration(recipe, len(vocabulary())))
    else:
        model = VisionEncoderDecoderModel.from_pretrained(
            arguments.start,
            dtype=torch.float32,
            config=configuration(recipe, len(vocabulary())),
            ignore_mismatched_sizes=True,
        )
    print(f"{len(batches)} pictures drawn in {drawn - started:.0f} s; {model.num_parameters()} parameters", flush=True)
    steps = train(model, batches, recipe)
    write(folder, model.eval(), recipe)
    report = {
        "recipe": dataclasses.asdict(recipe),
        "drawing_seconds": round(drawn - started),
        "steps": steps,
        "pictures": len(batches),
        "accuracy": accuracy.measure(folder),
    }
    (folder / "accuracy.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


def _arguments() -> tuple[Recipe, argparse.Namespace]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the model's folder is written")
    parser.add_argument("--start", type=Path, help="a folder to go on from")
    parser.add_argument("--threads", type=int, default=2)
    for field in dataclasses.fields(Recipe):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    arguments = parser.parse_args()
    return Recipe(**{field.name: getattr(arguments, field.name) for field in dataclasses.fields(Recipe)}), arguments


if __name__ == "__main__":
    main()
