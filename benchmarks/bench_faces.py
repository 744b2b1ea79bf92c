"""`photoindex faces` against the bare models on the same previews: pictures and faces a second.

The rounds alternate; each side runs in its own process and is timed from its first batch, without loading the models. The
bare side decodes each batch before the models see it; its rate is given without and with that time.

With PHOTOINDEX_TESTDATA (a folder with `faces/` and `models/`), the pictures are real and the models YuNet and MobileFaceNet;
otherwise faces are drawn, and the models are those of the tests, made by recipe.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import bare_side, compared, once_more, photoindex, previews_of, report, stage_options
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parent.parent))

PACK = "bench-faces"
DESCRIPTION = """
version = 1
[detector]
layout = "yunet"
file = "yunet_n_dynamic.onnx"
colours = "BGR"
longest_px = 640
score = 0.6
overlap = 0.3
[embedder]
file = "mobilefacenet_112x112.onnx"
mean = [127.5, 127.5, 127.5]
standard_deviation = [127.5, 127.5, 127.5]
dim = 128
"""
REAL = ("yunet_n_dynamic.onnx", "mobilefacenet_112x112.onnx")


def main() -> None:
    parser = stage_options(__doc__, batch_size=32)
    parser.add_argument("--copies", type=int, default=4, help="how often each picture is there, at different sizes")
    given = parser.parse_args()
    if given.bare is not None:
        print(json.dumps(bare(given)))
        return
    if given.quick:
        given.copies, given.rounds, given.batch_size = 1, 1, 8
    testdata = os.environ.get("PHOTOINDEX_TESTDATA")
    data = None if testdata is None else Path(testdata)
    with tempfile.TemporaryDirectory(prefix="bench-faces-") as temporary:
        work = given.work or Path(temporary)
        library = work / f"faces-library-{'drawn' if data is None else 'real'}-{given.copies}"
        if not library.exists():
            write_photos(work / "photos", data, given.copies, quick=given.quick)
            photoindex("scan", work / "photos", "--progress", "none", library=library)
            photoindex("models", "install", write_pack(work / "pack", data), "--id", PACK, library=library)
        compare(given, library, "drawn faces, tiny models" if data is None else "YuNet and MobileFaceNet")


def write_photos(folder: Path, data: Path | None, copies: int, *, quick: bool) -> None:
    """Write pictures; their copies differ in size, so that each has a preview of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    if data is None:
        from tests.tiny_faces import write_faces

        for number in range(8 if quick else 40 * copies):
            boxes = {(40 + 90 * one, 60, 110 + 90 * one, 130): number + one for one in range(number % 5)}
            write_faces(folder / f"{number}.jpg", boxes, size_px=(1024, 768), seed=number)
        return
    pictures = sorted(path for path in (data / "faces").glob("*/*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for number, path in enumerate(pictures[:12] if quick else pictures):
        with Image.open(path) as image:
            rgb = image.convert("RGB")
        for copy in range(copies):
            side = max(rgb.size) - 2 * copy
            scaled = rgb.resize((max(1, rgb.width * side // max(rgb.size)), max(1, rgb.height * side // max(rgb.size))))
            scaled.save(folder / f"{number}-{copy}.jpg", quality=92)


def write_pack(folder: Path, data: Path | None) -> Path:
    if data is None:
        from tests.tiny_faces import write_tiny_faces

        return write_tiny_faces(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in REAL:
        shutil.copy(data / "models" / name, folder)
    (folder / "face_pack.toml").write_text(DESCRIPTION)
    return folder


def compare(given: argparse.Namespace, library: Path, models: str) -> None:
    found = compared(
        given,
        lambda: once_more("faces", "--model", PACK, given=given, library=library),
        lambda: bare_side(__file__, given, library),
        goal=0.9,
    )
    ours, alone = found.ours, found.alone
    assert abs(ours["faces"] - alone["faces"]) <= 0.01 * alone["faces"], (ours["faces"], alone["faces"])
    report(
        "faces",
        models=models,
        pictures=ours["looked_through"],
        faces=ours["faces"],
        faces_per_second=ours["faces_per_second"],
        bare_faces_per_second=alone["faces_per_second"],
        bare_images_per_second_with_decoding=alone["with_decoding"],
        **found.figures,
    )


def bare(given: argparse.Namespace) -> dict[str, float]:
    """The models alone, in a loop over batches of previews."""
    from photoindex.models.faces.pack import open_face_pack
    from photoindex.models.weights import ModelStore
    from photoindex.pipeline.workers.isolation import lower_priority

    lower_priority()  # as the model process does, so that a busy machine slows down both
    pack = open_face_pack(ModelStore(given.bare / "models").get(PACK), device=given.device)
    previews = [path.read_bytes() for path in previews_of(given.bare)]
    faces, decoding, describing = 0, 0.0, 0.0
    for first in range(0, len(previews), given.batch_size):
        began = time.perf_counter()
        pictures = [_decoded(one) for one in previews[first : first + given.batch_size]]
        decoded = time.perf_counter()
        faces += sum(len(one) for one in pack.describe(pictures))
        decoding, describing = decoding + decoded - began, describing + time.perf_counter() - decoded
    return {
        "faces": faces,
        "images_per_second": round(len(previews) / describing, 2),
        "faces_per_second": round(faces / describing, 2),
        "with_decoding": round(len(previews) / (decoding + describing), 2),
    }


def _decoded(jpeg: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image.convert("RGB"))


if __name__ == "__main__":
    main()
