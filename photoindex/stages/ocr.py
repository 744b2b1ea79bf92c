"""The ocr stage: reads the text in a picture, line by line."""

from __future__ import annotations

import subprocess
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from photoindex.models.base import TextReader
from photoindex.models.ocr.rapidocr_models import ReaderFiles
from photoindex.models.ocr.tesseract import Tesseract
from photoindex.stages.base import Needs, OpenStage, Outcome, Stage, Subject, opened_preview
from photoindex.types import Failure, MoreThere, Text, TextLine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KIND = "ocr"
"""The kind of its texts."""
STAGE = Stage(
    name="ocr",
    code_version=1,
    subject=Subject.ASSET,
    needs=Needs.PREVIEW,
    command="ocr",
    open="photoindex.stages.ocr:open_installed",
    results=(Text, MoreThere),
)
CHARACTERS_MAX = 100_000
"""What is kept of the text in one picture."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What to read with. looks_px: as of `open_reader`; Tesseract looks in its own way."""

    reader: ReaderFiles | Tesseract
    device: str
    looks_px: tuple[int, ...]


def variant(*, reader: str, weights: str, picture: Mapping[str, object]) -> dict[str, object]:
    """Return everything that changes the stage's results, for the variant's key.

    reader: what reads, and for Tesseract its languages. weights: digest of its files. picture: which picture of a photo is
    read: its preview, or a larger one.
    """
    return {"code": STAGE.code_version, "model": reader, "weights": weights, "picture": dict(picture)}


def open_installed(opening: Opening) -> OcrStage:
    """Open what reads. Raises ModelUnavailable, DeviceFailed, OutOfDeviceMemory, like `open_reader`."""
    if isinstance(opening.reader, Tesseract):
        from photoindex.models.ocr.tesseract import TesseractReader

        return OcrStage(TesseractReader(opening.reader))
    from photoindex.models.ocr.reader import open_reader

    return OcrStage(open_reader(opening.reader, opening.looks_px, device=opening.device))


class OcrStage(OpenStage):
    """A reader of pictures of any size."""

    def __init__(self, reader: TextReader) -> None:
        self._reader = reader
        self.runs_on = reader.runs_on

    def prepare(self, data: bytes) -> NDArray[np.uint8]:
        """Return uint8 RGB [height, width, 3]. Raises UnreadablePreview."""
        import numpy as np

        with opened_preview(data) as picture:
            return np.asarray(picture.convert("RGB"))

    def run(self, batch: Sequence[NDArray[np.uint8]]) -> Sequence[Outcome]:
        """Return the text in each picture; none if there is none, an empty one if its lines cannot be read."""
        try:
            return [text_of(lines) for lines in self._reader.read(batch)]
        except subprocess.SubprocessError as error:
            if len(batch) == 1:
                return [Failure("not_read", f"the program that reads text failed: {error}"[:500])]
            return [outcome for one in batch for outcome in self.run([one])]

    def prove(self) -> None:
        """Read a black picture."""
        import numpy as np

        self.run([np.zeros((64, 64, 3), np.uint8)])


def text_of(lines: Sequence[TextLine]) -> Outcome:
    """Return lines as a text: without control characters, and no longer than CHARACTERS_MAX."""
    cleaned = [replace(line, text=_printable(line.text)) for line in lines]
    if not cleaned:
        return ()
    text = "\n".join(line.text for line in cleaned if line.text)
    if len(text) <= CHARACTERS_MAX:
        return (Text(KIND, text, lines=tuple(cleaned)),)
    kept: list[TextLine] = []
    left = CHARACTERS_MAX
    for line in cleaned:
        kept.append(replace(line, text=line.text[: max(0, left)]))
        left -= len(line.text) + bool(line.text)
        if left <= 0:
            break
    return Text(KIND, text[:CHARACTERS_MAX], lines=tuple(kept)), MoreThere(KIND)


def _printable(text: str) -> str:
    """Return text without control characters, and what is not a character at all; white space becomes single spaces."""
    spaced = "".join(" " if one.isspace() else one for one in text)
    return " ".join("".join(one for one in spaced if unicodedata.category(one) not in _NOT_TEXT).split())


_NOT_TEXT = ("Cc", "Cf", "Cs", "Co", "Cn")
"""Unicode's categories of characters that have no shape, or no meaning outside one program."""
