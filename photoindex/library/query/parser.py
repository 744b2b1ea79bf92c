"""Read the tokens of a query into a syntax tree.

    query := alternatives?
    alternatives := terms (OR terms)*
    terms := term+
    term := '-'? (word | phrase | field | '(' alternatives? ')')

Groups are flattened (`(a b) c` is one `And` of three) and a list of values is the `Or` that it means, so that one meaning
has one tree. `()` is everything, like the empty query.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches

from photoindex.errors import QuerySyntaxError
from photoindex.library.query.lexer import Token, TokenKind, Value, tokenize
from photoindex.syntax import EVERYTHING, And, Compare, FieldGrammar, Node, Not, Operator, Or, Words

MAX_TERMS = 500
"""More would exceed the depth of an SQL expression (1000), where each term of a chain is one level."""
MAX_DEPTH = 10
"""Levels of parentheses; each takes up to five places on the stack of SQLite's parser, which has 100."""

_COMPARISONS = (Operator.GREATER_EQUAL, Operator.LESS_EQUAL, Operator.GREATER, Operator.LESS)
_SEARCHABLE = {"L", "N"}
_SHOWN_CHARACTERS = 40


def parse(query: str, fields: Mapping[str, FieldGrammar]) -> Node:
    """Return the syntax tree of `query`; `fields` holds every field by its lower-case name and aliases.

    Raises QuerySyntaxError, and nothing else, whatever the text.
    """
    return _Parser(query, fields).whole()


class _Parser:
    def __init__(self, query: str, fields: Mapping[str, FieldGrammar]) -> None:
        self._query = query
        self._fields = fields
        self._tokens = tokenize(query, fields)
        self._index = 0
        self._terms = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _error(self, message: str, position: int) -> QuerySyntaxError:
        return QuerySyntaxError(message, query=self._query, position=position)

    def whole(self) -> Node:
        node = self._alternatives(depth=0)
        if self._token.kind is TokenKind.CLOSE:
            raise self._error("')' closes nothing; quote the text to search for it", self._token.position)
        return node

    def _alternatives(self, depth: int) -> Node:
        parts = [self._conjunction(depth)]
        while self._token.kind is TokenKind.OR:
            operator = self._token
            self._index += 1
            parts.append(self._conjunction(depth))
            if any(part is None for part in parts[-2:]):
                raise self._error('OR needs a term on both sides; write "OR" to search for the word', operator.position)
        return _joined(Or, [EVERYTHING if part is None else part for part in parts])

    def _conjunction(self, depth: int) -> Node | None:
        """Return the terms up to the next OR, `)` or end, None when there are none."""
        parts: list[Node] = []
        while self._token.kind not in (TokenKind.OR, TokenKind.CLOSE, TokenKind.END):
            parts.append(self._term(depth))
        return _joined(And, parts) if parts else None

    def _term(self, depth: int) -> Node:
        token = self._token
        self._index += 1
        if token.kind is TokenKind.NOT:
            if self._token.kind in (TokenKind.OR, TokenKind.END, TokenKind.CLOSE):
                raise self._error("'-' needs a term directly behind it", token.position)
            return Not(self._term(depth))
        if token.kind is TokenKind.OPEN:
            return self._group(token, depth + 1)
        if token.kind is TokenKind.FIELD:
            return self._field(token)
        return self._words(token)

    def _group(self, opened: Token, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._error(f"parentheses inside each other go {MAX_DEPTH} deep at most", opened.position)
        node = self._alternatives(depth)
        if self._token.kind is not TokenKind.CLOSE:
            raise self._error("this parenthesis is not closed", opened.position)
        self._index += 1
        return node

    def _count(self, position: int) -> None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise self._error(f"a query has at most {MAX_TERMS} terms", position)

    def _words(self, token: Token) -> Words:
        self._count(token.position)
        if not any(_is_searchable(character) for character in token.text):
            message = "there is no letter or digit here to search for; marks alone are not indexed"
            raise self._error(message, token.position)
        phrase = token.kind is TokenKind.PHRASE
        return Words(token.text, phrase=phrase, prefix=token.prefix, position=token.position)

    def _field(self, token: Token) -> Node:
        grammar = self._fields.get(token.text.lower())
        if grammar is None:
            raise self._error(self._unknown(token.text), token.position)
        value = token.value
        assert value is not None
        if not value.text:
            message = f"{grammar.name}: needs a value directly behind the colon ({grammar.help})"
            raise self._error(message, value.position)
        if token.regex:
            if not grammar.regex:
                message = f"{grammar.name}: takes no regular expression; write {grammar.name}:VALUE with one colon"
                raise self._error(message, token.position)
            self._count(token.position)
            return Compare(grammar.name, Operator.REGEX, value.text, position=token.position)
        return _joined(Or, [self._compare(grammar, item, token) for item in _items(value)])

    def _unknown(self, name: str) -> str:
        near = get_close_matches(name.lower(), self._fields, n=3)
        if near:
            hint = f"did you mean {' or '.join(f'{one}:' for one in near)}?"
        else:
            hint = f"the fields are {', '.join(sorted({grammar.name for grammar in self._fields.values()}))};"
        shown = name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "…"
        return f"there is no field '{shown}:'; {hint} quote the text to search for it as words"

    def _compare(self, grammar: FieldGrammar, item: Value, token: Token) -> Compare:
        self._count(item.position)
        if not item.text:
            message = "a comma needs a value on both sides, without spaces; quote a value that holds a comma"
            raise self._error(message, item.position)
        operator, value = self._comparison(grammar, item)
        if operator is Operator.IS and grammar.ordered and (dots := value.find("..")) >= 0:
            return self._range(grammar, value, dots, token)
        self._refuse_wrong(grammar, value)
        return Compare(grammar.name, operator, value.text, position=token.position)

    def _comparison(self, grammar: FieldGrammar, item: Value) -> tuple[Operator, Value]:
        """Split `>=20MB` into the operator and the value."""
        for operator in _COMPARISONS:
            sign = operator.value[1:]
            if item.text.startswith(sign) and not any(item.quoted[: len(sign)]):
                if not grammar.ordered:
                    message = f"{grammar.name}: cannot be compared with '{sign}'; quote the value if it begins so"
                    raise self._error(message, item.position)
                rest = item.cut(len(sign), len(item.text))
                if not rest.text:
                    raise self._error(f"{grammar.name}:{sign} needs a value directly behind it", rest.position)
                return operator, rest
        return Operator.IS, item

    def _range(self, grammar: FieldGrammar, item: Value, dots: int, token: Token) -> Compare:
        lower, upper = item.cut(0, dots), item.cut(dots + 2, len(item.text))
        if not lower.text and not upper.text:
            message = f"a range needs at least one end: {grammar.name}:A..B, {grammar.name}:A.. or {grammar.name}:..B"
            raise self._error(message, item.position)
        for end in (lower, upper):
            if end.text:
                self._refuse_wrong(grammar, end)
        if lower.text and upper.text and grammar.backwards(lower.text, upper.text):
            message = f"{grammar.name}: this range runs backwards; the smaller end comes first"
            raise self._error(message, item.position)
        return Compare(
            grammar.name, Operator.RANGE, lower.text or None, until=upper.text or None, position=token.position
        )

    def _refuse_wrong(self, grammar: FieldGrammar, value: Value) -> None:
        if (reason := grammar.refusal(value.text)) is not None:
            raise self._error(f"{grammar.name}: {reason}", value.position)


def _is_searchable(character: str) -> bool:
    """Tell whether SQLite's unicode61 tokenizer makes this character part of a token: letters, numbers, private use."""
    category = unicodedata.category(character)
    return category[0] in _SEARCHABLE or category == "Co"


def _items(value: Value) -> list[Value]:
    """Split a value at the commas outside quotes."""
    items = []
    while (comma := value.find(",")) >= 0:
        items.append(value.cut(0, comma))
        value = value.cut(comma + 1, len(value.text))
    return [*items, value]


def _joined(kind: type[And | Or], parts: list[Node]) -> Node:
    """Return one node for `parts`: themselves when there is one, with the parts of inner nodes of the same kind."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else [part])
    return flat[0] if len(flat) == 1 else kind(tuple(flat))
