"""The lock file of a models folder: what is installed, where it came from, and the SHA-256 of every file."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from photoindex.errors import ModelUnavailable
from photoindex.models.base import Preprocessing
from photoindex.models.catalog import COMMIT_PATTERN, ModelId, PlainName, PrintableText, Repository

LOCK_NAME = "lock.json"
SCHEMA: Final = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Commit = Annotated[str, Field(pattern=COMMIT_PATTERN)]


class FileLock(_Part):
    """One file as it was installed: `sha256` of its content as 64 hexadecimal digits, and its size."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)


class Found(BaseModel):
    """What the installation found out about a model; the content of `onnx/model.json`, which may hold more.

    dim: numbers a vector. context_length: tokens that a text is cut to. tokenizer: its settings, as the text encoder
    reads them.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    dim: int = Field(ge=1, le=65536)
    context_length: int = Field(ge=1, le=65536)
    preprocessing: Preprocessing
    tokenizer: dict[str, Any] = {}


def _without_folders_for_files(files: dict[str, FileLock]) -> dict[str, FileLock]:
    """Return the files; raises ValueError where a name is also that of a folder of another one."""
    for name in files:
        for folder in PurePosixPath(name).parents:
            if str(folder) in files:
                raise ValueError(f"{str(folder)!r} cannot be a file and hold {name!r}")
    return files


class LockedModel(_Part):
    """One installed model.

    source: the repository or the path that it came from. revision: the commit of that repository, None for what came from
    this computer. also: the commits of further repositories that files came from. installed_at, licence_accepted_at: ISO 8601, UTC. trust_remote_code: the user named the model as one
    whose own code may be fetched and run. files: by their names inside the model's folder, `/` between parts.
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
    """A licence that the user accepted: its name, its terms as they were shown, and when (ISO 8601, UTC)."""

    licence: str
    terms: str
    accepted_at: str


class Lock(_Part):
    """The content of the lock file; `licences`: those that restrict use and were accepted, by model.

    An accepted licence stays when the model is removed: it is asked for once.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    models: dict[ModelId, LockedModel] = {}
    licences: dict[ModelId, AcceptedLicence] = {}


def read_lock(models_folder: Path) -> Lock:
    """Return the lock of a models folder, an empty one where there is none. Raises ModelUnavailable for a damaged one."""
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
    """Put `lock` in the place of the one there is, whole or not at all. Raises OSError."""
    text = json.dumps(lock.model_dump(mode="json", by_alias=True), indent=2, sort_keys=True) + "\n"
    handle, temporary = tempfile.mkstemp(prefix=f".{LOCK_NAME}-", dir=models_folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(models_folder / LOCK_NAME)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
