"""The installed models: what each one is, and its files as they were when they were installed.

A model is a folder `models/<id>`. An image and text model has `open_clip_config.json`, its weights
(`open_clip_model.safetensors` or `open_clip_pytorch_model.bin`), its tokenizer's files where the tokenizer is not open_clip's
own, `config.json` of a text tower that open_clip would build from another repository (`hf_model_name`), and in `onnx/` what `models.export` made of them: `visual.onnx`, `text.onnx` (each with `.data`),
`tokenizer.json`, and `model.json`, which describes it as `lock.Found` does.
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
from photoindex.models.base import Preprocessing
from photoindex.models.catalog import load_catalog
from photoindex.models.lock import FileLock, Found, LockedModel, read_lock

ONNX_FOLDER = "onnx"
FOUND_NAME = f"{ONNX_FOLDER}/model.json"
_HASHING_THREADS = 2


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What a model is: fields of its catalogue entry, and what the installation found.

    task: `image-text`. source: repository or path that it came from. restricted: the licence limits its use. dim: numbers
    a vector. context_length: tokens that a text is cut to. tokenizer: settings of the tokenizer. found: all that
    `onnx/model.json` holds.
    """

    title: str
    task: str
    source: str
    licence: str
    terms: str
    restricted: bool
    dim: int
    context_length: int
    preprocessing: Preprocessing
    tokenizer: Mapping[str, object]
    found: Found


class Checking:
    """Files that are being hashed in threads; `result` waits for them."""

    def __init__(self, pending: Mapping[str, Future[Path]]) -> None:
        self._pending = pending

    def result(self) -> list[Path]:
        """Return the paths in the order in which they were named. Raises ModelUnavailable where one is not as installed."""
        return [future.result() for future in self._pending.values()]


class InstalledModel:
    """One model of the models folder.

    id, folder, description; revision: the commit it came from, None for one of this computer; files: SHA-256 and size of
    every file by its name inside the folder.
    """

    def __init__(self, model_id: str, folder: Path, locked: LockedModel) -> None:
        self.id = model_id
        self.folder = folder
        self.locked = locked
        self.revision = locked.revision
        self.files: Mapping[str, FileLock] = locked.files

    @property
    def description(self) -> ModelDescription:
        """What the model is."""
        locked = self.locked
        return ModelDescription(
            title=locked.title,
            task=locked.task,
            source=locked.source,
            licence=locked.licence,
            terms=locked.terms,
            restricted=locked.restricted,
            dim=locked.found.dim,
            context_length=locked.found.context_length,
            preprocessing=locked.found.preprocessing,
            tokenizer=locked.found.tokenizer,
            found=locked.found,
        )

    @property
    def size_bytes(self) -> int:
        """What all files take."""
        return sum(one.size_bytes for one in self.files.values())

    @cached_property
    def digest(self) -> str:
        """The weights digest: SHA-256 over the SHA-256 of all files that came with the model, 64 hexadecimal digits.

        What was made of them here (`onnx/`) counts only where nothing else came, so that two computers whose exporters
        differ in version agree on it.
        """
        return digest_of(self.files)

    def checked(self, *names: str) -> list[Path]:
        """Return the paths of these files, or of all, after hashing them. Raises ModelUnavailable for one that changed."""
        with self.checking(*names) as checking:
            return checking.result()

    @contextmanager
    def checking(self, *names: str) -> Iterator[Checking]:
        """Hash these files, or all, in threads while the block loads them; the block's end waits for the result.

        Raises ModelUnavailable where a file is not as it was installed, also in place of an error of the block: that one
        came from loading the changed file. Nothing that the block made may be used before it ended well or `result`
        returned.
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
        """Tell whether every file is there with the size it was installed with; hashing tells the rest, and takes longer."""
        return all(_size_of(self.folder / name) == one.size_bytes for name, one in self.files.items())

    @property
    def remedy(self) -> str:
        """The command that installs it again."""
        return f"photoindex models {'install PATH --id' if self.revision is None else 'pull'} {self.id}"

    def problem(self, name: str) -> str | None:
        """Return how a file differs from what was installed, as the middle of a sentence, or None where it does not."""
        return difference(self.folder / name, self.files[name])


class ModelStore:
    """The models of one models folder; reading it changes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def installed(self) -> list[InstalledModel]:
        """Return the installed models in the order of their ids. Raises ModelUnavailable for a damaged lock file."""
        models = read_lock(self.folder).models
        return [InstalledModel(one, self.folder / one, models[one]) for one in sorted(models)]

    def get(self, model_id: str) -> InstalledModel:
        """Return one installed model. Raises ModelUnavailable with the command to run where it is not there."""
        locked = read_lock(self.folder).models.get(model_id)
        if locked is None:
            raise ModelUnavailable(self._missing(model_id))
        found = InstalledModel(model_id, self.folder / model_id, locked)
        if not found.folder.is_dir():
            raise ModelUnavailable(f"the folder {found.folder} of the model is gone; run: {found.remedy}")
        return found

    def _missing(self, model_id: str) -> str:
        others = ", ".join(one.id for one in self.installed())
        there = f"; installed: {others}" if others else ""
        way = way_to_install(self.folder, model_id)
        if model_id in load_catalog(self.folder):
            return f"the model '{model_id}' is not installed; run: {way}{there}"
        return (
            f"the model '{model_id}' is not installed, and none of the list (photoindex models list); from files of yours: "
            f"{way}{there}"
        )


def way_to_install(models_folder: Path, model_id: str) -> str:
    """Return the command that installs a model: a pull where the catalogue has it, else from the user's own files."""
    if model_id in load_catalog(models_folder):
        return f"photoindex models pull {model_id}"
    return f"photoindex models install PATH --id {model_id}"


def digest_of(files: Mapping[str, FileLock]) -> str:
    """Return the weights digest of a model with these files; see `InstalledModel.digest`."""
    came = {name: one for name, one in files.items() if not name.startswith(f"{ONNX_FOLDER}/")} or files
    lines = "".join(f"{came[name].sha256}  {name}\n" for name in sorted(came))
    return hashlib.sha256(lines.encode()).hexdigest()


def lock_of(path: Path) -> FileLock:
    """Return the SHA-256 and the size of a file. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        return FileLock(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size_bytes=file.tell())


def _size_of(path: Path) -> int | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def difference(path: Path, expected: FileLock) -> str | None:
    """Return how a file differs from what was installed, as the middle of a sentence, or None where it does not."""
    try:
        if not path.is_file() or path.is_symlink():
            return "has gone" if not path.exists() else "became something else than a file"
        if path.stat().st_size != expected.size_bytes:
            return "has changed its size"
        return None if lock_of(path) == expected else "has changed"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
