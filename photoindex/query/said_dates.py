"""Dates as people say them, in English, German, French and Spanish: last summer, März 2019, il y a 3 ans, Navidad 2018.

Only what can mean one thing is read. Seasons are whole months; a winter has the year in which it begins, as every season that
spans New Year.
"""

from __future__ import annotations

import calendar as months
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from photoindex.query import calendar_words as words
from photoindex.text import fold

_OLDEST = 1826
"""The year of the oldest photograph."""
_YEAR = re.compile(r"[12][0-9]{3}")
_DECADE = re.compile(r"(?:(19|20)?([0-9])0)(?:'?s|ern?)")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})[./]([0-9]{4})")
_ISO = re.compile(r"([0-9]{4})[-/]([0-9]{2})(?:[-/]([0-9]{2}))?")
_DAY = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th|\.|er|º)?")
_DAY_MONTH = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.?")
_DAYS = re.compile(r"([0-9]{1,2})[-\u2013]([0-9]{1,2})")
_NUMBER = re.compile(r"[0-9]{1,3}")
_ELISION = re.compile(r"\b([ld])'(?=\w)")
_AGO = frozenset({"hace"})
_WEEKEND = {
    ("fin", "de", "semana"): "fin-de-semana",
    ("fines", "de", "semana"): "fin-de-semana",
    ("week", "end"): "week-end",
}
_SEASON_MONTHS = {False: (3, 6, 9, 12), True: (9, 12, 3, 6)}
"""Southern hemisphere -> first month of spring, summer, autumn and winter."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a said date depends on. southern: seasons are those of the southern hemisphere. first_weekday: 0 is Monday."""

    today: date
    southern: bool = False
    first_weekday: int = 0


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included; None is an open end."""

    first: date | None
    last: date | None

    def __str__(self) -> str:
        """Write it as a value of `date:`, as short as possible."""
        if self.first is None or self.last is None:
            return f"{self.first or ''}..{self.last or ''}"
        first, last = self.first, self.last
        if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
            ends = str(first.year), str(last.year)
        elif first.day == 1 and last == _last_day(last.year, last.month):
            ends = f"{first:%Y-%m}", f"{last:%Y-%m}"
        else:
            ends = first.isoformat(), last.isoformat()
        return ends[0] if ends[0] == ends[1] else "..".join(ends)


@dataclass(frozen=True, slots=True)
class EachYear:
    """Days of any year, MM or MM-DD, both ends included; the last may be in the next year."""

    first: str
    last: str

    def __str__(self) -> str:
        """Write it as a value of `day:`."""
        return self.first if self.first == self.last else f"{self.first}..{self.last}"


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of any week, 1 is Monday."""

    number: int


Said = Period | EachYear | Weekday


def said_words(text: str) -> list[str]:
    """Return the folded words of a text as `read_said` takes them; French articles with an apostrophe are words of their own."""
    return _ELISION.sub(r"\1' ", fold(text.replace("\u2019", "'"))).split()


def read_said(said: Sequence[str], calendar: Calendar) -> Said | None:
    """Return what folded words mean as a whole, None if they are no date, or could be several."""
    tokens = _with_weekends(tuple(part for one in said for part in _days_apart(one)))
    for rule in _RULES:
        try:
            found = rule(tokens, calendar)
        except ValueError:  # there is no such day
            found = None
        if found is not None:
            return found
    return None


def _days_apart(token: str) -> tuple[str, ...]:
    """Return the days of 3-9 June as words of their own."""
    found = _DAYS.fullmatch(token)
    return (token,) if found is None else (found[1], "to", found[2])


def _with_weekends(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Join the words of a weekend into one: fin de semana."""
    for several, one in _WEEKEND.items():
        for at in range(len(tokens) - len(several) + 1):
            if tokens[at : at + len(several)] == several:
                return (*tokens[:at], one, *tokens[at + len(several) :])
    return tokens


def _last_day(year: int, month: int) -> date:
    return date(year, month, months.monthrange(year, month)[1])


def _months(year: int, first: int, last: int) -> Period:
    """Return whole months; numbers above 12 are in the next year."""
    ends = [(year + (month - 1) // 12, (month - 1) % 12 + 1) for month in (first, last)]
    return Period(date(*ends[0], 1), _last_day(*ends[1]))


def _year(text: str) -> int | None:
    return int(text) if _YEAR.fullmatch(text) and int(text) >= _OLDEST else None


def _numeric(tokens: tuple[str, ...], _: Calendar) -> Said | None:
    """2019, 2019-06-15, 15.6.2019, 25/6/2019, 6/2019."""
    if len(tokens) != 1:
        return None
    (text,) = tokens
    if (year := _year(text)) is not None:
        return _months(year, 1, 12)
    if found := _ISO.fullmatch(text):
        year, month = int(found[1]), date(2000, int(found[2]), 1).month  # 2018-19 is no month
        return _months(year, month, month) if found[3] is None else _one_day(date(year, month, int(found[3])))
    if found := _MONTH_YEAR.fullmatch(text):
        return _months(int(found[2]), date(2000, int(found[1]), 1).month, int(found[1]))
    if found := _DAY_FIRST.fullmatch(text):
        first, second, year = (int(number) for number in found.groups())
        if "." not in text and second > 12:  # 6/25/2019
            first, second = second, first
        return _one_day(date(year, second, first)) if "." in text or first > 12 else None
    return None


def _one_day(day: date) -> Period:
    return Period(day, day)


def _without(tokens: tuple[str, ...], dropped: frozenset[str]) -> tuple[str, ...]:
    return tuple(one for one in tokens if one not in dropped)


def _named(tokens: tuple[str, ...], calendar: Calendar) -> Said | None:
    """March, March 2019, 5 March 2019, March 5, summer 2019, Christmas, Easter 2018: with or without a year."""
    tokens = _without(tokens, words.OF | words.ARTICLES) if len(tokens) > 1 else tokens
    if not tokens:
        return None
    year = _year(tokens[-1])
    if year is not None:
        tokens = tokens[:-1]
    elif (year := _year(tokens[0])) is not None:
        tokens = tokens[1:]
    name = " ".join(tokens)
    if (feast := words.FEASTS.get(name)) is not None:
        return _feast(feast, year)
    if len(tokens) == 1 and (season := words.SEASONS.get(name)) is not None:
        return _season(season, year, calendar)
    tokens = tuple("1" if one in words.FIRST else one for one in tokens)
    days = [int(found[1]) for one in tokens if (found := _DAY.fullmatch(one))]
    named = [words.MONTHS[one] for one in tokens if one in words.MONTHS]
    if len(named) != 1 or len(days) + 1 != len(tokens) or len(days) > 1:
        return None
    if not days:
        return EachYear(f"{named[0]:02}", f"{named[0]:02}") if year is None else _months(year, named[0], named[0])
    day = date(2000 if year is None else year, named[0], days[0])
    return EachYear(f"{day:%m-%d}", f"{day:%m-%d}") if year is None else _one_day(day)


def _feast(feast: str, year: int | None) -> Said | None:
    if feast in words.MOVABLE_FEASTS:
        if year is None:
            return None
        first_day, last_day = words.MOVABLE_FEASTS[feast]
        sunday = _easter(year)
        return Period(sunday + timedelta(days=first_day), sunday + timedelta(days=last_day))
    first, last = words.FIXED_FEASTS[feast]
    if year is None:
        return EachYear(first, last)
    if last < first:  # New Year 2019 began on the last day of 2018
        return Period(date.fromisoformat(f"{year - 1}-{first}"), date.fromisoformat(f"{year}-{last}"))
    return Period(date.fromisoformat(f"{year}-{first}"), date.fromisoformat(f"{year}-{last}"))


def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (the anonymous algorithm, as Meeus gives it)."""
    golden, century, rest = year % 19, year // 100, year % 100
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _season(season: int, year: int | None, calendar: Calendar) -> Said:
    first = _SEASON_MONTHS[calendar.southern][season - 1]
    if year is None:
        return EachYear(f"{first:02}", f"{(first + 1) % 12 + 1:02}")
    return _months(year, first, first + 2)


def _relative(tokens: tuple[str, ...], calendar: Calendar) -> Said | None:
    """Today, this month, last year, last summer, l'été dernier, last Sunday, last December."""
    if len(tokens) == 3 and tokens[0] == "the" and tokens[1] in words.LAST and tokens[2] in words.UNITS:
        return _lasting((tokens[1], "one", tokens[2]), calendar)  # last year is another one than the last year
    if _without(tokens, words.ARTICLES) in words.BEFORE_YESTERDAY:
        return _one_day(calendar.today - timedelta(days=2))
    tokens = _without(tokens, words.ARTICLES) if len(tokens) > 1 else tokens
    if len(tokens) == 1:
        back = 0 if tokens[0] in words.TODAY else 1 if tokens[0] in words.YESTERDAY else None
        return None if back is None else _one_day(calendar.today - timedelta(days=back))
    if len(tokens) != 2:
        return None
    first, second = tokens
    if first in words.LAST or second in words.LAST_AFTER:
        return _latest(second if first in words.LAST else first, calendar, current=False)
    return _latest(second, calendar, current=True) if first in words.THIS else None


def _latest(name: str, calendar: Calendar, *, current: bool) -> Said | None:
    """Return the last period of this name that is over, or the current one (of this year, where that is none)."""
    today = calendar.today
    if (unit := words.UNITS.get(name)) is not None:
        return None if unit == "day" else _unit(unit, calendar, 0 if current else 1)
    if (weekday := words.WEEKDAYS.get(name)) is not None:
        return None if current else _one_day(today - timedelta(days=(today.isoweekday() - weekday - 1) % 7 + 1))
    candidates: Callable[[int], Said | None]
    if (month := words.MONTHS.get(name)) is not None:
        candidates = lambda year: _months(year, month, month)  # noqa: E731
    elif (season := words.SEASONS.get(name)) is not None:
        candidates = lambda year: _season(season, year, calendar)  # noqa: E731
    elif (feast := words.FEASTS.get(name)) is not None:
        candidates = lambda year: _feast(feast, year)  # noqa: E731
    else:
        return None
    periods = [found for year in range(today.year - 2, today.year + 1) if isinstance(found := candidates(year), Period)]
    if current:
        running = [one for one in periods if one.first and one.last and one.first <= today <= one.last]
        return running[-1] if running else periods[-1]
    return [one for one in periods if one.last and one.last < today][-1]


def _unit(unit: str, calendar: Calendar, back: int) -> Period:
    today = calendar.today
    if unit == "year":
        return _months(today.year - back, 1, 12)
    if unit == "month":
        month = today.year * 12 + today.month - 1 - back
        return _months(month // 12, month % 12 + 1, month % 12 + 1)
    monday = today - timedelta(days=today.weekday())
    if unit == "weekend":
        saturday = monday + timedelta(days=5 - 7 * back)
        if back and today.weekday() == 6:
            saturday = monday - timedelta(days=2)
        return Period(saturday, saturday + timedelta(days=1))
    first = today - timedelta(days=(today.weekday() - calendar.first_weekday) % 7 + 7 * back)
    return Period(first, first + timedelta(days=6))


def _ago(tokens: tuple[str, ...], calendar: Calendar) -> Said | None:
    """3 years ago, vor zwei Wochen, il y a 2 mois, hace un año: the whole year, month, week or day."""
    if tokens[-1:] == ("ago",):
        tokens = tokens[:-1]
    elif tokens[:1] in (("vor",), ("hace",)):
        tokens = tokens[1:]
    elif tokens[:3] == ("il", "y", "a"):
        tokens = tokens[3:]
    else:
        return None
    if len(tokens) != 2 or (number := _number(tokens[0])) is None:
        return None
    unit = words.UNITS.get(tokens[1])
    if unit == "day":
        return _one_day(calendar.today - timedelta(days=number))
    return None if unit in (None, "weekend") else _unit(unit, calendar, number)


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else words.NUMBERS.get(text)


def _lasting(tokens: tuple[str, ...], calendar: Calendar) -> Said | None:
    """The last 3 months, die letzten zwei Wochen, les 3 dernières années, los últimos 5 años: until today."""
    tokens = _without(tokens, words.ARTICLES)
    if len(tokens) != 3:
        return None
    first, second, unit = tokens
    number = (
        _number(second)
        if first in words.LAST_BEFORE_NUMBER
        else _number(first)
        if second in words.LAST_BEFORE_NUMBER
        else None
    )
    kind = words.UNITS.get(unit)
    if number is None or kind in (None, "weekend"):
        return None
    today = calendar.today
    if kind in ("day", "week"):
        return Period(today - timedelta(days=number * (7 if kind == "week" else 1)), today)
    month = today.year * 12 + today.month - 1 - number * (12 if kind == "year" else 1)
    day = min(today.day, _last_day(month // 12, month % 12 + 1).day)
    return Period(date(month // 12, month % 12 + 1, day), today)


def _range(tokens: tuple[str, ...], calendar: Calendar) -> Said | None:
    """From 2017 to 2019, zwischen Mai und Juli 2018, entre 2015 et 2017, 2017-2019."""
    if len(tokens) == 1 and re.fullmatch(r"[0-9]{4}[-\u2013][0-9]{4}", tokens[0]):
        tokens = (tokens[0][:4], "to", tokens[0][5:])
    is_led = tokens[:1] and tokens[0] in words.FROM
    tokens = tokens[1:] if is_led else tokens
    joining = words.AND_TO if is_led else words.TO  # 2015 and 2020 are two years
    for place, word in enumerate(tokens):
        if word not in joining or not 0 < place < len(tokens) - 1:
            continue
        before, after = tokens[:place], tokens[place + 1 :]
        months = [one for one in before if one in words.MONTHS]
        if len(months) == 1 and len(before) == 2 and _DAY.fullmatch(after[0]) and len(after) <= 2:  # June 3 to 9, 2019
            after = (months[0], *after)
        last = read_said(after, calendar)
        year = _year(after[-1])
        first = _first_day(before, last) or read_said(before, calendar)
        if not isinstance(first, Period) and year is not None:
            first = read_said((*before, str(year)), calendar)
        if (
            isinstance(first, Period)
            and isinstance(last, Period)
            and first.first
            and last.last
            and first.first <= last.last
        ):
            return Period(first.first, last.last)
        if isinstance(first, EachYear) and isinstance(last, EachYear):
            return EachYear(first.first, last.last)
    return None


def _first_day(before: tuple[str, ...], last: Said | None) -> Said | None:
    """Return the first day of a range whose month, or year, only the last one has: 3 to 9 June 2019, 03.10. to 05.10.2020."""
    before = _without(before, words.ARTICLES)
    if len(before) != 1:
        return None
    day, without_year = _DAY.fullmatch(before[0]), _DAY_MONTH.fullmatch(before[0])
    if isinstance(last, EachYear) and len(last.first) > len("MM"):
        return None if day is None else EachYear(f"{last.first[:3]}{int(day[1]):02}", last.last)
    if not isinstance(last, Period) or last.first is None or last.first != last.last:
        return None
    if without_year is not None:
        return _one_day(date(last.first.year, int(without_year[2]), int(without_year[1])))
    return None if day is None else _one_day(last.first.replace(day=int(day[1])))


def _open_ended(tokens: tuple[str, ...], calendar: Calendar) -> Said | None:
    """Since 2019, seit zwei Jahren, until 2015, vor 2010, avant 2010, antes de 2010, after March 2018."""
    if len(tokens) < 2:
        return None
    inside = None
    if tokens[0] in words.SINCE:  # since two years
        inside = _lasting(("last", *_without(tokens[1:], _AGO)), calendar)
    inside = inside or read_said(_without(tokens[1:], words.OF) or tokens[1:], calendar)
    if not isinstance(inside, Period) or inside.first is None or inside.last is None:
        return None
    relations = (
        (words.SINCE, Period(inside.first, None)),
        (words.UNTIL, Period(None, inside.last)),
        (words.BEFORE, Period(None, inside.first - timedelta(days=1))),
        (words.AFTER, Period(inside.last + timedelta(days=1), None)),
    )
    return next((found for relation, found in relations if tokens[0] in relation), None)


def _decade(tokens: tuple[str, ...], calendar: Calendar) -> Said | None:
    """The 1990s, the 90s, die 90er, années 90, los años 90."""
    tokens = _without(tokens, words.ARTICLES)
    if len(tokens) == 2 and tokens[0] in ("annees", "anos") and re.fullmatch("[0-9]0", tokens[1]):
        tokens = (tokens[1] + "s",)
    if len(tokens) == 2 and tokens[1] in ("jahre", "jahren"):
        tokens = tokens[:1]
    if tokens and (number := words.DECADES.get(tokens[-1])) and tokens[:-1] in ((), ("annees",), ("anos",)):
        tokens = (f"{number}s",)
    if len(tokens) != 1 or not (found := _DECADE.fullmatch(tokens[0])):
        return None
    century = int(found[1]) if found[1] else 19 if int(found[2]) * 10 > calendar.today.year % 100 else 20
    first = century * 100 + int(found[2]) * 10
    return Period(date(first, 1, 1), date(first + 9, 12, 31))


def _weekday(tokens: tuple[str, ...], _: Calendar) -> Said | None:
    number = words.WEEKDAYS.get(tokens[0]) if len(tokens) == 1 else None
    return None if number is None else Weekday(number)


_RULES: Sequence[Callable[[tuple[str, ...], Calendar], Said | None]] = (
    _numeric, _named, _relative, _ago, _lasting, _range, _open_ended, _decade, _weekday,
)  # fmt: skip
