"""Hands what a person said about the faces of a content to the content that took its place in a file."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, literal, null, select, update

from photoindex.domain.people.same_face import matched_after_edit
from photoindex.domain.people.values import FIXED, How
from photoindex.store.engine.database import new_id
from photoindex.store.engine.statements import numbers, upsert
from photoindex.store.people import counts, summaries
from photoindex.store.people.regions import RegionRow, faces_to_match, of_assets
from photoindex.store.schema.tables import asset_with_repeats, assignment, individual, region, region_vector, rejection


def hand_over(connection: Connection, *, source: int, target: int) -> None:
    """Apply what was said about the faces of content `source` to the same faces of content `target`, its successor.

    Until a model has looked through `target`, faces that it does not have yet are copied; see `RegionWriter` for what
    becomes of them then.
    """
    _copy_repeats(connection, source, target)
    found = of_assets(connection, [source, target])
    covers = _covers(connection, found.get(source, []))
    decided = [row for row in found.get(source, []) if row.how in FIXED or row.rejected or row.id in covers]
    there = found.get(target, [])
    if decided:
        faces = faces_to_match(connection, [*decided, *there])
        pairs = dict(matched_after_edit(faces[: len(decided)], faces[len(decided) :]))
        is_new = not counts.is_looked_through(connection, target)
        for number, row in enumerate(decided):
            face_id: int | None = None
            if number in pairs:
                face_id = there[pairs[number]].id
                _decide_alike(connection, row, there[pairs[number]])
            elif is_new:
                face_id = _copy(connection, row, target)
            if row.id in covers and face_id is not None:
                _make_cover(connection, row, face_id)
    changed = {row.individual_id for row in [*decided, *there]}
    summaries.forget(connection, [one for one in changed if one is not None])
    summaries.forget_of_asset(connection, source)


def to_primary(connection: Connection, primary: int, others: Sequence[int]) -> None:
    """Apply what was said about the faces of a photo's other contents to those of its primary content.

    People see and correct the faces of the primary content only: where a RAW file or an edit joins a photo and another
    content represents it, their word must not stay behind. What was said about a face of the primary content itself wins.
    """
    found = of_assets(connection, [primary, *others])
    there = found.get(primary, [])
    decided = [row for one in others for row in found.get(one, []) if row.how == How.CONFIRMED or row.rejected]
    for one in others:
        _copy_repeats(connection, one, primary)
    if not decided:
        return
    faces = faces_to_match(connection, [*decided, *there])
    pairs = dict(matched_after_edit(faces[: len(decided)], faces[len(decided) :]))
    is_new = not counts.is_looked_through(connection, primary)
    for number, row in enumerate(decided):
        face = there[pairs[number]] if number in pairs else None
        if face is not None and face.how != How.CONFIRMED and not face.rejected:
            _decide_alike(connection, row, face)
        elif face is None and is_new:
            _copy(connection, row, primary)
    changed = {row.individual_id for row in [*decided, *there]}
    summaries.forget(connection, [one for one in changed if one is not None])


def _covers(connection: Connection, rows: Sequence[RegionRow]) -> set[int]:
    """Return which of these regions a person chose to show the individual that has them."""
    holders = sorted({row.individual_id for row in rows if row.individual_id is not None})
    chosen = select(individual.c.cover_id).where(
        individual.c.id.in_(numbers(holders)), individual.c.cover_id.is_not(None)
    )
    return {row.id for row in rows} & set(connection.execute(chosen).scalars())


def _make_cover(connection: Connection, cover: RegionRow, face_id: int) -> None:
    """Let a face show the individual that `cover` was chosen to show, also where only the program gave it to them."""
    columns = ["individual_id", "how", "score", "at"]
    rejected = select(rejection).where(
        rejection.c.region_id == face_id, rejection.c.individual_id == cover.individual_id
    )
    assigned = select(literal(face_id), *(assignment.c[name] for name in columns)).where(
        assignment.c.region_id == cover.id, ~rejected.exists()
    )
    add = upsert(assignment).from_select(["region_id", *columns], assigned)
    connection.execute(add.on_conflict_do_nothing())
    theirs = select(assignment).where(assignment.c.region_id == face_id, assignment.c.individual_id == individual.c.id)
    shown = individual.c.id == cover.individual_id
    connection.execute(update(individual).where(shown, theirs.exists()).values(cover_id=face_id))


def _copy_repeats(connection: Connection, source: int, target: int) -> None:
    allowed = select(literal(target), asset_with_repeats.c.at).where(asset_with_repeats.c.asset_id == source)
    connection.execute(upsert(asset_with_repeats).from_select(["asset_id", "at"], allowed).on_conflict_do_nothing())


def _decide_alike(connection: Connection, decided: RegionRow, face: RegionRow) -> None:
    """Give a face what was said about `decided`, which was said later than what was said about itself."""
    rejected = select(rejection.c.individual_id).where(rejection.c.region_id == decided.id)
    of_face = assignment.c.region_id == face.id
    connection.execute(delete(assignment).where(of_face, assignment.c.individual_id.in_(rejected)))
    if decided.how in FIXED:
        connection.execute(delete(assignment).where(of_face))
        connection.execute(
            delete(rejection).where(
                rejection.c.region_id == face.id, rejection.c.individual_id == decided.individual_id
            )
        )
    _copy_decisions(connection, decided.id, face.id)


def _copy(connection: Connection, row: RegionRow, target: int) -> int:
    """Copy a region with everything about it to another content; return the copy."""
    made = copy_region(connection, row, target)
    _copy_decisions(connection, row.id, made)
    return made


def copy_region(connection: Connection, row: RegionRow, target: int) -> int:
    """Copy a region with its vector to another content, as a face of nobody; return the copy."""
    # What found it is left out: it was not found in this content.
    kept = [column for column in region.c if column.name not in ("id", "asset_id", "variant_id")]
    copied = select(literal(target), null(), *kept).where(region.c.id == row.id)
    values = connection.execute(copied).one()
    names = ["asset_id", "variant_id", *(column.name for column in kept)]
    made = new_id(connection.execute(insert(region), dict(zip(names, values, strict=True))))
    vector = select(literal(made), region_vector.c.data).where(region_vector.c.region_id == row.id)
    connection.execute(insert(region_vector).from_select(["region_id", "data"], vector))
    return made


def _copy_decisions(connection: Connection, source: int, target: int) -> None:
    """Copy the decided individual and the rejections of a region to another one."""
    columns = ["individual_id", "how", "score", "at"]
    assigned = select(literal(target), *(assignment.c[name] for name in columns)).where(
        assignment.c.region_id == source, assignment.c.how.in_(FIXED)
    )
    connection.execute(insert(assignment).from_select(["region_id", *columns], assigned))
    rejected = select(literal(target), rejection.c.individual_id, rejection.c.at).where(rejection.c.region_id == source)
    add = upsert(rejection).from_select(["region_id", "individual_id", "at"], rejected)
    connection.execute(add.on_conflict_do_nothing())
