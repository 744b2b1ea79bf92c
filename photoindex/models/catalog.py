"""The catalogue of available models: entries of this program and of the user."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from photoindex.errors import ConfigError
from photoindex.models.faces.description import FacePackDescription
from photoindex.models.names import ModelId, PlainName, PrintableText, Repository

CATALOG_NAME = "catalog.toml"
ENGLISH, MANY = "en", "mul"
"""Codes of ISO 639; MANY (639-2) stands for so many that nobody lists them."""
_WRITTEN = {"English": (ENGLISH,), "many": (MANY,), "-": ()}


def _codes(written: object) -> object:
    return _WRITTEN.get(written, written) if isinstance(written, str) else written


Languages = Annotated[tuple[Annotated[str, Field(pattern="^[a-z]{2,3}$")], ...], BeforeValidator(_codes)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Entry):
    """Files of one repository on the hub.

    weights: alternatives; the first file that the repository has is used. needed: required files. wanted: patterns
    (`*.json`) of optional files. folder: where they are put inside the model's folder. If several repositories have a file of
    the same name, the first one is used.
    """

    repository: Repository
    revision: str = Field(default="main", pattern=r"^[A-Za-z0-9][\w./-]*$")
    weights: tuple[PlainName, ...] = ()
    needed: tuple[PlainName, ...] = ()
    wanted: tuple[PlainName, ...] = ()
    folder: PlainName | None = None


class CatalogEntry(_Entry):
    """One model that can be pulled, or that a server runs.

    languages: of the texts that it understands; a list of ISO 639 codes, or "English", "many" or "-" (none).
    dim: dimension of the vectors. input_px: side of the square input; captioners have neither. approximate_mb, approximate_memory_mb: rough download
    size and memory use, as information. restricted: the licence limits the use and must be accepted. face_pack: what its
    `face_pack.toml` says, for a face pack that has none and is not in insightface's layout. served_as: what servers call a
    model that cannot be pulled; it has no sources. untested: it was never run with the files that are published.
    """

    id: ModelId
    title: PrintableText
    task: PrintableText = "image-text"
    architecture: str | None = None
    languages: Languages = (ENGLISH,)
    dim: int | None = Field(default=None, ge=1, le=65536)
    input_px: int | None = Field(default=None, ge=1, le=8192)
    licence: PrintableText
    terms: PrintableText
    restricted: bool = False
    approximate_mb: int | None = Field(default=None, ge=1)
    approximate_memory_mb: int | None = Field(default=None, ge=1)
    face_pack: FacePackDescription | None = None
    served_as: PlainName | None = None
    untested: bool = False
    sources: tuple[Source, ...] = ()

    @model_validator(mode="after")
    def _has_sources_or_a_server(self) -> CatalogEntry:
        if bool(self.sources) == (self.served_as is not None):
            raise ValueError("a model has either sources or served_as")
        return self

    def serves(self, language: str) -> bool:
        """Tell whether it understands texts of a language."""
        return language in self.languages or MANY in self.languages

    @property
    def languages_text(self) -> str:
        """The languages in words: English, many, 36 languages, or -."""
        known = next((text for text, codes in _WRITTEN.items() if codes == self.languages), None)
        return known or (self.languages[0] if len(self.languages) == 1 else f"{len(self.languages)} languages")


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
