"""Reading text in pictures with three networks: where lines are, which way up they are, what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from photoindex.models.network import Network
from photoindex.models.ocr.detector import TextDetector
from photoindex.models.ocr.lines import as_line, cut_out, in_reading_order
from photoindex.models.ocr.rapidocr_models import ReaderFiles
from photoindex.models.ocr.recogniser import LineRecogniser, TurnedLines
from photoindex.types import TextLine

_READABLE, _READABLE_ALONE = 0.5, 0.9
"""The least scores of a line that is kept, and of a single letter, which many patterns look like."""
_SEEN = 0.3
"""With a lower score it is no line; with a score between, its letters may be readable in a larger picture."""
_SURE = 0.9
"""Lines with a lower score are also read upside down."""
_LINES_AT_ONCE = 256

_Cut = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""A line and its corners, as `cut_out` returns them."""


class OnnxTextReader:
    """Networks that were opened; see `models.base.TextReader`."""

    def __init__(self, detector: TextDetector, turned: TurnedLines, recogniser: LineRecogniser, runs_on: str) -> None:
        self._detector = detector
        self._turned = turned
        self._recogniser = recogniser
        self.runs_on = runs_on

    def read(self, pictures: Sequence[NDArray[np.uint8]]) -> list[list[TextLine]]:
        """Return the lines of text in each picture; see `models.base.TextReader`."""
        boxes = [self._detector.find(picture) for picture in pictures]
        which = [(number, box) for number, found in enumerate(boxes) for box in found]
        lines: list[list[TextLine]] = [[] for _ in pictures]
        for first in range(0, len(which), _LINES_AT_ONCE):
            some = which[first : first + _LINES_AT_ONCE]
            cut = [cut_out(pictures[number], box) for number, box in some]
            for (number, _), line in zip(some, self._read(cut), strict=True):
                text, score, corners = line
                if score >= _SEEN:
                    lines[number].append(as_line(text, score, corners, pictures[number].shape))
        return [in_reading_order(found) for found in lines]

    def _read(self, cut: Sequence[_Cut]) -> list[tuple[str, float, NDArray[np.float32]]]:
        turned = self._turned.are_turned([line for line, _ in cut])
        upright = [_turned_over(one) if is_turned else one for one, is_turned in zip(cut, turned, strict=True)]
        read = self._recogniser.read([line for line, _ in upright])
        # Whether a line is upside down is guessed from its shape; what can be read well the other way round was guessed wrong.
        doubtful = [number for number, (_, score) in enumerate(read) if score < _SURE]
        other = [_turned_over(upright[number]) for number in doubtful]
        for number, line, again in zip(
            doubtful, other, self._recogniser.read([line for line, _ in other]), strict=True
        ):
            if again[1] > read[number][1]:
                read[number], upright[number] = again, line
        return [
            (text if score >= (_READABLE if len(text) > 1 else _READABLE_ALONE) else "", score, corners)
            for (text, score), (_, corners) in zip(read, upright, strict=True)
        ]


def _turned_over(one: _Cut) -> _Cut:
    return one[0][::-1, ::-1], np.roll(one[1], -2, axis=0)


def open_reader(
    files: ReaderFiles, looks_px: Sequence[int], *, device: str = "auto", threads: int | None = None
) -> OnnxTextReader:
    """Open networks that read text.

    looks_px: longer sides at which a picture is looked through, ascending. device: auto (CUDA if ONNX Runtime can use it), cpu, cuda or
    cuda:N. threads: maximum number of CPU threads per run, by default one per core. Raises ModelUnavailable if a file is
    no such network, DeviceFailed if the device does not exist, OutOfDeviceMemory if the networks do not fit.
    """
    detector, turned, recogniser = (
        Network(path, device=device, threads=threads) for path in (files.detector, files.turned, files.recogniser)
    )
    return OnnxTextReader(
        TextDetector(detector, looks_px),
        TurnedLines(turned),
        LineRecogniser(recogniser),
        f"{recogniser.device} (float32, ONNX Runtime)",
    )
