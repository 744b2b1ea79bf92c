"""The facts of one photo or file as rows of a page: the winner of each, the values that lost, and their sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photoindex.types import Facts, FactValue, Resolved

_UNITS: dict[str, Callable[[float], str]] = {
    "altitude_m": lambda value: f"{value:g} m",
    "aperture": lambda value: f"f/{value:g}",
    "exposure_seconds": lambda value: f"1/{1 / value:.0f} s" if 0 < value < 0.3 else f"{value:g} s",
    "focal_length_mm": lambda value: f"{value:g} mm",
    "iso": lambda value: f"ISO {value:g}",
}


def fact_rows(names: Sequence[str], resolved: Resolved, known: Facts) -> list[tuple[str, object, str]]:
    """Return each fact with its winning source, under it the values that lost, and at last what no priority concerns.

    names: the facts of `resolved` that have one value, in the order they are shown. known: every value of every source.
    """
    rows: list[tuple[str, object, str]] = []
    for name in (*names, "keywords"):
        value = getattr(resolved, name)
        if name in {"taken_at_source", "taken_at_confidence"} or value is None or value == ():
            continue
        winner = resolved.sources.get(name, resolved.taken_at_source if name == "taken_at" else None) or ""
        sure = resolved.taken_at_confidence if name == "taken_at" else None
        rows.append(
            (_label(name), _value(name, value), f"{winner}, confidence {sure:g}" if sure is not None else winner)
        )
        rows.extend(
            ("", _value(name, values[name]), f"{source}, not used")
            for source, values in known.items()
            if source != winner and values.get(name) is not None
        )
    shown_names = {*names, "keywords"}
    for source, values in known.items():
        rows.extend(
            (_label(name), _value(name, value), source)
            for name, value in values.items()
            if value is not None and (name not in shown_names or getattr(resolved, name) in (None, ()))
        )
    return rows


def _label(name: str) -> str:
    for unit in ("_seconds", "_mm", "_m"):
        name = name.removesuffix(unit)
    return name.replace("_", " ")


def _value(name: str, value: FactValue | tuple[str, ...]) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(value)
    if name in _UNITS and isinstance(value, (int, float)):
        return _UNITS[name](value)
    return str(value)
