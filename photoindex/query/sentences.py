"""Understand sentences: what in bare words is plainly a date, a place, a camera or a kind becomes a field.

Rules and the library's own names alone decide. What could mean two things stays a word, quoted text is never touched, and a
sentence with an operator or parentheses is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from photoindex.query import sentence_words as words
from photoindex.query.lexer import Token, TokenKind, tokenize
from photoindex.query.said_dates import Calendar, read_said, said_words
from photoindex.query.sentence_rules import RULES, Around, Names, Piece, Strength, season_of_a_place
from photoindex.query.syntax import FieldGrammar

_LONGEST = 10
"""Words of the longest date or name."""
_LONGEST_DATE = 4
_ENDS = ",.;:!?"
_SEVERAL = " camera:"
"""In the value of a camera that several words of its name must match."""
_PLAIN = (TokenKind.WORD,)
_UNCLEAR = (TokenKind.NOT, TokenKind.OPEN, TokenKind.CLOSE, TokenKind.OR, TokenKind.AND)
_OF_TIME = ("date", "month", "day", "weekday")


def understood(query: str, fields: dict[str, FieldGrammar], names: Names, calendar: Calendar) -> str | None:
    """Return the query that a sentence means, None where it says nothing but words. Raises QuerySyntaxError like the parser."""
    tokens = tokenize(query, fields)
    plain = [one for one in tokens if one.kind in _PLAIN]
    if any(one.kind in _UNCLEAR for one in tokens):
        return None
    pieces = [_piece(query, one, after) for one, after in pairwise(tokens)]
    # What is denied stays as it is, and so does what follows it: Lisbon 2019 without people.
    end = next((at for at, one in enumerate(pieces) if any(word in words.NOT for word in one.folded)), len(pieces))
    found = _joined(_with_seasons(_without_weak(_read(pieces[:end], names, calendar)), calendar))
    if found is None or not any(one.field for one in found):
        return None
    if len(plain) < 2 and (found[0].field != "date" or found[0].text.isdigit()):  # a year alone may be in a name
        return None
    return " ".join(_written(one) for one in [*_without_small(found), *pieces[end:]])


def telling_words(query: str, fields: dict[str, FieldGrammar]) -> str | None:
    """Return the words of a query of bare words that say something, None where all do, or it has more than words."""
    tokens = tokenize(query, fields)
    if any(one.kind not in (*_PLAIN, TokenKind.END) or one.prefix or one.weight != 1.0 for one in tokens):
        return None
    texts = query.split()
    kept = [one for one in texts if not set(said_words(one.strip(_ENDS))) <= words.SMALL | words.PHOTOS]
    return " ".join(kept) if 0 < len(kept) < len(texts) else None


def _piece(query: str, token: Token, after: Token) -> Piece:
    text = query[token.position : after.position].strip()
    if token.kind not in _PLAIN or token.prefix or token.weight != 1.0:
        return Piece(text)
    return Piece(text, tuple(said_words(text.strip(_ENDS))))


def _read(pieces: Sequence[Piece], names: Names, calendar: Calendar) -> list[Piece]:
    """Return the pieces, those that were understood joined into one each."""
    read: list[Piece] = []
    at = 0
    while at < len(pieces):
        length, found = _longest(pieces, at, read, names, calendar)
        read.append(found or pieces[at])
        at += length
    return read


def _longest(
    pieces: Sequence[Piece], at: int, read: Sequence[Piece], names: Names, calendar: Calendar
) -> tuple[int, Piece | None]:
    """Return how many pieces the longest meaning takes that begins here, and the meaning; read: the pieces before."""
    end = at
    while end < len(pieces) and end - at < _LONGEST and pieces[end].folded:
        end += 1
    before = tuple(word for one in read for word in one.folded)
    known = bool(read) and read[-1].field is not None
    is_joined = (
        len(read) > 1 and read[-2].field == "place" and read[-1].folded[:1] and read[-1].folded[0] in words.JOINING
    )
    joined = read[-2].strength if is_joined else None
    first = not any(one.field or any(word not in words.SMALL | words.PHOTOS for word in one.folded) for one in read)
    for stop in range(end, at, -1):
        said = tuple(word for one in pieces[at:stop] for word in one.folded)
        after = tuple(word for one in pieces[stop : stop + 1] for word in one.folded)
        text = " ".join(one.text for one in pieces[at:stop])
        around = Around(before, after, first, known, joined, _is_closed(pieces, stop, calendar), names, calendar)
        for rule in RULES:
            found = rule(said, text, around)
            if found is not None:
                return stop - at, found
    return 1, None


def _is_closed(pieces: Sequence[Piece], stop: int, calendar: Calendar) -> bool:
    """Tell whether what begins here cannot belong to the noun before: the end, a word such as in, or a date."""
    if stop == len(pieces) or not pieces[stop].folded or pieces[stop - 1].text[-1:] in _ENDS:
        return True
    if pieces[stop].folded[0] in words.SMALL | words.NEAR | words.NOT:
        return True
    ends = range(stop + 1, min(stop + _LONGEST_DATE, len(pieces)) + 1)
    return any(read_said([word for one in pieces[stop:end] for word in one.folded], calendar) for end in ends)


def _without_weak(pieces: Sequence[Piece]) -> list[Piece]:
    """Return places that are only named in passing as words where another is plainer: people from Madrid in Paris."""
    pieces = [
        Piece(one.text, one.folded) if one.field and _is_one_of_two(pieces, at) else one
        for at, one in enumerate(pieces)
    ]
    plain = [at for at, one in enumerate(pieces) if one.field == "place" and one.strength is Strength.STRONG]
    if not plain:
        return list(pieces)
    # Lisbon in Portugal are two; plaza de España en Sevilla is one.
    stays = {at - 1 for at in plain if pieces[at - 1].folded[:1] and pieces[at - 1].folded[0] not in words.PLACE}
    return [
        Piece(one.text, one.folded)
        if one.field == "place" and one.strength is Strength.WEAK and at not in stays
        else one
        for at, one in enumerate(pieces)
    ]


def _is_one_of_two(pieces: Sequence[Piece], at: int) -> bool:
    """Tell whether or and a word follow, of which only the place is known: Lisbon or home."""
    follows = pieces[at + 1 : at + 3]
    return len(follows) == 2 and set(follows[0].folded) <= words.OR and bool(follows[0].folded) and not follows[1].field


def _with_seasons(pieces: Sequence[Piece], calendar: Calendar) -> list[Piece]:
    if len(pieces) < 2 or any(one.field in _OF_TIME for one in pieces):
        return list(pieces)
    found = season_of_a_place(pieces[0], pieces[1], calendar)
    return [found or pieces[0], *pieces[1:]]


def _joined(pieces: Sequence[Piece]) -> list[Piece] | None:
    """Return the pieces with lists joined: 2019 and 2020; None where two dates, kinds or cities contradict each other."""
    found: list[Piece] = []
    for one in pieces:
        same = next(
            (place for place in range(len(found) - 1, -1, -1) if one.field and found[place].field == one.field), None
        )
        if same is None:
            found.append(one)
            continue
        before, between = found[same], [word for piece in found[same + 1 :] for word in piece.folded]
        is_joined = len(between) == 1 and between[0] in words.JOINING
        if one.field == "place" and "wide" in (one.kind, before.kind) and not is_joined:
            found.append(one)  # Lisbon in Portugal
        elif _SEVERAL not in before.value + one.value and (is_joined or _is_listed(before, one, between)):
            found[same] = replace(before, others=(*before.others, one.value))
            del found[same + 1 :]
        else:
            return None
    return _without_photos_and_videos(found)


def _is_listed(before: Piece, one: Piece, between: Sequence[str]) -> bool:
    """Tell whether a comma joins two: Berlin, Cape Town."""
    return not between and before.text.endswith(",") and one.field in ("place", "date")


def _without_photos_and_videos(pieces: list[Piece]) -> list[Piece]:
    """Leave out a kind that is named beside photos in general: photos and videos are everything."""
    kinds = [one for one in pieces if one.field == "type" and one.value == "video"]
    general = any(word in words.PHOTOS for one in pieces if one.field is None for word in one.folded)
    return [one for one in pieces if one not in kinds] if kinds and general else pieces


def _without_small(pieces: Sequence[Piece]) -> list[Piece]:
    """Leave out what says nothing at the ends of each row of words between what was understood."""
    kept: list[Piece] = []
    row: list[Piece] = []
    for one in [*pieces, Piece("")]:
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


def _written(piece: Piece) -> str:
    if piece.field is None:
        return piece.text.strip(_ENDS) if piece.folded else piece.text
    if _SEVERAL in piece.value:
        return f"{piece.field}:{piece.value}"
    return f"{piece.field}:{','.join(map(_quoted, (piece.value, *piece.others)))}"


def _quoted(value: str) -> str:
    return f'"{value}"' if any(character in value for character in " '()") else value
