"""Whom groups without a name look like, for the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from photoindex.errors import NothingFound
from photoindex.library.handle import Library
from photoindex.library.people.groups.grouping_input import GroupingInput, grouping_input
from photoindex.library.people.groups.likely import Likely, likely_same
from photoindex.library.people.review.choice import Suggestion
from photoindex.progress import EventSink, ignore_events


def suggestions(library: Library, emit: EventSink = ignore_events) -> dict[int, Suggestion]:
    """Return group -> the named person that it most certainly is.

    Groups with a face of which somebody said that it is not that person are left out.
    """
    try:
        given = grouping_input(library, emit)
    except NothingFound:  # faces that are marked in files have no vectors to compare
        return {}
    named = given.named
    never = _never(given)
    found: dict[int, Suggestion] = {}
    for likely in likely_same(library, given, emit) if named else []:
        person, *groups = likely.persons  # the most certain come first
        if person not in named:
            continue
        for group in groups:
            if group not in named and person not in never.get(group, ()):
                found.setdefault(group, Suggestion(person, likely.confidence, tuple(_faces_of(likely, person, group))))
    return found


def _never(given: GroupingInput) -> Mapping[int, set[int]]:
    """Return group -> the people one of its faces was rejected from."""
    wanted = {face for face, _ in given.decisions.rejected}
    holders = zip(given.rows.ids.tolist(), given.rows.persons.tolist(), strict=True)
    holder = {face: group for face, group in holders if face in wanted}
    never: defaultdict[int, set[int]] = defaultdict(set)
    for face, person in given.decisions.rejected:
        if face in holder:
            never[holder[face]].add(person)
    return never


def _faces_of(likely: Likely, person: int, group: int) -> Iterator[int]:
    """Yield the faces of the person that are most like the group's, each once."""
    seen: set[int] = set()
    for link in likely.evidence:
        if {link.person, link.other} != {person, group}:
            continue
        for one, other, _ in link.nearest:
            face = one if link.person == person else other
            if face not in seen:
                seen.add(face)
                yield face
