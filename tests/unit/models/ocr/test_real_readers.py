"""The real models of the package rapidocr, and the real program Tesseract, on rendered text."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from photoindex.errors import ModelUnavailable
from photoindex.models.ocr.rapidocr_models import find_models, is_installed
from photoindex.models.ocr.reader import OnnxTextReader, open_reader
from photoindex.models.ocr.tesseract import TesseractReader, find_tesseract, lines_of

TEXTS = ["Boarding pass 12A", "GATE 42", "Window seat by the wing"]
PACKAGE = """
import json, sys
from rapidocr import RapidOCR
paths = dict(zip(("Det.model_path", "Rec.model_path", "Cls.model_path"), sys.argv[2:]))
print(json.dumps(RapidOCR(params=paths)(sys.argv[1]).txts))
"""
"""Reads a picture with the package itself."""


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    picture = Image.new("RGB", (1024, 100 + 90 * len(TEXTS)), (235, 235, 225))
    draw = ImageDraw.Draw(picture)
    for number, text in enumerate(TEXTS):
        draw.text((60, 60 + 90 * number), text, fill=(20, 20, 30), font=ImageFont.load_default(36))
    return np.asarray(picture)


@pytest.fixture(scope="module")
def reader() -> OnnxTextReader:
    if not is_installed():
        pytest.skip("the extra `ocr` is not installed")
    return open_reader(find_models(), (1024,), device="cpu")


@pytest.mark.parametrize("quarters", range(4))
def test_text_is_read_upright_on_its_sides_and_upside_down(
    reader: OnnxTextReader, page: np.ndarray, quarters: int
) -> None:
    (lines,) = reader.read([np.ascontiguousarray(np.rot90(page, quarters))])
    assert [line.text for line in lines] == TEXTS


def test_a_picture_without_text_has_no_lines(reader: OnnxTextReader) -> None:
    gradient = np.linspace(0, 255, 800, dtype=np.float32)[None, :, None].repeat(600, axis=0).repeat(3, axis=2)
    assert reader.read([gradient.astype(np.uint8), np.zeros((20, 900, 3), np.uint8)]) == [[], []]


@pytest.mark.slow
def test_what_is_read_is_what_the_package_reads(reader: OnnxTextReader, page: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(page).save(tmp_path / "page.png")
    files = find_models()
    paths = [tmp_path / "page.png", files.detector, files.recogniser, files.turned]
    done = subprocess.run(
        [sys.executable, "-c", PACKAGE, *map(str, paths)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    (lines,) = reader.read([page])
    assert [line.text for line in lines] == json.loads(done.stdout.splitlines()[-1])


def test_tesseract_reads_the_same_page(page: np.ndarray) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("the program tesseract is not installed")
    (lines,) = TesseractReader(find_tesseract("eng")).read([page])
    assert [line.text for line in lines] == TEXTS
    left, top = lines[0].corners[0]
    assert (left * page.shape[1], top * page.shape[0]) == pytest.approx((62, 68), abs=10)


def test_what_is_missing_is_named_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelUnavailable, match="apt install tesseract-ocr"):
        find_tesseract("eng")
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\nprintf 'Languages (1):\\neng\\n'\n")
    program.chmod(0o755)
    with pytest.raises(ModelUnavailable, match=r"cannot read 'chi_sim', only eng; .* tesseract-ocr-chi-sim"):
        find_tesseract("eng+chi_sim")


def test_words_of_a_table_become_lines_and_doubtful_ones_no_text() -> None:
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
    rows = [
        "4\t1\t1\t1\t1\t0\t10\t10\t80\t20\t-1\t",
        '5\t1\t1\t1\t1\t1\t10\t10\t30\t20\t90\t"an',
        "5\t1\t1\t1\t1\t2\t50\t10\t40\t20\t70\tapple",
        "5\t1\t2\t1\t1\t1\t10\t60\t40\t20\t12.5\t~~",
    ]
    lines = lines_of(head + "\n".join(rows), (100, 100))
    assert [(line.text, line.score) for line in lines] == [('"an apple', 0.8), ("", 0.125)]
    assert lines[0].corners == ((0.1, 0.1), (0.9, 0.1), (0.9, 0.3), (0.1, 0.3))
