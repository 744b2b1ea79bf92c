"""The facts of one photo or file as rows: the value used, the values not used, and their sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photoindex.types import Facts, FactValue, Resolved

_UNITS: dict[str, Callable[[float], str]] = {
    "altitude_m": lambda value: f"{value:g} m",
    "aperture": lambda value: f"f/{value:g}",
    "exposure_seconds": lambda value: f"1/{1 / value:.0f} s" if 0 < value < 0.3 else f"{value:g} s",
    "focal_length_mm": lambda value: f"{value:g} mm",
    "iso": lambda value: f"ISO {value:g}",
    "taken_at_utc": lambda value: (datetime(1970, 1, 1) + timedelta(seconds=value)).isoformat(" ") + " UTC",  # noqa: DTZ001
}
_LABELS = {"taken_at_utc": "instant"}
_SHOWN_WITH_OTHERS = frozenset({"taken_at_source", "taken_at_confidence", "utc_offset_minutes", "zone_source"})
_PATHS = ("name", "folder", "mtime")
"""Sources outside the content; they only provide dates."""


def fact_rows(names: Sequence[str], resolved: Resolved, known: Facts) -> list[tuple[str, object, str]]:
    """Return each fact with its source, followed by the values not used; then the facts that are not resolved.

    names: the facts of `resolved` with a single value, in display order. known: every value of every source.
    """
    rows: list[tuple[str, object, str]] = []
    for name in (*names, "keywords"):
        value = getattr(resolved, name)
        if name in _SHOWN_WITH_OTHERS or value is None or value == ():
            continue
        if name == "taken_at_precision":
            if value != "second":
                rows.append(("", f"known to the {value}", ""))
            continue
        winner = resolved.sources.get(name, resolved.taken_at_source if name == "taken_at" else None) or ""
        confidence = resolved.taken_at_confidence if name == "taken_at" else None
        rows.append(
            (
                _label(name),
                _marked(_value(name, value), winner if name.startswith("taken_at") else ""),
                f"{winner}, confidence {confidence:g}" if confidence is not None else winner,
            )
        )
        rows.extend(
            ("", _value(name, values[name]), f"{source}, not used")
            for source, values in known.items()
            if source != winner and values.get(name) is not None
        )
        if name == "taken_at":
            rows.extend(
                ("", _marked(str(value), source), f"{source}, not used")
                for source in _PATHS
                for value in known.get(source, {}).values()
                if source != winner
            )
    shown_names = {*names, "keywords"}
    for source, values in known.items():
        if source in _PATHS:
            continue
        rows.extend(
            (_label(name), _value(name, value), source)
            for name, value in values.items()
            if value is not None and (name not in shown_names or getattr(resolved, name) in (None, ()))
        )
    return rows


def _marked(time: str, source: str) -> str:
    from photoindex.library.photos.time_text import marked

    return marked(time, source)


def _label(name: str) -> str:
    if name in _LABELS:
        return _LABELS[name]
    for unit in ("_seconds", "_mm", "_m"):
        name = name.removesuffix(unit)
    return name.replace("_", " ")


def _value(name: str, value: FactValue | tuple[str, ...]) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(value)
    if name in _UNITS and isinstance(value, (int, float)):
        return _UNITS[name](value)
    return "yes" if value is True else str(value)
