"""The text in a photo as `show` lists it: its first lines for people, all of it with places for programs."""

from __future__ import annotations

from collections.abc import Sequence

from photoindex.stages.ocr import CHARACTERS_MAX
from photoindex.store.words.texts import TextRow

_LINES = 5


def first_lines(rows: Sequence[TextRow]) -> list[tuple[str, str]]:
    """Return what read a line and the line, for the first lines of each reading, and how many more there are."""
    found = []
    for row in rows:
        lines = row.text.splitlines()
        found += [(row.model, line) for line in lines[:_LINES]]
        if len(lines) > _LINES:
            found.append((row.model, f"… and {len(lines) - _LINES:,} more lines"))
        if _is_cut(row):
            found.append((row.model, f"cut: only the first {CHARACTERS_MAX:,} characters are kept"))
    return found


def as_json(rows: Sequence[TextRow]) -> list[dict[str, object]]:
    """Return the documented JSON objects of the readings of a photo; lines without a text show letters that cannot be read."""
    return [
        {
            "model": row.model,
            "picture": row.variant.get("picture", {}).get("of"),
            "text": row.text,
            "cut": _is_cut(row),
            "lines": [
                {"text": line.text, "score": line.score, "corners": [list(corner) for corner in line.corners]}
                for line in row.lines
            ],
        }
        for row in rows
    ]


def _is_cut(row: TextRow) -> bool:
    return len(row.text) >= CHARACTERS_MAX
