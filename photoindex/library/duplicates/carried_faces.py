"""Carries over who is in a copy: to the same faces of the photo that is kept."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from photoindex.domain.people.same_face import matched_after_edit
from photoindex.domain.people.values import FIXED, How
from photoindex.store.journal.journal import Change, Row, stored_row
from photoindex.store.people import counts, hand_over, individuals, regions
from photoindex.store.people.decisions import Decisions
from photoindex.store.people.regions import RegionRow
from photoindex.store.schema.tables import region

_SHAPE = 0.02
"""Pictures whose sides have the same ratio, to this share, show the same part."""


def carry_faces(connection: Connection, source: int, target: int, persons: Collection[int]) -> list[Change]:
    """Say of the faces of content `target` that they show the individuals of the same faces of content `source`.

    persons: the individuals to carry over. A face that a model does not find in `target` is copied where both show the same
    part. What a person said about a face of `target` stays.
    """
    found = regions.of_assets(connection, [source, target])
    named = [row for row in found.get(source, []) if row.how in FIXED and row.individual_id in persons]
    there = found.get(target, [])
    if not named:
        return []
    faces = regions.faces_to_match(connection, [*named, *there])
    pairs = dict(matched_after_edit(faces[: len(named)], faces[len(named) :]))
    decisions = Decisions(connection)
    copied: list[Change] = []
    for number, row in enumerate(named):
        face = there[pairs[number]] if number in pairs else None
        if face is None and regions.have_one_shape(connection, source, target, within=_SHAPE):
            made = hand_over.copy_region(connection, row, target)
            key: Row = {"id": made}
            copied.append(Change(region.name, key, before=None, after=stored_row(connection, region, key)))
            _assign(connection, decisions, row, made)
        elif face is not None and face.how != How.CONFIRMED and not face.rejected:
            _assign(connection, decisions, row, face.id)
    if copied:
        counts.refresh(connection, [target])
    return copied + decisions.finish()


def confirm_faces(connection: Connection, asset_id: int, persons: Collection[int]) -> list[Change]:
    """Say of faces that only a sidecar named that they show these individuals, before the sidecar goes."""
    decisions = Decisions(connection)
    for row in regions.of_assets(connection, [asset_id]).get(asset_id, []):
        if row.individual_id is not None and row.individual_id in persons and row.how == How.METADATA:
            decisions.assign([row.id], row.individual_id)
    return decisions.finish()


def _assign(connection: Connection, decisions: Decisions, row: RegionRow, face_id: int) -> None:
    assert row.individual_id is not None
    decisions.assign([face_id], row.individual_id)
    who = individuals.by_id(connection, row.individual_id)
    if who is not None and who.cover_id == row.id:
        decisions.set_values(who.id, cover_id=face_id)
