"""Lists, verifies, removes and bundles the installed models of a library."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from photoindex.errors import ModelUnavailable, UsageError
from photoindex.file_access import from_root
from photoindex.library.backup.byte_progress import ByteProgress
from photoindex.library.disk_errors import disk_errors
from photoindex.library.embed.model_choice import model_to_embed
from photoindex.library.export.output_files import check_target
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.people.model_choice import model_for_faces
from photoindex.library.words.model_choice import model_to_caption
from photoindex.models.captions.own_code import code_of
from photoindex.models.catalog import CatalogEntry, load_catalog
from photoindex.models.lock import read_lock
from photoindex.models.names import MODEL_ID_PATTERN
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
    """A model in the catalogue, or installed, or both."""

    id: str
    entry: CatalogEntry | None
    installed: InstalledModel | None
    used: bool

    @property
    def runs_own_code(self) -> bool:
        """Whether it is installed and runs Python code of its own, which was not tested."""
        return self.installed is not None and bool(code_of(self.installed))

    @property
    def untested(self) -> bool:
        """Whether it runs Python code of its own, or its published files were never run."""
        return self.runs_own_code or (self.entry is not None and self.entry.untested)

    @property
    def dim(self) -> int | None:
        """Dimension of its vectors."""
        if self.installed is not None:
            return self.installed.description.dim
        return None if self.entry is None else self.entry.dim


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file of an installed model; problem: how it differs from the installed one, None if it does not."""

    model_id: str
    name: str
    size_bytes: int
    sha256: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class RemovedModel:
    """A removed model; spaces: the names of its spaces with their number of vectors, which are kept."""

    model_id: str
    size_bytes: int
    spaces: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The written archive."""

    model_id: str
    path: Path
    size_bytes: int


def list_models(library: Library) -> list[Model]:
    """Return the models of the catalogue in its order, then the other installed ones.

    Raises ConfigError if the user's catalogue cannot be read, ModelUnavailable for a damaged lock file.
    """
    catalog = load_catalog(library.models_folder)
    installed = {one.id: one for one in ModelStore(library.models_folder).installed()}
    ids = [*catalog, *(one for one in installed if one not in catalog)]
    used = {model_to_embed(library), model_for_faces(library), model_to_caption(library)}
    return [Model(one, catalog.get(one), installed.get(one), one in used) for one in ids]


def model_named(library: Library, model_id: str) -> Model:
    """Return one model. Raises ModelUnavailable if it is neither in the catalogue nor installed."""
    for one in list_models(library):
        if one.id == model_id:
            return one
    raise ModelUnavailable(f"there is no model '{model_id}'; see: photoindex models list")


def verify_models(library: Library, model_id: str | None = None, events: EventSink = ignore_events) -> list[FileCheck]:
    """Hash every file of one installed model, or of all, and compare it with the lock file.

    Raises ModelUnavailable if the model is not installed.
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


def remove(library: Library, model_id: str) -> RemovedModel:
    """Remove an installed model and partial downloads of it; its spaces are kept.

    Raises ModelUnavailable if there is nothing to remove, LibraryLocked, UsageError.
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
    return RemovedModel(model_id, size_bytes, counted)


def bundle(library: Library, model_id: str, output: Path, events: EventSink = ignore_events) -> Bundle:
    """Write an installed model to an archive: tar, or tar compressed with zstd if the name ends with `.zst`.

    Raises ModelUnavailable if it is not installed or was changed, UsageError if the file exists, is among the originals or
    cannot be written, StorageFull.
    """
    output = from_root(output)
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
    """Yield the models folder, created if necessary, and lock it against other commands.

    Raises LibraryLocked, UsageError, StorageFull.
    """
    folder = library.models_folder
    with disk_errors(f"changing the models in {display(os.fsencode(folder))}"):
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(folder, command, name=LOCK_NAME):
            yield folder
