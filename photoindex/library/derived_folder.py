"""Whether the folder of derived files is where it should be: it may be on a disk that is not mounted."""

from __future__ import annotations

import os

from photoindex.errors import VolumeOffline
from photoindex.library.handle import Library
from photoindex.paths import display
from photoindex.pipeline.ingest import derived_check
from photoindex.store.photos import derived_flags


def is_away(library: Library) -> bool:
    """Return whether DERIVED_PATH is set, and holds nothing although the library has derived files."""
    if library.config.derived_path is None or derived_check.has_files(library.derived_folder):
        return False
    with library.database.read() as connection:
        return derived_flags.has_derived(connection)


def check_not_away(library: Library) -> None:
    """Raise VolumeOffline if the derived folder is on a disk that is probably not mounted."""
    if is_away(library):
        raise VolumeOffline(
            f"{display(os.fsencode(library.derived_folder))} (DERIVED_PATH) holds none of the previews; mount its disk, or make "
            "all previews again with: photoindex scan --check-derived"
        )
