"""The vocabulary of tags: reads its file, a term a line with the words of prompts and names in other languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from photoindex.text import fold

LANGUAGES = ("en", "de", "fr", "es")
"""Languages in which tags can be named; English names are the keys."""
EXTENDS = "extends photoindex"
"""The line of a user's file that adds its terms to this program's own, instead of replacing them."""

_NAME_MAX = 60
_LEVELS_MAX = 5
_NAMED = re.compile(r"([a-z]{2})\s+(\S.*)")
_PROBLEMS_SHOWN = 10
_LETTERS = "LMN"
"""Unicode categories of letters, the signs on them, and digits."""
_SIGNS = " -'\u2019.&()·+°"


@dataclass(frozen=True, slots=True)
class Term:
    """One tag that a picture may get. name: with its levels, in the language of the tags. words: as in prompts."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be used; lines are counted from 1."""

    line: int
    reason: str


class BadVocabulary(Exception):
    """Lines of a vocabulary cannot be used; the message lists them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        shown = [f"  line {one.line}: {one.reason}" for one in problems[:_PROBLEMS_SHOWN]]
        if len(problems) > _PROBLEMS_SHOWN:
            shown.append(f"  and {len(problems) - _PROBLEMS_SHOWN:,} more lines")
        super().__init__("\n".join(shown))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that was read. key: English levels. names: by language, of the last level."""

    number: int
    key: str
    words: str
    names: Mapping[str, str]


@dataclass(slots=True)
class _Read:
    """The lines of one file by folded key. groups: lines that only name a level. removed: terms left out."""

    terms: dict[str, _Line] = field(default_factory=dict)
    groups: dict[str, _Line] = field(default_factory=dict)
    removed: dict[str, _Line] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    extends: bool = False


class _Wrong(Exception):
    """A line cannot be read."""


def read_vocabulary(text: str, *, language: str = "en", own: str = "") -> list[Term]:
    """Return the terms of a vocabulary, in the order of the file.

    own: the program's vocabulary, which a file with the line `extends photoindex` adds to: its lines replace those with
    the same key, and `-KEY` leaves a term out. Raises BadVocabulary.
    """
    read = _read(text)
    base = _read(own) if read.extends else _Read()
    for key, one in read.removed.items():
        if not read.extends:
            read.problems.append(
                Problem(one.number, f"-{one.key} leaves a term of photoindex's out, which needs the line: {EXTENDS}")
            )
        elif key not in base.terms:
            read.problems.append(Problem(one.number, f"photoindex's vocabulary has no {one.key}"))
    terms = {key: one for key, one in (base.terms | read.terms).items() if key not in read.removed}
    found = list(_named(terms, base.groups | read.groups, language, read.problems))
    if read.problems:
        raise BadVocabulary(sorted(read.problems, key=lambda one: one.line))
    if not found:
        raise BadVocabulary([Problem(1, "there is no term; write one a line, such as animals/dog")])
    return found


def _read(text: str) -> _Read:
    read = _Read()
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        written = line.strip()
        if not written or written.startswith("#"):
            continue
        if written == EXTENDS:
            read.extends = True
            continue
        try:
            _add(read, number, written)
        except _Wrong as error:
            read.problems.append(Problem(number, str(error)))
    return read


def _add(read: _Read, number: int, written: str) -> None:
    head, *names = (part.strip() for part in written.split("|"))
    if head.startswith("-"):
        key = _checked_key(head[1:].strip())
        read.removed[fold(key)] = _Line(number, key, "", {})
        return
    key, _, words = (part.strip() for part in head.partition(":"))
    is_group = key.endswith("/")
    key = _checked_key(key.removesuffix("/") if is_group else key)
    lines = read.groups if is_group else read.terms
    if fold(key) in lines:
        raise _Wrong(f"{key} is in line {lines[fold(key)].number} already")
    if words:
        _check_name(words)
    own_names = dict(_name_in(one) for one in names)
    lines[fold(key)] = _Line(number, key, words or key.rpartition("/")[2], own_names)


def _name_in(written: str) -> tuple[str, str]:
    found = _NAMED.fullmatch(written)
    if found is None or found[1] not in LANGUAGES[1:]:
        raise _Wrong(
            f"'{written}' is no name in another language, such as: de Hund (one of {', '.join(LANGUAGES[1:])})"
        )
    if "/" in found[2]:
        raise _Wrong(f"'{found[2]}' names the last level alone; a line such as animals/ | de Tiere names another level")
    _check_name(found[2])
    return found[1], found[2]


def _checked_key(key: str) -> str:
    levels = [level.strip() for level in key.split("/")]
    if not all(levels):
        raise _Wrong("a level has no name" if key else "the term is missing")
    if len(levels) > _LEVELS_MAX:
        raise _Wrong(f"there are {len(levels)} levels, and at most {_LEVELS_MAX} are allowed")
    for level in levels:
        _check_name(level)
    return "/".join(levels)


def _check_name(name: str) -> None:
    """Raise _Wrong for what is no name."""
    if "," in name or ";" in name:
        raise _Wrong(f"'{name}' has a comma; write one term a line")
    if len(name) > _NAME_MAX:
        raise _Wrong(f"'{name[:20]}…' has {len(name)} letters, and at most {_NAME_MAX} are allowed")
    strange = next((one for one in name if not _is_usual(one)), None)
    if strange is not None:
        raise _Wrong(f"'{name}' has the sign {strange!a}, such as an emoji; use letters, digits, spaces and hyphens")
    if not any(unicodedata.category(one).startswith(("L", "N")) for one in name):
        raise _Wrong(f"'{name}' has no letter")


def _is_usual(sign: str) -> bool:
    return sign in _SIGNS or unicodedata.category(sign)[0] in _LETTERS or sign == "\u200c"


def _named(
    terms: Mapping[str, _Line], groups: Mapping[str, _Line], language: str, problems: list[Problem]
) -> Iterator[Term]:
    """Yield the terms with their names in a language; adds to `problems` what two terms have in common."""
    names: dict[str, _Line] = {}
    spoken: dict[str, _Line] = {}
    for one in terms.values():
        name = _name_of(one.key, terms, groups, language)
        for known, text, what in ((names, name, "is called"), (spoken, one.words, "is said to the model as")):
            other = known.setdefault(fold(text), one)
            if other is not one:
                problems.append(
                    Problem(
                        one.number, f"{one.key} {what} '{text}', as {other.key} is; write other words after a colon"
                    )
                )
                break
        else:
            yield Term(name, one.words)


def _name_of(key: str, terms: Mapping[str, _Line], groups: Mapping[str, _Line], language: str) -> str:
    levels = key.split("/")
    found = []
    for number, level in enumerate(levels, 1):
        so_far = fold("/".join(levels[:number]))
        lines = [lines[so_far] for lines in (terms, groups) if so_far in lines]
        found.append(next((one.names[language] for one in lines if language in one.names), level))
    return "/".join(found)
