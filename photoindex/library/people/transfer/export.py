"""Exports what a person decided about people, as lines of JSON that another library can import."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from photoindex.library.export.output_files import check_target, write_whole
from photoindex.library.handle import Library
from photoindex.library.people.transfer.lines import SCHEMA
from photoindex.store.people import apart, individuals, transfer
from photoindex.store.people.individuals import IndividualRow
from photoindex.store.people.transfer import PlacedFace


def export_people(library: Library) -> Iterator[bytes]:
    """Yield the lines: people, their faces and those that are not theirs, who is not the same, and photos with repeats.

    Faces are named by the digest of their content and their box. Groups of which nothing was decided are left out.
    """
    with library.database.read() as connection:
        for one in _lines(connection):
            yield json.dumps({"schema": SCHEMA, **one}, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def export_to_file(library: Library, target: Path) -> int:
    """Write the lines to a file, whole or not at all, and return its size in bytes. Raises UsageError, StorageFull."""
    check_target(library, target)
    return write_whole(target, export_people(library))


def _lines(connection: Connection) -> Iterator[dict[str, object]]:
    for digest in transfer.digests_with_repeats(connection):
        yield {"type": "repeats", "digest": digest.hex()}
    people = individuals.by_ids(connection, transfer.exported_ids(connection))
    for person in people.values():
        yield _person(connection, person)
    for one, other in transfer.apart_pairs(connection):
        if one in people and other in people:
            yield {"type": "apart", "persons": [one, other]}
    for person in people.values():
        for face in transfer.faces_of(connection, person.id):
            yield _face("face", face) | {"how": face.how}
        for face in transfer.rejections_of(connection, person.id):
            yield _face("rejection", face)
        cover = None if person.cover_id is None else transfer.face_at(connection, person.id, person.cover_id)
        if cover is not None:
            yield _face("cover", cover)


def _person(connection: Connection, person: IndividualRow) -> dict[str, object]:
    return {
        "type": "person",
        "id": person.id,
        "kind": person.kind,
        "name": person.name,
        "born": person.born,
        "died": person.died,
        "hidden": person.hidden,
        "ignored": person.ignored,
        "names": sorted(apart.aliases_of(connection, person.id)),
    }


def _face(kind: str, face: PlacedFace) -> dict[str, object]:
    return {
        "type": kind,
        "person": face.individual_id,
        "digest": face.digest.hex(),
        "frame": face.frame,
        "box": [face.x, face.y, face.width, face.height],
    }
