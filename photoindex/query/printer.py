"""Print a syntax tree as the text of a query; parsing the text gives the same tree."""

from __future__ import annotations

import re

from photoindex.errors import QuerySyntaxError
from photoindex.query.lexer import QUOTES, TokenKind, tokenize
from photoindex.query.syntax import And, Compare, Node, Not, Operator, Or, Words

# Values that cannot be mistaken for other syntax or for a list of values; all others are quoted.
_BARE_VALUE = re.compile(r"[\w.+&'@#%/_*:-]+", re.ASCII)
_SPECIAL = re.compile(rf"[\\{QUOTES}]")
UNLISTED = frozenset({"near", "like", "face"})
"""Fields without lists of values, because a comma is part of the value."""


def to_text(node: Node) -> str:
    """Return `node` as the text of a query; parsing it gives the same tree, if `parse` can produce that tree."""
    return _alternatives(node) if isinstance(node, Or) else _terms(node)


def _alternatives(node: Or) -> str:
    if not node.parts:
        return "-()"
    values = _as_list(node)
    return values if values is not None else " OR ".join(_terms(part, inside=Or) for part in node.parts)


def _as_list(node: Or) -> str | None:
    """Return `field:a,b` if every alternative compares the same field with a value, None otherwise."""
    compares = [part for part in node.parts if isinstance(part, Compare) and part.operator is not Operator.REGEX]
    if not compares or len(compares) != len(node.parts) or len({part.field for part in compares}) > 1:
        return None
    if compares[0].field in UNLISTED:
        return None
    return f"{compares[0].field}:{','.join(map(_value, compares))}"


def _terms(node: Node, inside: type[And | Or] | None = None) -> str:
    if isinstance(node, And) and node.parts and inside is not And:
        return " ".join(_term(part) for part in node.parts)
    if isinstance(node, And) and not node.parts and inside is None:
        return ""
    return _term(node)


def _term(node: Node) -> str:
    if isinstance(node, Words):
        return _words(node)
    if isinstance(node, Compare):
        colon = "::" if node.operator is Operator.REGEX else ":"
        return f"{node.field}{colon}{_value(node)}"
    if isinstance(node, Not):
        inner = _term(node.part)
        return f"-({inner})" if inner.startswith("-") else f"-{inner}"
    if isinstance(node, Or):
        return _as_list(node) or f"({_alternatives(node)})"
    return f"({_terms(node)})"


def _words(node: Words) -> str:
    ending = "*" * node.prefix + ("" if node.weight == 1.0 else f"^{node.weight:g}")
    return (node.text if not node.phrase and _is_word(node, ending) else quoted(node.text)) + ending


def _is_word(node: Words, ending: str) -> bool:
    """Return whether the text without quotes, plus `ending`, is read as this one word: OR is not, OR* is."""
    try:
        tokens = tokenize(node.text + ending)
    except QuerySyntaxError:
        return False
    expected = (TokenKind.WORD, node.text, node.prefix, node.weight)
    return [(one.kind, one.text, one.prefix, one.weight) for one in tokens[:-1]] == [expected]


def _value(node: Compare) -> str:
    if node.operator is Operator.RANGE:
        return f"{_quoted_if_needed(node.value)}..{_quoted_if_needed(node.until)}"
    sign = "" if node.operator in (Operator.IS, Operator.REGEX) else node.operator.value[1:]
    return sign + _quoted_if_needed(node.value)


def _quoted_if_needed(value: str | None) -> str:
    if not value:
        return ""
    return value if _BARE_VALUE.fullmatch(value) and ".." not in value else quoted(value)


def quoted(text: str) -> str:
    """Return a text as a phrase or a quoted value of a query."""
    return '"' + _SPECIAL.sub(lambda found: "\\" + found[0], text) + '"'
