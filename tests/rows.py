"""Writes database rows without scanning, for tests of code that reads the tables."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from photoindex.app import open_library
from photoindex.config.schema import Config
from photoindex.library.handle import Library
from photoindex.mounts import mount_of
from photoindex.paths import relative_to
from photoindex.stages.ingest import STAGE
from photoindex.store.schema.tables import asset, file, folder, photo, photo_text, root, task, variant, volume
from photoindex.store.tasks import queue
from tests.new_library import ensure_library

ADDED_AT = 1_700_000_000.0
_MTIME_NS = 1_600_000_000_000_000_000


@contextmanager
def library_in(folder_path: Path) -> Iterator[Library]:
    """Open a new or existing library in `folder_path`."""
    ensure_library(folder_path)
    with open_library(Config(library=folder_path), create=True) as library:
        yield library


class VolumeRows:
    """A volume mounted at `originals` (a folder of the test), and database rows for its files.

    `online=False` gives the volume the identity of a file system that is not mounted.
    """

    def __init__(self, library: Library, originals: Path, *, online: bool = True, label: str = "disk") -> None:
        self.library = library
        self.originals = os.fsencode(originals)
        mount = mount_of(self.originals)
        self.mount_point = mount.point if online else self.originals
        with self.writing() as connection:
            identity = mount.identity if online else f"nfs:server:/{label}"
            known = connection.execute(select(volume.c.id).where(volume.c.identity == identity)).scalar()
            self.volume_id: int = known or self._insert(
                connection,
                volume,
                identity=identity,
                label=label,
                mount_point=self.mount_point,
                file_system="ext4",
                last_seen_at=ADDED_AT,
            )
            self.variant_id: int = connection.execute(
                select(variant.c.id).where(variant.c.stage == "ingest")
            ).scalar() or self._insert(
                connection, variant, stage="ingest", key=f'{{"code":{STAGE.code_version}}}', created_at=ADDED_AT
            )

    def writing(self) -> Any:
        """Open a connection in a write transaction."""
        return self.library.database.write()

    def relative(self, path: bytes) -> bytes:
        """Return an absolute path relative to the mount point."""
        return relative_to(path, self.mount_point)

    def add_root(self, path: Path | None = None, **values: Any) -> int:
        """Add a root; by default the originals' folder."""
        absolute = self.originals if path is None else os.fsencode(path)
        row = {"excludes": [], "follow_symlinks": False, "added_at": ADDED_AT, "scanned_at": ADDED_AT} | values
        with self.writing() as connection:
            return self._insert(connection, root, volume_id=self.volume_id, path=self.relative(absolute), **row)

    def add_file(self, name: str | bytes, *, create: bool = True, asset_id: int | None = None, **values: Any) -> int:
        """Add a file by its path relative to the originals; `create` also creates it on disk."""
        relative = os.fsencode(name)
        absolute = os.path.join(self.originals, relative)
        if create:
            os.makedirs(os.path.dirname(absolute), exist_ok=True)
            Path(os.fsdecode(absolute)).write_bytes(b"content")
            os.utime(absolute, ns=(_MTIME_NS, _MTIME_NS))
        folder_path, base = os.path.split(self.relative(absolute))
        row = {"size_bytes": 7, "mtime_ns": _MTIME_NS, "state": "present", "media": asset_id and True}
        row |= {"first_seen_at": ADDED_AT} | values
        with self.writing() as connection:
            where = (folder.c.volume_id == self.volume_id, folder.c.path == folder_path)
            folder_id = connection.execute(select(folder.c.id).where(*where)).scalar() or self._insert(
                connection, folder, volume_id=self.volume_id, path=folder_path
            )
            return self._insert(connection, file, folder_id=folder_id, name=base, asset_id=asset_id, **row)

    def add_photo(self, **values: Any) -> int:
        """Add a photo with one asset and its texts; `asset_*` values are set on the asset, others on the photo."""
        asset_values = {key.removeprefix("asset_"): values.pop(key) for key in list(values) if key.startswith("asset_")}
        row = {"kind": "image", "format": "jpeg", "size_bytes": 7, "keywords": [], "sources": {}, "added_at": ADDED_AT}
        with self.writing() as connection:
            photo_id = self._insert(connection, photo, **(row | values))
            asset_id = self._add_asset(connection, photo_id, asset_values)
            connection.execute(photo.update().where(photo.c.id == photo_id).values(primary_asset_id=asset_id))
            texts = dict.fromkeys(("name", "folder", "camera", "keywords", "title", "description"), "")
            connection.execute(insert(photo_text).values(photo_id=photo_id, **texts))
            return photo_id

    def add_asset(self, photo_id: int, **values: Any) -> int:
        """Add another content to a photo."""
        with self.writing() as connection:
            return self._add_asset(connection, photo_id, values)

    def _add_asset(self, connection: Connection, photo_id: int, values: dict[str, Any]) -> int:
        number = len(connection.execute(select(asset.c.id)).all()) + 1
        row: dict[str, Any] = {"digest": number.to_bytes(32, "big"), "size_bytes": 7, "kind": "image", "format": "jpeg"}
        row |= {"facts": {}, "notes": [], "derived": True, "variant_id": self.variant_id, "role": "primary"}
        return self._insert(connection, asset, **(row | {"added_at": ADDED_AT, "photo_id": photo_id} | values))

    def asset_of(self, photo_id: int) -> int:
        """Return the id of a photo's primary asset."""
        with self.library.database.read() as connection:
            return int(connection.execute(select(photo.c.primary_asset_id).where(photo.c.id == photo_id)).scalar_one())

    def add_task(self, subject_id: int, state: str = "done", **values: Any) -> int:
        """Add the ingest task of a file, or another one."""
        row = {"subject_kind": "file", "stage": "ingest", "attempts": 1, "priority": 0}
        row |= {"updated_at": ADDED_AT, "seconds": 0.25 if state == "done" else None}
        with self.writing() as connection:
            stage = values.get("stage", "ingest")
            row["variant_id"] = self.variant_id if stage == "ingest" else queue.ensure_variant(connection, stage, {})
            return self._insert(connection, task, subject_id=subject_id, state=state, **(row | values))

    def add_whole_photo(self, name: str | bytes, *, state: str = "present", **values: Any) -> int:
        """Add a photo with one file and its finished task."""
        photo_id = self.add_photo(**values)
        gone = {"missing_since": time.time()} if state == "missing" else {}
        file_id = self.add_file(name, asset_id=self.asset_of(photo_id), state=state, create=state == "present", **gone)
        self.add_task(file_id)
        return photo_id

    def _insert(self, connection: Connection, table: Any, **values: Any) -> int:
        return int(connection.execute(insert(table).values(**values)).inserted_primary_key[0])
