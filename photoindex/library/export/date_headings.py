"""Divides photos in the order of their time into days, months or years, each under its heading."""

from __future__ import annotations

from calendar import day_name, month_name
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from statistics import median

from photoindex.library.export.photo_cards import GallerySection, Item

_DAY, _MONTH, _YEAR = 10, 7, 4
"""Characters of an ISO 8601 date."""
_PHOTOS_OF_A_HEADING = 3
"""Where most days or months have fewer photos, headings for them leave more gaps than photos on a page."""


def dated(sections: Sequence[GallerySection]) -> list[GallerySection]:
    """Divide sections whose items are sorted by date, oldest or newest first; a section of undated ones comes of its own."""
    length = _length([item for section in sections for item in section.items])
    return [part for section in sections for part in _divided(section.items, length)]


def years(sections: Sequence[GallerySection]) -> list[tuple[str, int]]:
    """Return the years of dated sections in their order, each with the number of its first section, counted from 1."""
    first: dict[str, int] = {}
    for number, section in enumerate(sections, 1):
        if section.date:
            first.setdefault(section.date[:_YEAR], number)
    return list(first.items())


def _length(items: Sequence[Item]) -> int:
    """Return the part of the dates that makes headings: the finest whose median heading has enough photos, else years."""
    for length in (_DAY, _MONTH):
        numbers = Counter(item.date[:length] for item in items).values()
        if not numbers or median(numbers) >= _PHOTOS_OF_A_HEADING:
            return length
    return _YEAR


def _divided(items: Sequence[Item], length: int) -> Iterator[GallerySection]:
    for day, some in groupby(items, lambda item: item.date[:length]):
        yield GallerySection(list(some), _heading(day), date=day)


def _heading(day: str) -> str:
    if len(day) == _DAY:
        known = date.fromisoformat(day)
        return f"{day_name[known.weekday()]}, {known.day} {month_name[known.month]} {known.year}"
    if len(day) == _MONTH:
        return f"{month_name[int(day[5:])]} {day[:_YEAR]}"
    return day or "Without a date"
