"""Installed models and the verification of their files.

A model is a folder `models/<id>`. An image and text model has `open_clip_config.json`, its weights
(`open_clip_model.safetensors` or `open_clip_pytorch_model.bin`), tokenizer files if the tokenizer is not open_clip's own,
`config.json` of a text tower that open_clip would build from another repository (`hf_model_name`), and in `onnx/` the output
of `models.export`: `visual.onnx`, `text.onnx` (each with `.data`), for very many tokens `text.table`, `tokenizer.json`, and the description `model.json`, see
`lock.FoundEncoders`. One that is published as a single ONNX file with both towers has, instead of configuration and weights, that file and
what belongs to it in `whole/`. A face pack has `face_pack.toml`, see `models.faces.description`, and the files it names. A captioner has
`config.json`, its weights and other descriptions as transformers writes them, see `models.captions.files`.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from photoindex.errors import ModelUnavailable
from photoindex.models.catalog import load_catalog
from photoindex.models.lock import FileLock, FoundCaptioner, FoundEncoders, FoundFaces, LockedModel, read_lock

ONNX_FOLDER = "onnx"
FOUND_NAME = f"{ONNX_FOLDER}/model.json"
_HASHING_THREADS = 2


_DOES: Mapping[type, str] = {
    FoundEncoders: "embeds photos and texts",
    FoundFaces: "finds faces",
    FoundCaptioner: "describes photos in words",
}
"""Kind of model -> what it does."""


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Description of a model: fields of its catalogue entry and properties determined at installation.

    task: `image-text`, `faces` or `captions`. source: repository or path it was installed from. restricted: the licence limits its use.
    dim: dimension of the vectors, None if it gives none. input_px: side of the square input, None if it has any shape.
    """

    title: str
    task: str
    source: str
    licence: str
    terms: str
    restricted: bool
    dim: int | None
    input_px: int | None


class Checking:
    """Files that are being hashed in threads; `result` waits for them."""

    def __init__(self, pending: Mapping[str, Future[Path]]) -> None:
        self._pending = pending

    def result(self) -> list[Path]:
        """Return the paths in the given order. Raises ModelUnavailable if a file is not as installed."""
        return [future.result() for future in self._pending.values()]


class InstalledModel:
    """One model in the models folder.

    id, folder, description; revision: the commit it was installed from, None for local files; files: SHA-256 and size of
    every file by path inside the folder.
    """

    def __init__(self, model_id: str, folder: Path, locked: LockedModel) -> None:
        self.id = model_id
        self.folder = folder
        self.locked = locked
        self.revision = locked.revision
        self.files: Mapping[str, FileLock] = locked.files

    @property
    def description(self) -> ModelDescription:
        """Description of the model."""
        locked = self.locked
        return ModelDescription(
            title=locked.title,
            task=locked.task,
            source=locked.source,
            licence=locked.licence,
            terms=locked.terms,
            restricted=locked.restricted,
            dim=locked.found.dim,
            input_px=locked.found.input_px,
        )

    @property
    def encoders(self) -> FoundEncoders:
        """Properties of an image and text model. Raises ModelUnavailable for another kind of model."""
        if isinstance(self.locked.found, FoundEncoders):
            return self.locked.found
        raise self._cannot("embed photos or texts")

    @property
    def face_pack(self) -> FoundFaces:
        """Properties of a face pack. Raises ModelUnavailable for another kind of model."""
        if isinstance(self.locked.found, FoundFaces):
            return self.locked.found
        raise self._cannot("find faces")

    @property
    def captioner(self) -> FoundCaptioner:
        """Properties of a captioner. Raises ModelUnavailable for another kind of model."""
        if isinstance(self.locked.found, FoundCaptioner):
            return self.locked.found
        raise self._cannot("describe photos")

    def _cannot(self, what: str) -> ModelUnavailable:
        does = _DOES[type(self.locked.found)]
        return ModelUnavailable(
            f"the model '{self.id}' {does}, and cannot {what}; choose another: photoindex models list"
        )

    @property
    def size_bytes(self) -> int:
        """Total size of the files."""
        return sum(one.size_bytes for one in self.files.values())

    @cached_property
    def digest(self) -> str:
        """The weights digest: SHA-256 over the SHA-256 of all original files of the model, 64 hexadecimal digits.

        Exported files (`onnx/`) count only if there are no others, so that computers with different versions of the exporter
        get the same digest.
        """
        return digest_of(self.files)

    def checked(self, *names: str) -> list[Path]:
        """Return the paths of these files (default: all) after hashing them. Raises ModelUnavailable if one has changed."""
        with self.checking(*names) as checking:
            return checking.result()

    @contextmanager
    def checking(self, *names: str) -> Iterator[Checking]:
        """Hash these files (default: all) in threads while the block loads them; the end of the block waits for the result.

        Raises ModelUnavailable if a file is not as installed, also instead of an error raised in the block, which was
        caused by loading the changed file. Results of the block may be used only after it succeeded or `result` returned.
        """
        wanted = names or tuple(self.files)
        with ThreadPoolExecutor(_HASHING_THREADS, thread_name_prefix="checking-model") as pool:
            checking = Checking({name: pool.submit(self._check, name) for name in wanted})
            try:
                yield checking
            finally:
                checking.result()

    def _check(self, name: str) -> Path:
        path = self.folder / name
        expected = self.files.get(name)
        if expected is None:
            raise ModelUnavailable(f"the model '{self.id}' has no file {name}; install it again: {self.remedy}")
        problem = difference(path, expected)
        if problem is not None:
            raise ModelUnavailable(
                f"{path} {problem} since the model '{self.id}' was installed; see: photoindex models verify {self.id}, "
                f"then: {self.remedy}"
            )
        return path

    def has_all_sizes(self) -> bool:
        """Tell whether all files exist with their installed size; a full check by hashing takes longer."""
        return all(_size_of(self.folder / name) == one.size_bytes for name, one in self.files.items())

    @property
    def remedy(self) -> str:
        """The command that installs it again."""
        return f"photoindex models {'install PATH --id' if self.revision is None else 'pull'} {self.id}"

    def problem(self, name: str) -> str | None:
        """Return how a file differs from its installed state (the middle of a sentence), None if it does not."""
        return difference(self.folder / name, self.files[name])


class ModelStore:
    """Read-only access to the models in a models folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def installed(self) -> list[InstalledModel]:
        """Return the installed models sorted by id. Raises ModelUnavailable for a damaged lock file."""
        models = read_lock(self.folder).models
        return [InstalledModel(one, self.folder / one, models[one]) for one in sorted(models)]

    def get(self, model_id: str) -> InstalledModel:
        """Return one installed model. Raises ModelUnavailable, with the command to install it, if it is missing."""
        locked = read_lock(self.folder).models.get(model_id)
        if locked is None:
            raise ModelUnavailable(self._missing(model_id))
        found = InstalledModel(model_id, self.folder / model_id, locked)
        if not found.folder.is_dir():
            raise ModelUnavailable(f"the model's folder {found.folder} is missing; run: {found.remedy}")
        return found

    def get_same(self, model_id: str, digest: str) -> InstalledModel:
        """Return an installed model if its weights still have this digest. Raises ModelUnavailable."""
        found = self.get(model_id)
        if found.digest != digest:
            raise ModelUnavailable(f"the model '{model_id}' was replaced in the meantime; run the command again")
        return found

    def _missing(self, model_id: str) -> str:
        wanted = load_catalog(self.folder).get(model_id)
        others = ", ".join(one.id for one in self.installed() if wanted is None or one.locked.task == wanted.task)
        there = f"; installed: {others}" if others else ""
        way = install_command(self.folder, model_id)
        if model_id in load_catalog(self.folder):
            return f"the model '{model_id}' is not installed; run: {way}{there}"
        return (
            f"the model '{model_id}' is neither installed nor in the catalogue (photoindex models list); from your own "
            f"files: {way}{there}"
        )


def install_command(models_folder: Path, model_id: str) -> str:
    """Return the command that installs a model: a pull if the catalogue knows where from, else from the user's own files."""
    entry = load_catalog(models_folder).get(model_id)
    if entry is not None and entry.sources:
        return f"photoindex models pull {model_id}"
    return f"photoindex models install PATH --id {model_id}"


def digest_of(files: Mapping[str, FileLock]) -> str:
    """Return the weights digest of a model's files; see `InstalledModel.digest`."""
    originals = {name: one for name, one in files.items() if not name.startswith(f"{ONNX_FOLDER}/")} or files
    lines = "".join(f"{originals[name].sha256}  {name}\n" for name in sorted(originals))
    return hashlib.sha256(lines.encode()).hexdigest()


def lock_of(path: Path) -> FileLock:
    """Return the SHA-256 and size of a file. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        return FileLock(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size_bytes=file.tell())


def _size_of(path: Path) -> int | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def difference(path: Path, expected: FileLock) -> str | None:
    """Return how a file differs from its installed state (the middle of a sentence), None if it does not."""
    try:
        if not path.is_file() or path.is_symlink():
            return "has disappeared" if not path.exists() else "is no longer a regular file"
        if path.stat().st_size != expected.size_bytes:
            return "has changed in size"
        return None if lock_of(path) == expected else "has changed"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
