"""What a query may refer to beyond its own text: the clock, the saved queries, the names of places."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from photoindex.library.handle import Library
from photoindex.query.syntax import Lookups


def lookups_of(library: Library) -> Lookups:
    """Return the look-ups of a library at this moment; nothing is read before a query needs it."""

    def saved() -> Mapping[str, str]:
        # Saved queries bring the journal along, which most searches do without.
        from photoindex.store.search.saved import saved_queries

        with library.database.read() as connection:
            return {one.name: one.query for one in saved_queries(connection)}

    # Local time: `today` is the day on the wall where the question is asked.
    return Lookups(now=datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%S"), saved=saved, place=_position)


def _position(name: str) -> tuple[float, float, str]:
    from photoindex.geo.gazetteer import Gazetteer

    with Gazetteer() as gazetteer:
        place = gazetteer.find(name)
        if place is None:
            raise ValueError(gazetteer.refusal(name))
        names = dict.fromkeys(name for name in (place.city, place.region, place.country) if name)
        return place.latitude, place.longitude, ", ".join(names)
