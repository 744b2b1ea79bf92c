"""Find photos by the people and faces in the contents that represent them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from photoindex.domain.people.names import name_key
from photoindex.domain.people.values import FACE, PERSON, How
from photoindex.query.people import about, days_of, first_day, is_pattern, number_of, read_age
from photoindex.query.values import glob_pattern
from photoindex.store.engine.statements import glob
from photoindex.store.schema.tables import assignment, individual, photo, region
from photoindex.store.search.conditions import ends_by, has_marked_faces, matches

Condition = ColumnElement[bool]

FREQUENT = 10_000
"""A person with this many faces is frequent, in a library of any size."""


def shows(value: str) -> Condition:
    """It shows the person with this number or name; `*` matches anything in a name."""
    return shows_any([value])


def shows_any(values: Sequence[str]) -> Condition:
    """It shows one of these people, as for `shows`."""
    return _shows(or_(*map(_is_called, values)))


def is_frequent(connection: Connection, value: str) -> bool:
    """Return whether a person, as for `shows`, is on so many photos that the newest ones are found soonest by walking."""
    people = select(individual.c.id).where(_is_called(value))
    faces = select(assignment.c.region_id).where(assignment.c.individual_id.in_(people)).limit(FREQUENT).subquery()
    found: int = connection.execute(select(func.count()).select_from(faces)).scalar_one()
    return found == FREQUENT


def shows_looked_at_singly(value: str) -> Condition:
    """Mean the same as `shows`, but look at the faces of each photo: for searches that end after a few photos."""
    of_photo = _faces_of(_is_called(value)).where(region.c.asset_id == photo.c.primary_asset_id)
    return exists(of_photo.correlate(photo))


def _is_called(value: str) -> Condition:
    number, key = number_of(value), individual.c.name_key
    if number is not None:
        return individual.c.id == number
    named = glob(key, glob_pattern(value.strip())) if is_pattern(value) else key == name_key(value.strip())
    return and_(individual.c.kind == PERSON, named)


def shows_somebody_matching(pattern: str) -> Condition:
    """It shows a person whose name matches a regular expression."""
    return _shows(
        and_(individual.c.kind == PERSON, individual.c.name.is_not(None), matches(individual.c.name, pattern))
    )


def shows_at_age(value: str, context: str) -> Condition:
    """It shows a person at an age, whatever the day in a date that is known only in part. context: of `check_age`."""
    person_id, born, _ = about(context)
    days = days_of(read_age(value), born)
    taken: list[Condition] = []
    if days.start is not None:
        taken.append(photo.c.taken_at >= days.start)
    else:
        taken.append(_is_not_before(first_day(born).isoformat()))
    if days.before is not None:
        taken += [photo.c.taken_at < days.before, *ends_by(days.before)]
    return and_(_shows(individual.c.id == person_id), *taken)


def shows_person(context: str) -> Condition:
    """It shows the person of a context of `check_face`."""
    return _shows(individual.c.id == int(context.partition(" ")[0]))


def has_unnamed() -> Condition:
    """It has a face of nobody with a name, other than of a stranger."""
    # For each photo: in most libraries most photos have one, and a search needs only the newest.
    known = or_(individual.c.name.is_not(None), individual.c.ignored)
    of_somebody = assignment.join(individual, individual.c.id == assignment.c.individual_id)
    named = exists(
        select(assignment.c.region_id).select_from(of_somebody).where(assignment.c.region_id == region.c.id, known)
    )
    faces = select(region.c.id).where(region.c.asset_id == photo.c.primary_asset_id, region.c.kind == FACE, ~named)
    return and_(photo.c.faces > 0, exists(faces.correlate(photo)))


def has_unreviewed() -> Condition:
    """It has a face that the program gave to somebody with a name, and that nobody confirmed."""
    return _of_photos(_faces_of(individual.c.name.is_not(None)).where(assignment.c.how == How.CLUSTER.value))


def has_faces() -> Condition:
    """It has faces, found in the picture or marked in metadata."""
    return or_(photo.c.faces > 0, has_marked_faces())


def is_alone() -> Condition:
    """It has exactly one face."""
    return photo.c.faces == 1


def _shows(condition: Condition) -> Condition:
    return _of_photos(_faces_of(condition))


def _of_photos(contents: Select[tuple[int]]) -> Condition:
    # Not photo.id: looking up the photo of each face takes longer than the rest.
    return photo.c.primary_asset_id.in_(contents)


def _faces_of(condition: Condition) -> Select[tuple[int]]:
    """Return the query for the contents that show individuals who meet a condition."""
    return (
        select(region.c.asset_id)
        .select_from(assignment.join(region, region.c.id == assignment.c.region_id))
        .where(assignment.c.individual_id.in_(select(individual.c.id).where(condition)))
    )


def _is_not_before(day: str) -> Condition:
    """The photo may have been taken on a day or later: a time known only in part is stored as its first moment."""
    precision, taken_at = photo.c.taken_at_precision, photo.c.taken_at
    return or_(
        taken_at >= day,
        and_(precision == "year", taken_at >= day[: len("2015")]),
        and_(precision == "month", taken_at >= day[: len("2015-03")]),
    )
