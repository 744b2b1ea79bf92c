"""What one source says, collected with the reasons for what was refused."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from photoindex.types import FactValue

TEXT_LIMIT_CHARACTERS = 64 << 10
KEYWORD_LIMIT = 2000
NOTE_LIMIT = 20
_SHOWN_CHARACTERS = 60


@dataclass(slots=True)
class Findings:
    """The facts of one source and the remarks about it; the first value given for a fact stays."""

    source: str
    facts: dict[str, FactValue] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, value: FactValue) -> None:
        """Keep `value` unless it says nothing (None, "", []) or the fact is known already."""
        if value is None or value in ("", []) or name in self.facts:
            return
        self.facts[name] = value

    def add_number(self, name: str, value: float | None, low: float, high: float) -> None:
        """Keep a number within [low, high]; another one is refused with a note."""
        if value is None:
            return
        if math.isfinite(value) and low <= value <= high:
            self.add(name, value)
        else:
            self.refuse(name, value, f"outside {low:g} to {high:g}")

    def add_position(self, latitude: float | None, longitude: float | None, *, trust_zero: bool) -> None:
        """Keep a position in degrees; 0/0 is what devices write without a fix, so it needs `trust_zero`."""
        if latitude is None or longitude is None:
            return
        if not (math.isfinite(latitude) and math.isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
            self.refuse("position", (latitude, longitude), "outside the globe")
        elif latitude == 0 and longitude == 0 and not trust_zero:
            self.refuse("position", (latitude, longitude), "0/0 without any other sign of a fix")
        else:
            self.add("latitude", round(latitude, 7))
            self.add("longitude", round(longitude, 7))

    def add_keywords(self, keywords: Iterable[str]) -> None:
        """Append keywords that are not there yet, in order."""
        present = self.facts.get("keywords")
        kept = dict.fromkeys(present if isinstance(present, list) else ())
        for keyword in keywords:
            if len(kept) >= KEYWORD_LIMIT:
                self.note(f"more than {KEYWORD_LIMIT} keywords; the rest is left out")
                break
            if keyword:
                kept[keyword] = None
        if kept:
            self.facts["keywords"] = list(kept)

    def refuse(self, name: str, value: object, why: str) -> None:
        """Remark that a value was left out, and why."""
        self.note(f"{name} {shorten(str(value))!r} refused: {why}")

    def note(self, text: str) -> None:
        """Remark something, once; a hostile file cannot make more than a page of it."""
        line = f"{self.source}: {text}"
        if len(self.notes) < NOTE_LIMIT and line not in self.notes:
            self.notes.append(line)


def clean_text(value: bytes | str) -> str:
    """Return text as a person would read it: UTF-8, else Latin-1; without NULs and outer white space; at most 64 Ki characters."""
    if isinstance(value, str):
        text = value
    else:
        value = value[: TEXT_LIMIT_CHARACTERS * 4]
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = value.decode("latin-1")
    return text.replace("\0", "").strip()[:TEXT_LIMIT_CHARACTERS]


def shorten(text: str) -> str:
    """Return `text` short enough for a note."""
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def stars_of_percent(percent: int) -> int:
    """Return the stars, 1 to 5, that Windows means by a rating of 1 to 100 percent (1, 25, 50, 75, 99)."""
    return min(5, 1 + (percent + 12) // 25)
