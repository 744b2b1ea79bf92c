"""The `--format TEMPLATE` option: formats each row as one line, from its own fields only."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from photoindex.errors import UsageError

_ESCAPES = {"n": "\n", "t": "\t", "0": "\0", "r": "\r", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    spec: str


class Template:
    r"""A validated template: `{name}` and `{name:SPEC}` with Python format specifications, `{{` and `}}` for braces.

    Outside fields, `\n`, `\t`, `\r`, `\0` and `\\` are escape sequences. A line feed is added to each row unless the
    template ends in `\n` or `\0`. A SPEC with `%` formats an ISO 8601 time with strftime: `{taken_at:%Y}`.
    """

    def __init__(self, text: str, names: Collection[str]) -> None:
        self._text = text
        self._parts = _read(text, names)
        last = self._parts[-1] if self._parts else ""
        if not (isinstance(last, str) and last.endswith(("\n", "\0"))):
            self._parts.append("\n")

    def fill(self, row: Mapping[str, object], text_of: Callable[[object], str]) -> str:
        """Return the line for `row`; `text_of` converts values that are neither text nor numbers. Raises UsageError."""
        return "".join(part if isinstance(part, str) else self._fill(part, row, text_of) for part in self._parts)

    def _fill(self, part: _Field, row: Mapping[str, object], text_of: Callable[[object], str]) -> str:
        value = row.get(part.name)
        if not part.spec:
            return text_of(value)
        if value is None:
            return _blank(part.spec)
        try:
            if "%" in part.spec and isinstance(value, str):
                return datetime.fromisoformat(value).strftime(part.spec)
            known = value if isinstance(value, (int, float)) else text_of(value)
            return format(known, part.spec)
        except ValueError as error:
            message = f"--format: {{{part.name}:{part.spec}}} does not fit the value {text_of(value)!r} ({error})"
            raise UsageError(message) from error


def _blank(spec: str) -> str:
    """Return the text of an unknown value: spaces of the width in the format specification."""
    digits = spec.lstrip("<>=^+- 0#").partition(".")[0]
    width = "".join(character for character in digits if character.isdigit())
    return " " * int(width or 0)


def _read(text: str, names: Collection[str]) -> list[str | _Field]:
    parts: list[str | _Field] = []
    try:
        for literal, name, spec, conversion in string.Formatter().parse(text):
            if literal:
                parts.append(_unescape(literal))
            if name is None:
                continue
            if conversion or (spec and "{" in spec):
                raise UsageError("--format: a field is {name} or {name:SPEC}, without '!' and without fields inside")
            if re.search(r"\d{4}", spec or ""):
                raise UsageError(f"--format: {{{name}:{spec}}} is wider than 999 characters")
            _refuse_unknown(name, names)
            parts.append(_Field(name, spec or ""))
    except ValueError as error:
        raise UsageError(f"--format: {error} in {text!r}; write {{{{ or }}}} for a literal brace") from error
    return parts


def _refuse_unknown(name: str, names: Collection[str]) -> None:
    if name in names:
        return
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(f'{{{one}}}' for one in near)}?" if near else f"fields: {', '.join(names)}"
    raise UsageError(f"--format: there is no field {{{name}}}; {hint}")


def _unescape(literal: str) -> str:
    if "\\" not in literal:
        return literal
    out = []
    characters = iter(literal)
    for character in characters:
        if character != "\\":
            out.append(character)
            continue
        following = next(characters, "")
        out.append(_ESCAPES.get(following, "\\" + following))
    return "".join(out)
