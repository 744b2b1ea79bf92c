"""Print how a query was understood: its tree with numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from photoindex.cli.render import visible

if TYPE_CHECKING:
    from photoindex.library.explain import Explanation, Part

_HEADINGS = {"all": "all of", "any": "any of", "not": "not"}
_TEXT_CHARACTERS_MAX = 60


def print_explanation(explanation: Explanation, *, as_json: bool) -> None:
    """Print one line a part, indented, or one JSON object."""
    if as_json:
        print(json.dumps({"schema": 1, **_total(explanation), "tree": _object(explanation.tree)}))
        return
    lines = [("", "alone", "left"), *_lines(explanation.tree, 0)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    for text, alone, left in lines:
        print(f"{text:<{widths[0]}}  {alone:>{widths[1]}}  {left:>{widths[2]}}".rstrip())
    scope = "of which a file is there" if explanation.scoped else "in the library, missing ones too"
    print(f"{explanation.tree.alone:,} of the {explanation.photos:,} photos {scope}")


def _total(explanation: Explanation) -> dict[str, Any]:
    return {"total": explanation.tree.alone, "photos": explanation.photos, "missing_too": not explanation.scoped}


def _lines(part: Part, depth: int) -> Iterator[tuple[str, str, str]]:
    yield "  " * depth + _text(part), f"{part.alone:,}", "" if part.left is None else f"{part.left:,}"
    for inner in part.parts:
        yield from _lines(inner, depth + 1)


def _text(part: Part) -> str:
    if part.kind == "all" and not part.parts:
        return "all photos"
    text = visible(_HEADINGS.get(part.kind, part.text))
    shown = text if len(text) <= _TEXT_CHARACTERS_MAX else text[: _TEXT_CHARACTERS_MAX - 1] + "…"
    return f"{shown} ({part.meaning})" if part.meaning else shown


def _object(part: Part) -> dict[str, Any]:
    known: dict[str, Any] = {"kind": part.kind, "query": part.text, "alone": part.alone}
    if part.meaning is not None:
        known["meaning"] = part.meaning
    if part.left is not None:
        known["left"] = part.left
    if part.parts:
        known["parts"] = [_object(inner) for inner in part.parts]
    return known
