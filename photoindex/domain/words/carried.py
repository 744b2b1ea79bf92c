"""Which words of a copy the kept photo lacks: when the copy goes, they are carried over to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from photoindex.types import FactValue

TEXTS = ("rating", "title", "description")
POSITION = ("latitude", "longitude", "altitude_m")
_STATED = frozenset({"person", "sidecar", "exif", "xmp", "iptc", "container", "takeout"})
"""Sources of a time that state it; names, folders and modification times are with every copy, and neighbours follow."""
_TITLE_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of a photo besides its picture.

    facts: rating, title, description, favourite (1), latitude, longitude, altitude_m, taken_at (ISO 8601, with its offset if
    known), and corrections of other facts; only those with a value. sources: fact -> source; `person` is a correction.
    time_confidence: 0 to 1. keywords, tags: those of its files, and a person's own. albums: a person's, Takeout's and
    Apple's, not folders. persons: individual id -> name. caption: a model wrote one.
    """

    facts: Mapping[str, FactValue] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    time_confidence: float = 0.0
    keywords: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    persons: Mapping[int, str] = field(default_factory=dict)
    caption: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to carry over."""
        return not (self.facts or self.keywords or self.tags or self.albums or self.persons or self.caption)


def carried(copy: Words, kept: Words) -> Words:
    """Return the words of a copy that the kept photo lacks; what a person said of the copy counts more than a file's word."""
    return Words(
        facts=_facts(copy, kept),
        keywords=_missing(copy.keywords, (*kept.keywords, *kept.tags)),
        tags=_missing(copy.tags, (*kept.keywords, *kept.tags)),
        albums=_missing(copy.albums, kept.albums),
        persons={number: name for number, name in copy.persons.items() if number not in kept.persons},
        caption=copy.caption and not kept.caption,
    )


def _facts(copy: Words, kept: Words) -> dict[str, FactValue]:
    found: dict[str, FactValue] = {}
    said = {fact for fact in copy.facts if _is_said(copy, fact) and not _is_said(kept, fact)}
    if ("latitude" not in kept.facts and "latitude" in copy.facts) or "latitude" in said:
        found |= {fact: copy.facts[fact] for fact in POSITION if fact in copy.facts}
    for fact in TEXTS:
        if fact in copy.facts and (fact not in kept.facts or fact in said):
            found[fact] = copy.facts[fact]
    if copy.facts.get("favourite") and not kept.facts.get("favourite") and not _is_said(kept, "favourite"):
        found["favourite"] = 1
    surer = copy.time_confidence > kept.time_confidence and copy.sources.get("taken_at") in _STATED
    if "taken_at" in copy.facts and ("taken_at" in said or (surer and not _is_said(kept, "taken_at"))):
        found["taken_at"] = copy.facts["taken_at"]
    others = said - {*TEXTS, *POSITION, "favourite", "taken_at"}
    found |= {fact: copy.facts[fact] for fact in sorted(others)}
    return {fact: value for fact, value in found.items() if value != kept.facts.get(fact)}


def _is_said(words: Words, fact: str) -> bool:
    return words.sources.get(fact) == "person"


def _missing(names: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    known = {name.casefold() for name in there}
    return tuple(name for name in dict.fromkeys(names) if name.casefold() not in known)


def carried_text(words: Words) -> str:
    """Return words as one phrase: 3 keywords, rating 4, album Holidays, person Anna; empty if there are none."""
    facts = words.facts
    parts = []
    if words.keywords:
        parts.append(_count(len(words.keywords), "keyword"))
    if "rating" in facts:
        parts.append("the rejection" if facts["rating"] == -1 else f"rating {facts['rating']}")
    if "favourite" in facts:
        parts.append("favourite")
    if "title" in facts:
        parts.append(f"title {_short(str(facts['title']))}")
    if "description" in facts:
        parts.append(f"caption {_short(str(facts['description']))}")
    parts += [f"tag {name}" for name in words.tags]
    parts += [f"album {name}" for name in words.albums]
    parts += [f"person {name}" for name in words.persons.values() if name]
    unnamed = sum(not name for name in words.persons.values())
    if unnamed:
        parts.append(_count(unnamed, "face"))
    if "latitude" in facts:
        parts.append("the position")
    if "taken_at" in facts:
        parts.append("the time")
    known = {*TEXTS, *POSITION, "favourite", "taken_at"}
    parts += [f"your {fact.replace('_', ' ')}" for fact in facts if fact not in known]
    if words.caption:
        parts.append("the caption of a model")
    return ", ".join(parts)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_CHARACTERS else line[: _TITLE_CHARACTERS - 1] + "…"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"
