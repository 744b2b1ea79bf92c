"""Reads originals once more for a stage, at a larger size than previews: which are within reach, what is offline."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from photoindex.library.cores import jobs_for
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import KnownVolume, volumes_now
from photoindex.pipeline.larger_picture import Original, read_larger
from photoindex.pipeline.run.decoder_pool import DecoderPool
from photoindex.pipeline.run.executor import Executor
from photoindex.pipeline.run.originals_first import OriginalsFirst
from photoindex.pipeline.workers.isolation import start_forkserver
from photoindex.store.files.originals import OriginalFile, files_of

Find = Callable[[Connection, int], Iterable[tuple[int, int | None]]]
"""Returns content and volume of each present file of the contents to read, given the id of the variant that reads them."""


@dataclass(slots=True)
class LargerOriginals:
    """The originals of some contents.

    longest_px: of the decoded pictures. offline: label of a volume -> photos that are left out because it is not mounted.
    without_file: photos whose files are all missing.
    """

    library: Library
    longest_px: int
    find: Find
    offline: Counter[str] = field(default_factory=Counter)
    without_file: int = 0
    _volumes: dict[int, KnownVolume] = field(default_factory=dict)

    def chosen(self, connection: Connection, variant_id: int) -> list[int]:
        """Return the contents to read that are within reach, and count the others."""
        self._volumes = volumes_now(connection)
        places: dict[int, list[int]] = {}
        for asset_id, volume_id in self.find(connection, variant_id):
            places.setdefault(asset_id, []).extend([] if volume_id is None else [volume_id])
        return [asset_id for asset_id, volumes in places.items() if self._is_within_reach(volumes)]

    def inputs(self, connection: Connection, asset_ids: Sequence[int]) -> dict[int, Original]:
        """Return the original of each content, on a volume that is mounted."""
        limits = self.library.config.scan.limits
        found: dict[int, Original] = {}
        for one in files_of(connection, asset_ids):
            path = self._path_of(one)
            if path is not None:
                found.setdefault(one.asset_id, Original(path, one.digest, self.longest_px, limits))
        return found

    def around(self, model: Executor, stop: Callable[[], bool]) -> Executor:
        """Return the executor that decodes originals for the model."""
        from photoindex.media.decode.preload import preload_modules

        scan = self.library.config.scan
        start_forkserver(preload_modules())
        decoders = DecoderPool(
            read_larger, count=scan.jobs or jobs_for(scan.cores_share), limits=scan.limits, stop=stop
        )
        return OriginalsFirst(decoders, model)

    def _is_within_reach(self, volumes: Sequence[int]) -> bool:
        if any(self._volumes[one].online for one in volumes):
            return True
        if volumes:
            self.offline[self._volumes[volumes[0]].row.label] += 1
        else:
            self.without_file += 1
        return False

    def _path_of(self, one: OriginalFile) -> bytes | None:
        mounted_at = self._volumes[one.volume_id].mounted_at
        return None if mounted_at is None else os.path.join(mounted_at, one.folder_path, one.name)
