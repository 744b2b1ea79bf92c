"""Finds derived files that are missing, empty or cut, by opening each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from photoindex.pipeline.ingest.derived_check import FOLDERS, DerivedBetween
from photoindex.pipeline.ingest.derived_files import is_whole, preview_path, thumbnail_path


@dataclass(frozen=True, slots=True)
class Unsound:
    """One derived file of a content, and what is wrong with it: missing, empty, cut, unreadable."""

    asset_id: int
    path: Path
    problem: str


def unsound_files(
    folder: Path, derived_between: DerivedBetween, advance: Callable[[int], None]
) -> Iterator[list[Unsound]]:
    """Yield lists of derived files that are not sound. advance: subfolders looked at so far, of FOLDERS."""
    for byte in range(256):
        wanted = derived_between(bytes([byte]), bytes([byte + 1]) if byte < 255 else None)
        paths = (
            (asset_id, path(folder, digest))
            for digest, asset_id in wanted.items()
            for path in (preview_path, thumbnail_path)
        )
        found = [Unsound(asset_id, path, what) for asset_id, path in paths if (what := _problem(path))]
        if found:
            yield found
        advance(FOLDERS * (byte + 1) // 256)


def _problem(path: Path) -> str:
    """Return what is wrong with a derived file, "" if it begins and ends as a JPEG does."""
    try:
        if is_whole(path):
            return ""
        return "cut" if path.stat().st_size else "empty"
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError:
        return "unreadable"
