"""Reading text with the program Tesseract, where it is installed: for scripts that the other models do not know."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.ocr.lines import as_line, in_reading_order
from photoindex.types import TextLine

NAME = "tesseract"
"""The name of the program."""
_READABLE = 0.5
_SPARSE = "11"
"""Its page segmentation mode: as much text as possible, in no order; photos have no pages."""
_SECONDS_MAX = 120.0
_COLUMNS = ("left", "top", "width", "height")


@dataclass(frozen=True, slots=True)
class Tesseract:
    """The installed program. version: as it says. languages: those to read, such as `rus+eng`. digest: of their data."""

    program: str
    version: str
    languages: str
    digest: str


def find_tesseract(languages: str) -> Tesseract:
    """Return the installed program for languages such as `rus+eng`. Raises ModelUnavailable if anything is missing."""
    program = shutil.which(NAME)
    if program is None:
        raise ModelUnavailable(
            f"reading {languages} needs the program {NAME}, which is not installed; install it, such as by: apt install tesseract-ocr"
        )
    listed = _said(program, "--list-langs")
    known = sorted(listed.splitlines()[1:])
    for wanted in languages.split("+"):
        if wanted not in known:
            raise ModelUnavailable(
                f"{NAME} cannot read '{wanted}', only {', '.join(known) or 'nothing'}; install its data, such as by: "
                f"apt install tesseract-ocr-{wanted.lower().replace('_', '-')}"
            )
    place = re.search(r'"(.+)"', listed.partition("\n")[0])
    found = hashlib.sha256()
    for one in languages.split("+") if place else ():
        found.update((Path(place[1] if place else "") / f"{one}.traineddata").read_bytes())
    return Tesseract(program, _said(program, "--version").partition("\n")[0], languages, found.hexdigest())


def _said(program: str, option: str) -> str:
    try:
        return subprocess.run(
            [program, option], capture_output=True, text=True, check=True, timeout=_SECONDS_MAX
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise ModelUnavailable(f"{program} {option} failed: {error}") from error


class TesseractReader:
    """Runs the program once per picture; see `models.base.TextReader`."""

    def __init__(self, tesseract: Tesseract) -> None:
        self._tesseract = tesseract
        self._count = os.cpu_count() or 1
        self.runs_on = f"cpu ({tesseract.version})"

    def read(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[TextLine]]:
        """Return the lines of text in each picture; see `models.base.TextReader`."""
        with ThreadPoolExecutor(self._count) as threads:
            return list(threads.map(self._read, pictures))

    def _read(self, picture: NDArray[np.uint8]) -> list[TextLine]:
        height, width = picture.shape[:2]
        command = [self._tesseract.program, "stdin", "stdout", "-l", self._tesseract.languages, "--psm", _SPARSE, "tsv"]
        done = subprocess.run(
            command,
            input=b"P6 %d %d 255\n" % (width, height) + np.ascontiguousarray(picture).tobytes(),
            capture_output=True,
            check=True,
            timeout=_SECONDS_MAX,
            # Its threads slow each other down; several pictures are read at once instead.
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
        return lines_of(done.stdout.decode(errors="replace"), picture.shape)


def lines_of(table: str, shape: tuple[int, ...]) -> list[TextLine]:
    """Return the lines in a table of words as the program writes it. shape: of the picture, height first."""
    words: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        if (row["text"] or "").strip() and float(row["conf"]) >= 0:
            words.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(row)
    found = []
    for line in words.values():
        boxes = np.array([[float(word[name]) for name in _COLUMNS] for word in line], np.float32)
        left, top = boxes[:, :2].min(axis=0)
        right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
        score = float(np.mean([float(word["conf"]) for word in line])) / 100
        text = " ".join(word["text"].strip() for word in line)
        found.append(as_line(text if score >= _READABLE else "", score, corners, shape))
    return in_reading_order(found)
