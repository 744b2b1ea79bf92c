"""Writing a new generation of an index and atomically making it the current one."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from photoindex.atomic_files import atomic_file, sync_folder
from photoindex.vectors.base import Block
from photoindex.vectors.faiss_codes import Codes
from photoindex.vectors.flat_file import STORED, FlatFile
from photoindex.vectors.generation import CODED_FROM_ROWS, Generation
from photoindex.vectors.manifest import (
    CODES_NAME,
    CURRENT_NAME,
    GENERATION_PREFIX,
    IDS_NAME,
    MANIFEST_NAME,
    SAMPLE_NAME,
    VECTORS_NAME,
    Current,
    GenerationManifest,
    Piece,
)

SAMPLE_ROWS = 4_096
BUILDING_PREFIX = ".new-"
_TRAINING_ROWS = 50_000
_CODING_ROWS = 16_384
_GENERATION_NAME = re.compile(rf"{GENERATION_PREFIX}(\d+)")

Advance = Callable[[str, int], None]
"""Called with the step, "vectors" or "codes", and the number of vectors done in it."""


def _no_advance(_step: str, _rows: int) -> None:
    return


@dataclass(slots=True)
class _Draft:
    """A generation that is being written."""

    folder: Path
    dim: int
    ids: list[NDArray[np.int64]] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(map(len, self.ids))


def write(
    folder: Path, blocks: Iterable[Block], dim: int, *, advance: Advance = _no_advance, coded: bool = True
) -> Path:
    """Write a new generation of only these vectors, make it current and return its folder.

    coded: whether codes are made, too; without them it is written three times as fast and searched more slowly.
    The caller must ensure that nobody else writes to `folder`, the folder of the index; readers are allowed. If killed
    at any moment, the old generation stays current and at most a folder is left that the next write removes. Raises
    ValueError for ids that are not ascending or vectors of another dimension, and OSError.
    """
    building = _begin(folder)
    try:
        draft = _Draft(building, dim)
        with (building / VECTORS_NAME).open("wb") as file:
            _add_blocks(draft, file, blocks, advance)
        codes = _coded(draft, None, advance) if coded else None
        return _publish(folder, draft, codes, draft.rows if codes else 0)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def append(folder: Path, base: Generation, blocks: Iterable[Block], *, advance: Advance = _no_advance) -> Path:
    """Write a new generation of the vectors of `base`, the current one, and newer vectors; return its folder.

    The file of vectors is shared with `base` by a hard link and appended to, beyond the part that `base` reads; only
    the codes and the small files are rewritten. Otherwise like `write`.
    """
    building = _begin(folder)
    try:
        draft = _Draft(building, base.dim, [base.ids], list(base.manifest.pieces))
        vectors = building / VECTORS_NAME
        try:
            os.link(base.flat.path, vectors)
        except OSError:  # a file system without hard links
            shutil.copyfile(base.flat.path, vectors)
        with vectors.open("r+b") as file:
            # Remove what a killed merge left after the vectors of `base`.
            file.truncate(len(base) * base.dim * STORED.itemsize)
            file.seek(0, os.SEEK_END)
            _add_blocks(draft, file, blocks, advance)
        trained_on = base.manifest.coded_from
        kept = Codes.read(base.folder / CODES_NAME, to_add=True) if trained_on and draft.rows < 2 * trained_on else None
        codes = _coded(draft, kept, advance)
        return _publish(folder, draft, codes, trained_on if kept else (draft.rows if codes else 0))
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def remove_leftovers(folder: Path, keep: str | None) -> int:
    """Remove leftovers of killed writes and all generations except `keep`; return the number of bytes freed.

    Readers of an older generation can continue: its files exist until they are closed.
    """
    freed = 0
    with suppress(FileNotFoundError):
        for entry in list(os.scandir(folder)):
            if entry.name == keep or not entry.name.startswith((GENERATION_PREFIX, BUILDING_PREFIX)):
                continue
            freed += _size_bytes(Path(entry.path))
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
    return freed


def _begin(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    building = folder / f"{BUILDING_PREFIX}{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    return building


def _add_blocks(draft: _Draft, file: BinaryIO, blocks: Iterable[Block], advance: Advance) -> None:
    import blake3

    digest = blake3.blake3()
    before = draft.rows
    largest = int(draft.ids[-1][-1]) if before else 0
    added = 0
    for ids, values in blocks:
        if not len(ids):
            continue
        if values.shape != (len(ids), draft.dim):
            raise ValueError(f"vectors of the shape {values.shape} instead of dimension {draft.dim}")
        if int(ids[0]) <= largest or (np.diff(ids) <= 0).any():
            raise ValueError("the ids of the vectors are not ascending")
        content = np.ascontiguousarray(values, STORED).tobytes()
        file.write(content)
        digest.update(content)
        draft.ids.append(np.asarray(ids, np.int64))
        largest = int(ids[-1])
        added += len(ids)
        advance("vectors", added)
    _sync(file)
    if added:
        draft.pieces.append(Piece(added, digest.hexdigest()))


def _coded(draft: _Draft, kept: Codes | None, advance: Advance) -> Codes | None:
    """Return codes of all vectors: `kept` extended, or new ones; None if there are too few vectors."""
    rows = draft.rows
    if rows < CODED_FROM_ROWS:
        return None
    flat = FlatFile(draft.folder / VECTORS_NAME, rows, draft.dim)
    codes = kept
    if codes is None:
        chosen = np.unique(np.linspace(0, rows - 1, _TRAINING_ROWS, dtype=np.int64))
        sample = flat.at(chosen).astype(np.float32)
        codes = Codes.trained(sample[np.isfinite(sample).all(axis=1)])
    start = len(codes)
    for first in range(start, rows, _CODING_ROWS):
        stop = min(first + _CODING_ROWS, rows)
        codes.add(flat.block(first, stop))
        advance("codes", stop - start)
    return codes


def _publish(folder: Path, draft: _Draft, codes: Codes | None, coded_from: int) -> Path:
    import blake3
    import faiss

    ids = np.concatenate(draft.ids) if draft.ids else np.zeros(0, np.int64)
    small: dict[str, NDArray[Any]] = {IDS_NAME: ids.astype("<i8"), SAMPLE_NAME: _sample(draft)}
    if codes is not None:
        small[CODES_NAME] = codes.to_bytes()
    digests = {}
    for name, values in small.items():
        content = values.reshape(-1).view(np.uint8).data
        digests[name] = blake3.blake3(max_threads=blake3.blake3.AUTO).update(content).hexdigest()
        _write_synced(draft.folder / name, content)
    manifest = GenerationManifest(
        dim=draft.dim,
        rows=len(ids),
        largest_id=int(ids[-1]) if len(ids) else 0,
        coded_from=coded_from,
        made_at=time.time(),
        faiss=faiss.__version__,
        digests=digests,
        pieces=tuple(draft.pieces),
    ).to_bytes()
    _write_synced(draft.folder / MANIFEST_NAME, manifest)
    sync_folder(draft.folder)
    made = folder / f"{GENERATION_PREFIX}{_next_number(folder):06d}"
    draft.folder.rename(made)
    sync_folder(folder)
    _make_current(folder, Current(made.name, blake3.blake3(manifest).hexdigest()))
    remove_leftovers(folder, made.name)
    return made


def _make_current(folder: Path, current: Current) -> None:
    with atomic_file(folder / CURRENT_NAME, temporary=folder / f"{BUILDING_PREFIX}{CURRENT_NAME}") as file:
        file.write(current.to_bytes())


def _sample(draft: _Draft) -> NDArray[np.float16]:
    rows = draft.rows
    if not rows:
        return np.empty((0, draft.dim), STORED)
    random = np.random.default_rng(rows)
    chosen = np.sort(random.choice(rows, min(SAMPLE_ROWS, rows), replace=False))
    return FlatFile(draft.folder / VECTORS_NAME, rows, draft.dim).at(chosen)


def _next_number(folder: Path) -> int:
    taken = [int(match[1]) for match in map(_GENERATION_NAME.fullmatch, os.listdir(folder)) if match]
    return max(taken, default=0) + 1


def _size_bytes(path: Path) -> int:
    """Return the size of a file or of a folder's files, without files that have other hard links."""
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    states = [os.lstat(one) for one in files]
    return sum(one.st_size for one in states if one.st_nlink == 1)


def _write_synced(path: Path, content: bytes | memoryview) -> None:
    with path.open("wb") as file:
        file.write(content)
        _sync(file)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
