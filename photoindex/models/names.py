"""Kinds of names and texts in descriptions of models that come from outside."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from photoindex.paths import display

MODEL_ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
"""No dots: files in the models folder contain one, and its other folders start with one."""
_REPOSITORY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*$"
COMMIT_PATTERN = r"^[0-9a-f]{40}$"
_NAME_BYTES_MAX = 200


def printable_text(text: str) -> str:
    """Return text unchanged; raises ValueError if it has control characters for terminals. Line breaks are allowed."""
    if any(display(line.encode()) != line for line in text.split("\n")):
        raise ValueError("it contains characters that are not printable")
    return text


def plain_name(name: str) -> str:
    """Return a file name inside a model's folder unchanged; raises ValueError if it could point outside."""
    parts = name.split("/")
    if (
        not name.isprintable()
        or "\\" in name
        or len(name.encode()) > _NAME_BYTES_MAX
        or any(not part or part.startswith(".") for part in parts)
    ):
        raise ValueError(f"{name!r} is not a plain file name")
    return str(PurePosixPath(name))


PrintableText = Annotated[str, AfterValidator(printable_text)]
Repository = Annotated[str, Field(pattern=_REPOSITORY_PATTERN)]
PlainName = Annotated[str, AfterValidator(plain_name)]
ModelId = Annotated[str, Field(pattern=MODEL_ID_PATTERN)]
