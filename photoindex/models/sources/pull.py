"""Downloading the files of a catalogue entry from the hub; nothing else in the program downloads anything."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from photoindex.errors import FetchFailed, StorageFull
from photoindex.models.captions.files import PARTS
from photoindex.models.catalog import CatalogEntry, Source
from photoindex.models.description import DESCRIPTION, WHOLE_GRAPH
from photoindex.models.lock import CAPTIONS
from photoindex.models.sources.hub import PARTIAL_SUFFIX, HubFile, Repository, fetch, look_up, mismatch
from photoindex.models.sources.licence import is_licence, licence_text

PARTIAL_FOLDER = ".partial"
WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
"""Supported weights: safetensors, or files of torch, which are read with weights_only and run no code."""
CODE_SUFFIXES = (".py",)
_RUNS_WHEN_READ = (".pkl", ".pickle", ".pyc", ".so", ".joblib", ".npy", ".sh")


@dataclass(frozen=True, slots=True)
class WantedFiles:
    """A file to download, and its repository."""

    repository: Repository
    file: HubFile


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What a pull downloads: the repositories at their commits, the main one first, and the files by name."""

    entry: CatalogEntry
    repositories: tuple[Repository, ...]
    wanted: Mapping[str, WantedFiles]

    @property
    def revision(self) -> str:
        """The commit of the main repository."""
        return self.repositories[0].commit

    @property
    def needs_export(self) -> bool:
        """Whether towers have to be made of what is downloaded."""
        ready = DESCRIPTION in self.wanted or any(name.endswith(".onnx") for name in self.wanted)
        return self.is_whole or (not ready and self.entry.task != CAPTIONS)

    @property
    def is_whole(self) -> bool:
        """Whether one ONNX file with both towers is downloaded, which has to be split."""
        return DESCRIPTION not in self.wanted and WHOLE_GRAPH in self.wanted

    @property
    def size_bytes(self) -> int:
        """Total size of the files, as far as the hub gives it."""
        return sum(one.file.size_bytes or 0 for one in self.wanted.values())


def plan_pull(entry: CatalogEntry, pinned: Mapping[str, str], *, trust_remote_code: bool) -> PullPlan:
    """Query the hub for the files of a catalogue entry.

    pinned: commits by repository, overriding the revisions in the entry. trust_remote_code: also download the repositories'
    own code. Raises FetchFailed if the hub cannot be reached or does not have a required file.
    """
    repositories = []
    wanted: dict[str, WantedFiles] = {}
    for source in entry.sources:
        commit = pinned.get(source.repository)
        try:
            repository = look_up(source.repository, commit or source.revision)
        except FetchFailed as error:
            hint = "" if commit is None else "; that is the installed commit; use --update for the current one"
            raise FetchFailed(f"{error}{hint}") from error
        repositories.append(repository)
        for name in _chosen(source, repository, trust_remote_code=trust_remote_code):
            place = name if source.folder is None else f"{source.folder}/{name}"
            wanted.setdefault(place, WantedFiles(repository, repository.files[name]))
    return PullPlan(entry, tuple(repositories), wanted)


def _chosen(source: Source, repository: Repository, *, trust_remote_code: bool) -> Iterator[str]:
    available = repository.files
    missing = [name for name in source.needed if name not in available]
    weights = next((name for name in source.weights if name in available), None)
    if missing or (weights is None and source.weights):
        lacking = missing[0] if missing else " or ".join(source.weights)
        raise FetchFailed(
            f"{repository.id} has no {lacking} at commit {repository.commit[:12]}; the catalogue may be out of date"
        )
    yield from (name for name in source.needed if _is_data(name))
    if weights is not None:
        if not weights.endswith(WEIGHT_SUFFIXES) and weights not in PARTS:
            raise FetchFailed(
                f"{weights} of {repository.id} is not a kind of weights that is safe to read; supported: "
                f"{', '.join(WEIGHT_SUFFIXES)}"
            )
        yield weights
        yield from (name for name in available if fnmatchcase(name, PARTS.get(weights, "")))
    for pattern in source.wanted:
        yield from (name for name in available if fnmatchcase(name, pattern) and _is_data(name))
    if trust_remote_code:
        yield from (name for name in available if name.endswith(CODE_SUFFIXES))


def has_own_licence(entry: CatalogEntry) -> bool:
    """Tell whether a licence that restricts use is a file of the model."""
    names = (name for source in entry.sources for name in (*source.needed, *source.wanted))
    return entry.restricted and any(is_licence(name) for name in names)


def own_licence(plan: PullPlan, folder: Path) -> str | None:
    """Download only the licence file of a model to its folder of partial downloads, and return its text.

    Raises FetchFailed, StorageFull.
    """
    for name, one in sorted(plan.wanted.items()):
        if is_licence(name):
            fetch(one.repository, one.file, folder / name, lambda _: None)
            return licence_text((folder / name).read_bytes())
    return None


def _is_data(name: str) -> bool:
    return not name.endswith((*CODE_SUFFIXES, *_RUNS_WHEN_READ))


def partial_folder(models_folder: Path, model_id: str) -> Path:
    """Return the folder where downloaded files of a model are collected until they are complete."""
    return models_folder / PARTIAL_FOLDER / model_id


def remove_partial(models_folder: Path, model_id: str) -> bool:
    """Remove the files of an unfinished pull; return whether there were any."""
    folder = partial_folder(models_folder, model_id)
    there = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    return there


def fetch_all(plan: PullPlan, folder: Path, installed: Path, advance: Callable[[int], None]) -> None:
    """Download the files of a plan that are missing in `folder`, and remove other files from it.

    installed: the folder of an installed version, from which matching files are copied. advance: called with the total number
    of bytes present. Raises FetchFailed, StorageFull; downloaded data is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _remove_others(folder, plan)
    _require_room(folder, plan)
    before = 0
    for name, one in plan.wanted.items():
        destination = folder / name
        if not _matches(destination, one.file):
            destination.unlink(missing_ok=True)
            if _matches(installed / name, one.file):
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(installed / name, destination)
            else:
                fetch(one.repository, one.file, destination, lambda done, before=before: advance(before + done))  # type: ignore[misc]
        before += destination.stat().st_size
        advance(before)


def _matches(path: Path, file: HubFile) -> bool:
    """Tell whether a file matches the hub's digest; without a digest it is downloaded again."""
    known = file.sha256 is not None or file.git_sha1 is not None
    return known and path.is_file() and not path.is_symlink() and mismatch(path, file) is None


def _remove_others(folder: Path, plan: PullPlan) -> None:
    """Remove files that are not in the plan, and everything if it was downloaded for another commit."""
    mark = folder / f".{plan.revision}"
    if not mark.exists():
        shutil.rmtree(folder)
        folder.mkdir()
        mark.touch()
    keep = {mark, *(folder / name for name in plan.wanted)}
    keep |= {path.with_name(path.name + PARTIAL_SUFFIX) for path in keep}
    for path in [path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()]:
        if path not in keep:
            path.unlink()


def _require_room(folder: Path, plan: PullPlan) -> None:
    present = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    # The ONNX export of the weights needs about as much space again.
    needed, free = (2 if plan.needs_export else 1) * plan.size_bytes - present, shutil.disk_usage(folder).free
    if needed > free:
        raise StorageFull(
            f"the model '{plan.entry.id}' needs {needed / 1e9:,.1f} GB in {folder.parent.parent}, where {free / 1e9:,.1f} GB "
            f"are free; nothing was downloaded"
        )
