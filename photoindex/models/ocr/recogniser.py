"""Reading lines of text that were cut out of a picture: which way up they are, and their letters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.network import Network

HEIGHT_PX = 48
"""Height of the lines that both networks read."""
_WIDTHS_PX = (160, 320, 480, 640, 960, 1280, 1920, 3200)
"""Widths of the recogniser's input: few, because the runtime keeps memory for every shape; longer lines are squeezed."""
_COLUMNS_AT_ONCE = 16 * 320
_TURNED_WIDTH_PX = 192
_TURNED_AT_ONCE = 16
_SURELY_TURNED = 0.9

Line = NDArray[np.uint8]
"""One line: uint8 RGB [height, width, 3], of any size, wider than high as a rule."""


class TurnedLines:
    """Tells which lines are upside down. network: its answer is [n, 2], upright and upside down."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def are_turned(self, lines: Sequence[Line]) -> list[bool]:
        """Return for each line whether it is upside down. Raises OutOfDeviceMemory, DeviceLost."""
        found: list[bool] = []
        for first in range(0, len(lines), _TURNED_AT_ONCE):
            batch = np.stack([_input(line, _TURNED_WIDTH_PX) for line in lines[first : first + _TURNED_AT_ONCE]])
            found += (self._network.run(batch)[0][:, 1] > _SURELY_TURNED).tolist()
        return found


class LineRecogniser:
    """Reads lines. network: its answer is [n, steps, 1 + characters], the first for no character; its file lists them.

    Raises ModelUnavailable if it does not.
    """

    def __init__(self, network: Network) -> None:
        characters = [*network.metadata.get("character", "").splitlines(), " "]
        last = next(iter(network.outputs.values()))[-1]
        if last != len(characters) + 1:
            raise ModelUnavailable(f"{network.path} does not list the {last} characters that it tells apart")
        self._network = network
        self._characters = ("", *characters)

    def read(self, lines: Sequence[Line]) -> list[tuple[str, float]]:
        """Return the text of each line and its score, 0 to 1. Raises OutOfDeviceMemory, DeviceLost."""
        by_width: dict[int, list[int]] = {}
        for number, line in enumerate(lines):
            wanted = HEIGHT_PX * line.shape[1] / line.shape[0]
            width = next((one for one in _WIDTHS_PX if one >= wanted), _WIDTHS_PX[-1])
            by_width.setdefault(width, []).append(number)
        found: list[tuple[str, float]] = [("", 0.0)] * len(lines)
        for width, numbers in by_width.items():
            at_once = max(1, _COLUMNS_AT_ONCE // width)
            for first in range(0, len(numbers), at_once):
                some = numbers[first : first + at_once]
                answers = self._network.run(np.stack([_input(lines[number], width) for number in some]))[0]
                for number, answer in zip(some, answers, strict=True):
                    found[number] = self._decoded(answer)
        return found

    def _decoded(self, answer: NDArray[np.float32]) -> tuple[str, float]:
        """Return the text that the best character of each step spells (CTC): without repetitions and pauses."""
        best = answer.argmax(axis=1)
        kept = (best != 0) & (best != np.concatenate([[-1], best[:-1]]))
        if not kept.any():
            return "", 0.0
        return "".join(self._characters[one] for one in best[kept]), float(answer.max(axis=1)[kept].mean())


def _input(line: Line, width: int) -> NDArray[np.float32]:
    """Return float32 [3, HEIGHT_PX, width], B, G, R in -1 to 1, with zeros behind the line."""
    import cv2

    filled = min(width, max(1, -(-HEIGHT_PX * line.shape[1] // line.shape[0])))
    scaled = cv2.resize(line, (filled, HEIGHT_PX))
    made = np.zeros((3, HEIGHT_PX, width), np.float32)
    made[:, :, :filled] = scaled[..., ::-1].transpose(2, 0, 1) / np.float32(127.5) - 1
    return made
