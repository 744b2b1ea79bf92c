r"""Split a query into tokens.

White space (any in Unicode, so also a no-break space) separates tokens. `"…"` is a phrase; typographic quotes count as
quotes, and `\"` and `\\` are escapes inside it. `(` opens a group only at the start of a term: in `IMG(1).jpg` it is
part of the word. `name:` at the start of a term is a field. A colon is an ordinary character after a digit (12:30,
16:9) and in `http://…` and `C:\…`. `@name` at the start of a term is a saved query. OR, AND and NOT in capitals are
operators. `^` and a number at the end of a word, or directly after a phrase, are its weight.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from enum import Enum, auto

from photoindex.errors import QuerySyntaxError
from photoindex.text import composed

MAX_CHARACTERS = 20_000
MIN_WEIGHT, MAX_WEIGHT = 0.01, 100.0
NAME_RULE = "a letter or digit, then up to 63 letters, digits, '-', '_' and '.'"
QUOTES = '"\u201c\u201d\u201e\u201f\uff02'

_FIELD = re.compile(r"([^\W\d][\w-]*)(::?)")
# Accents may be characters of their own (NFD); names are compared composed.
_SAVED = re.compile("@([^\\W_][\\w.\u0300-\u036f-]{0,63})(?=[\\s()]|$)")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_WEIGHT = re.compile(r"(?<=.)\^(-?[0-9]*\.?[0-9]+)\Z", re.DOTALL)
_WEIGHT_AFTER_PHRASE = re.compile(r"\^(-?[0-9]*\.?[0-9]+)(?=[\s()]|\Z)")
_WEIGHT_FORMAT = re.compile(r"[0-9]{0,3}(?:\.[0-9]{1,3})?")
# Command-line bytes that are not UTF-8 become U+DC80 to U+DCFF; other surrogates cannot be encoded.
_UNENCODABLE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


class TokenKind(Enum):
    """The kind of a token. NOT is the word or a `-` before a term; END follows the last token."""

    WORD = auto()
    PHRASE = auto()
    FIELD = auto()
    SAVED = auto()
    NOT = auto()
    OPEN = auto()
    CLOSE = auto()
    OR = auto()
    AND = auto()
    END = auto()


_OPERATORS = {"OR": TokenKind.OR, "AND": TokenKind.AND, "NOT": TokenKind.NOT}


@dataclass(frozen=True, slots=True)
class Value:
    """A field's value without quotes; for each character, whether it was quoted and its position in the query."""

    text: str
    quoted: tuple[bool, ...]
    positions: tuple[int, ...]
    end: int

    def slice(self, start: int, stop: int) -> Value:
        """Return the characters from `start` to `stop` (exclusive)."""
        end = self.positions[stop] if stop < len(self.positions) else self.end
        return Value(self.text[start:stop], self.quoted[start:stop], self.positions[start:stop], end)

    @property
    def position(self) -> int:
        """Where the value begins in the query, or would begin if it is empty."""
        return self.positions[0] if self.positions else self.end

    def find(self, text: str) -> int:
        """Return the index of the first unquoted `text`, -1 if there is none."""
        index = self.text.find(text)
        while index >= 0 and any(self.quoted[index : index + len(text)]):
            index = self.text.find(text, index + 1)
        return index


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `text`: the word, the phrase, or the name of the field or saved query; `value`: only of a field."""

    kind: TokenKind
    position: int
    text: str = ""
    prefix: bool = False
    regex: bool = False
    weight: float = 1.0
    value: Value | None = None


def read_weight(written: str) -> float:
    """Parse a weight. Raises ValueError with a message for the user."""
    number = float(written) if written and _WEIGHT_FORMAT.fullmatch(written) else 0.0
    if not MIN_WEIGHT <= number <= MAX_WEIGHT:
        raise ValueError(f"a weight must be a number from {MIN_WEIGHT:g} to {MAX_WEIGHT:g} with at most three decimals")
    return number


def split_weight(text: str) -> tuple[str, str | None]:
    """Split the weight off the end of a text; return the rest and the weight as written, None if there is none."""
    found = _WEIGHT.search(text)
    return (text[: found.start()], found[1]) if found else (text, None)


def is_saved_name(name: str) -> bool:
    """Return whether a saved query may have this name."""
    found = _SAVED.fullmatch("@" + name)
    return found is not None and found[1] == name


def tokenize(query: str, names: Container[str] = ()) -> list[Token]:
    """Return the tokens of `query`, END last; `names`: of the known fields, lower-case. Raises QuerySyntaxError."""
    if len(query) > MAX_CHARACTERS:
        message = f"a query can have at most {MAX_CHARACTERS:,} characters; this one has {len(query):,}"
        raise QuerySyntaxError(message, query=query, position=MAX_CHARACTERS)
    if invalid := _UNENCODABLE.search(query):
        raise QuerySyntaxError("invalid character (a lone surrogate)", query=query, position=invalid.start())
    return _Lexer(query, names).tokens()


class _Lexer:
    def __init__(self, query: str, names: Container[str]) -> None:
        self._query = query
        self._names = names
        self._at = 0

    def tokens(self) -> list[Token]:
        found = []
        while True:
            while self._peek().isspace():
                self._at += 1
            token = self._next()
            found.append(token)
            if token.kind is TokenKind.END:
                return found

    def _peek(self, ahead: int = 0) -> str:
        """Return the character `ahead` of the current position, "" after the end."""
        index = self._at + ahead
        return self._query[index : index + 1]

    def _error(self, message: str, position: int) -> QuerySyntaxError:
        return QuerySyntaxError(message, query=self._query, position=position)

    def _next(self) -> Token:
        start = self._at
        character = self._peek()
        if not character:
            return Token(TokenKind.END, start)
        if character in "()":
            self._at += 1
            return Token(TokenKind.OPEN if character == "(" else TokenKind.CLOSE, start)
        if character in "-@":
            return self._minus() if character == "-" else self._saved()
        if character in QUOTES:
            return self._phrase()
        field = _FIELD.match(self._query, start)
        if field and (field[1].lower() in self._names or not self._is_address(field)):
            return self._field(field)
        return self._word()

    def _is_address(self, field: re.Match[str]) -> bool:
        at_drive = _DRIVE.match(self._query, field.start()) is not None
        return at_drive or self._query.startswith("//", field.end())

    def _minus(self) -> Token:
        following = self._peek(1)
        if following == "-":
            raise self._error("one '-' before a term excludes it; quote the text to search for dashes", self._at)
        if not following or following.isspace() or following == ")":
            raise self._error("'-' must be directly before the term to exclude, as in -beach", self._at)
        self._at += 1
        return Token(TokenKind.NOT, self._at - 1, "-")

    def _saved(self) -> Token:
        start = self._at
        found = _SAVED.match(self._query, start)
        if found is None:
            raise self._error(
                f"'@' must be followed by the name of a saved query: {NAME_RULE}; quote the text to search for it",
                start,
            )
        self._at = found.end()
        return Token(TokenKind.SAVED, start, composed(found[1]))

    def _phrase(self) -> Token:
        start = self._at
        text, _ = self._quoted()
        prefix = self._peek() == "*"
        self._at += prefix
        found = _WEIGHT_AFTER_PHRASE.match(self._query, self._at)
        weight = self._weight(found[1], self._at) if found else 1.0
        self._at = found.end() if found else self._at
        return Token(TokenKind.PHRASE, start, "".join(text), prefix=prefix, weight=weight)

    def _weight(self, written: str, position: int) -> float:
        try:
            return read_weight(written)
        except ValueError as error:
            raise self._error(f"{error}; quote the text to search for '^'", position) from error

    def _quoted(self) -> tuple[list[str], list[int]]:
        """Read a quoted text including its quotes; return its characters and their positions."""
        opened = self._at
        self._at += 1
        characters: list[str] = []
        positions: list[int] = []
        while (character := self._peek()) not in QUOTES:
            escaped = character == "\\" and (self._peek(1) == "\\" or (self._peek(1) and self._peek(1) in QUOTES))
            self._at += bool(escaped)
            characters.append(self._peek())
            positions.append(self._at)
            self._at += 1
        if not character:
            raise self._error("this quote is not closed", opened)
        self._at += 1
        return characters, positions

    def _field(self, match: re.Match[str]) -> Token:
        self._at = match.end()
        return Token(TokenKind.FIELD, match.start(), match[1], regex=match[2] == "::", value=self._value())

    def _value(self) -> Value:
        text: list[str] = []
        quoted: list[bool] = []
        positions: list[int] = []
        opened: list[int] = []
        while (character := self._peek()) and not character.isspace():
            if character in QUOTES:
                characters, at = self._quoted()
                text += characters
                positions += at
                quoted += [True] * len(characters)
                continue
            if self._is_end(character, opened):
                break
            text.append(character)
            positions.append(self._at)
            quoted.append(False)
            self._at += 1
        self._check_closed(opened)
        return Value("".join(text), tuple(quoted), tuple(positions), self._at)

    def _word(self) -> Token:
        start = self._at
        opened: list[int] = []
        while (character := self._peek()) and not character.isspace() and character not in QUOTES:
            if self._is_end(character, opened):
                break
            self._at += 1
        self._check_closed(opened)
        word, written = split_weight(self._query[start : self._at])
        weight = 1.0 if written is None else self._weight(written, start + len(word))
        if word in _OPERATORS and written is None:
            return Token(_OPERATORS[word], start, word)
        self._check_colons(word, start)
        star = word.find("*")
        if 0 <= star < len(word) - 1 or word == "*":
            message = "'*' is allowed only at the end of a word; name:IMG_*7 and path:2019/*.jpg accept it anywhere"
            raise self._error(message, start + star)
        return Token(TokenKind.WORD, start, word.removesuffix("*"), prefix=star > 0, weight=weight)

    def _is_end(self, character: str, opened: list[int]) -> bool:
        """Track parentheses inside a word; return whether a closing one ends the group around the word."""
        if character == "(":
            opened.append(self._at)
        elif character == ")":
            if not opened:
                return True
            opened.pop()
        return False

    def _check_closed(self, opened: list[int]) -> None:
        if opened:
            message = "this parenthesis is not closed; put a space before it to open a group, or quote the text"
            raise self._error(message, opened[-1])

    def _check_colons(self, word: str, start: int) -> None:
        if "://" in word or _DRIVE.match(word):
            return
        for found in re.finditer(":", word):
            index = found.start()
            if index == 0:
                raise self._error("':' needs the name of a field before it; quote the text to search for it", start)
            if not word[index - 1].isdigit():
                message = f"{word[:index]!r} is not the name of a field; quote the text to search for it"
                raise self._error(message, start + index)
