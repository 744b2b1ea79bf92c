"""Merges people: one person gets the faces and all that was decided about the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from photoindex.domain.people.lifetimes import is_before
from photoindex.domain.people.names import name_key
from photoindex.domain.people.values import How
from photoindex.errors import UsageError
from photoindex.library.people.arguments import person_text
from photoindex.library.people.decisions import rules
from photoindex.store.people import apart, faces
from photoindex.store.people.decisions import Decisions
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow


@dataclass(frozen=True, slots=True)
class Merged:
    """The result: the person as it is now, and the faces that only the program had given to one of them, and that are let go."""

    person: IndividualRow
    let_go: tuple[FaceRow, ...]


def merge(decisions: Decisions, into: IndividualRow, others: Sequence[IndividualRow]) -> Merged:
    """Make people one: `into` gets the faces of the others, who are removed; their numbers are never used again.

    A person without a name gets the first name of the others, and names of the others in metadata mean this person from
    now on. The surest face of a group without confirmed faces is confirmed, so that a later grouping keeps them together.
    Raises UsageError for a person twice, for different birth dates and for a stranger; CannotBe.
    """
    people = [into, *others]
    _refuse_different(people)
    _refuse_apart(decisions, people)
    merged = _combined(people)
    let_go = _faces_to_let_go(decisions, merged, people)
    released = {one.id for one in let_go}
    decisions.release(sorted(released))
    for person in people:
        kept = [one for one in faces.of_individual(decisions.connection, person.id) if one.id not in released]
        if kept and not any(map(rules.is_fixed, kept)):
            decisions.assign([_surest(person, kept).id], person.id, How.CONFIRMED)
        if person.id != into.id:
            decisions.move([one.id for one in kept], into.id)
            _move_words(decisions, person, into)
    values = {
        field: getattr(merged, field)
        for field in ("born", "died", "hidden", "cover_id")
        if getattr(merged, field) != getattr(into, field)
    }
    if values:
        decisions.set_values(into.id, **values)
    if merged.name is not None and merged.name != into.name:
        decisions.rename(into.id, merged.name)
    return Merged(merged, tuple(let_go))


def _refuse_different(people: Sequence[IndividualRow]) -> None:
    into = people[0]
    seen: set[int] = set()
    for one in people:
        if one.id in seen:
            raise UsageError(f"a person cannot be merged with themselves: {person_text(one)}")
        seen.add(one.id)
        if one.kind != into.kind:
            raise UsageError(
                f"a {one.kind} cannot be merged into a {into.kind}: {person_text(one)}, {person_text(into)}"
            )
        if one.ignored != into.ignored:
            stranger = one if one.ignored else into
            raise UsageError(
                f"{person_text(stranger)} is ignored as a stranger; first run: photoindex people ignore --off {stranger.id}"
            )
    for what in ("born", "died"):
        dated = [one for one in people if getattr(one, what)]
        for one, other in combinations(dated, 2):
            first, second = getattr(one, what), getattr(other, what)
            if is_before(first, second) or is_before(second, first):
                date = (
                    f"photoindex people born {other.id} DATE"
                    if what == "born"
                    else f"photoindex people died {other.id} DATE"
                )
                raise UsageError(
                    f"they are not the same person: {person_text(one)} {what} {first}, {person_text(other)} {what} {second}; "
                    f"correct one with: {date}"
                )


def _refuse_apart(decisions: Decisions, people: Sequence[IndividualRow]) -> None:
    by_id = {one.id: one for one in people}
    for one, other in apart.among(decisions.connection, list(by_id)):
        raise UsageError(
            f"you said that {person_text(by_id[one])} and {person_text(by_id[other])} are not the same; if that was wrong, "
            f"first run: photoindex people apart --off {one} {other}"
        )


def _combined(people: Sequence[IndividualRow]) -> IndividualRow:
    """Return the first person with what is known of the others: of dates that agree, the most precise."""
    into = people[0]
    return IndividualRow(
        into.id,
        into.kind,
        next((one.name for one in people if one.name is not None), None),
        max((one.born for one in people if one.born), key=len, default=None),
        max((one.died for one in people if one.died), key=len, default=None),
        into.ignored,
        any(one.hidden for one in people),
        next((one.cover_id for one in people if one.cover_id is not None), None),
    )


def _faces_to_let_go(decisions: Decisions, merged: IndividualRow, people: Sequence[IndividualRow]) -> list[FaceRow]:
    """Return the faces that only the program gave to one of the people, and that cannot be the merged one."""
    connection = decisions.connection
    everything = [one for person in people for one in faces.of_individual(connection, person.id)]
    rejected = {person.id: faces.rejected_by(connection, person.id) for person in people}
    fixed = [one for one in everything if rules.is_fixed(one)]
    rules.refuse_rejected(merged, [one for one in fixed if one.individual_id != merged.id], rejected[merged.id])
    dates_change = (merged.born, merged.died) != (people[0].born, people[0].died)
    rules.refuse_outside_life(
        connection, merged, [one for one in fixed if dates_change or one.individual_id != merged.id]
    )
    rules.refuse_twice(connection, merged, _in_one_photo(decisions, fixed))
    outside = rules.outside_life(merged, everything)
    by_program = [one for one in everything if not rules.is_fixed(one)]
    never = set[int]().union(*rejected.values())
    let_go = [one for one in by_program if one.id in outside or one.id in never]
    gone = {one.id for one in let_go}
    order = {person.id: place for place, person in enumerate(people)}
    by_program.sort(key=lambda one: (order[one.individual_id or 0], -(one.certainty or 0.0), one.id))
    standing = [*fixed, *(one for one in by_program if one.id not in gone)]
    let_go += (later for _, later in _in_one_photo(decisions, standing) if not rules.is_fixed(later))
    return list({one.id: one for one in let_go}.values())


def _in_one_photo(decisions: Decisions, given: Iterable[FaceRow]) -> list[tuple[FaceRow, FaceRow]]:
    """Return pairs of faces of different people in the same content, where nobody may be twice; the second comes later."""
    by_asset: defaultdict[int, list[FaceRow]] = defaultdict(list)
    for one in given:
        by_asset[one.asset_id].append(one)
    crowded = {asset_id: some for asset_id, some in by_asset.items() if len({one.individual_id for one in some}) > 1}
    allowed = faces.with_repeats(decisions.connection, crowded)
    pairs = []
    for asset_id, some in crowded.items():
        firsts: dict[int | None, FaceRow] = {}
        for one in some:
            other = next((first for person, first in firsts.items() if person != one.individual_id), None)
            if other is not None and asset_id not in allowed:
                pairs.append((other, one))
            firsts.setdefault(one.individual_id, one)
    return pairs


def _surest(person: IndividualRow, given: Sequence[FaceRow]) -> FaceRow:
    return max(
        given,
        key=lambda one: (
            one.id == person.cover_id, one.certainty or 0.0, one.score or 0.0, one.size_px or 0.0, -one.id
        ),
    )  # fmt: skip


def _move_words(decisions: Decisions, person: IndividualRow, into: IndividualRow) -> None:
    """Say of a person what was decided about another one, and remove that one."""
    connection = decisions.connection
    theirs = {one.id for one in faces.of_individual(connection, into.id)}
    decisions.reject(sorted(faces.rejected_by(connection, person.id) - theirs), into.id)
    for other in apart.of_individual(connection, person.id):
        decisions.keep_apart(into.id, other)
    keys = apart.aliases_of(connection, person.id)
    if person.name is not None:
        keys.add(name_key(person.name))
    decisions.remove_individual(person.id)
    for key in sorted(keys):
        decisions.add_alias(key, into.id, kind=into.kind)
