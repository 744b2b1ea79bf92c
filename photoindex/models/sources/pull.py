"""Fetches the files of a catalogue entry from the hub; nothing else in the program uses the network."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from photoindex.errors import FetchFailed, StorageFull
from photoindex.models.catalog import CatalogEntry, Source
from photoindex.models.sources.hub import PARTIAL_SUFFIX, HubFile, Repository, fetch, look_up, wrong

PARTIAL_FOLDER = ".partial"
WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
"""What weights may come as: safetensors, or a file of torch that is read with weights_only, which runs no code."""
CODE_SUFFIXES = (".py",)
_RUNS_WHEN_READ = (".pkl", ".pickle", ".pyc", ".so", ".joblib", ".npy", ".sh")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file that is to be fetched, and the repository that has it."""

    repository: Repository
    file: HubFile


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What a pull fetches: the repositories at their commits, the entry's own first, and the files by their names."""

    entry: CatalogEntry
    repositories: tuple[Repository, ...]
    wanted: Mapping[str, Wanted]

    @property
    def revision(self) -> str:
        """The commit of the entry's own repository."""
        return self.repositories[0].commit

    @property
    def size_bytes(self) -> int:
        """What the files take, as far as the hub says."""
        return sum(one.file.size_bytes or 0 for one in self.wanted.values())


def plan_pull(entry: CatalogEntry, pinned: Mapping[str, str], *, trust_remote_code: bool) -> PullPlan:
    """Ask the hub what there is of a catalogue entry.

    pinned: commits by repository, in place of what the entry asks for. trust_remote_code: take also the repositories' own
    code. Raises FetchFailed where the hub cannot be reached or lacks a file that is needed.
    """
    repositories = []
    wanted: dict[str, Wanted] = {}
    for source in entry.sources:
        commit = pinned.get(source.repository)
        try:
            repository = look_up(source.repository, commit or source.revision)
        except FetchFailed as error:
            hint = "" if commit is None else "; that is the installed commit, and --update takes what is there now"
            raise FetchFailed(f"{error}{hint}") from error
        repositories.append(repository)
        for name in _chosen(source, repository, trust_remote_code=trust_remote_code):
            wanted.setdefault(name, Wanted(repository, repository.files[name]))
    return PullPlan(entry, tuple(repositories), wanted)


def _chosen(source: Source, repository: Repository, *, trust_remote_code: bool) -> Iterator[str]:
    there = repository.files
    missing = [name for name in source.needed if name not in there]
    weights = next((name for name in source.weights if name in there), None)
    if missing or (weights is None and source.weights):
        lacking = missing[0] if missing else " or ".join(source.weights)
        raise FetchFailed(
            f"{repository.id} has no {lacking} at commit {repository.commit[:12]}; the catalogue may be out of date"
        )
    yield from (name for name in source.needed if _is_data(name))
    if weights is not None:
        if not weights.endswith(WEIGHT_SUFFIXES):
            raise FetchFailed(
                f"{weights} of {repository.id} is no kind of weights that is safe to read; one of: "
                f"{', '.join(WEIGHT_SUFFIXES)}"
            )
        yield weights
    for pattern in source.wanted:
        yield from (name for name in there if fnmatchcase(name, pattern) and _is_data(name))
    if trust_remote_code:
        yield from (name for name in there if name.endswith(CODE_SUFFIXES))


def _is_data(name: str) -> bool:
    return not name.endswith((*CODE_SUFFIXES, *_RUNS_WHEN_READ))


def partial_folder(models_folder: Path, model_id: str) -> Path:
    """Return where the files of a model are gathered until all are there."""
    return models_folder / PARTIAL_FOLDER / model_id


def remove_partial(models_folder: Path, model_id: str) -> bool:
    """Remove what a pull of a model began and did not end; tell whether there was anything."""
    folder = partial_folder(models_folder, model_id)
    there = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    return there


def fetch_all(plan: PullPlan, folder: Path, installed: Path, advance: Callable[[int], None]) -> None:
    """Fetch what `folder` lacks of a plan, and remove from it what the plan does not have.

    installed: the folder of the model as it may be installed already; what is right there is copied. advance: takes the
    bytes that are there of all files. Raises FetchFailed, StorageFull; what had arrived stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _remove_others(folder, plan)
    _require_room(folder, plan)
    before = 0
    for name, one in plan.wanted.items():
        destination = folder / name
        if not _is_right(destination, one.file):
            destination.unlink(missing_ok=True)
            if _is_right(installed / name, one.file):
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(installed / name, destination)
            else:
                fetch(one.repository, one.file, destination, lambda done, before=before: advance(before + done))  # type: ignore[misc]
        before += destination.stat().st_size
        advance(before)


def _is_right(path: Path, file: HubFile) -> bool:
    """Tell whether a file is what the hub says; one that the hub says nothing of is fetched again."""
    known = file.sha256 is not None or file.git_sha1 is not None
    return known and path.is_file() and not path.is_symlink() and wrong(path, file) is None


def _remove_others(folder: Path, plan: PullPlan) -> None:
    """Remove what does not belong to the plan: another commit's beginning is not this one's."""
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
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    # What is made of the weights for ONNX Runtime takes about as much again.
    needed, free = 2 * plan.size_bytes - there, shutil.disk_usage(folder).free
    if needed > free:
        raise StorageFull(
            f"the model '{plan.entry.id}' needs {needed / 1e9:,.1f} GB in {folder.parent.parent}, where {free / 1e9:,.1f} GB "
            f"are free; nothing was fetched"
        )
