"""Looks for faces in originals, where previews show small ones: which photos, where their files are, what is offline."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import KnownVolume, volumes_now
from photoindex.library.scan.ingest import jobs_for
from photoindex.pipeline.larger_picture import Original, read_larger
from photoindex.pipeline.run.decoder_pool import DecoderPool
from photoindex.pipeline.run.executor import Executor
from photoindex.pipeline.run.originals_first import OriginalsFirst
from photoindex.pipeline.workers.isolation import start_forkserver
from photoindex.stages.faces import STAGE
from photoindex.store.people import small_faces
from photoindex.store.people.small_faces import OriginalFile, SmallFaces
from photoindex.store.tasks.asset_tasks import StageVariant

LONGEST_PX = 2048
"""Longest side of the pictures that are decoded."""
PICTURE: Mapping[str, object] = {"of": "original", "longest_px": LONGEST_PX}
"""The picture that is looked through, for the variant's key."""
BATCH_MAX = 8
"""Pictures per batch; these are four times as large as previews."""


@dataclass(slots=True)
class Originals:
    """The originals of photos whose preview shows small faces.

    previews: the variant that looked through the previews. offline: label of a volume -> photos that are left out because
    it is not mounted. without_file: photos whose files are all missing.
    """

    library: Library
    previews: int
    offline: Counter[str] = field(default_factory=Counter)
    without_file: int = 0
    _volumes: dict[int, KnownVolume] = field(default_factory=dict)

    def chosen(self, connection: Connection, variant_id: int) -> list[int]:
        """Return the contents to look through that are within reach, and count the others."""
        config = self.library.config
        self._volumes = volumes_now(connection)
        wanted = SmallFaces(config.faces.small_face_px, config.derived.preview_px)
        places: dict[int, list[int]] = {}
        for asset_id, volume_id in small_faces.contents_with(
            connection,
            wanted,
            found_by=StageVariant(STAGE.name, self.previews),
            without_task=StageVariant(STAGE.name, variant_id),
        ):
            places.setdefault(asset_id, []).extend([] if volume_id is None else [volume_id])
        return [asset_id for asset_id, volumes in places.items() if self._is_within_reach(volumes)]

    def inputs(self, connection: Connection, asset_ids: Sequence[int]) -> dict[int, Original]:
        """Return the original of each content, on a volume that is mounted."""
        limits = self.library.config.scan.limits
        found: dict[int, Original] = {}
        for one in small_faces.files_of(connection, asset_ids):
            path = self._path_of(one)
            if path is not None:
                found.setdefault(one.asset_id, Original(path, one.digest, LONGEST_PX, limits))
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
