"""Parse the values of the fields about people: `person:`, `age:` and `face:`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from photoindex.paths import shell_word
from photoindex.query.syntax import Lookups
from photoindex.query.values import check_text

_NUMBER = re.compile(r"[0-9]{1,18}")
_COMPARED = re.compile(r"(?P<who>.+?)\s*:?(?P<sign><=|>=|<|>)\s*(?P<years>[0-9]{1,3})", re.DOTALL)
_SPAN = re.compile(r"(?P<who>.+?)\s*:\s*(?P<from>[0-9]{1,3})?(?P<dots>\.\.)?(?P<to>[0-9]{1,3})?", re.DOTALL)
_SHOWN_PEOPLE = 3


@dataclass(frozen=True, slots=True)
class Age:
    """An age in whole years, both ends included; None for an open end. who: a name or number."""

    who: str
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class AgeDays:
    """The days on which somebody surely has an age: from `start`, before `before` (ISO 8601); None for an open end."""

    start: str | None
    before: str | None


def number_of(value: str) -> int | None:
    """Return the number of a person, None for a name."""
    return int(value) if _NUMBER.fullmatch(value.strip()) else None


def is_pattern(value: str) -> bool:
    """Return whether a value may mean several people."""
    return "*" in value


def check_person(value: str, lookups: Lookups) -> str | None:
    """Return the people that a number or pattern means, for display; None for a name.

    Raises ValueError with a message for the user, like the other checks.
    """
    check_text(value)
    found = lookups.people(value)
    if number_of(value) is None and not is_pattern(value):
        return None
    names = [one.shown for one in found]
    more = len(names) - _SHOWN_PEOPLE
    return ", ".join(names[:_SHOWN_PEOPLE]) + (f" and {more} more" if more > 0 else "")


def check_age(value: str, lookups: Lookups) -> str:
    """Return `ID BORN NAME` of the person whose age is asked for; `about` reads it."""
    check_text(value)
    who = read_age(value).who
    if is_pattern(who):
        raise ValueError("the age of one person is needed; '*' means several: write OR between them")
    (person,) = lookups.people(who)
    if person.born is None:
        word = shell_word((person.name or str(person.id)).encode())
        raise ValueError(f"{person.shown} has no birth date; give it with: photoindex people born {word} DATE")
    return f"{person.id} {person.born} {person.shown}"


def check_face(value: str, lookups: Lookups) -> str:
    """Return `ID NAME` of the person in a picture."""
    if not value.strip() or "\0" in value:
        raise ValueError("the path of a picture file is needed")
    person = lookups.face(value)
    return f"{person.id} {person.shown}"


def read_age(value: str) -> Age:
    """Parse `NAME<6`, `NAME:6` or `NAME:3..5`, with any comparison. Raises ValueError with a message for the user."""
    if match := _COMPARED.fullmatch(value):
        years = int(match["years"])
        bounds = {"<": (None, years - 1), "<=": (None, years), ">": (years + 1, None), ">=": (years, None)}
        low, high = bounds[match["sign"]]
    elif (match := _SPAN.fullmatch(value)) and (match["from"] or match["to"]):
        low, high = (None if match[end] is None else int(match[end]) for end in ("from", "to"))
        if low is not None and high is not None and low > high:
            raise ValueError("this range runs backwards; write the smaller age first")
        if not match["dots"]:
            high = low
    else:
        raise ValueError(
            "a person and an age in whole years are needed, such as age:Anna<6, age:Anna:6 or age:Anna:3..5"
        )
    if high is not None and high < 0:
        raise ValueError("nobody is younger than 0")
    return Age(match["who"].strip(), low, high)


def days_of(age: Age, born: str) -> AgeDays:
    """Return when somebody surely has an age. born: YYYY, YYYY-MM or YYYY-MM-DD, any day of which it may have been."""
    first, last = first_day(born), _last_day(born)
    start = None if age.low is None else _birthday(last, age.low).isoformat()
    before = None if age.high is None else _birthday(first, age.high + 1).isoformat()
    return AgeDays(start, before)


def about(context: str) -> tuple[int, str, str]:
    """Return id, birth date and name from a context that `check_age` returned."""
    number, born, shown = context.split(" ", 2)
    return int(number), born, shown


def meaning_of_age(value: str, context: str) -> str:
    """Return which days an age means, for people to read."""
    _, born, shown = about(context)
    days = days_of(read_age(value), born)
    since = f" from {days.start}" if days.start else ""
    until = f" before {days.before}" if days.before else ""
    return f"{shown}, born {born}, taken{since}{until}"


def first_day(born: str) -> date:
    """Return the first day of a birth date that may be known only to the month or year."""
    return date.fromisoformat(born + "-01-01"[len(born) - len("2015") :])


def _last_day(born: str) -> date:
    first = first_day(born)
    if len(born) == len("2015"):
        return first.replace(month=12, day=31)
    if len(born) == len("2015-03"):
        return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first


def _birthday(born: date, years: int) -> date:
    """Return the day on which somebody reaches an age; who was born on 29 February does so on 1 March in other years."""
    if born.year + years > date.max.year:
        return date.max
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)
