"""The models that can be had, as data: the catalogue of this program and the user's own entries."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from photoindex.errors import ConfigError
from photoindex.paths import display

CATALOG_NAME = "catalog.toml"
MODEL_ID_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
"""No full stop: the files of the models folder have one, and its other folders begin with one."""
_REPOSITORY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*$"
COMMIT_PATTERN = r"^[0-9a-f]{40}$"
_NAME_BYTES_MAX = 200


def printable_text(text: str) -> str:
    """Return text for people as it came; raises ValueError where it could steer a terminal. Line breaks may be in it."""
    if any(display(line.encode()) != line for line in text.split("\n")):
        raise ValueError("there are characters in it that cannot be printed")
    return text


def plain_name(name: str) -> str:
    """Return the name of a file inside a model's folder as it came; raises ValueError where it could lead out of it."""
    parts = name.split("/")
    if (
        not name.isprintable()
        or "\\" in name
        or len(name.encode()) > _NAME_BYTES_MAX
        or any(not part or part.startswith(".") for part in parts)
    ):
        raise ValueError(f"{name!r} is no plain name of a file")
    return str(PurePosixPath(name))


PrintableText = Annotated[str, AfterValidator(printable_text)]
Repository = Annotated[str, Field(pattern=_REPOSITORY_PATTERN)]
PlainName = Annotated[str, AfterValidator(plain_name)]
ModelId = Annotated[str, Field(pattern=MODEL_ID_PATTERN)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Entry):
    """Files of one repository of the hub.

    weights: one file of these is needed, the first that the repository has. needed: files without which the model is no
    use. wanted: patterns (`*.json`) of files that are taken where the repository has them. Where several repositories have
    a file of the same name, the first one's is taken.
    """

    repository: Repository
    revision: str = Field(default="main", pattern=r"^[A-Za-z0-9][\w./-]*$")
    weights: tuple[PlainName, ...] = ()
    needed: tuple[PlainName, ...] = ()
    wanted: tuple[PlainName, ...] = ()


class CatalogEntry(_Entry):
    """One model that can be pulled.

    dim: numbers a vector. input_px: side of the square that it sees. approximate_mb, approximate_memory_mb: roughly what is
    fetched and what it takes while it runs, only to choose by. restricted: its licence limits what it may be used for,
    and is to be accepted.
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
    """Return the models that can be pulled by their id: those of this program, then those of the user.

    The user's own stand in `catalog.toml` of the models folder, written like the program's; one with the id of another
    takes its place. Raises ConfigError where that file cannot be read.
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
