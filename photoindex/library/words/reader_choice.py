"""Chooses what reads text in pictures: the models of the package rapidocr, or Tesseract in given languages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.stages.ocr import STAGE
from photoindex.store.tasks import admin, asset_tasks

if TYPE_CHECKING:
    from photoindex.models.ocr.rapidocr_models import ReaderFiles
    from photoindex.models.ocr.tesseract import Tesseract

AUTO = "auto"
"""The setting `ocr.language` that means the models of the package rapidocr."""
_WITH_TESSERACT = "tesseract "


def reader_of(library: Library) -> str:
    """Return the name of what the settings choose: `rapidocr`, or `tesseract rus+eng`."""
    from photoindex.models.ocr.rapidocr_models import NAME

    language = library.config.ocr.language
    return NAME if language == AUTO else f"{_WITH_TESSERACT}{language}"


def find_reader(library: Library) -> tuple[ReaderFiles | Tesseract, str]:
    """Return what the settings choose, and the digest of its files. Raises ModelUnavailable if it is not installed."""
    from photoindex.models.ocr.rapidocr_models import find_models
    from photoindex.models.ocr.tesseract import find_tesseract

    language = library.config.ocr.language
    if language == AUTO:
        files = find_models()
        return files, files.digest()
    tesseract = find_tesseract(language)
    return tesseract, f"{tesseract.version} {tesseract.digest}"


def command_to_read(library: Library, reader: str) -> str:
    """Return the command that reads with a reader of this name."""
    if reader_of(library) == reader:
        return "photoindex ocr"
    is_tesseract = reader.startswith(_WITH_TESSERACT)
    return f"photoindex ocr --language {reader.removeprefix(_WITH_TESSERACT) if is_tesseract else AUTO}"


def command_for_variant(library: Library, key: str) -> str:
    """Return the command that does the tasks of a variant of the ocr stage. key: of the variant."""
    variant = json.loads(key)
    # A service has its turn in the command itself.
    return command_to_read(library, reader_of(library) if "provider" in variant else variant.get("model", ""))


def waiting_by_command(library: Library, connection: Connection) -> dict[str, int]:
    """Return how many pictures each command would read; what was never begun only if its models are installed."""
    from photoindex.models.ocr.rapidocr_models import is_installed

    found: dict[str, int] = {}
    for key, number in admin.count_waiting_by_variant(connection, STAGE.name).items():
        command = command_for_variant(library, key)
        found[command] = found.get(command, 0) + number
    if library.config.ocr.language != AUTO or is_installed():
        command = command_to_read(library, reader_of(library))
        found[command] = found.get(command, 0) + asset_tasks.count_never_planned(connection, STAGE.name)
    return {command: number for command, number in found.items() if number}
