"""Read the tokens of a query into a syntax tree.

    query := alternatives?
    alternatives := terms (OR terms)*
    terms := term (AND? term)*
    term := ('-' | NOT)? ((word | phrase) ('^' weight)? | field | '@' name | '(' alternatives? ')')

Groups are flattened (`(a b) c` is one `And` of three) and a list of values is the `Or` that it means, so that one meaning
has one tree. `()` is everything, like the empty query. `@name` is the tree of that saved query, as if it stood in parentheses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from photoindex.errors import QuerySyntaxError
from photoindex.query.lexer import Token, TokenKind, tokenize
from photoindex.query.syntax import EVERYTHING, And, Compare, FieldGrammar, Lookups, Node, Not, Or, Words, leaves
from photoindex.query.value_syntax import ValueReader, joined
from photoindex.query.values import is_indexed

MAX_TERMS = 500
"""More would exceed the depth of an SQL expression (1000), where each term of a chain is one level."""
MAX_DEPTH = 10
"""Levels of parentheses and saved queries; each takes up to five places on the stack of SQLite's parser, which has 100."""

_ENDS = (TokenKind.OR, TokenKind.CLOSE, TokenKind.END)
_SHOWN_CHARACTERS = 40


def parse(query: str, fields: Mapping[str, FieldGrammar], lookups: Lookups, *, saving: str | None = None) -> Node:
    """Return the syntax tree of `query`; `fields` holds every field by its lower-case name and aliases.

    saving: the name under which the query is to be saved, which it may therefore not use itself.
    Raises QuerySyntaxError, and nothing else, whatever the text.
    """
    return _Parser(query, _Surroundings(fields, lookups, names=() if saving is None else (saving.lower(),))).whole()


@dataclass(slots=True)
class _Surroundings:
    """What a query and the saved ones inside it share; `names` are the saved queries around, outermost first."""

    fields: Mapping[str, FieldGrammar]
    lookups: Lookups
    names: tuple[str, ...] = ()
    depth: int = 0
    terms: list[int] = field(default_factory=lambda: [0])


class _Parser:
    def __init__(self, query: str, around: _Surroundings) -> None:
        self._query = query
        self._around = around
        self._reader = ValueReader(query, around.lookups)
        self._tokens = tokenize(query, around.fields)
        self._index = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _error(self, message: str, position: int) -> QuerySyntaxError:
        return QuerySyntaxError(message, query=self._query, position=position)

    def whole(self) -> Node:
        node = self._alternatives(self._around.depth)
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
        return joined(Or, [EVERYTHING if part is None else part for part in parts])

    def _conjunction(self, depth: int) -> Node | None:
        """Return the terms up to the next OR, `)` or end, None when there are none."""
        parts: list[Node] = []
        while self._token.kind not in _ENDS:
            operator = self._token
            if operator.kind is TokenKind.AND:
                self._index += 1
                if not parts or self._token.kind in (*_ENDS, TokenKind.AND):
                    message = 'AND needs a term on both sides; write "AND" to search for the word'
                    raise self._error(message, operator.position)
            parts.append(self._term(depth))
        return joined(And, parts) if parts else None

    def _term(self, depth: int) -> Node:
        token = self._token
        self._index += 1
        if token.kind is TokenKind.NOT:
            if self._token.kind in (*_ENDS, TokenKind.AND):
                raise self._error(_needs_term(token), token.position)
            if self._token.kind is TokenKind.NOT:
                # Refused as `--` is; a chain of them would be as deep as it is long.
                message = (
                    "a term is filtered out once; parentheses stand between two of '-' and NOT, or \"NOT\" for the word"
                )
                raise self._error(message, self._token.position)
            return Not(self._term(depth))
        if token.kind is TokenKind.OPEN:
            return self._group(token, depth + 1)
        if token.kind is TokenKind.FIELD:
            return self._field(token)
        if token.kind is TokenKind.SAVED:
            return self._saved(token, depth + 1)
        return self._words(token)

    def _group(self, opened: Token, depth: int) -> Node:
        self._refuse_deep(depth, opened.position)
        node = self._alternatives(depth)
        if self._token.kind is not TokenKind.CLOSE:
            raise self._error("this parenthesis is not closed", opened.position)
        self._index += 1
        return node

    def _refuse_deep(self, depth: int, position: int) -> None:
        if depth > MAX_DEPTH:
            message = f"parentheses and saved queries inside each other go {MAX_DEPTH} deep at most"
            raise self._error(message, position)

    def _count(self, position: int, number: int = 1) -> None:
        self._around.terms[0] += number
        if self._around.terms[0] > MAX_TERMS:
            raise self._error(f"a query has at most {MAX_TERMS} terms", position)

    def _words(self, token: Token) -> Words:
        self._count(token.position)
        if not any(map(is_indexed, token.text)):
            message = "there is no letter or digit to search for; punctuation alone is not indexed"
            raise self._error(message, token.position)
        phrase = token.kind is TokenKind.PHRASE
        return Words(token.text, phrase=phrase, prefix=token.prefix, weight=token.weight, position=token.position)

    def _field(self, token: Token) -> Node:
        grammar = self._around.fields.get(token.text.lower())
        if grammar is None:
            raise self._error(self._unknown_field(token.text), token.position)
        assert token.value is not None
        node = self._reader.read(grammar, token.value, position=token.position, regex=token.regex)
        self._count(token.position, number=sum(1 for _ in leaves(node)))
        return node

    def _unknown_field(self, name: str) -> str:
        near = get_close_matches(name.lower(), self._around.fields, n=3)
        if near:
            hint = f"did you mean {' or '.join(f'{one}:' for one in near)}?"
        else:
            hint = f"the fields are {', '.join(sorted({grammar.name for grammar in self._around.fields.values()}))};"
        return f"there is no field '{_shown(name)}:'; {hint} quote the text to search for it as words"

    def _saved(self, token: Token, depth: int) -> Node:
        """Return the tree of a saved query, its positions being that of its name here."""
        self._count(token.position)
        self._refuse_deep(depth, token.position)
        name = token.text.lower()
        around = self._around
        if name in around.names:
            circle = " -> ".join(f"@{one}" for one in (*around.names[around.names.index(name) :], name))
            raise self._error(f"a saved query cannot use itself: {circle}", token.position)
        saved = around.lookups.saved()
        text = saved.get(name)
        if text is None:
            raise self._error(_unknown_saved(token.text, list(saved)), token.position)
        inside = replace(around, names=(*around.names, name), depth=depth)
        try:
            return _placed(_Parser(text, inside).whole(), token.position)
        except QuerySyntaxError as error:
            message = f"the saved query @{name} ({_shown(text)}) cannot be read: {error.message}"
            raise self._error(message, token.position) from error


def _needs_term(operator: Token) -> str:
    if operator.text == "NOT":
        return 'NOT needs a term behind it; write "NOT" to search for the word'
    return "'-' needs a term directly behind it"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _unknown_saved(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name.lower(), known, n=3)
    if near:
        hint = f"did you mean {' or '.join(f'@{one}' for one in near)}?"
    else:
        hint = "see: photoindex saved" if known else "save one with: photoindex search QUERY --saved NAME"
    return f"there is no saved query '@{name}'; {hint} (quote the text to search for it)"


def _placed(node: Node, position: int) -> Node:
    if isinstance(node, (Words, Compare)):
        return replace(node, position=position)
    if isinstance(node, Not):
        return Not(_placed(node.part, position))
    return type(node)(tuple(_placed(part, position) for part in node.parts))
