"""Collects the evidence for a photo's facts from its contents, files, sidecars and corrections."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from photoindex.domain.people.marks import Marks
from photoindex.domain.sidecars.names import distance
from photoindex.domain.time.path_dates import dates_of_folder, dates_of_mtime, dates_of_name
from photoindex.paths import to_text
from photoindex.store.files import files
from photoindex.store.files.files import FileRow
from photoindex.store.people import marks
from photoindex.store.photos import assets, corrections, sidecars
from photoindex.store.photos.assets import PhotoContent
from photoindex.store.photos.sidecars import LinkedSidecar
from photoindex.types import FactValue

_SOURCE_OF_SIDECAR = {"xmp": "sidecar", "aae": "aae", "takeout": "takeout", "picasa": "sidecar"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The input from which a photo's facts are resolved.

    content: the primary content. files: the photo's files; the first one names the photo. sidecars: by priority: those of
    the first file come first, and among these the one with the most similar name. facts: source -> fact -> value; if
    several contents or sidecars have the same source, the first one that states a fact wins. contents: the current ones,
    the primary one first. marks: the faces that files and sidecars mark.
    """

    content: PhotoContent
    files: Sequence[FileRow]
    sidecars: Sequence[LinkedSidecar]
    contents: Sequence[PhotoContent]
    marks: Marks
    facts: Mapping[str, Mapping[str, FactValue]] = field(default_factory=dict)


def gather(connection: Connection, photo_id: int) -> Evidence | None:
    """Return the evidence for a photo; None if it has no content or no file."""
    return gather_all(connection, [photo_id]).get(photo_id)


def gather_all(
    connection: Connection, photo_ids: Collection[int], *, without: Collection[int] = ()
) -> dict[int, Evidence]:
    """Return photo -> its evidence, for up to a few hundred photos; those without content or file are left out.

    without: ids of files that are about to go: sidecars, which say nothing then, and others, which no longer name the photo.
    """
    contents = assets.current_contents(connection, photo_ids)
    of_photos = files.of_photos(connection, photo_ids)
    linked = sidecars.of_photos(connection, photo_ids)
    if without:
        of_photos = {key: [one for one in rows if one.id not in without] for key, rows in of_photos.items()}
        linked = {key: [one for one in rows if one.file_id not in without] for key, rows in linked.items()}
    corrected = corrections.of_photos(connection, photo_ids)
    return {
        photo_id: _evidence(
            contents[photo_id], of_photos[photo_id], linked.get(photo_id, ()), corrected.get(photo_id, {})
        )
        for photo_id in photo_ids
        if photo_id in contents and of_photos.get(photo_id)
    }


def _evidence(
    contents: Sequence[PhotoContent],
    of_photo: Sequence[FileRow],
    linked: Sequence[LinkedSidecar],
    corrected: Mapping[str, FactValue],
) -> Evidence:
    rank = {content.asset_id: place for place, content in enumerate(contents)}
    of_photo = sorted(
        of_photo, key=lambda each: (rank.get(each.asset_id or 0, len(rank)), each.state != "present", each.id)
    )
    linked = _in_order(linked, of_photo)
    facts: dict[str, dict[str, FactValue]] = {}
    for content in _stating_facts(contents):
        for source, values in content.facts.items():
            _fill(facts, source, values)
    for each in linked:
        _fill(facts, _SOURCE_OF_SIDECAR[each.kind], each.facts)
    if corrected:
        facts["person"] = dict(corrected)
    if contents[0].neighbours:
        facts["neighbours"] = dict(contents[0].neighbours)
    names = {each.asset_id: to_text(each.name) for each in reversed(of_photo) if each.asset_id is not None}
    return Evidence(contents[0], of_photo, linked, contents, marks.marks_in(contents, linked, names), facts)


def _stating_facts(contents: Sequence[PhotoContent]) -> list[PhotoContent]:
    """Return the contents whose facts count, the most reliable first.

    A backup by ExifTool does not count: what the change removed, such as a position, would come back.
    """
    first, *others = contents
    counting = [each for each in others if each.role != "backup"]
    return [first, *sorted(counting, key=lambda each: each.role == "companion")]


def _in_order(linked: Sequence[LinkedSidecar], of_photo: Sequence[FileRow]) -> list[LinkedSidecar]:
    order = {each.id: (place, each.name) for place, each in enumerate(of_photo)}

    def key(each: LinkedSidecar) -> tuple[int, int, bytes]:
        place, name = order.get(each.of_file_id, (len(order), b""))
        return place, distance(os.path.basename(each.path), name), each.path

    return sorted(linked, key=key)


def _fill(facts: dict[str, dict[str, FactValue]], source: str, values: Mapping[str, Any]) -> None:
    """Add the facts of another content or sidecar with the same source; latitude and longitude are taken together."""
    known = facts.setdefault(source, {})
    has_position = "latitude" in known and "longitude" in known
    for name, value in values.items():
        if name in ("latitude", "longitude") and not has_position:
            known[name] = value
        else:
            known.setdefault(name, value)


def with_path_dates(evidence: Evidence) -> dict[str, dict[str, FactValue]]:
    """Return the facts plus evidence that is only shown to people.

    These are the dates in the first file's name, folder and modification time and, if several sidecars have the same
    source, the differing values of the others, e.g. under `sidecar c.xmp`.
    """
    first = evidence.files[0]
    around = {
        "name": dates_of_name(first.name),
        "folder": dates_of_folder(first.folder_path),
        "mtime": dates_of_mtime(first.mtime_ns, first.name),
    }
    known: dict[str, dict[str, FactValue]] = {source: dict(values) for source, values in evidence.facts.items()}
    known |= _of_further_sidecars(evidence)
    return known | {source: dict(dates) for source, dates in around.items() if dates}


def _of_further_sidecars(evidence: Evidence) -> dict[str, dict[str, FactValue]]:
    further: dict[str, dict[str, FactValue]] = {}
    for each in evidence.sidecars:
        source = _SOURCE_OF_SIDECAR[each.kind]
        used = evidence.facts[source]
        differing = {fact: value for fact, value in each.facts.items() if value != used.get(fact)}
        if differing:
            key = f"{source} {to_text(os.path.basename(each.path))}"
            further[key if further.get(key, differing) == differing else f"{source} {to_text(each.path)}"] = differing
    return further
