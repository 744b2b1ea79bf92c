"""Collecting the facts of one metadata source, with notes on rejected values."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from photoindex.domain.facts.lenses import lens_name, lens_range
from photoindex.domain.time.dates import DateError, says_more, sound_time
from photoindex.media.metadata.encodings import decode_text
from photoindex.types import FactValue

TEXT_LIMIT_CHARACTERS = 64 << 10
KEYWORD_LIMIT = 2000
NOTE_LIMIT = 20
_SHOWN_CHARACTERS = 60
_LINE_ENDS = re.compile("\r\n?|[\v\f]")
_CONTROLS = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\ufeff]")


@dataclass(slots=True)
class Findings:
    """The facts and notes of one metadata source; the first value added for a fact is kept."""

    source: str
    facts: dict[str, FactValue] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, value: FactValue) -> None:
        """Add `value` unless it is empty (None, "", []) or the fact already has a value."""
        if value is None or value in ("", []) or name in self.facts:
            return
        self.facts[name] = value

    def add_time(self, name: str, text: str, *, fraction: str = "", offset: str = "") -> None:
        """Add a date as ISO 8601; of an odd one only the sound part, with a note. See `sound_time`.

        A date that says more replaces the one the fact already has: a consistent and more precise one, or any with a day
        instead of a year alone.
        """
        try:
            time, odd = sound_time(text, fraction=fraction, offset=offset)
        except DateError as error:
            self.refuse(name, text, str(error))
            return
        if odd:
            self.note(f"{name} {shorten(text)!r}: {odd}")
        known = self.facts.get(name)
        if time is not None and isinstance(known, str) and says_more(time, known):
            self.facts[name] = time
        self.add(name, time)

    def add_number(self, name: str, value: float | None, low: float, high: float) -> None:
        """Add a number if it is within [low, high]; otherwise reject it with a note."""
        if value is None:
            return
        if math.isfinite(value) and low <= value <= high:
            self.add(name, value)
        else:
            self.refuse(name, value, f"outside {low:g} to {high:g}")

    def add_lens(self, text: str | None) -> None:
        """Add a lens: words as `lens`, mere numbers as `lens_range`; a text that means unknown is rejected with a note."""
        if not text:
            return
        if stated := lens_range(text):
            self.add("lens_range", stated)
        elif name := lens_name(text, self.facts.get("camera_model")):
            self.add("lens", name)
        else:
            self.refuse("lens", text, "it names no lens")

    def add_position(self, latitude: float | None, longitude: float | None) -> None:
        """Add a position in degrees; 0/0 is rejected whatever stands beside it: devices without a fix write it."""
        if latitude is None or longitude is None:
            return
        if not (math.isfinite(latitude) and math.isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
            self.refuse("position", (latitude, longitude), "outside the valid range")
        elif round(latitude, 7) == 0 and round(longitude, 7) == 0:
            self.refuse("position", (latitude, longitude), "0/0 means that there was no fix")
        else:
            self.add("latitude", round(latitude, 7))
            self.add("longitude", round(longitude, 7))

    def add_altitude(self, metres: float | None) -> None:
        """Add an altitude in metres; 0 counts only beside a position, because devices without a fix write it."""
        if metres or "latitude" in self.facts:
            self.add_number("altitude_m", metres, -12_000, 100_000)

    def add_keywords(self, keywords: Iterable[str]) -> None:
        """Append the keywords that are not in the list yet, in order."""
        present = self.facts.get("keywords")
        kept = dict.fromkeys(present if isinstance(present, list) else ())
        for keyword in keywords:
            if len(kept) >= KEYWORD_LIMIT:
                self.note(f"more than {KEYWORD_LIMIT} keywords; the rest are left out")
                break
            if keyword:
                kept[keyword] = None
        if kept:
            self.facts["keywords"] = list(kept)

    def refuse(self, name: str, value: object, why: str) -> None:
        """Add a note that a value was rejected, and why."""
        self.note(f"{name} {shorten(str(value))!r} refused: {why}")

    def note(self, text: str) -> None:
        """Add a note once; their number is limited so that a hostile file cannot flood them."""
        line = f"{self.source}: {text}"
        if len(self.notes) < NOTE_LIMIT and line not in self.notes:
            self.notes.append(line)


def clean_text(value: bytes | str) -> str:
    """Return text, decoded if it is bytes, without control characters and surrounding white space, cut to 64 Ki characters.

    Line ends become line feeds, as in XML.
    """
    text = decode_text(value[: TEXT_LIMIT_CHARACTERS * 4]) if isinstance(value, bytes) else value
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text)).strip()[:TEXT_LIMIT_CHARACTERS]


def shorten(text: str) -> str:
    """Return `text`, shortened for use in a note."""
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def stars_of_percent(percent: int) -> int:
    """Convert a Windows rating of 1 to 100 percent (1, 25, 50, 75, 99) to 1 to 5 stars."""
    return min(5, 1 + (percent + 12) // 25)
