"""Parse the tokens of a query into a syntax tree.

    query := alternatives?
    alternatives := terms (OR terms)*
    terms := term (AND? term)*
    term := ('-' | NOT)? ((word | phrase) ('^' weight)? | field | '@' name | '(' alternatives? ')')

Groups are flattened (`(a b) c` is one `And` of three) and a list of values becomes an `Or`, so that queries with the
same meaning have the same tree. `()` matches everything, like the empty query. `@name` is replaced by the tree of the
saved query, as if in parentheses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from photoindex.errors import QuerySyntaxError
from photoindex.query.lexer import Token, TokenKind, tokenize
from photoindex.query.syntax import (
    EVERYTHING,
    And,
    Compare,
    FieldGrammar,
    Lookups,
    Node,
    Not,
    Operator,
    Or,
    Words,
    leaves,
)
from photoindex.query.value_syntax import MAX_TERMS, TOO_MANY_TERMS, ValueReader, joined
from photoindex.query.values import is_indexed

MAX_DEPTH = 10
"""Levels of parentheses and saved queries; each takes up to five of the 100 entries of SQLite's parser stack."""

_ENDS = (TokenKind.OR, TokenKind.CLOSE, TokenKind.END)
_SHOWN_CHARACTERS = 40


def parse(query: str, fields: Mapping[str, FieldGrammar], lookups: Lookups, *, saving: str | None = None) -> Node:
    """Return the syntax tree of `query`; `fields`: every field by its name and aliases, lower-case.

    saving: the name under which the query will be saved; the query must not use it. Raises only QuerySyntaxError, for
    any text.
    """
    return _Parser(query, _SharedState(fields, lookups, names=() if saving is None else (saving.lower(),))).whole()


@dataclass(slots=True)
class _SharedState:
    """What a query shares with the saved queries in it; `names`: the enclosing saved queries, outermost first."""

    fields: Mapping[str, FieldGrammar]
    lookups: Lookups
    names: tuple[str, ...] = ()
    depth: int = 0
    terms: list[int] = field(default_factory=lambda: [0])


class _Parser:
    def __init__(self, query: str, shared: _SharedState) -> None:
        self._query = query
        self._shared = shared
        self._reader = ValueReader(query, shared.lookups)
        self._tokens = tokenize(query, shared.fields)
        self._index = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _error(self, message: str, position: int) -> QuerySyntaxError:
        return QuerySyntaxError(message, query=self._query, position=position)

    def whole(self) -> Node:
        node = self._alternatives(self._shared.depth)
        if self._token.kind is TokenKind.CLOSE:
            raise self._error("this ')' has no matching '('; quote the text to search for it", self._token.position)
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
        """Return the terms up to the next OR, `)` or end, None if there are none."""
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
                # Refused like `--`: a chain of them would be nested as deeply as it is long.
                message = 'a term can be negated only once; use parentheses, as in -(-a), or write "NOT" for the word'
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
        self._check_depth(depth, opened.position)
        node = self._alternatives(depth)
        if self._token.kind is not TokenKind.CLOSE:
            raise self._error("this parenthesis is not closed", opened.position)
        self._index += 1
        return node

    def _check_depth(self, depth: int, position: int) -> None:
        if depth > MAX_DEPTH:
            message = f"parentheses and saved queries can be nested at most {MAX_DEPTH} deep"
            raise self._error(message, position)

    def _count(self, position: int, number: int = 1) -> None:
        self._shared.terms[0] += number
        if self._shared.terms[0] > MAX_TERMS:
            raise self._error(TOO_MANY_TERMS, position)

    def _words(self, token: Token) -> Words:
        self._count(token.position)
        if not any(map(is_indexed, token.text)):
            message = "there is no letter or digit to search for; punctuation alone is not indexed"
            raise self._error(message, token.position)
        phrase = token.kind is TokenKind.PHRASE
        return Words(token.text, phrase=phrase, prefix=token.prefix, weight=token.weight, position=token.position)

    def _field(self, token: Token) -> Node:
        grammar = self._shared.fields.get(token.text.lower())
        if grammar is None:
            raise self._error(self._unknown_field(token.text), token.position)
        assert token.value is not None
        node = self._reader.read(grammar, token.value, position=token.position, regex=token.regex)
        self._count(token.position, number=sum(1 for _ in leaves(node)))
        return self._with_saved(node, token) if grammar.may_be_saved else node

    def _with_saved(self, node: Node, token: Token) -> Node:
        """Return a field's tree that also finds what the saved queries find which its values name."""
        saved = self._shared.lookups.saved()
        known = {*saved, *self._shared.names}  # what is being saved may not use itself by its album either
        named = [
            leaf.value or ""
            for leaf in leaves(node)
            if isinstance(leaf, Compare) and leaf.operator is Operator.IS and (leaf.value or "").lower() in known
        ]
        depth = self._shared.depth + 1
        parts = [self._saved(replace(token, text=name), depth) for name in named]
        return joined(Or, [node, *parts])

    def _unknown_field(self, name: str) -> str:
        near = get_close_matches(name.lower(), self._shared.fields, n=3)
        if near:
            hint = f"did you mean {' or '.join(f'{one}:' for one in near)}?"
        else:
            hint = f"the fields are {', '.join(sorted({grammar.name for grammar in self._shared.fields.values()}))};"
        return f"there is no field '{_shortened(name)}:'; {hint} quote the text to search for it as words"

    def _saved(self, token: Token, depth: int) -> Node:
        """Return the tree of a saved query, with the position of its name in this query for all nodes."""
        self._count(token.position)
        self._check_depth(depth, token.position)
        name = token.text.lower()
        shared = self._shared
        if name in shared.names:
            cycle = " -> ".join(f"@{one}" for one in (*shared.names[shared.names.index(name) :], name))
            raise self._error(f"a saved query cannot use itself: {cycle}", token.position)
        saved = shared.lookups.saved()
        text = saved.get(name)
        if text is None:
            raise self._error(_unknown_saved(token.text, list(saved)), token.position)
        inside = replace(shared, names=(*shared.names, name), depth=depth)
        try:
            return _at_position(_Parser(text, inside).whole(), token.position)
        except QuerySyntaxError as error:
            message = f"the saved query @{name} ({_shortened(text)}) is invalid: {error.message}"
            raise self._error(message, token.position) from error


def _needs_term(operator: Token) -> str:
    if operator.text == "NOT":
        return 'NOT needs a term after it; write "NOT" to search for the word'
    return "'-' needs a term directly after it"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _unknown_saved(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name.lower(), known, n=3)
    if near:
        hint = f"did you mean {' or '.join(f'@{one}' for one in near)}?"
    else:
        hint = "see: photoindex saved" if known else "save one with: photoindex search QUERY --saved NAME"
    return f"there is no saved query '@{name}'; {hint} (quote the text to search for it)"


def _at_position(node: Node, position: int) -> Node:
    if isinstance(node, (Words, Compare)):
        return replace(node, position=position)
    if isinstance(node, Not):
        return Not(_at_position(node.part, position))
    return type(node)(tuple(_at_position(part, position) for part in node.parts))
