"""Resolving: from everything that is known of a photo to its row, its place and its full-text document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from photoindex.domain.facts.resolve import resolve
from photoindex.pipeline.placing import Placer
from photoindex.pipeline.resolve.evidence import gather
from photoindex.store.photos import assets
from photoindex.store.search import text_index


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves photos; each call belongs to a write transaction of the caller's.

    `root_of` gives the part of a folder's path that names nothing a person would search for (what lies above a root).
    `places` names positions. `home_zone` is the IANA zone for times that state none, where the user set one.
    """

    root_of: Callable[[int, bytes], bytes]
    places: Placer
    home_zone: str | None = None

    def refresh(self, connection: Connection, photo_id: int) -> None:
        """Resolve a photo's facts anew from its contents, files, sidecars and corrections, and rewrite its full-text document."""
        evidence = gather(connection, photo_id)
        if evidence is None:
            return
        first = evidence.files[0]
        resolved = resolve(
            evidence.facts, name=first.name, folder=first.folder_path, mtime_ns=first.mtime_ns, home_zone=self.home_zone
        )
        place_id, place = None, None
        if resolved.latitude is not None and resolved.longitude is not None:
            place_id, place = self.places.at(connection, resolved.latitude, resolved.longitude)
        resolved = replace(resolved, place=place)
        names = list(dict.fromkeys(each.name for each in evidence.files))
        folders = list(dict.fromkeys(self.root_of(each.volume_id, each.folder_path) for each in evidence.files))
        document = text_index.document(names, folders, resolved)
        assets.store_resolution(
            connection, photo_id, content=evidence.content, resolved=resolved, document=document, place_id=place_id
        )
