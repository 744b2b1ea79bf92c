"""Join command-line arguments into one query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from photoindex.query.lexer import QUOTES
from photoindex.query.syntax import FieldGrammar

_FIELD = re.compile(r"(-?)([^\W\d][\w-]*)(::?)")
_EQUALS = re.compile(r"-?([^\W\d][\w-]*)([=<>]+)(?=.)")
_OPERATORS = {
    "or": ("OR", "either of the two"), "oder": ("OR", "either of the two"), "ou": ("OR", "either of the two"), "||": ("OR", "either of the two"),
    "not": ("NOT", "without the next"), "nicht": ("NOT", "without the next"),
}  # fmt: skip
_COMMA = re.compile(r",(?=\S)")
_MORE_SYNTAX = re.compile(rf"[{QUOTES}]|\s-\S|\s\(*@\w|\s(?:OR|AND|NOT)\s")
_INNER_FIELD = re.compile(r"\s[-(]?([^\W\d][\w-]*):")


def join_arguments(arguments: Sequence[str], fields: Mapping[str, FieldGrammar]) -> str:
    """Return the arguments joined by spaces into one query.

    The shell has removed the user's quotes, so `camera:"EOS 5D"` arrives as one argument `camera:EOS 5D`. Therefore, if
    an argument starts with a free-text field (camera:, path:, title:, …) and contains white space, the whole rest is
    the field's value (or values: a comma without a space after it still separates them), unless the rest contains query
    syntax: quotes, another field, a saved query, a `-term`, OR, AND or NOT. All other arguments are used unchanged:
    `beach sunset` is two words.
    """
    return " ".join(_as_query(argument, fields) for argument in arguments)


def hints_on_arguments(arguments: Sequence[str], fields: Mapping[str, FieldGrammar]) -> list[str]:
    """Return a hint for each argument with white space that was read as one value, for searches without hits."""
    hints = []
    for argument in arguments:
        query = _as_query(argument, fields)
        if query != argument:
            first, rest = argument.split(maxsplit=1)
            terms = f"for two terms write two arguments, or '{first} AND {rest}'"
            hints.append(f"'{argument}' was read as one value, {query}; {terms}")
    return hints


def hints_on_words(words: Sequence[str], fields: Mapping[str, FieldGrammar]) -> list[str]:
    """Return a hint for each bare word that looks like an operator or a field written in another way: or, camera=canon."""
    hints = []
    for place, word in enumerate(words):
        if word in _OPERATORS and 0 < place < len(words) - 1:
            before, after, (operator, meaning) = words[place - 1], words[place + 1], _OPERATORS[word]
            written = "in capitals it" if operator == word.upper() else operator
            hints.append(f"'{word}' is a word here; {written} means {meaning}: {before} {operator} {after}")
        elif (found := _EQUALS.match(word)) is not None and (grammar := fields.get(found[1].lower())) is not None:
            compared = found[2].replace("=>", ">=").replace("=<", "<=") if found[2].strip("=") else ""
            hints.append(
                f"'{word}' is a word here; a field has a colon: {grammar.name}:{compared}{word[found.end() :]}"
            )
    return hints


def _as_query(argument: str, fields: Mapping[str, FieldGrammar]) -> str:
    match = _FIELD.match(argument)
    value = argument[match.end() :] if match else ""
    if match is None or len(value.split()) < 2 or value[0].isspace() or _has_query_syntax(value, fields):
        return argument
    grammar = fields.get(match[2].lower())
    if grammar is None or not grammar.free_text:
        return argument
    listed = _COMMA.split(value) if grammar.listed and match[3] == ":" else [value]
    values = (one.strip().replace("\\", "\\\\") for one in listed)
    return match[0] + ",".join(f'"{one}"' for one in values)


def _has_query_syntax(value: str, fields: Mapping[str, FieldGrammar]) -> bool:
    inner = (match[1].lower() in fields for match in _INNER_FIELD.finditer(value))
    return _MORE_SYNTAX.search(value) is not None or any(inner)
