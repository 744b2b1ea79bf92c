"""Place rows of photos."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection, select

from photoindex.geo.gazetteer import GazetteerPlace
from photoindex.store.schema.tables import place as place_table
from photoindex.text import fold


class NamedPlace(Protocol):
    """Anything with the names of a place: a GazetteerPlace or a table row."""

    @property
    def city(self) -> str:
        """The city, town or village."""
        ...

    @property
    def region(self) -> str | None:
        """The state, canton or district."""
        ...

    @property
    def country(self) -> str:
        """The country's English name."""
        ...


def ensure_place(connection: Connection, place: GazetteerPlace) -> int:
    """Insert a place, or update it if the gazetteer has newer data, and return its id."""
    columns = place_table.c
    values = {
        "city": place.city,
        "region": place.region,
        "country": place.country,
        "country_code": place.country_code,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "population": place.population,
        "words": place.words,
        "alternates": place.alternates,
    }
    found = connection.execute(
        select(place_table).where(
            columns.country_code == place.country_code,
            columns.city == place.city,
            columns.latitude == place.latitude,
            columns.longitude == place.longitude,
        )
    ).one_or_none()
    if found is None:
        inserted = connection.execute(place_table.insert().values(values).returning(columns.id))
        return int(inserted.scalar_one())
    row_id = int(found.id)
    if any(getattr(found, name) != value for name, value in values.items()):
        connection.execute(place_table.update().where(columns.id == row_id).values(values))
    return row_id


def display(place: NamedPlace) -> str:
    """Return a name for display, such as "Porto, Portugal": city, region and country without repetitions."""
    parts: list[str] = []
    for part in (place.city, place.region, place.country):
        if part and fold(part) not in map(fold, parts):
            parts.append(part)
    return ", ".join(parts)
