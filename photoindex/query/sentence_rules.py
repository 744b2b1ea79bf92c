"""What words next to each other plainly mean: a date, a place, a camera or a kind; None where they could mean anything else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from photoindex.query import sentence_words as words
from photoindex.query.calendar_words import AFTER, AND_TO, BEFORE, MONTHS, SEASONS, SINCE, UNITS, UNTIL
from photoindex.query.homographs import HOMOGRAPHS, MATERIALS
from photoindex.query.said_dates import Calendar, Period, Said, Weekday, read_said
from photoindex.query.times import WEEKDAY_NAMES

_LEAST_LETTERS = 4
_LONGEST_NAME = 5
_OLDEST = 1900
_RELATIONS = BEFORE | AFTER | SINCE | UNTIL


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A place that a library knows. name: as a field takes it. kind: wide is a region or country, other another name of a city."""

    name: str
    kind: Literal["city", "wide", "other"] = "city"


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a library knows.

    place: returns the place that has this folded name as a whole, None for others. cameras: returns makers and models, folded.
    means_more: tells whether a folded name is also that of a person, a tag, a keyword or an album.
    """

    place: Callable[[str], KnownPlace | None] = lambda _: None
    cameras: Callable[[], Collection[str]] = tuple
    means_more: Callable[[str], bool] = lambda _: False


class Strength(Enum):
    """How plain a place is: behind `in`, or only where no other is plainer."""

    STRONG = "strong"
    WEAK = "weak"


@dataclass(slots=True)
class Piece:
    """A word of the sentence, or what was understood; without `folded` a part that is not a plain word.

    others: further values, one of which may match instead. kind: of a place, as in `KnownPlace`.
    """

    text: str
    folded: tuple[str, ...] = ()
    field: str | None = None
    value: str = ""
    others: tuple[str, ...] = ()
    kind: str = ""
    strength: Strength = Strength.STRONG


@dataclass(frozen=True, slots=True)
class Around:
    """What a rule sees besides the words.

    before, after: the folded words on either side. first: only words that say nothing are before. known: what is directly before
    was understood. joined: how plain the place is that is before with and or or, if any. closed: what follows cannot belong to the same noun.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    first: bool
    known: bool
    joined: Strength | None
    closed: bool
    names: Names
    calendar: Calendar

    @property
    def last(self) -> str:
        """The word directly before."""
        return self.before[-1] if self.before else ""

    @property
    def next(self) -> str:
        """The word directly after."""
        return self.after[0] if self.after else ""

    @property
    def noun(self) -> str:
        """The word before, without articles and words such as of."""
        return self.before_these(words.ARTICLES | words.OF)

    def before_these(self, skipped: Collection[str]) -> str:
        """Return the word before those that are skipped."""
        return next((word for word in reversed(self.before) if word not in skipped), "")

    @property
    def is_of_photos(self) -> bool:
        """Whether `of` before these words belongs to photos in general: photos of Lisbon, but not a map of Italy."""
        return self.first or self.known or self.noun in words.PHOTOS | words.VIDEOS


def _behind(said: tuple[str, ...], leading: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words that lead to others, and these without articles."""
    at = 0
    while at < len(said) - 1 and said[at] in leading and at < 2:
        at += 1
    end = at
    while at and end < len(said) - 1 and said[end] in words.ARTICLES:
        end += 1
    return said[:at], said[end:]


def _is_bare_a(lead: tuple[str, ...], text: str) -> bool:
    """Tell whether an `a` without an accent leads: the English article, if not a Spanish or French preposition."""
    return lead[:1] == ("a",) and not text.casefold().startswith("à")


def _date(said: tuple[str, ...], text: str, around: Around) -> Piece | None:
    lead: tuple[str, ...] = ()
    found, rest = read_said(said, around.calendar), said
    if found is None:
        lead, rest = _behind(said, words.DATE)
        # The last year is another one than last year.
        found = (read_said(said[len(lead) :], around.calendar) or read_said(rest, around.calendar)) if lead else None
    elif not isinstance(found, Period) and len(said) > 1 and said[0] in words.OF:  # Sundays of May
        lead, rest = said[:1], said[1:]
    if found is None or _is_bare_a(lead, text) or _ends_a_range(around):
        return None
    if isinstance(found, Period):
        return Piece(text, said, "date", str(found)) if _is_plain_period(rest, lead, around) else None
    if not _is_plain_each_year(found, rest, lead, around):
        return None
    if isinstance(found, Weekday):
        return Piece(text, said, "weekday", WEEKDAY_NAMES[found.number - 1])
    return Piece(text, said, "month" if len(found.first) == len("MM") else "day", str(found))


def _ends_a_range(around: Around) -> bool:
    """Tell whether a day without a month and a word such as to are before, which were not understood together with this."""
    before = [word for word in around.before if word not in words.ARTICLES]
    return len(before) > 1 and before[-1] in AND_TO and before[-2].isdigit() and len(before[-2]) < len("2019")


def _is_plain_period(rest: tuple[str, ...], lead: tuple[str, ...], around: Around) -> bool:
    if rest == ("hier",) and not (lead or around.next in words.FRENCH_AFTER_YESTERDAY):  # in German it is here
        return False
    is_qualified = (not lead or lead[-1] in words.OF) and (
        around.noun in words.PARTS  # the end of 2018
        or ((lead or rest[0] in _RELATIONS) and around.noun in UNITS)  # two weeks before Easter 2019
        or (rest[0] in _RELATIONS and around.noun in SEASONS.keys() | MONTHS.keys())  # the summer before 2019
        or (not lead and around.noun in _RELATIONS)
    )
    is_number = around.last.rstrip(".").isdigit() and len(around.last) <= len("31.")
    is_broken = rest[0] in MONTHS and is_number  # 30 February
    is_spring = rest[0] in SEASONS and around.last in words.OTHER_SPRINGS
    is_march = MONTHS.get(rest[0]) == MONTHS["march"] and around.last in words.MARCHING
    if is_qualified or is_march or is_broken or is_spring:
        return False
    if rest[-1].endswith(("0s", "0er")):  # the 90s, but not a 90s party
        return around.closed
    return len(rest) > 1 or not rest[0].isdigit() or _is_plain_year(int(rest[0]), lead, around)


def _is_plain_year(year: int, lead: tuple[str, ...], around: Around) -> bool:
    if not _OLDEST <= year <= around.calendar.today.year or around.next in words.COUNTED:
        return False
    noun = around.before_these(words.ARTICLES | words.DATE)
    if noun in words.NUMBERED or around.next in words.NUMBERED:  # room 2015, the film 1984
        return False
    if lead and lead[-1] in words.OF and not (around.is_of_photos or around.noun in words.OCCASIONS):  # a crowd of 2000
        return False
    return bool(lead) or around.closed or not around.first or around.next in words.OCCASIONS


def _is_plain_each_year(found: Said, rest: tuple[str, ...], lead: tuple[str, ...], around: Around) -> bool:
    name = rest[-1]
    if isinstance(found, Weekday):  # on Sundays, sonntags, los domingos
        is_repeated = name.endswith("s") and (name not in words.ALWAYS_PLURAL or around.last == "los")
        return len(name) > len("sun") and (is_repeated or bool(lead and around.closed))
    is_named = len(rest) > 1 and any(one[0].isdigit() for one in rest) and around.noun not in words.HAVING_PLACES
    is_feast = name in words.PLAIN_FEASTS and (around.first or around.known)
    if not (lead or is_named or is_feast) or not around.closed or around.last in words.HAVE:  # il a été malade
        return False
    if not lead:  # 4th of July, Heiligabend bei Oma
        return around.noun not in words.PARTS | UNITS.keys() | _RELATIONS
    if lead[-1] in words.OF and not around.is_of_photos:  # robe d'été
        return False
    return len(rest) > 1 or name not in MONTHS or len(name) >= _LEAST_LETTERS or name in ("may", "mai")


def _place(said: tuple[str, ...], text: str, around: Around) -> Piece | None:
    lead, rest = _behind(said, words.PLACE)
    if len(rest) > _LONGEST_NAME:
        return None
    with_article = said[len(lead) :]
    known = _known(with_article, around)
    if known is None and lead and rest != with_article:
        known = _known(rest, around)
        if known is not None and known.kind != "wide":  # reading a book in the bath
            return None
    elif known is not None and known.kind == "other" and with_article[0] in words.ARTICLES:
        return None
    if known is None or (lead and lead[0] in words.WITH_ARTICLE and known.kind != "wide"):
        return None
    key, name = _key(rest), text.split()[-len(rest) :][0].removeprefix("d'").removeprefix("d\u2019")
    is_common = key in HOMOGRAPHS or around.names.means_more(key)
    strength = _strength(lead, text, around, is_common=is_common)
    if strength is None or (is_common and lead and not _is_name(key, name, around)):
        return None
    return Piece(text, said, "place", known.name, kind=known.kind, strength=strength)


def _key(said: tuple[str, ...]) -> str:
    return " ".join(said).replace("-", " ").replace("' ", "'")


def _known(said: tuple[str, ...], around: Around) -> KnownPlace | None:
    key = _key(said)
    is_short = len(key) < len("rom") and key != "uk"
    return None if is_short or key in words.SMALL else around.names.place(key)


def _is_name(key: str, written: str, around: Around) -> bool:
    """Tell a name behind `in` from a word: in Nice, but not in nice weather or in bath."""
    if key in MATERIALS and not written[:1].isupper():
        return False
    return around.closed and around.next not in words.OF


def _strength(lead: tuple[str, ...], text: str, around: Around, *, is_common: bool) -> Strength | None:
    """Return how plain a known place is, None where it may be something else."""
    is_passing = around.noun in words.HAVING_PLACES | words.NEAR
    if around.last in words.FAR:  # far from Berlin
        return None
    if not lead:
        if around.joined is not None:  # Lyon and Nice
            return around.joined if around.closed else None
        is_name = around.closed or around.next in words.OCCASIONS | words.PHOTOS | words.VIDEOS
        is_free = around.last not in words.SMALL
        return Strength.WEAK if is_name and is_free and not is_common and not is_passing else None
    if _is_bare_a(lead, text):  # viaje a Lisboa, l'ete dernier a Nice
        return Strength.STRONG if around.last in words.TRAVEL or around.known else None
    if lead[0] not in words.FROM_PLACE or (around.is_of_photos and not is_common):
        return Strength.STRONG
    return None if is_common or is_passing else Strength.WEAK


def _camera(said: tuple[str, ...], text: str, around: Around) -> Piece | None:
    lead, rest = _behind(said, words.CAMERA | words.POSSESSIVES)
    rest = tuple(one for one in rest if one not in words.CAMERA_NOUNS) if lead else rest
    if not rest or rest[-1] in words.ARTICLES or not (lead or rest[0] in words.CAMERA_MAKERS):
        return None
    has_digits = [one for one in rest if any(letter.isdigit() for letter in one)]
    has_model = any(not one.isdigit() for one in has_digits) or (bool(has_digits) and rest[0] in words.CAMERA_MAKERS)
    if not has_model and not (rest[0] in words.CAMERA_MAKERS and _is_camera(said, lead, text, around)):
        return None
    if around.next in words.ACCESSORIES:
        return None
    known = [f" {camera} " for camera in around.names.cameras()]
    if any(f" {' '.join(rest)} " in camera for camera in known):
        return Piece(text, said, "camera", " ".join(rest))
    if any(all(f" {one} " in camera for one in rest) for camera in known):  # Canon R5 is a Canon EOS R5
        return Piece(text, said, "camera", " camera:".join(rest))
    return None


def _is_camera(said: tuple[str, ...], lead: tuple[str, ...], text: str, around: Around) -> bool:
    """Tell whether a maker without a model means photos taken with it, and not a thing in the picture."""
    is_of_a_thing = around.last in words.OF and not around.is_of_photos  # the screen of my iPhone
    is_one_of_two = around.last in words.JOINING and around.before[-2:-1] and around.before[-2] in words.CAMERA_MAKERS
    if "ñ" in text.casefold() or is_of_a_thing or is_one_of_two:  # cañón
        return False
    if around.last in words.PHOTOS | words.VIDEOS | words.TAKEN or around.next in words.PHOTOS | words.VIDEOS:
        return True
    if not around.closed:
        return False
    if any(one in words.TAKEN for one in said):
        return True
    is_with = any(one in words.WITH | words.POSSESSIVES for one in lead)
    is_of_these = bool(lead) and lead[0] in words.FROM_PLACE and around.is_of_photos
    return (is_with or is_of_these) and not any(one in words.INDEFINITE for one in said)


def _kind(said: tuple[str, ...], text: str, around: Around) -> Piece | None:
    if len(said) == 1 and said[0] in words.VIDEOS:
        is_thing = around.next in words.OF_VIDEO or around.noun in words.OF_VIDEO | words.WATCHING
        in_general = said[0] not in words.CLIPS or around.first
        return Piece(text, said, "type", "video") if in_general and not is_thing else None
    if said[0] in words.RAW and around.noun not in words.WATCHING:
        is_file = len(said) == 2 and said[1] in words.FILES | words.PHOTOS
        if is_file or (len(said) == 1 and around.closed and around.last not in words.INDEFINITE):
            return Piece(text, said, "type", "raw")
    if said in (("live", "photos"), ("live", "photo"), ("live", "fotos")):
        return Piece(text, said, "type", "live")
    return None


RULES: Sequence[Callable[[tuple[str, ...], str, Around], Piece | None]] = (_date, _place, _camera, _kind)


def season_of_a_place(piece: Piece, after: Piece, calendar: Calendar) -> Piece | None:
    """Return what a season or month at the start means before a place: winter in Portugal."""
    names = SEASONS.keys() | {one for one in MONTHS if len(one) > len("march")}
    name = piece.folded[-1] if len(piece.folded) == 1 else ""
    if name not in names - words.NAMES_OF_PEOPLE or after.field != "place" or after.folded[0] not in words.PLACE:
        return None
    found = read_said((name,), calendar)
    return None if found is None or isinstance(found, Period) else Piece(piece.text, piece.folded, "month", str(found))
