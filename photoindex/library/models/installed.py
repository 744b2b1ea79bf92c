"""The models of a library: which there are, whether their files are sound, and taking them away."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from photoindex.errors import ModelUnavailable, UsageError
from photoindex.library.backup.byte_progress import ByteProgress
from photoindex.library.disk_errors import disk_errors
from photoindex.library.embed.model_choice import model_to_embed
from photoindex.library.export.output_files import check_target
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.models.catalog import MODEL_ID_PATTERN, CatalogEntry, load_catalog
from photoindex.models.lock import read_lock
from photoindex.models.sources.bundle import write_bundle
from photoindex.models.sources.install import remove_model
from photoindex.models.sources.pull import remove_partial
from photoindex.models.weights import InstalledModel, ModelStore
from photoindex.paths import display
from photoindex.progress import EventSink, ignore_events
from photoindex.store.vectors.spaces import all_spaces, count_vectors

LOCK_NAME = "models.lock"


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue, or one that is installed, or both."""

    id: str
    entry: CatalogEntry | None
    installed: InstalledModel | None
    used: bool

    @property
    def dim(self) -> int | None:
        """Numbers a vector."""
        if self.installed is not None:
            return self.installed.description.dim
        return None if self.entry is None else self.entry.dim


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file of an installed model; problem: how it differs from what was installed, None where it does not."""

    model_id: str
    name: str
    size_bytes: int
    sha256: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class Removed:
    """A model that was removed; spaces: the names of the spaces that it filled, with their vectors, which stay."""

    model_id: str
    size_bytes: int
    spaces: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The archive that was written."""

    model_id: str
    path: Path
    size_bytes: int


def list_models(library: Library) -> list[Model]:
    """Return the models of the catalogue in its order, then the others that are installed.

    Raises ConfigError for the user's catalogue where it cannot be read, ModelUnavailable for a damaged lock file.
    """
    catalog = load_catalog(library.models_folder)
    installed = {one.id: one for one in ModelStore(library.models_folder).installed()}
    ids = [*catalog, *(one for one in installed if one not in catalog)]
    used = model_to_embed(library)
    return [Model(one, catalog.get(one), installed.get(one), one == used) for one in ids]


def model_named(library: Library, model_id: str) -> Model:
    """Return one model. Raises ModelUnavailable where neither the catalogue nor the lock has it."""
    for one in list_models(library):
        if one.id == model_id:
            return one
    raise ModelUnavailable(f"there is no model '{model_id}'; see: photoindex models list")


def verify_models(library: Library, model_id: str | None = None, events: EventSink = ignore_events) -> list[FileCheck]:
    """Hash every file of one installed model, or of all, and return how each compares with the lock.

    Raises ModelUnavailable where the model is not installed.
    """
    store = ModelStore(library.models_folder)
    models = store.installed() if model_id is None else [store.get(model_id)]
    checks = []
    with ByteProgress(events, "hashing", sum(one.size_bytes for one in models)) as progress:
        done = 0
        for model in models:
            for name, expected in model.files.items():
                checks.append(FileCheck(model.id, name, expected.size_bytes, expected.sha256, model.problem(name)))
                done += expected.size_bytes
                progress.advance(done)
    return checks


def remove(library: Library, model_id: str) -> Removed:
    """Remove an installed model, with what a pull of it had begun; the spaces that it filled stay.

    Raises ModelUnavailable where there is nothing of it, LibraryLocked, UsageError.
    """
    with changing_models(library, "models remove") as folder:
        lock = read_lock(folder)
        locked = lock.models.get(model_id)
        begun = bool(re.fullmatch(MODEL_ID_PATTERN, model_id)) and remove_partial(folder, model_id)
        if locked is None and not begun:
            raise ModelUnavailable(f"the model '{model_id}' is not installed; see: photoindex models list")
        if locked is not None:
            remove_model(folder, lock, model_id)
    size_bytes = 0 if locked is None else sum(one.size_bytes for one in locked.files.values())
    with library.database.read() as connection:
        spaces = [one for one in all_spaces(connection) if one.model == model_id]
        counted = tuple((one.name, count_vectors(connection, one.id)) for one in spaces)
    return Removed(model_id, size_bytes, counted)


def bundle(library: Library, model_id: str, output: Path, events: EventSink = ignore_events) -> Bundle:
    """Write an installed model into one archive: tar, or tar in zstd where the name ends with `.zst`.

    Raises ModelUnavailable where it is not installed or changed since, UsageError where the file is there already, lies among
    the originals or cannot be written, StorageFull.
    """
    output = output.expanduser().absolute()
    installed = ModelStore(library.models_folder).get(model_id)
    if not output.parent.is_dir():
        raise UsageError(f"there is no folder {display(os.fsencode(output.parent))} for the archive")
    check_target(library, output)
    with (
        disk_errors(f"the archive {display(os.fsencode(output))}"),
        ByteProgress(events, "bundling", installed.size_bytes) as progress,
    ):
        write_bundle(installed, output, progress.advance)
        return Bundle(model_id, output, output.stat().st_size)


@contextmanager
def changing_models(library: Library, command: str) -> Iterator[Path]:
    """Give the models folder, made where it is not there, while no other command changes it.

    Raises LibraryLocked, UsageError, StorageFull.
    """
    folder = library.models_folder
    with disk_errors(f"changing the models in {display(os.fsencode(folder))}"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(folder, command, name=LOCK_NAME):
            yield folder
