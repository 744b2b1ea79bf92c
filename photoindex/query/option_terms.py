"""Parse terms given as options: `--camera canon --from-date 2019` means `camera:canon date:2019..`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from photoindex.query.lexer import Value
from photoindex.query.syntax import FieldGrammar, Lookups, Node, Not, OptionTerm, Or
from photoindex.query.value_syntax import ValueReader, joined


def option_nodes(terms: Sequence[OptionTerm], fields: Mapping[str, FieldGrammar], lookups: Lookups) -> list[Node]:
    """Return the trees of the given options; all of them must match.

    A value means the same as after the field's colon, but quotes, parentheses and a comma before a space are literal.
    The `from` and `to` of a field, each given once, form one range. Raises QuerySyntaxError, which shows the option.
    """
    nodes: list[Node] = []
    ends = {(term.field, term.bound): term for term in terms if term.bound and len(term.values) == 1}
    for term in terms:
        lower, upper = ends.get((term.field, "from")), ends.get((term.field, "to"))
        if lower is None or upper is None or term not in (lower, upper):
            parts = [_alternative(term, value, fields[term.field], lookups) for value in term.values]
            node = joined(Or, parts)
            nodes.append(Not(node) if term.negated else node)
        elif term is lower:
            nodes.append(_range(lower, upper, fields[term.field], lookups))
    return nodes


def _alternative(term: OptionTerm, text: str, grammar: FieldGrammar, lookups: Lookups) -> Node:
    query = f"{term.option} {text}"
    value = _as_value(text, start=len(term.option) + 1)
    reader = ValueReader(query, lookups)
    if term.bound is None:
        return reader.read(grammar, value, position=0)
    lower, upper = (value, None) if term.bound == "from" else (None, value)
    return reader.range(grammar, lower, upper, position=0)


def _range(lower: OptionTerm, upper: OptionTerm, grammar: FieldGrammar, lookups: Lookups) -> Node:
    query = f"{lower.option} {lower.values[0]} {upper.option} {upper.values[0]}"
    first = _as_value(lower.values[0], start=len(lower.option) + 1)
    last = _as_value(upper.values[0], start=len(query) - len(upper.values[0]))
    return ValueReader(query, lookups).range(grammar, first, last, position=0)


def _as_value(text: str, start: int) -> Value:
    """Return an option's value as the lexer would; `start`: its position in the text that an error shows."""
    quoted = tuple(text[index] == "," and text[index + 1 : index + 2].isspace() for index in range(len(text)))
    positions = tuple(range(start, start + len(text)))
    return Value(text, quoted, positions, start + len(text))
