"""The lock file of a models folder: the installed models, their origin and the SHA-256 of every file."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from photoindex.atomic_files import atomic_file
from photoindex.errors import ModelUnavailable
from photoindex.models.base import Preprocessing
from photoindex.models.names import COMMIT_PATTERN, ModelId, PlainName, PrintableText, Repository

LOCK_NAME = "lock.json"
SCHEMA: Final = 1
IMAGE_TEXT: Final = "image-text"
FACES: Final = "faces"
CAPTIONS: Final = "captions"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Commit = Annotated[str, Field(pattern=COMMIT_PATTERN)]


class FileLock(_Part):
    """One installed file: `sha256` of its content as 64 hexadecimal digits, and its size."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)


class _Found(BaseModel):
    """Properties of a model determined at installation; there may be more fields. dim: dimension of the vectors."""

    model_config = ConfigDict(frozen=True, extra="allow")

    dim: int = Field(ge=1, le=65536)


class FoundEncoders(_Found):
    """An image and text model: the content of `onnx/model.json`.

    context_length: maximum number of tokens of a text. tokenizer: settings for the text encoder.
    """

    context_length: int = Field(ge=1, le=65536)
    preprocessing: Preprocessing
    tokenizer: dict[str, Any] = {}

    @property
    def input_px(self) -> int:
        """Side of the square input."""
        return self.preprocessing.size_px


class FoundFaces(_Found):
    """A face pack. input_px: side of an aligned face. layout: of the detector. detector, embedder: their files."""

    input_px: int = Field(ge=1, le=8192)
    layout: PrintableText
    detector: PlainName
    embedder: PlainName


class FoundCaptioner(_Part):
    """A captioner. captioner: the name of its family; see `models.captions.families`.

    runs_own_code: it needs the Python code among its files.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    captioner: PrintableText
    runs_own_code: bool = False

    @property
    def dim(self) -> None:
        """Return nothing: it gives no vectors."""

    @property
    def input_px(self) -> None:
        """Return nothing: pictures of any shape are described."""


def _kind_of(found: object) -> str:
    """Return the task of the model whose properties these are; entries of older versions are all `image-text`."""
    for kind, task in ((FoundCaptioner, CAPTIONS), (FoundFaces, FACES), (FoundEncoders, IMAGE_TEXT)):
        if isinstance(found, kind):
            return task
    known = {"captioner": CAPTIONS, "embedder": FACES}
    return next((task for name, task in known.items() if isinstance(found, dict) and name in found), IMAGE_TEXT)


Found = Annotated[
    Annotated[FoundEncoders, Tag(IMAGE_TEXT)]
    | Annotated[FoundFaces, Tag(FACES)]
    | Annotated[FoundCaptioner, Tag(CAPTIONS)],
    Discriminator(_kind_of),
]


def _without_folders_for_files(files: dict[str, FileLock]) -> dict[str, FileLock]:
    """Return the files; raises ValueError if a file's name is also the folder of another."""
    for name in files:
        for folder in PurePosixPath(name).parents:
            if str(folder) in files:
                raise ValueError(f"{str(folder)!r} cannot be both a file and the folder of {name!r}")
    return files


class LockedModel(_Part):
    """One installed model.

    source: the repository or path it was installed from. revision: the commit of that repository, None for local files.
    also: commits of other repositories that provided files. installed_at, licence_accepted_at: ISO 8601, UTC.
    trust_remote_code: the user allowed fetching and running the model's own code. files: by path inside the model's folder,
    separated by `/`.
    """

    title: PrintableText
    task: PrintableText
    source: PrintableText
    revision: Commit | None = None
    also: dict[Repository, Commit] = {}
    licence: PrintableText
    terms: PrintableText
    restricted: bool = False
    licence_accepted_at: PrintableText | None = None
    installed_at: PrintableText
    trust_remote_code: bool = False
    found: Found
    files: Annotated[dict[PlainName, FileLock], AfterValidator(_without_folders_for_files)] = Field(min_length=1)


class AcceptedLicence(_Part):
    """A licence accepted by the user: its name, its terms as shown, and the time (ISO 8601, UTC)."""

    licence: str
    terms: str
    accepted_at: str


class Lock(_Part):
    """The content of the lock file; `licences`: accepted licences that restrict use, by model.

    An accepted licence is kept when the model is removed, so that the user is asked only once.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    models: dict[ModelId, LockedModel] = {}
    licences: dict[ModelId, AcceptedLicence] = {}


def read_lock(models_folder: Path) -> Lock:
    """Read the lock file of a models folder, or return an empty one. Raises ModelUnavailable if it is damaged."""
    path = models_folder / LOCK_NAME
    try:
        return Lock.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Lock()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = f"{where}: {first['msg']}" if where else first["msg"]
    except (OSError, RecursionError) as error:
        problem = str(error)
    raise ModelUnavailable(
        f"the lock file of the models cannot be read: {path}: {problem}. Move it away and install the models again"
    )


def write_lock(models_folder: Path, lock: Lock) -> None:
    """Atomically replace the lock file. Raises OSError."""
    text = json.dumps(lock.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True) + "\n"
    with atomic_file(models_folder / LOCK_NAME) as file:
        file.write(text.encode())
