"""Installing a model from a folder with its files: export, hash, lock and move into place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from photoindex.errors import ModelUnavailable, PhotoIndexError
from photoindex.models.captions.files import found_captioner, is_captioner
from photoindex.models.catalog import CatalogEntry
from photoindex.models.description import WHOLE_GRAPH
from photoindex.models.faces.description import FACE_PACK, FacePackDescription
from photoindex.models.faces.insightface_layout import is_face_pack, recognised, written
from photoindex.models.faces.pack import found_in_pack, try_out_pack
from photoindex.models.lock import (
    CAPTIONS,
    FACES,
    FileLock,
    FoundCaptioner,
    FoundEncoders,
    FoundFaces,
    Lock,
    LockedModel,
    read_lock,
    write_lock,
)
from photoindex.models.weights import FOUND_NAME, InstalledModel, difference, lock_of
from photoindex.permissions import publish_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TEMPORARY_PREFIX = ".installing-"
_TASKS = {FoundFaces: FACES, FoundCaptioner: CAPTIONS}


@dataclass(frozen=True, slots=True)
class ModelOrigin:
    """Origin and metadata of a model; see `LockedModel`."""

    model_id: str
    title: str
    task: str
    source: str
    licence: str
    terms: str
    restricted: bool = False
    revision: str | None = None
    also: tuple[tuple[str, str], ...] = ()
    licence_accepted_at: str | None = None
    trust_remote_code: bool = False
    dim: int | None = None

    @classmethod
    def of_entry(cls, entry: CatalogEntry, source: str) -> ModelOrigin:
        """Return the origin of a catalogue model whose files come from `source`."""
        return cls(
            model_id=entry.id, title=entry.title, task=entry.task, source=source, licence=entry.licence,
            terms=entry.terms, restricted=entry.restricted, dim=entry.dim,
        )  # fmt: skip


@contextmanager
def staging(models_folder: Path) -> Iterator[Path]:
    """Yield an empty folder next to the installed models; it is removed when the block ends.

    Also removes the leftovers of a killed installation and restores a model that it had moved aside. Call it only with the
    lock of the models folder held. Raises ModelUnavailable if the lock file is damaged.
    """
    for leftover in models_folder.glob(f"{_TEMPORARY_PREFIX}*"):
        _restore(models_folder, leftover)
        shutil.rmtree(leftover, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY_PREFIX, dir=models_folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _restore(models_folder: Path, leftover: Path) -> None:
    """Restore a model that was moved aside if the current one does not match the lock file."""
    for model_id, locked in read_lock(models_folder).models.items():
        aside, place = leftover / model_id, models_folder / model_id
        if not aside.is_dir() or aside.is_symlink() or not _is_as_locked(aside, locked) or _is_as_locked(place, locked):
            continue
        if os.path.lexists(place):
            place.rename(leftover / f".replaced-{model_id}")
        aside.rename(place)


def _is_as_locked(folder: Path, locked: LockedModel) -> bool:
    return all(difference(folder / name, one) is None for name, one in locked.files.items())


def require_exporter(*, whole: bool = False) -> None:
    """Raise ModelUnavailable if a library for exporting weights is missing. whole: they are one ONNX file with both towers."""
    from photoindex.models.export.run import NEEDED, NEEDED_TO_SPLIT

    missing = [module for module in (NEEDED_TO_SPLIT if whole else NEEDED) if find_spec(module) is None]
    if missing:
        raise ModelUnavailable(
            f"these weights must be exported to ONNX once, which needs {', '.join(missing)}; run: "
            f"pip install 'photoindex[ml]', or make a bundle on a computer that has it: photoindex models bundle MODEL OUT"
        )


def is_ready(folder: Path) -> bool:
    """Tell whether a folder contains a model that needs no export, and its description."""
    return (folder / FOUND_NAME).is_file() or (folder / FACE_PACK).is_file() or is_captioner(folder)


def describe_faces(folder: Path, description: FacePackDescription | None) -> None:
    """Write `face_pack.toml` to the folder of a face pack without one.

    description: what the catalogue says of it; without that, it is recognised as an insightface pack. Other models are left
    alone. Raises ModelUnavailable.
    """
    if is_ready(folder) or not (description is not None or is_face_pack(path.name for path in folder.rglob("*"))):
        return
    (folder / FACE_PACK).write_text(written(description or recognised(folder)), encoding="utf-8")


def export_towers(folder: Path) -> None:
    """Export a model's weights to ONNX and check the result. Raises ModelUnavailable."""
    require_exporter(whole=(folder / WHOLE_GRAPH).is_file())
    from photoindex.models.export.run import export

    export(folder)


def found_in(folder: Path) -> FoundEncoders | FoundFaces | FoundCaptioner:
    """Read the description of a face pack or captioner, or the one written by the export.

    Raises ModelUnavailable if that fails.
    """
    if (folder / FACE_PACK).is_file():
        return found_in_pack(folder)
    path = folder / FOUND_NAME
    if not path.is_file() and is_captioner(folder):
        return found_captioner(folder)
    try:
        return FoundEncoders.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelUnavailable(f"{FOUND_NAME} cannot be used: {where}: {first['msg']}; nothing was installed") from None
    except OSError as error:
        raise ModelUnavailable(f"{FOUND_NAME} cannot be read: {error.strerror}; nothing was installed") from error


def lock_files(folder: Path, advance: Callable[[int], None]) -> dict[str, FileLock]:
    """Return SHA-256 and size of every file below a folder, by path; `advance` is called with the bytes read."""
    files = {}
    done = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and not name.startswith("."):
            files[name] = lock_of(path)
            done += files[name].size_bytes
            advance(done)
    return files


def draft(folder: Path, origin: ModelOrigin, installed_at: str, advance: Callable[[int], None]) -> LockedModel:
    """Return the lock entry for the model in a folder, with all files hashed. Raises ModelUnavailable."""
    found = found_in(folder)
    if origin.dim is not None and found.dim != origin.dim:
        raise ModelUnavailable(
            f"the files give vectors of dimension {found.dim}, but '{origin.model_id}' has {origin.dim}; nothing was "
            f"installed"
        )
    return LockedModel(
        title=origin.title,
        task=_TASKS.get(type(found), origin.task),
        source=origin.source,
        revision=origin.revision,
        also=dict(origin.also),
        licence=origin.licence,
        terms=origin.terms,
        restricted=origin.restricted,
        licence_accepted_at=origin.licence_accepted_at,
        installed_at=installed_at,
        trust_remote_code=origin.trust_remote_code or (isinstance(found, FoundCaptioner) and found.runs_own_code),
        found=found,
        files=lock_files(folder, advance),
    )


def try_out(folder: Path, model_id: str, locked: LockedModel, *, run_code: bool) -> None:
    """Run both towers of a model, both networks of a face pack, or a captioner, once.

    run_code: the user allows to run a captioner's own code. Raises ModelUnavailable if their results are wrong.
    """
    import numpy as np

    candidate = InstalledModel(model_id, folder, locked)
    try:
        if isinstance(locked.found, FoundCaptioner):
            _try_out_captioner(candidate, run_code=run_code)
            return
        made = [try_out_pack(candidate)] if isinstance(locked.found, FoundFaces) else _try_out_encoders(candidate)
    except PhotoIndexError:
        raise
    except Exception as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelUnavailable(f"the model '{model_id}' does not run: {first}; nothing was installed") from error
    for vectors in made:
        if vectors.shape != (1, locked.found.dim) or not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3):
            raise ModelUnavailable(
                f"the model '{model_id}' does not give unit vectors of dimension {locked.found.dim}; nothing was installed"
            )


def _try_out_encoders(candidate: InstalledModel) -> list[NDArray[np.float32]]:
    import numpy as np

    from photoindex.models.encoders import open_image_encoder, open_text_encoder

    texts, images = open_text_encoder(candidate), open_image_encoder(candidate, runtime="onnx", device="cpu")
    side = images.preprocessing.size_px
    gray = np.full((1, side, side, 3), 128, dtype=np.uint8)
    return [texts.encode_texts(["a photo"]), images.encode_images(gray)]


def _try_out_captioner(candidate: InstalledModel, *, run_code: bool) -> None:
    import numpy as np

    from photoindex.models.captions.families import family_named
    from photoindex.models.captions.opening import open_captioner
    from photoindex.models.captions.transformers_captioner import Question

    prompt = family_named(candidate.captioner.captioner).prompt
    captioner = open_captioner(candidate, Question(prompt, 4), device="cpu", run_code=run_code)
    captioner.caption([captioner.prepare(np.full((64, 64, 3), 128, dtype=np.uint8))])


def put_in_place(models_folder: Path, folder: Path, lock: Lock, model_id: str, locked: LockedModel) -> InstalledModel:
    """Make `folder` the model's folder, replacing an existing one, and write the lock file.

    If that fails, nothing changes. A process killed between both steps leaves files that do not match the old lock file:
    the next command reports it, and the next installation restores the old files. Raises OSError.
    """
    place = models_folder / model_id
    for mark in folder.glob(".*"):
        mark.unlink()
    publish_folder(folder)
    with _moved_aside(models_folder, place):
        folder.rename(place)
        try:
            write_lock(models_folder, lock.model_copy(update={"models": lock.models | {model_id: locked}}))
        except BaseException:
            place.rename(folder)
            raise
    return InstalledModel(model_id, place, locked)


@contextmanager
def _moved_aside(models_folder: Path, place: Path) -> Iterator[None]:
    """Move a model's folder aside for the block; remove it on success, restore it on failure."""
    if not os.path.lexists(place):
        yield
        return
    aside = Path(tempfile.mkdtemp(prefix=_TEMPORARY_PREFIX, dir=models_folder))
    try:
        place.rename(aside / place.name)
        yield
    except BaseException:
        if (aside / place.name).exists():
            (aside / place.name).rename(place)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def remove_model(models_folder: Path, lock: Lock, model_id: str) -> None:
    """Remove a model from the lock file, then delete its files. Raises OSError."""
    models = {name: one for name, one in lock.models.items() if name != model_id}
    write_lock(models_folder, lock.model_copy(update={"models": models}))
    place = models_folder / model_id
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
