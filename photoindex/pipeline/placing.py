"""From a position to the row of the place that it is at."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy import Connection

from photoindex.geo.gazetteer import Gazetteer
from photoindex.store.photos.places import display, ensure_place

_KEPT = 4096
_DECIMALS = 4
"""Positions that agree so far (about 10 m) are looked up once."""


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
