"""The catalogue of available models: entries of this program and of the user."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from photoindex.errors import ConfigError
from photoindex.paths import display

CATALOG_NAME = "catalog.toml"
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


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Entry):
    """Files of one repository on the hub.

    weights: alternatives; the first file that the repository has is used. needed: required files. wanted: patterns
    (`*.json`) of optional files. If several repositories have a file of the same name, the first one is used.
    """

    repository: Repository
    revision: str = Field(default="main", pattern=r"^[A-Za-z0-9][\w./-]*$")
    weights: tuple[PlainName, ...] = ()
    needed: tuple[PlainName, ...] = ()
    wanted: tuple[PlainName, ...] = ()


class CatalogEntry(_Entry):
    """One model that can be pulled.

    dim: dimension of the vectors. input_px: side of the square input. approximate_mb, approximate_memory_mb: rough download
    size and memory use, as information. restricted: the licence limits the use and must be accepted.
    """

    id: ModelId
    title: PrintableText
    task: PrintableText = "image-text"
    architecture: str | None = None
    languages: str = "English"
    dim: int = Field(ge=1, le=65536)
    input_px: int = Field(ge=1, le=8192)
    licence: PrintableText
    terms: PrintableText
    restricted: bool = False
    approximate_mb: int | None = Field(default=None, ge=1)
    approximate_memory_mb: int | None = Field(default=None, ge=1)
    sources: tuple[Source, ...] = Field(min_length=1)


class _File(_Entry):
    model: tuple[CatalogEntry, ...] = ()


def load_catalog(models_folder: Path | None = None) -> dict[str, CatalogEntry]:
    """Return the models that can be pulled, by id: those of this program and those of the user.

    The user's entries are in `catalog.toml` of the models folder, in the same format; they override entries with the same
    id. Raises ConfigError if that file cannot be read.
    """
    own = _entries(Path(__file__).with_name(CATALOG_NAME))
    if models_folder is None:
        return own
    try:
        return own | _entries(models_folder / CATALOG_NAME)
    except FileNotFoundError:
        return own


def _entries(path: Path) -> dict[str, CatalogEntry]:
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        found = _File.model_validate(content).model
    except FileNotFoundError:
        raise
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"the catalogue {path} cannot be read: {error}") from error
    return {entry.id: entry for entry in found}
