"""Resolving: from everything that is known of a photo to its row, its place and its full-text document."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from photoindex.domain.facts.resolve import resolve
from photoindex.geo.gazetteer import Gazetteer
from photoindex.pipeline.resolve.evidence import gather
from photoindex.store.photos import assets
from photoindex.store.photos.places import display, ensure_place
from photoindex.store.search import text_index

_KEPT = 4096
_DECIMALS = 4
"""Positions that agree so far (about 10 m) are looked up once."""


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


@dataclass(slots=True)
class Placer:
    """Names positions; the gazetteer is opened at the first one."""

    gazetteer: Gazetteer = field(default_factory=Gazetteer)
    _known: OrderedDict[tuple[float, float], tuple[int, str] | None] = field(default_factory=OrderedDict)

    def prepare(self) -> None:
        """Open the gazetteer, which may take seconds; to be called outside of a transaction where positions will come."""
        self.gazetteer.open()

    def at(self, connection: Connection, latitude: float, longitude: float) -> tuple[int | None, str | None]:
        """Return number and text of the nearest place, (None, None) far from any. To be called in a write transaction."""
        key = (round(latitude, _DECIMALS), round(longitude, _DECIMALS))
        if key not in self._known:
            found = self.gazetteer.nearest(latitude, longitude)
            self._known[key] = None if found is None else (ensure_place(connection, found), display(found))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        known = self._known[key]
        return (None, None) if known is None else known
