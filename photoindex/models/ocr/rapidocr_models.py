"""The models in the package rapidocr: where they are. The package itself, which can download others, is never imported."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from photoindex.errors import ModelUnavailable

NAME = "rapidocr"
"""The name of its models for users, and of the package."""
_DETECTOR = "PP-OCRv6_det_small.onnx"
_RECOGNISER = "PP-OCRv6_rec_small.onnx"
_TURNED = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
_INSTALL = "pip install 'photoindex[ocr]'"


@dataclass(frozen=True, slots=True)
class ReaderFiles:
    """The networks that read text together. turned: tells whether a line is upside down."""

    detector: Path
    recogniser: Path
    turned: Path

    def digest(self) -> str:
        """Return the SHA-256 of all three."""
        found = hashlib.sha256()
        for path in (self.detector, self.recogniser, self.turned):
            with path.open("rb") as file:
                found.update(hashlib.file_digest(file, "sha256").digest())
        return found.hexdigest()


def is_installed() -> bool:
    """Tell whether the package is installed."""
    return find_spec(NAME) is not None


def find_models() -> ReaderFiles:
    """Return the files of the installed package. Raises ModelUnavailable if it, or one of them, is not there."""
    spec = find_spec(NAME)
    places = () if spec is None else tuple(spec.submodule_search_locations or ())
    if not places:
        raise ModelUnavailable(
            f"reading text needs the package {NAME}, which is not installed; run: {_INSTALL}, or read with Tesseract: --language eng"
        )
    folder = Path(places[0]) / "models"
    for name in (_DETECTOR, _RECOGNISER, _TURNED):
        if not (folder / name).is_file():
            raise ModelUnavailable(f"the installed package {NAME} does not contain {name}; run: {_INSTALL}")
    return ReaderFiles(folder / _DETECTOR, folder / _RECOGNISER, folder / _TURNED)
