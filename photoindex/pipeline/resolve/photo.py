"""Resolves one photo's facts and writes its row, its place and its full-text document."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from photoindex.domain.facts.resolve import resolve
from photoindex.geo.gazetteer import Gazetteer
from photoindex.pipeline.resolve.evidence import Evidence, gather, gather_all
from photoindex.store.people import hand_over, marks
from photoindex.store.photos import assets
from photoindex.store.photos.assets import Resolution
from photoindex.store.photos.places import display, ensure_place
from photoindex.store.search import text_index
from photoindex.store.words import resolved

_KEPT = 4096
_DECIMALS = 4
"""Positions equal to this many decimals (about 10 m) are looked up once."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves photos, in the caller's write transaction.

    root_of: returns the part of a folder's path that is worth searching for, without what is above the root. places: finds
    the place of a position. home_zone: the IANA zone for times without one, if the user set it.
    """

    root_of: Callable[[int, bytes], bytes]
    places: PlaceResolver
    home_zone: str | None = None

    def refresh(self, connection: Connection, photo_ids: Collection[int]) -> None:
        """Resolve up to a few hundred photos, and bring up to date what follows from their facts."""
        found = gather_all(connection, photo_ids)
        self._resolve(connection, found)
        resolved.follow(connection, found)

    def resolve(self, connection: Connection, photo_id: int) -> None:
        """Resolve a photo's facts from its contents, files, sidecars and corrections; `resolved.follow` must be called after.

        The faces that its files mark become those of its primary content.
        """
        evidence = gather(connection, photo_id)
        if evidence is not None:
            self._resolve(connection, {photo_id: evidence})

    def _resolve(self, connection: Connection, found: Mapping[int, Evidence]) -> None:
        resolutions = [self._resolution(connection, photo_id, evidence) for photo_id, evidence in found.items()]
        marks.write_all(connection, [(evidence.contents, evidence.marks) for evidence in found.values()])
        assets.store_resolutions(connection, resolutions)

    def _resolution(self, connection: Connection, photo_id: int, evidence: Evidence) -> Resolution:
        first = evidence.files[0]
        facts = resolve(
            evidence.facts, name=first.name, folder=first.folder_path, mtime_ns=first.mtime_ns, home_zone=self.home_zone
        )
        place_id, place = None, None
        if facts.latitude is not None and facts.longitude is not None:
            place_id, place = self.places.at(connection, facts.latitude, facts.longitude)
        facts = replace(facts, place=place)
        names = list(dict.fromkeys(each.name for each in evidence.files))
        folders = list(dict.fromkeys(self.root_of(each.volume_id, each.folder_path) for each in evidence.files))
        document = text_index.document(names, folders, facts)
        if others := [one.asset_id for one in evidence.contents[1:]]:
            hand_over.to_primary(connection, evidence.content.asset_id, others)
        return Resolution(photo_id, evidence.content, facts, document, place_id)


@dataclass(slots=True)
class PlaceResolver:
    """Finds the nearest place of a position; opens the gazetteer on first use."""

    gazetteer: Gazetteer = field(default_factory=Gazetteer)
    _known: OrderedDict[tuple[float, float], tuple[int, str] | None] = field(default_factory=OrderedDict)

    def prepare(self) -> None:
        """Open the gazetteer, which may take seconds; call it outside a transaction if there are positions to resolve."""
        self.gazetteer.open()

    def at(self, connection: Connection, latitude: float, longitude: float) -> tuple[int | None, str | None]:
        """Return id and text of the nearest place, (None, None) if none is near. Call it in a write transaction."""
        key = (round(latitude, _DECIMALS), round(longitude, _DECIMALS))
        if key not in self._known:
            found = self.gazetteer.nearest(latitude, longitude)
            self._known[key] = None if found is None else (ensure_place(connection, found), display(found))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        known = self._known[key]
        return (None, None) if known is None else known
