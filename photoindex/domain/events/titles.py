"""Titles of events for display, and their keys for queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from photoindex.text import fold

_SHARE_OF_ANOTHER_PLACE = 0.2
_KEY_WORD_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A place and the number of photos taken there; city: empty if only the country is known; country_code: ISO 3166-1 alpha-2."""

    city: str
    region: str | None
    country: str
    country_code: str
    photos: int


def title(places: Sequence[PlaceName], first_day: str, last_day: str, *, cities_max: int = 2) -> str:
    """Return "Lisbon and Sintra, Portugal": the most photographed places, or only the countries if there are several.

    places: most photographed first; those with less than a fifth of the photos of the first are left out. Without places
    the title is the days, ISO 8601.
    """
    if not places:
        return first_day if first_day == last_day else f"{first_day} to {last_day}"
    named = [place for place in places if place.photos >= _SHARE_OF_ANOTHER_PLACE * places[0].photos]
    countries = list(dict.fromkeys(place.country for place in named))
    if len(countries) == 1:
        cities = dict.fromkeys(place.city for place in named if place.city)
        return ", ".join(part for part in (_listed(cities, cities_max), countries[0]) if part)
    if len(named) == 2 == cities_max:
        return " and ".join(f"{place.city}, {place.country}" if place.city else place.country for place in named)
    return _listed(countries, max(cities_max, 3))


def key(places: Sequence[PlaceName], first_day: str, *, trip: bool) -> str:
    """Return `2019-06-01-lisbon`, or for a trip `2019-06-01-trip-portugal`; the place is left out if unknown.

    Only ASCII letters, digits and hyphens; a name without any of these is replaced by the country's code.
    """
    words = [first_day, "trip"] if trip else [first_day]
    if places:
        name = places[0].country if trip else places[0].city or places[0].country
        words.append(_slug(name) or _slug(places[0].country_code))
    return "-".join(word for word in words if word)


def unique_keys(keys: Iterable[str]) -> list[str]:
    """Return the keys in order, with the first free suffix -2, -3, … added to repeated ones."""
    taken: set[str] = set()
    next_suffix: dict[str, int] = {}
    unique = []
    for wanted in keys:
        free = wanted
        if wanted in taken:
            free = next(
                numbered
                for number in count(next_suffix.get(wanted, 2))
                if (numbered := f"{wanted}-{number}") not in taken
            )
            next_suffix[wanted] = int(free.rpartition("-")[2]) + 1
        taken.add(free)
        unique.append(free)
    return unique


def _listed(names: Iterable[str], most: int) -> str:
    kept = list(names)[:most]
    return " and ".join([", ".join(kept[:-1]), kept[-1]] if len(kept) > 1 else kept)


def _slug(name: str) -> str:
    plain = fold(name).replace("'", "")
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in plain).split()
    return "-".join(words)[:_KEY_WORD_CHARACTERS].rstrip("-")
