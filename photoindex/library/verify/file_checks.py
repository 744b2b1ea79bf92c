"""Checks of the files of a library: previews and thumbnails, strays, vector indices, models."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from photoindex.errors import ModelUnavailable
from photoindex.library.derived_folder import is_away
from photoindex.library.embed.model_choice import install_command
from photoindex.library.index.maintain import rebuild
from photoindex.library.index.status import index_status
from photoindex.library.maintenance.prune import derived_folders, prune_derived, unneeded_files
from photoindex.library.models.installed import verify_models
from photoindex.library.verify.problems import EXAMPLES, Checking, Problem, counted
from photoindex.paths import display
from photoindex.pipeline.ingest import derived_check, derived_files
from photoindex.pipeline.ingest.derived_sound import unsound_files
from photoindex.progress import PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.store.photos import derived_flags
from photoindex.store.scan import forget
from photoindex.store.vectors import spaces

OLD_SECONDS = 86_400.0
"""A temporary file this old was left behind by a killed process."""
_REPAIR = "photoindex verify --repair"


def derived(checking: Checking) -> Iterator[Problem]:
    """Check that every preview and thumbnail is there and ends as a JPEG does."""
    library = checking.library
    if is_away(library):
        where = display(os.fsencode(library.derived_folder))
        yield Problem("previews", f"{where} (DERIVED_PATH) holds none of the previews", "mount its disk")
        return
    found: Counter[str] = Counter()
    examples: dict[str, list[bytes]] = {}
    phase = "checking previews"
    began = time.perf_counter()

    def between(first: bytes, past_last: bytes | None) -> dict[bytes, int]:
        with library.database.read() as connection:
            return derived_flags.derived_between(connection, first, past_last)

    checking.emit(PhaseStarted(phase, derived_check.FOLDERS, "folders"))
    for unsound in unsound_files(
        library.derived_folder, between, lambda done: checking.emit(PhaseAdvanced(phase, done))
    ):
        for one in unsound:
            found[one.problem] += 1
            some = examples.setdefault(one.problem, [])
            some.extend([os.fsencode(one.path)] if len(some) < EXAMPLES else [])
        if checking.repair:
            with library.database.write() as connection:
                derived_flags.mark_lost(connection, {one.asset_id for one in unsound})
    checking.emit(PhaseFinished(phase, derived_check.FOLDERS, time.perf_counter() - began))
    for problem, count in found.items():
        text = counted(count, f"preview or thumbnail is {problem}", f"previews and thumbnails are {problem}")
        remedy = "photoindex scan" if checking.repair else _REPAIR
        yield Problem("previews", text, remedy, count, tuple(examples[problem]), repaired=checking.repair)


def strays(checking: Checking) -> Iterator[Problem]:
    """Look for previews that no content needs, and for what killed processes left in the derived folder."""
    library = checking.library
    root = os.fsencode(library.derived_folder)
    found: list[bytes] = []
    count = 0
    with library.database.read() as connection:
        undoable = forget.digests_that_undo_brings_back(connection)
        for name in derived_folders(root):
            unneeded = [
                path for path in unneeded_files(connection, os.path.join(root, name), undoable) if _is_old(path)
            ]
            count += len(unneeded)
            found.extend(unneeded[: EXAMPLES - len(found)])
    if not count:
        return
    text = counted(count, "preview or thumbnail of no content", "previews and thumbnails of no content")
    if checking.repair:
        prune_derived(library)
    remedy = "" if checking.repair else "photoindex prune --derived"
    yield Problem("strays", text, remedy, count, tuple(found), harmful=False, repaired=checking.repair)


def temporary_files(checking: Checking) -> Iterator[Problem]:
    """Look for unfinished files, a day old or more, in the derived and the library folder."""
    library = checking.library
    unfinished = [*derived_files.unfinished_files(library.derived_folder), *library.folder.glob(".*.unfinished")]
    old = [path for path in unfinished if _is_old(os.fsencode(path))]
    if not old:
        return
    if checking.repair:
        for path in old:
            path.unlink(missing_ok=True)
    text = counted(len(old), "unfinished file is", "unfinished files are")
    yield Problem(
        "temporary files", f"{text} more than a day old", "" if checking.repair else _REPAIR, len(old),
        tuple(map(os.fsencode, old[:EXAMPLES])), harmful=False, repaired=checking.repair,
    )  # fmt: skip


def indices(checking: Checking) -> Iterator[Problem]:
    """Check every byte of the vector indices against their manifests, and some of their vectors against the database."""
    library = checking.library
    for one in index_status(library, (), checking.emit, verify=True):
        if one.problem is None:
            continue
        if checking.repair:
            list(rebuild(library, [one.space.name], checking.emit))
        text = f"the index of space '{one.space.name}' is damaged: {one.problem}"
        remedy = "" if checking.repair else "photoindex index rebuild"
        yield Problem("indices", text, remedy, repaired=checking.repair)
    dropped = _folders_of_dropped_spaces(library.indices_folder, checking)
    if dropped:
        if checking.repair:
            for folder in dropped:
                shutil.rmtree(folder, ignore_errors=True)
        text = counted(len(dropped), "index of a space that was dropped", "indices of spaces that were dropped")
        remedy = "" if checking.repair else _REPAIR
        examples = tuple(map(os.fsencode, dropped[:EXAMPLES]))
        yield Problem("indices", text, remedy, len(dropped), examples, harmful=False, repaired=checking.repair)


def models(checking: Checking) -> Iterator[Problem]:
    """Hash the files of installed models and compare them with the lock."""
    library = checking.library
    try:
        changed = [one for one in verify_models(library, None, checking.emit) if one.problem is not None]
    except ModelUnavailable as error:
        yield Problem("models", str(error))
        return
    for one in changed:
        where = os.fsencode(library.models_folder / one.model_id / one.name)
        text = f"{one.name} of the model '{one.model_id}': {one.problem}"
        yield Problem("models", text, install_command(library, one.model_id), examples=(where,))


def _folders_of_dropped_spaces(folder: Path, checking: Checking) -> list[Path]:
    with checking.library.database.read() as connection:
        there = {str(one.id) for one in spaces.all_spaces(connection)}
    with suppress(FileNotFoundError):
        return sorted(one for one in folder.iterdir() if one.name.isdigit() and one.name not in there)
    return []


def _is_old(path: bytes) -> bool:
    try:
        return time.time() - os.lstat(path).st_mtime > OLD_SECONDS
    except FileNotFoundError:
        return False
