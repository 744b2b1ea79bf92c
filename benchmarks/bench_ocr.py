"""How `photoindex ocr` reads: words right on rendered text, and pictures a second against the bare reader on the same previews.

The rendered text is of three scripts, in the fonts that are found (the line lists those that are missing), upright, tilted by 12
degrees and lying on a side; a word is right if it is equal without case and accents. With PHOTOINDEX_TESTDATA, known words on
real photos are looked for too, and the previews are of these; otherwise they are rendered pages.

The rounds alternate; each side runs in its own process and is timed without loading the models.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from common import (
    bare_side,
    camera_like_scene,
    compared,
    once_more,
    photoindex,
    previews_of,
    report,
    stage_options,
)
from PIL import Image, ImageDraw, ImageFont

_FONTS = Path("/usr/share/fonts")
LATIN_FONTS = tuple(
    _FONTS / "truetype" / name
    for name in (
        "dejavu/DejaVuSans.ttf", "dejavu/DejaVuSerif.ttf", "dejavu/DejaVuSansMono.ttf",
        "liberation/LiberationSans-Regular.ttf", "liberation/LiberationSerif-Italic.ttf",
    )
)  # fmt: skip
EAST_ASIAN_FONTS = (
    *(
        _FONTS / "opentype/noto" / f"Noto{style}.ttc"
        for style in ("SansCJK-Regular", "SansCJK-Bold", "SerifCJK-Regular", "SerifCJK-Bold")
    ),
    _FONTS / "truetype/droid/DroidSansFallbackFull.ttf",
)
SCRIPTS = {
    "Latin": (
        LATIN_FONTS,
        ("boarding pass", "Straße", "Łódź", "São Paulo", "crème brûlée", "Gate B42", "Žižkov", "İzmir"),
    ),
    "Han": (EAST_ASIAN_FONTS, ("东京", "北京大学", "出口", "火车站", "咖啡", "請勿吸煙")),
    "kana": (EAST_ASIAN_FONTS, ("ひらがな", "カタカナ", "ありがとう", "コーヒー", "おみやげ", "ラーメン")),
}
ANGLES = (0, 12, 90)
SIZES_PX = (18, 28, 44)
REAL_WORDS = {
    "photos/large/handwritten-notes.jpg": ("in progress", "release", "feedback"),
    "exif/bad-values/huawei-gps-error.jpg": ("bulmers",),
    "exif/bad-values/out-of-range-500.jpg": ("datteln", "gurke", "schneiden"),
    "exif/metadata-extractor/Sony DigitalMavica.jpg": ("linden", "ave"),
    "formats/jpeg/progressive.jpg": ("books", "frontier"),
    "formats/jpeg/orientation/landscape_8.jpg": ("left", "right", "bottom"),
}
"""Words that a person sees in photos of the test data."""


def main() -> None:
    parser = stage_options(__doc__, batch_size=8)
    parser.add_argument("--pictures", type=int, default=60)
    given = parser.parse_args()
    if given.bare is not None:
        print(json.dumps(bare(given)))
        return
    if given.quick:
        given.pictures, given.rounds = 4, 1
    testdata = os.environ.get("PHOTOINDEX_TESTDATA")
    data = None if testdata is None else Path(testdata)
    read_rendered(given)
    if data is not None:
        read_real(given, data)
    with tempfile.TemporaryDirectory(prefix="bench-ocr-") as temporary:
        library = Path(temporary) / "library"
        write_photos(Path(temporary) / "photos", data, given.pictures)
        photoindex("scan", Path(temporary) / "photos", "--progress", "none", library=library)
        compare(given, library, "rendered pages" if data is None else "real photos")


def read_rendered(given: argparse.Namespace) -> None:
    from photoindex.text import fold

    reader = opened(given)
    for script, (fonts, words) in SCRIPTS.items():
        found = [font for font in fonts if font.exists()][: 1 if given.quick else None]
        sizes = SIZES_PX[1:2] if given.quick else SIZES_PX
        right = {angle: [0, 0] for angle in ANGLES}
        for font in found:
            for size in sizes:
                for angle in ANGLES:
                    (lines,) = reader.read([page(font, size, words, angle)])
                    text = fold("\n".join(line.text for line in lines)).replace(" ", "")
                    right[angle][0] += sum(fold(word).replace(" ", "") in text for word in words)
                    right[angle][1] += len(words)
        report(
            "ocr words",
            script=script,
            fonts=[font.name for font in found],
            missing_fonts=[font.name for font in fonts if not font.exists()],
            sizes_px=sizes,
            right={f"{angle} degrees": f"{good} of {number}" for angle, (good, number) in right.items()},
        )


def page(font: Path, size: int, words: tuple[str, ...], angle: int) -> np.ndarray:
    """Return words on a background like a photo, turned by an angle."""
    background = Image.fromarray(camera_like_scene(size, 1024, 1024) // 3 + 150)
    layer = Image.new("L", (1024, 1024), 0)
    draw = ImageDraw.Draw(layer)
    letters = ImageFont.truetype(str(font), size)
    for number, word in enumerate(words):
        draw.text((200 + 350 * (number % 2), 280 + 3 * size * (number // 2)), word, fill=255, font=letters)
    turned = layer.rotate(angle, resample=Image.Resampling.BICUBIC)
    background.paste((20, 20, 30), (0, 0), turned)
    return np.asarray(background)


def read_real(given: argparse.Namespace, data: Path) -> None:
    from photoindex.text import fold

    reader = opened(given)
    results = {}
    for name, words in REAL_WORDS.items():
        with Image.open(data / name) as image:
            picture = image.convert("RGB")
        picture.thumbnail((1024, 1024))
        (lines,) = reader.read([np.asarray(picture)])
        text = fold(" ".join(line.text for line in lines))
        results[name] = f"{sum(word in text for word in words)} of {len(words)}"
    report("ocr real photos", right=results)


def write_photos(folder: Path, data: Path | None, count: int) -> None:
    folder.mkdir(parents=True)
    if data is None:
        fonts = [font for font in LATIN_FONTS if font.exists()]
        for number in range(count):
            scene = camera_like_scene(number, 1024, 1024)
            # One picture in four shows text.
            picture = page(fonts[0], 28, SCRIPTS["Latin"][1], 0) if fonts and number % 4 == 0 else scene
            Image.fromarray(np.roll(picture, number, axis=1)).save(folder / f"{number}.jpg", quality=92)
        return
    known = [data / name for name in REAL_WORDS]
    others = sorted((data / "photos").glob("*/*.jpg"))
    for number, path in enumerate([*known, *others][:count]):
        shutil.copy(path, folder / f"{number}.jpg")


def compare(given: argparse.Namespace, library: Path, pictures: str) -> None:
    found = compared(
        given,
        lambda: once_more("ocr", "--previews-only", given=given, library=library),
        lambda: bare_side(__file__, given, library),
        goal=0.9,
    )
    report(
        "ocr",
        of=pictures,
        pictures=found.ours["previews"],
        with_text=found.ours["with_text"],
        lines=found.ours["lines"],
        bare_lines=found.alone["lines"],
        **found.figures,
    )


def bare(given: argparse.Namespace) -> dict[str, float]:
    """The reader alone, in a loop over batches of previews that are decoded before."""
    from photoindex.pipeline.workers.isolation import lower_priority

    lower_priority()  # as the model process does, so that a busy machine slows down both
    reader = opened(given)
    previews = previews_of(given.bare)
    lines, reading = 0, 0.0
    for first in range(0, len(previews), given.batch_size):
        pictures = [np.asarray(Image.open(path).convert("RGB")) for path in previews[first : first + given.batch_size]]
        began = time.perf_counter()
        lines += sum(bool(line.text) for found in reader.read(pictures) for line in found)
        reading += time.perf_counter() - began
    return {"lines": lines, "images_per_second": round(len(previews) / reading, 2)}


def opened(given: argparse.Namespace):
    from photoindex.library.words.ocr import LOOKS_PX
    from photoindex.models.ocr.rapidocr_models import find_models
    from photoindex.models.ocr.reader import open_reader

    return open_reader(find_models(), LOOKS_PX, device=given.device)


if __name__ == "__main__":
    main()
