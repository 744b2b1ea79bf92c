"""`photoindex embed` against the bare forward pass of its model on the same batches, and against clip-retrieval.

ViT-B/32 at full size with random weights, installed into a temporary library with `photoindex models install`. The
rounds alternate; each side runs in its own process and is timed from its first batch, without loading the model.

clip-retrieval requires older versions of numpy, open_clip and others than photoindex. Its unchanged reader and mapper
need only torch: `pip install --no-deps --target PEER clip-retrieval`, then `--peer PEER`. Without `--peer`, an
equivalent loop (a torch DataLoader with the same settings) is used instead, and the output says so.

On the CPU, the bare forward pass is also measured with the image tower in int8 (ONNX Runtime's dynamic quantisation), and
`photoindex spaces eval` scores the tests' trained model in float32 and in int8.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from common import camera_like_scene, in_own_process, once_more, options, photoindex, previews_of, report
from int8 import RECIPES, quantised, recall_on_the_fixture
from tqdm import tqdm

FULL = "bench-vit-b-32"
SMALL = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 224, "layers": 2, "width": 64, "patch_size": 32, "head_width": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
PREPROCESSING = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--peer", type=Path, help="folder with clip-retrieval's package")
    parser.add_argument("--side", choices=["bare", "peer", "model"], help=argparse.SUPPRESS)
    parser.add_argument("--library", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--model", default=FULL, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side is not None:
        print(json.dumps({"bare": bare, "peer": peer, "model": write_model}[given.side](given)))
        return
    if importlib.util.find_spec("open_clip") is None:
        report("embed", left_out="the model and the peer need torch and open_clip: pip install 'photoindex[ml]'")
        return
    if given.quick:
        given.photos, given.rounds, given.batch_size = 24, 1, 8
    with tempfile.TemporaryDirectory(prefix="bench-embed-") as temporary:
        work = given.work or Path(temporary)
        given.library = work / f"embed-library-{'quick' if given.quick else 'full'}-{given.photos}"
        if not given.library.exists():
            make_library(given.library, work, given)
        compare(given)
        if not given.device.startswith("cuda"):
            compare_int8(given, work)


def compare(given: argparse.Namespace) -> None:
    rates: dict[str, list[float]] = {"pipeline": [], "bare": [], "peer": []}
    summaries = []
    how = ""
    for _ in range(given.rounds):
        summary = pipeline(given)
        summaries.append(summary)
        rates["pipeline"].append(summary["images_per_second"])
        rates["bare"].append(side("bare", given)["images_per_second"])
        peer_result = side("peer", given)
        rates["peer"].append(peer_result["images_per_second"])
        how = peer_result["how"]
    best = {name: max(values) for name, values in rates.items()}
    fastest = max(summaries, key=lambda summary: summary["images_per_second"])
    on_gpu = given.device.startswith("cuda")
    report(
        "embed",
        model="ViT-B/32, random weights" if not given.quick else "two small layers, random weights",
        device=fastest["runs_on"],
        photos=given.photos,
        batch_size=given.batch_size,
        rounds=given.rounds,
        images_per_second=best["pipeline"],
        bare_forward_images_per_second=best["bare"],
        ratio=round(best["pipeline"] / best["bare"], 3),
        goal=0.9 if on_gpu else 0.95,
        ratios_of_rounds=[round(ours / bare, 3) for ours, bare in zip(rates["pipeline"], rates["bare"], strict=True)],
        model_busy=round(fastest["infer_seconds"] / (fastest["infer_seconds"] + fastest["wait_seconds"]), 3),
        peer=how,
        peer_images_per_second=best["peer"],
        ratio_to_peer=round(best["pipeline"] / best["peer"], 2),
        bottleneck=fastest["bottleneck"],
        seconds_a_batch={
            step: round(fastest[f"{step}_seconds"] / fastest["batches"], 4)
            for step in ("read", "decode", "infer", "write", "wait")
        },
        decode_threads=fastest["decode_threads"],
    )


def compare_int8(given: argparse.Namespace, work: Path) -> None:
    """Compare the bare forward pass in float32 and in int8, and how well the tests' model finds photos with each."""
    names = ("float32", *RECIPES)
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name in names:
            model = FULL if name == "float32" else f"{FULL}-{name}"
            rates[name].append(side("bare", given, "--model", model)["images_per_cpu_second"])
    best = {name: max(values) for name, values in rates.items()}
    scores = recall_on_the_fixture(work, given)
    flags = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    report(
        "embed_int8",
        photos=given.photos,
        rounds=given.rounds,
        images_per_cpu_second=best,
        faster={name: round(best[name] / best["float32"], 2) for name in RECIPES},
        spaces_eval=scores,
        fall_percent={
            name: round(100 * (1 - scores[name]["recall_at_1"] / scores["float32"]["recall_at_1"]), 2)
            for name in RECIPES
        },
        goal_fall_percent=0.5,
        instructions=[name for name in ("avx2", "avx_vnni", "avx512_vnni", "amx_int8") if name in flags],
    )


def pipeline(given: argparse.Namespace) -> dict[str, float]:
    """Embed all photos again."""
    summary = once_more("embed", "--model", FULL, given=given, library=given.library)
    assert summary["embedded"] == given.photos, summary
    return summary


def side(name: str, given: argparse.Namespace, *more: str) -> dict[str, Any]:
    """Run one side of the comparison in its own process."""
    words = [
        "--side", name, "--library", given.library, "--device", given.device, "--batch-size", given.batch_size,
        "--photos", given.photos,
    ]  # fmt: skip
    if given.peer is not None:
        words += ["--peer", given.peer]
    if given.quick:
        words += ["--quick"]
    words += more
    return in_own_process(__file__, *words)


def bare(given: argparse.Namespace) -> dict[str, object]:
    """The model alone, on batches decoded in advance."""
    from photoindex.models.encoders import open_image_encoder
    from photoindex.models.weights import ModelStore
    from photoindex.stages.embed import pixels_of

    encoder = open_image_encoder(ModelStore(given.library / "models").get(given.model), device=given.device)
    pixels = np.stack([pixels_of(path.read_bytes(), encoder.preprocessing) for path in previews_of(given.library)])
    batches = [pixels[first : first + given.batch_size] for first in range(0, len(pixels), given.batch_size)]
    if given.device.startswith("cuda"):
        encoder.encode_images(batches[0])
    began, cpu = time.perf_counter(), time.process_time()
    for batch in batches:
        encoder.encode_images(batch)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    rates = {"images_per_second": seconds, "images_per_cpu_second": cpu_seconds}
    return {name: round(len(pixels) / took, 2) for name, took in rates.items()}


def peer(given: argparse.Namespace) -> dict[str, object]:
    """clip-retrieval's reader and mapper over the same previews, with the same weights on torch."""
    model, transform = torch_model(given)
    workers = len(os.sched_getaffinity(0))
    if given.peer is not None:
        how = "clip-retrieval's FilesReader and ClipMapper"
        reader, mapper = clip_retrieval(given, model, transform, workers)
    else:
        how = "a torch DataLoader as clip-retrieval has it"
        reader, mapper = data_loader(given, model, transform, workers)
    count, began = 0, None
    for batch in reader:
        size = len(mapper(batch)["image_embs"])
        # The first batch is not timed, because it includes the start of the worker processes.
        count, began = (count + size, began) if began is not None else (0, time.perf_counter())
    assert began is not None
    return {"images_per_second": round(count / (time.perf_counter() - began), 2), "how": how}


def torch_model(given: argparse.Namespace):
    import open_clip

    from photoindex.models.open_clip_loader import load_model
    from photoindex.models.weights import ModelStore

    installed = ModelStore(given.library / "models").get(FULL)
    model = load_model(installed.folder).model.eval().to(given.device)
    mean, deviation = (tuple(PREPROCESSING[name]) for name in ("mean", "std"))
    size = installed.encoders.preprocessing.size_px
    return model, open_clip.image_transform(size, is_train=False, mean=mean, std=deviation)


def clip_retrieval(given: argparse.Namespace, model, transform, workers: int):
    """Load two modules of clip-retrieval without its package, whose other dependencies are not needed here."""
    for absent, name in (("all_clip", "load_clip"), ("sentence_transformers", "SentenceTransformer")):
        if importlib.util.find_spec(absent) is None:
            sys.modules[absent] = types.ModuleType(absent)
            setattr(sys.modules[absent], name, None)
    modules = {}
    for name in ("reader", "mapper"):
        path = given.peer / "clip_retrieval" / "clip_inference" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"peer_{name}", path)
        modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(modules[name])
    folder = only_previews(given)
    reader = modules["reader"].FilesReader(
        lambda keys: keys, transform, None, folder, given.batch_size, workers, enable_text=False
    )
    mapper = modules["mapper"].ClipMapper.__new__(modules["mapper"].ClipMapper)
    mapper.enable_image, mapper.enable_text, mapper.enable_metadata, mapper.use_mclip = True, False, False, False
    mapper.device, mapper.model_img = given.device, model.encode_image
    return reader, mapper


def only_previews(given: argparse.Namespace) -> Path:
    """Return a folder of links to the previews, because clip-retrieval reads all pictures below a folder."""
    folder = given.library.with_name(given.library.name + "-previews")
    folder.mkdir(exist_ok=True)
    for path in previews_of(given.library):
        link = folder / path.name.replace(".preview", "")
        if not link.exists():
            link.symlink_to(path)
    return folder


def data_loader(given: argparse.Namespace, model, transform, workers: int):
    import torch
    from PIL import Image

    class Previews(torch.utils.data.Dataset):
        def __init__(self) -> None:
            self.paths = previews_of(given.library)

        def __len__(self) -> int:
            return len(self.paths)

        def __getitem__(self, index: int):
            return {"image_tensor": transform(Image.open(self.paths[index])), "image_filename": str(self.paths[index])}

    def mapper(item):
        with torch.no_grad():
            features = model.encode_image(item["image_tensor"].to(given.device))
            features /= features.norm(dim=-1, keepdim=True)
            return {"image_embs": features.cpu().to(torch.float16).numpy()}

    loader = torch.utils.data.DataLoader(
        Previews(), batch_size=given.batch_size, num_workers=workers, pin_memory=True, prefetch_factor=2
    )
    return loader, mapper


def make_library(library: Path, work: Path, given: argparse.Namespace) -> None:
    """Make photos whose previews have the usual file size, scan them, and install the model."""
    originals = work / f"embed-originals-{given.photos}"
    originals.mkdir(parents=True, exist_ok=True)
    # Scaled down from 12 MP like real previews: noise generated at preview size would make the files too large.
    scenes = [
        cv2.resize(camera_like_scene(seed), (1024, 768), interpolation=cv2.INTER_AREA)
        for seed in range(2 if given.quick else 8)
    ]
    random = np.random.default_rng(5)
    for index in tqdm(range(given.photos), desc="photos", file=sys.stderr):
        shifted = np.roll(scenes[index % len(scenes)], tuple(random.integers(0, 700, 2)), axis=(0, 1))
        path = originals / f"IMG_{index:05d}.jpg"
        path.write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(shifted), 90, colorsubsampling="420"))
    photoindex("scan", "--progress", "none", originals, library=library)
    side("model", given)  # in another process, so that this one does not load torch
    photoindex("models", "install", library / "made-model", "--id", FULL, library=library)
    shutil.rmtree(library / "made-model")
    for recipe in RECIPES:
        made = library / "made-int8" / recipe
        quantised(library / "models" / FULL, made, recipe)
        photoindex("models", "install", made, "--id", f"{FULL}-{recipe}", library=library)
    shutil.rmtree(library / "made-int8")


def write_model(given: argparse.Namespace) -> dict[str, object]:
    """Write an open_clip model with random weights, in the layout of open_clip's repositories."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder = given.library / "made-model"
    folder.mkdir(exist_ok=True)
    config = SMALL if given.quick else open_clip.get_model_config("ViT-B-32")
    torch.manual_seed(1)
    tower = open_clip.CLIP(**config)
    save_file(
        {name: value.contiguous() for name, value in tower.state_dict().items()}, folder / "open_clip_model.safetensors"
    )
    settings = {"model_cfg": config, "preprocess_cfg": PREPROCESSING}
    (folder / "open_clip_config.json").write_text(json.dumps(settings))
    return {}


if __name__ == "__main__":
    main()
