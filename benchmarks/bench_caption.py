"""`photoindex caption` against a plain loop of transformers over the same previews: pictures a second.

The model is a BLIP of the sizes of blip-image-captioning-base, with weights made by recipe: it says the same twelve words of
every picture, and takes as long for them as the published one. Both sides ask it in batches of the same size, for the same
number of words, without sampling. The rounds alternate; each side runs in its own process and is timed without loading the
model. The bare side's rate is that of the model alone; `bare_images_per_second_with_decoding` adds reading, decoding and scaling
the previews, one after the other.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import bare_side, camera_like_scene, compared, once_more, photoindex, previews_of, report, stage_options
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parent.parent))

MODEL = "bench-blip"
WORDS = 12
MAX_TOKENS = 120
"""As `caption.max_tokens` has it."""
BASE = {
    "image_px": 384,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}
SMALL = {"image_px": 96, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128}


def main() -> None:
    parser = stage_options(__doc__, batch_size=8)
    parser.add_argument("--pictures", type=int, default=48)
    given = parser.parse_args()
    if given.bare is not None:
        print(json.dumps(bare(given)))
        return
    if importlib.util.find_spec("transformers") is None:
        report("caption", left_out="the model needs torch and transformers: pip install 'photoindex[ml]'")
        return
    if given.quick:
        given.pictures, given.rounds = 8, 1
    with tempfile.TemporaryDirectory(prefix="bench-caption-") as temporary:
        work = given.work or Path(temporary)
        folder = work / f"caption-{'small' if given.quick else 'base'}-{given.pictures}"
        library = folder / "library"
        if not library.exists():
            write_photos(folder / "photos", given.pictures)
            photoindex("scan", folder / "photos", "--progress", "none", library=library)
            write_model(folder / "model", SMALL if given.quick else BASE)
            photoindex("models", "install", folder / "model", "--id", MODEL, library=library)
            shutil.rmtree(folder / "model")
        compare(given, library)


def write_photos(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    scenes = [camera_like_scene(seed, 2048, 1536) for seed in range(4)]
    for number in range(count):
        picture = np.roll(scenes[number % len(scenes)], 37 * number, axis=1)
        Image.fromarray(picture).save(folder / f"{number}.jpg", quality=90)


def write_model(folder: Path, sizes: dict[str, int]) -> None:
    """Write a model whose answer has WORDS words, whatever it sees: each place in the answer stands for a word of its own."""
    import torch
    from transformers import AutoModelForImageTextToText

    from tests.small_captioners import END, SPECIAL, blip

    config, processor = blip(**sizes)
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config)
    decoder = model.text_decoder
    directions = torch.linalg.qr(torch.randn(sizes["hidden_size"], config.text_config.vocab_size))[0].T
    said = [*range(len(SPECIAL), len(SPECIAL) + WORDS), END]
    with torch.no_grad():
        for weights in decoder.bert.encoder.parameters():
            weights.mul_(0.1)
        decoder.bert.embeddings.word_embeddings.weight.copy_(0.3 * directions)
        decoder.bert.embeddings.position_embeddings.weight[: len(said)] = directions[said]
        decoder.cls.predictions.transform.dense.weight.copy_(torch.eye(sizes["hidden_size"]))
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def compare(given: argparse.Namespace, library: Path) -> None:
    found = compared(
        given,
        lambda: once_more("caption", "--model", MODEL, given=given, library=library),
        lambda: bare_side(__file__, given, library),
        goal=0.9,
    )
    ours, alone = found.ours, found.alone
    assert (ours["captions"], ours["example"]) == (given.pictures, alone["example"]), (ours, alone)
    report(
        "caption",
        model=f"BLIP, {'small' if given.quick else 'the sizes of blip-image-captioning-base'}, weights by recipe",
        pictures=ours["captions"],
        words=len(alone["example"].split()),
        bare_images_per_second_with_decoding=alone["with_decoding"],
        **found.figures,
    )


def bare(given: argparse.Namespace) -> dict[str, object]:
    """The model alone, as the documentation of transformers shows it, in a loop over batches of previews."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from photoindex.pipeline.workers.isolation import lower_priority

    lower_priority()  # as the model process does, so that a busy machine slows down both
    folder = given.bare / "models" / MODEL
    processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
    model = AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True).eval().to(given.device)
    previews = previews_of(given.bare)
    decoding = asking = 0.0
    said = []
    with torch.inference_mode():
        for first in range(0, len(previews), given.batch_size):
            began = time.perf_counter()
            pictures = [Image.open(path).convert("RGB") for path in previews[first : first + given.batch_size]]
            inputs = processor(images=pictures, return_tensors="pt").to(given.device)
            decoded = time.perf_counter()
            tokens = model.generate(**inputs, max_new_tokens=MAX_TOKENS, do_sample=False, num_beams=1)
            said += processor.batch_decode(tokens.cpu(), skip_special_tokens=True)
            decoding, asking = decoding + decoded - began, asking + time.perf_counter() - decoded
    return {
        "example": said[-1].strip(),
        "images_per_second": round(len(said) / asking, 2),
        "with_decoding": round(len(said) / (decoding + asking), 2),
    }


if __name__ == "__main__":
    main()
