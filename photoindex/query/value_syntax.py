"""Parse what follows a field's colon: one value, several, a comparison, a range, a regular expression."""

from __future__ import annotations

from dataclasses import dataclass

from photoindex.errors import QuerySyntaxError
from photoindex.query.lexer import Value
from photoindex.query.syntax import And, Compare, FieldGrammar, Lookups, Node, Operator, Or

MAX_TERMS = 500
"""Each term of a chain adds one level to the SQL expression, whose depth SQLite limits to 1000."""
TOO_MANY_TERMS = f"a query can have at most {MAX_TERMS} terms"

_COMPARISONS = (Operator.GREATER_EQUAL, Operator.LESS_EQUAL, Operator.GREATER, Operator.LESS)


@dataclass(frozen=True, slots=True)
class ValueReader:
    """Parses the values in `query`; every method raises QuerySyntaxError with the position of the error."""

    query: str
    lookups: Lookups

    def read(self, grammar: FieldGrammar, value: Value, *, position: int, regex: bool = False) -> Node:
        """Return the tree of a field's whole value; `position`: of the field's name."""
        if not value.text:
            quoted = (
                f"; a shell takes < and > for itself, so quote the term: '{grammar.name}:>…'" if grammar.ordered else ""
            )
            message = f"{grammar.name}: needs a value directly after the colon ({grammar.help}){quoted}"
            raise self._error(message, value.position)
        if regex:
            return self._regex(grammar, value, position)
        items = _items(value) if grammar.listed else [value]
        if len(items) > MAX_TERMS:
            # Not after checking each value, which may look something up.
            raise self._error(TOO_MANY_TERMS, position)
        return joined(Or, [self._compare(grammar, item, position) for item in items])

    def range(self, grammar: FieldGrammar, lower: Value | None, upper: Value | None, position: int) -> Compare:
        """Return the comparison with a range of at least one end."""
        contexts = [self._check(grammar, end) for end in (lower, upper) if end is not None]
        context = next((one for one in contexts if one is not None), None)
        if lower is not None and upper is not None and grammar.backwards(lower.text, upper.text, context):
            message = f"{grammar.name}: this range runs backwards; write the smaller end first"
            raise self._error(message, lower.position)
        ends = [None if end is None else end.text for end in (lower, upper)]
        return Compare(grammar.name, Operator.RANGE, ends[0], until=ends[1], position=position, context=context)

    def _error(self, message: str, position: int) -> QuerySyntaxError:
        return QuerySyntaxError(message, query=self.query, position=position)

    def _regex(self, grammar: FieldGrammar, value: Value, position: int) -> Compare:
        if grammar.regex_error is None:
            message = f"{grammar.name}: does not support regular expressions; write {grammar.name}:VALUE with one colon"
            raise self._error(message, position)
        error = grammar.regex_error(value.text)
        if error is not None:
            message, index = error
            at = value.positions[index] if index < len(value.positions) else value.end
            raise self._error(f"{grammar.name}: {message}", at)
        return Compare(grammar.name, Operator.REGEX, value.text, position=position)

    def _compare(self, grammar: FieldGrammar, item: Value, position: int) -> Compare:
        if not item.text:
            message = "a comma needs a value on both sides, without spaces; quote a value that contains a comma"
            raise self._error(message, item.position)
        operator, value = self._comparison(grammar, item)
        if operator is Operator.IS and grammar.ordered and (dots := value.find("..")) >= 0:
            return self._dotted_range(grammar, value, dots, position)
        if operator is Operator.IS and (other := self._elsewhere(grammar, value)) is not None:
            return _within(other, other, position)
        context = self._check(grammar, value)
        return Compare(grammar.name, operator, value.text, position=position, context=context)

    def _comparison(self, grammar: FieldGrammar, item: Value) -> tuple[Operator, Value]:
        """Split `>=20MB` into the operator and the value."""
        for operator in _COMPARISONS:
            sign = operator.value[1:]
            if item.text.startswith(sign) and not any(item.quoted[: len(sign)]):
                if grammar.subject is not None:
                    wanted = f"{grammar.name}:{grammar.subject}{item.text}"
                    raise self._error(f"{grammar.name}: needs a name before '{sign}', such as {wanted}", item.position)
                if not grammar.ordered:
                    message = (
                        f"{grammar.name}: cannot be compared with '{sign}'; quote the value if it starts with '{sign}'"
                    )
                    raise self._error(message, item.position)
                rest = item.slice(len(sign), len(item.text))
                if not rest.text:
                    raise self._error(f"{grammar.name}:{sign} needs a value directly after it", rest.position)
                return operator, rest
        return Operator.IS, item

    def _dotted_range(self, grammar: FieldGrammar, item: Value, dots: int, position: int) -> Compare:
        lower, upper = item.slice(0, dots), item.slice(dots + 2, len(item.text))
        if not lower.text and not upper.text:
            message = f"a range needs at least one end: {grammar.name}:A..B, {grammar.name}:A.. or {grammar.name}:..B"
            raise self._error(message, item.position)
        first, last = self._elsewhere(grammar, lower), self._elsewhere(grammar, upper)
        if first is not None and last is not None and first[0] == last[0]:
            return _within(first, last, position)
        return self.range(grammar, lower if lower.text else None, upper if upper.text else None, position)

    def _elsewhere(self, grammar: FieldGrammar, value: Value) -> tuple[str, str, str] | None:
        return None if grammar.elsewhere is None or not value.text else grammar.elsewhere(value.text, self.lookups)

    def _check(self, grammar: FieldGrammar, value: Value) -> str | None:
        """Check a value and return its context."""
        try:
            return grammar.check(value.text, self.lookups)
        except ValueError as error:
            raise self._error(f"{grammar.name}: {error}", value.position) from error


def _within(first: tuple[str, str, str], last: tuple[str, str, str], position: int) -> Compare:
    if first == last and first[1] == first[2]:
        return Compare(first[0], Operator.IS, first[1], position=position)
    return Compare(first[0], Operator.RANGE, first[1], until=last[2], position=position)


def _items(value: Value) -> list[Value]:
    """Split a value at unquoted commas; what follows after too many is one item."""
    items: list[Value] = []
    while len(items) <= MAX_TERMS and (comma := value.find(",")) >= 0:
        items.append(value.slice(0, comma))
        value = value.slice(comma + 1, len(value.text))
    return [*items, value]


def joined(kind: type[And | Or], parts: list[Node]) -> Node:
    """Combine `parts` in one node, with nested nodes of the same kind flattened; a single part is returned as it is."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else [part])
    return flat[0] if len(flat) == 1 else kind(tuple(flat))
