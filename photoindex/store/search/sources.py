"""Find photos by the source of a fact, such as doubtful dates: `source:taken_at=mtime`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import partial

from sqlalchemy import ColumnElement

from photoindex.query.vocabulary import FACTS, SOURCES
from photoindex.store.engine.statements import json_value
from photoindex.store.schema.tables import photo
from photoindex.store.search import tags

_ALIASES = {
    "date": "taken_at", "time": "taken_at", "position": "latitude", "gps": "latitude", "altitude": "altitude_m",
    "camera": "camera_model", "exposure": "exposure_seconds", "focal": "focal_length_mm", "keyword": "keywords",
}  # fmt: skip


TAG = "tag"
TAG_SOURCES: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "person": tags.tagged_by_person,
    "file": tags.tagged_by_file,
    **{name: partial(tags.labelled_by, name) for name in ("tags", "objects", "labels", "sensitive")},
}
"""What gives tags -> the condition that it gave a photo one: a person, a file's keywords, or the stage of a model."""


def check_source(value: str) -> None:
    """Raise ValueError unless the value is FACT=SOURCE with a known fact and source."""
    fact, equals, source = value.partition("=")
    if value.lower() in TAG_SOURCES:
        return
    if fact.lower() == TAG:
        _check_known("source of tags", source, TAG_SOURCES)
        return
    if not equals:
        raise ValueError("a fact and its source are needed, such as taken_at=mtime, or what gave a tag, such as tags")
    _check_known("fact", fact, (*FACTS, *_ALIASES))
    _check_known("source", source, SOURCES)


def by_source(value: str) -> ColumnElement[bool]:
    """Match photos whose fact came from a source; value: FACT=SOURCE."""
    name, _, source = value.lower().partition("=")
    if name == TAG or not source:
        return TAG_SOURCES[source or name]()
    fact = _ALIASES.get(name, name)
    if fact == "taken_at":
        return photo.c.taken_at_source == source
    if fact == "zone":
        return photo.c.zone_source == source
    return json_value(photo.c.sources, f"$.{fact}") == source


def _check_known(what: str, name: str, known: Collection[str]) -> None:
    if name.lower() in known:
        return
    near = get_close_matches(name.lower(), known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(known)}"
    raise ValueError(f"there is no {what} '{name}'; {hint}")
