"""The names that a library knows: places, cameras, and what else a name can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sqlalchemy import Connection, exists, func, or_, select

from photoindex.geo.names import name_key
from photoindex.store.engine.statements import position_of
from photoindex.store.schema.tables import album, individual, photo, photo_keyword, place, tag
from photoindex.text import fold


def place_called(connection: Connection, key: str) -> Literal["city", "wide", "other"] | None:
    """Return what this is the whole name of, among the places where photos were taken; see `geo.names.name_key`.

    wide is a region or a country, other is another name of a city.
    """
    named = or_(position_of(place.c.words, f" {key} ") > 0, position_of(place.c.alternates, f"\n{key}\n") > 0)
    columns = (place.c.city, place.c.region, place.c.country, place.c.alternates)
    rows = connection.execute(select(*columns).where(named, exists().where(photo.c.place_id == place.c.id))).all()
    if any(name and key == name_key(name) for _, region, country, _ in rows for name in (region, country)):
        return "wide"
    if any(key == name_key(city) for city, *_ in rows if city):
        return "city"
    return "other" if any(key in (alternates or "").split("\n") for *_, alternates in rows) else None


def country_of(connection: Connection, code: str) -> str | None:
    """Return the name of a country, by its ISO 3166-1 code, in which photos were taken; None if there are none."""
    statement = select(place.c.country).where(
        place.c.country_code == code, exists().where(photo.c.place_id == place.c.id)
    )
    return connection.execute(statement.limit(1)).scalar()


def cameras(connection: Connection) -> Iterator[str]:
    """Yield the makers and models of all cameras, as folded words."""
    for make, model in connection.execute(select(photo.c.camera_make, photo.c.camera_model).distinct()):
        yield name_key(f"{make or ''} {model or ''}")


def is_other_name(connection: Connection, key: str) -> bool:
    """Tell whether a folded name is also that of a person, a tag or an album."""
    names = (individual.c.name, tag.c.name, album.c.name)
    found = (
        connection.execute(select(column).where(func.lower(column).like(f"%{key[:1]}%"))).scalars() for column in names
    )
    return any(
        key in fold(name).replace("/", " ").split() or fold(name) == key for rows in found for name in rows if name
    )


def lenses(connection: Connection) -> Iterator[str]:
    """Yield the names of all lenses."""
    yield from connection.execute(select(photo.c.lens).where(photo.c.lens.is_not(None)).distinct()).scalars()


def places(connection: Connection) -> Iterator[str]:
    """Yield the names of the cities, regions and countries where photos were taken."""
    columns = (place.c.city, place.c.region, place.c.country)
    for row in connection.execute(select(*columns).where(exists().where(photo.c.place_id == place.c.id))):
        yield from (name for name in row if name)


def tags(connection: Connection) -> Iterator[str]:
    """Yield the names of all tags."""
    yield from connection.execute(select(tag.c.name)).scalars()


def keywords(connection: Connection) -> Iterator[str]:
    """Yield the keywords that files have."""
    statement = select(tag.c.name).where(exists().where(photo_keyword.c.tag_id == tag.c.id))
    yield from connection.execute(statement).scalars()


def albums(connection: Connection) -> Iterator[str]:
    """Yield the names of all albums."""
    yield from connection.execute(select(album.c.name).distinct()).scalars()
