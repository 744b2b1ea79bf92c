"""Understand sentences: what in bare words is plainly a date, a place, a camera or a kind becomes a field.

Rules and the library's own names alone decide. What could mean two things stays a word, quoted text is never touched, and a
sentence with a negation, an operator or parentheses is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from photoindex.query import sentence_words as words
from photoindex.query.calendar_words import MONTHS
from photoindex.query.lexer import Token, TokenKind, tokenize
from photoindex.query.said_dates import Calendar, Period, Said, Weekday, read_said, said_words
from photoindex.query.syntax import FieldGrammar
from photoindex.query.times import WEEKDAY_NAMES

_LONGEST = 7
"""Words of the longest date or name."""
_ENDS = ",.;:!?"
_LEAST_LETTERS = 5
_OLDEST = 1900
_PLAIN = (TokenKind.WORD,)
_UNCLEAR = (TokenKind.NOT, TokenKind.OPEN, TokenKind.CLOSE, TokenKind.OR, TokenKind.AND)


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a library knows.

    place: returns how a field names a place that has this folded name as a whole, None for others. cameras: returns makers and
    models, folded. means_more: tells whether a folded name is also that of a person, a tag, a keyword or an album.
    """

    place: Callable[[str], str | None] = lambda _: None
    cameras: Callable[[], Collection[str]] = tuple
    means_more: Callable[[str], bool] = lambda _: False


@dataclass(slots=True)
class _Piece:
    """A word of the sentence, or what was understood; None for a part that is not a plain word."""

    text: str
    folded: tuple[str, ...] = ()
    field: str | None = None
    value: str = ""
    said: Said | None = None


def understood(query: str, fields: dict[str, FieldGrammar], names: Names, calendar: Calendar) -> str | None:
    """Return the query that a sentence means, None where it says nothing but words. Raises QuerySyntaxError like the parser."""
    tokens = tokenize(query, fields)
    plain = [one for one in tokens if one.kind in _PLAIN]
    if len(plain) < 2 or any(one.kind in _UNCLEAR for one in tokens):
        return None
    pieces = [_piece(query, one, after) for one, after in pairwise(tokens)]
    if any(word in words.NOT for one in pieces for word in one.folded):
        return None
    found = _joined(_read(pieces, names, calendar))
    if found is None or not any(one.field for one in found):
        return None
    return " ".join(_written(one) for one in _without_small(found))


def _piece(query: str, token: Token, after: Token) -> _Piece:
    text = query[token.position : after.position].strip()
    if token.kind not in _PLAIN or token.prefix or token.weight != 1.0:
        return _Piece(text)
    return _Piece(text, tuple(said_words(text.strip(_ENDS))))


def _read(pieces: Sequence[_Piece], names: Names, calendar: Calendar) -> list[_Piece]:
    """Return the pieces, those that were understood joined into one each."""
    read: list[_Piece] = []
    at = 0
    while at < len(pieces):
        length, found = _longest(pieces, at, names, calendar)
        read.append(found or pieces[at])
        at += length
    return read


def _longest(pieces: Sequence[_Piece], at: int, names: Names, calendar: Calendar) -> tuple[int, _Piece | None]:
    end = at
    while end < len(pieces) and end - at < _LONGEST and pieces[end].folded:
        end += 1
    before = next((one.folded[-1] for one in reversed(pieces[:at]) if one.folded), "")
    for stop in range(end, at, -1):
        said = tuple(word for one in pieces[at:stop] for word in one.folded)
        after = pieces[stop].folded[0] if stop < len(pieces) and pieces[stop].folded else ""
        text = " ".join(one.text for one in pieces[at:stop])
        for rule in (_date, _place, _camera, _kind):
            found = rule(said, text, _Around(before, after, names, calendar))
            if found is not None:
                return stop - at, found
    return 1, None


@dataclass(frozen=True, slots=True)
class _Around:
    """What a rule sees besides the words: those before and after them, the names, and the calendar."""

    before: str
    after: str
    names: Names
    calendar: Calendar


def _behind(said: tuple[str, ...], leading: Collection[str]) -> tuple[tuple[str, ...], bool]:
    """Return words without what leads to them, and whether something did."""
    at = 0
    while at < len(said) - 1 and said[at] in leading and at < 2:
        at += 1
    while at and at < len(said) - 1 and said[at] in words.ARTICLES:
        at += 1
    return said[at:], at > 0


def _date(said: tuple[str, ...], text: str, around: _Around) -> _Piece | None:
    found, rest, led = read_said(said, around.calendar), said, False
    if found is None:
        rest, led = _behind(said, words.DATE)
        found = read_said(rest, around.calendar) if led else None
    if found is None or not _is_plain(found, rest, around, led=led):
        return None
    if isinstance(found, Period):
        return _Piece(text, said, "date", str(found), found)
    if isinstance(found, Weekday):
        return _Piece(text, said, "weekday", WEEKDAY_NAMES[found.number - 1], found)
    return _Piece(text, said, "month" if len(found.first) == len("MM") else "day", str(found), found)


def _is_plain(found: Said, rest: tuple[str, ...], around: _Around, *, led: bool) -> bool:
    if isinstance(found, Period):
        if len(rest) == 1 and rest[0].isdigit():
            return _OLDEST <= int(rest[0]) <= around.calendar.today.year and around.after not in words.MEASURES
        return rest != ("hier",) or around.before == "d'" or led
    name = rest[-1]
    if isinstance(found, Weekday):  # on Sundays, sonntags, los domingos
        return len(name) > len("sun") and (led or name.endswith("s"))
    if len(rest) == 1 and name in MONTHS and len(name) < _LEAST_LETTERS - 1 and name not in ("may", "mai", "mayo"):
        return False
    return led


def _place(said: tuple[str, ...], text: str, around: _Around) -> _Piece | None:
    rest, led = _behind(said, words.PLACE)
    key = " ".join(rest).replace("-", " ").replace("' ", "'")
    if not led and (key in words.HOMOGRAPHS or key in words.SMALL or len(key) < len("rom")):
        return None
    name = around.names.place(key)
    if name is None or (not led and around.names.means_more(key)):
        return None
    return _Piece(text, said, "place", name)


def _camera(said: tuple[str, ...], text: str, around: _Around) -> _Piece | None:
    rest, led = _behind(said, words.CAMERA | words.POSSESSIVES)
    rest = tuple(one for one in rest if one not in words.CAMERA_NOUNS and one not in words.ARTICLES) if led else rest
    if not rest or not (led or rest[0] in words.CAMERA_MAKERS):
        return None
    if len(rest) == 1 and rest[0] not in words.CAMERA_MAKERS and not any(letter.isdigit() for letter in rest[0]):
        return None
    known = [f" {camera} " for camera in around.names.cameras()]
    if any(f" {' '.join(rest)} " in camera for camera in known):
        return _Piece(text, said, "camera", " ".join(rest))
    if any(all(f" {one} " in camera for one in rest) for camera in known):  # Canon R5 is a Canon EOS R5
        return _Piece(text, said, "camera", " camera:".join(rest))
    return None


def _kind(said: tuple[str, ...], text: str, _: _Around) -> _Piece | None:
    if len(said) == 1 and said[0] in words.VIDEOS:
        return _Piece(text, said, "type", "video")
    if said[0] in words.RAW and (len(said) == 1 or (len(said) == 2 and said[1] in words.FILES | words.PHOTOS)):
        return _Piece(text, said, "type", "raw")
    if said in (("live", "photos"), ("live", "photo"), ("live", "fotos")):
        return _Piece(text, said, "type", "live")
    return None


def _joined(pieces: Sequence[_Piece]) -> list[_Piece] | None:
    """Return the pieces with lists joined: 2019 and 2020; None where two dates or kinds contradict each other."""
    found: list[_Piece] = []
    for one in pieces:
        if one.field is None:
            found.append(one)
            continue
        same = next((place for place in range(len(found) - 1, -1, -1) if found[place].field == one.field), None)
        if same is None or one.field == "camera":
            found.append(one)
            continue
        between = [word for piece in found[same + 1 :] for word in piece.folded]
        is_list = len(between) <= 1 and all(word in words.JOINING for word in between)
        if is_list and (between or one.field != "place"):
            found[same] = _Piece(found[same].text, found[same].folded, one.field, f"{found[same].value},{one.value}")
            del found[same + 1 :]
        elif one.field == "place":
            found.append(one)
        else:
            return None
    return _without_photos_and_videos(found)


def _without_photos_and_videos(pieces: list[_Piece]) -> list[_Piece]:
    """Leave out a kind that is named beside photos in general: photos and videos are everything."""
    kinds = [one for one in pieces if one.field == "type" and one.value == "video"]
    general = any(word in words.PHOTOS for one in pieces if one.field is None for word in one.folded)
    return [one for one in pieces if one not in kinds] if kinds and general else pieces


def _without_small(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Leave out what says nothing at the ends of each row of words between what was understood."""
    kept: list[_Piece] = []
    row: list[_Piece] = []
    for one in [*pieces, _Piece("")]:
        if one.field is None and one.folded:
            row.append(one)
            continue
        while row and all(word in words.SMALL | words.PHOTOS for word in row[0].folded):
            row.pop(0)
        while row and all(word in words.SMALL for word in row[-1].folded):
            row.pop()
        kept += row
        row = []
        if one.text:
            kept.append(one)
    return kept


def _written(piece: _Piece) -> str:
    if piece.field is None:
        return piece.text.strip(_ENDS) if piece.folded else piece.text
    if " camera:" in piece.value:
        return f"camera:{piece.value}"
    needs_quotes = any(character in piece.value for character in " '()")
    return f'{piece.field}:"{piece.value}"' if needs_quotes else f"{piece.field}:{piece.value}"
