"""Faces that people marked with other programs, as regions in files and sidecars: where they are, and who they show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from photoindex.domain.people.boxes import SAME_PLACE, Box, matched, overlap, turned
from photoindex.domain.people.names import checked_name, name_key
from photoindex.domain.people.values import FACE
from photoindex.text import fold

_NOBODY = frozenset({"", "unknown", "unknown person", "unnamed", "unconfirmed", "ignored", "?"})
"""What programs write, folded, for a face without a name."""
_SAME_SHAPE = math.log(1.02)
"""Pictures whose ratios of width and height differ by less are the same picture, cut or rounded differently by a few pixels."""
_INSIDE = 0.8
"""A box with this share of its area in a larger one is inside it."""
_RAW_IN_PICASA = ("picasa", "raw")


@dataclass(frozen=True, slots=True)
class Picture:
    """A content: its upright size in pixels, if known, its EXIF orientation, and its kind (image, raw, video)."""

    width: int | None
    height: int | None
    orientation: int | None
    kind: str


@dataclass(frozen=True, slots=True)
class RegionSource:
    """The regions of one file or sidecar, as stored (`types.Region` as a mapping), and the picture they describe.

    label: the file, for people.
    """

    label: str
    picture: Picture
    regions: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked face. box: in the upright picture. name: None for a face without one.

    sources: the files that mark it there, each with its schema; the first one gave the box. turned_by: the orientation by
    which the box was turned, 1 if it was not.
    """

    box: Box
    name: str | None
    schema: str
    sources: tuple[tuple[str, str], ...]
    turned_by: int = 1


@dataclass(slots=True)
class Marks:
    """The marked faces of a photo, with notes on those that say nothing useful.

    unplaced: the names of faces that were marked in a picture of another shape, so that nobody knows where they are: the
    photo was cut, or turned, since.
    """

    faces: list[Mark] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def marks_of(sources: Iterable[RegionSource], shown: Picture) -> Marks:
    """Return the faces that the sources mark, the most reliable source first. shown: the content that represents the photo.

    A face that several sources or schemas mark is returned once: with the box and the name of the first one that has a name.
    """
    found = Marks()
    for source in sources:
        if not _is_same_picture(source.picture, shown):
            found.notes.append(f"{source.label}: its regions are of a picture of another shape, and are not used")
            continue
        for schema in dict.fromkeys(region["schema"] for region in source.regions):
            listed = [region for region in source.regions if region["schema"] == schema and region["kind"] == FACE]
            for mark in [mark for region in listed if (mark := _mark(region, source, found)) is not None]:
                _add(found.faces, mark)
    return found


def _mark(region: Mapping[str, Any], source: RegionSource, found: Marks) -> Mark | None:
    name = _name(region["name"], source.label, found.notes)
    placed = _placed(region, source.picture)
    if placed is None:
        who = f"the face of {name}" if name else "a face"
        found.notes.append(f"{source.label}: {who} was marked in a picture of another shape, and is not used")
        found.unplaced += [name] if name else []
        return None
    box, turned_by = placed
    if box.width <= 0 or box.height <= 0:
        return None
    return Mark(box, name, region["schema"], ((source.label, region["schema"]),), turned_by)


def _name(written: str | None, label: str, notes: list[str]) -> str | None:
    if written is None or fold(written).strip() in _NOBODY:
        return None
    try:
        return checked_name(written)
    except ValueError as error:
        notes.append(f"{label}: a face is named {written!r}: {error}; it counts as a face without a name")
        return None


def _placed(region: Mapping[str, Any], picture: Picture) -> tuple[Box, int] | None:
    """Return the box in the upright picture and the orientation it was turned by; None if it cannot be told.

    Regions are of the stored picture (MWG guidelines 2.0, 5.9). Some programs write them for the upright one: the size of
    the picture they were drawn in tells, unless both have the same shape. Picasa does so for RAW files.
    """
    box = Box(region["x"], region["y"], region["width"], region["height"])
    orientation = picture.orientation or 1
    if (region["schema"], picture.kind) == _RAW_IN_PICASA:
        return box, 1
    drawn = _ratio(region.get("drawn_width"), region.get("drawn_height"))
    upright = _ratio(picture.width, picture.height)
    if drawn is None or upright is None:
        return turned(box, orientation), orientation
    stored = 1 / upright if orientation >= 5 else upright
    if _same(drawn, stored) or (picture.kind == "raw" and not _same(drawn, 1 / stored)):
        return turned(box, orientation), orientation
    return (box, 1) if _same(drawn, upright) else None


def _ratio(width: int | None, height: int | None) -> float | None:
    return width / height if width and height else None


def _same(ratio: float, other: float) -> bool:
    return abs(math.log(ratio / other)) < _SAME_SHAPE


def _is_same_picture(one: Picture, other: Picture) -> bool:
    ratio, wanted = _ratio(one.width, one.height), _ratio(other.width, other.height)
    return ratio is None or wanted is None or _same(ratio, wanted)


def _add(faces: list[Mark], mark: Mark) -> None:
    """Add a mark, or merge it with one of another list that marks the same face.

    Within one list two faces may touch, and a name may be given twice. Programs that rewrite one schema of a file and leave
    another one alone leave boxes of two pictures behind: there the name tells that it is the same face, and a face without
    a name adds nothing.
    """
    own = mark.sources[0]
    others = [place for place, known in enumerate(faces) if own not in known.sources]
    same = next((place for place in others if _has_same_name(faces[place], mark)), None)
    if same is None:
        same = next((place for place in others if overlap(faces[place].box, mark.box) >= SAME_PLACE), None)
    if same is not None:
        known = faces[same]
        faces[same] = replace(known, name=known.name or mark.name, sources=(*known.sources, own))
    elif mark.name is not None or not _has_other_schema(faces, own):
        faces.append(mark)


def _has_other_schema(faces: Iterable[Mark], own: tuple[str, str]) -> bool:
    return any(label == own[0] and schema != own[1] for face in faces for label, schema in face.sources)


def _has_same_name(one: Mark, other: Mark) -> bool:
    return one.name is not None and other.name is not None and name_key(one.name) == name_key(other.name)


@dataclass(frozen=True, slots=True)
class KnownFace:
    """A face of a photo that is known already. detected: by a model. decided: a person confirmed or rejected somebody."""

    box: Box
    detected: bool
    decided: bool


def matched_marks(marks: Sequence[Mark], faces: Sequence[KnownFace]) -> dict[int, int]:
    """Return index of a mark -> index of the face that it marks; marks without a face are omitted.

    A mark goes to the face that a person decided about, else to a detected one, also if it is drawn loosely around that,
    else to one that was only marked.
    """
    boxes = [mark.box for mark in marks]
    found: dict[int, int] = {}
    steps = (
        ([face.decided for face in faces], matched),
        ([face.detected for face in faces], matched),
        ([face.detected for face in faces], _matched_loosely),
        ([True for _ in faces], matched),
    )
    for candidates, match in steps:
        taken = set(found.values())
        left = [i for i in range(len(boxes)) if i not in found]
        free = [j for j, candidate in enumerate(candidates) if candidate and j not in taken]
        pairs = match([boxes[i] for i in left], [faces[j].box for j in free])
        found.update((left[i], free[j]) for i, j in pairs)
    return found


def _matched_loosely(marks: Sequence[Box], faces: Sequence[Box]) -> list[tuple[int, int]]:
    """Return pairs of a mark and the only face inside it, if no other mark is around that face."""
    inside = [[j for j, face in enumerate(faces) if _is_inside(face, mark)] for mark in marks]
    around = [j for found in inside for j in found]
    return [(i, found[0]) for i, found in enumerate(inside) if len(found) == 1 and around.count(found[0]) == 1]


def _is_inside(small: Box, large: Box) -> bool:
    width = min(small.x + small.width, large.x + large.width) - max(small.x, large.x)
    height = min(small.y + small.height, large.y + large.height) - max(small.y, large.y)
    return width > 0 and height > 0 and width * height >= _INSIDE * small.width * small.height
