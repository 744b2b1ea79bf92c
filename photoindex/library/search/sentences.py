"""Understands sentences by the names that a library knows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from functools import cache

from photoindex.library.handle import Library
from photoindex.library.search.parse import lookups_of
from photoindex.query import arguments as query_arguments
from photoindex.query.arguments import join_arguments
from photoindex.query.country_words import COUNTRIES, REGIONS
from photoindex.query.lexer import QUOTES
from photoindex.query.said_dates import Calendar
from photoindex.query.sentence_rules import KnownPlace, Names
from photoindex.query.sentences import telling_words, understood
from photoindex.store.search import names
from photoindex.store.search.fields import grammar


def sentence(library: Library, arguments: Sequence[str]) -> str | None:
    """Return the query that a sentence means, None where it says nothing but words. Raises QuerySyntaxError."""
    lookups, fields = lookups_of(library), grammar()
    calendar = Calendar(date.fromisoformat(lookups.now[:10]), lookups.southern, lookups.first_weekday)
    return understood(join_arguments(arguments, fields), fields, _names(library), calendar)


def meaning_of_a_word(library: Library, arguments: Sequence[str]) -> str | None:
    """Return what a word alone could mean, which is searched as a word: date:2019 for 2019, type:video for videos."""
    words = " ".join(arguments).split()
    return sentence(library, ("in", *words)) if len(words) == 1 and words[0].isalnum() else None


def words_that_say_something(arguments: Sequence[str]) -> str | None:
    """Return the words of a query without those such as photo, of and a, None where that changes nothing."""
    fields = grammar()
    return telling_words(join_arguments(arguments, fields), fields)


def hints_on_words(arguments: Sequence[str]) -> list[str]:
    """Return hints on bare words that look like an operator or a field written in another way."""
    text = " ".join(arguments)
    return [] if any(quote in text for quote in QUOTES) else query_arguments.hints_on_words(text.split(), grammar())


def _names(library: Library) -> Names:
    # Each is asked again for the same words, and the names of cameras are read from all photos.
    @cache
    def place(key: str) -> KnownPlace | None:
        with library.database.read() as connection:
            if (kind := names.place_called(connection, key)) is not None:
                return KnownPlace(key, kind)
            region = REGIONS.get(key)
            if region is not None and names.place_called(connection, region) == "wide":
                return KnownPlace(region, "wide")
            code = COUNTRIES.get(key)
            country = None if code is None else names.country_of(connection, code)
        return None if country is None else KnownPlace(country.lower(), "wide")

    @cache
    def cameras() -> Collection[str]:
        with library.database.read() as connection:
            return list(names.cameras(connection))

    @cache
    def means_more(key: str) -> bool:
        with library.database.read() as connection:
            return names.is_other_name(connection, key)

    return Names(place, cameras, means_more)
