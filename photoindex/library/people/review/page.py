"""Renders faces to review as one self-contained HTML page, which gives answers as a file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from photoindex.domain.people.boxes import Box
from photoindex.domain.people.lifetimes import taken_on
from photoindex.errors import NothingFound
from photoindex.library.export.pages import rendered
from photoindex.library.export.photo_cards import file_url
from photoindex.library.handle import Library
from photoindex.library.people.review.choice import Choice, ChosenGroup, ReviewRequest, choose
from photoindex.library.people.review.crops import Place, face_crops
from photoindex.library.people.review.suggestions import suggestions
from photoindex.library.photos.lost_previews import mark_lost_if_possible
from photoindex.library.photos.time_text import shown
from photoindex.library.search.hits import Hit, hits_by_id
from photoindex.paths import display
from photoindex.progress import EventSink, ignore_events
from photoindex.store.people import review
from photoindex.store.people.review import ShownFace


@dataclass(frozen=True, slots=True)
class Review:
    """A page in chunks of UTF-8. groups, faces: shown; left: groups that are not, as they are beyond the limit.

    without_picture: shown faces whose preview is missing.
    """

    page: Iterator[bytes]
    groups: int
    faces: int
    left: int
    without_picture: int


@dataclass(frozen=True, slots=True)
class _Face:
    """A face on the page. crop: JPEG in base64, "" without a preview. taken: for people; day: the known part of the date.

    photo: its id, 0 where the picture may show somebody more than once. persons: the named ones who are known to be in it.
    address: file URL of the original, "" if it is missing.
    """

    id: int
    crop: str
    taken: str
    day: str
    photo: int
    persons: Sequence[int]
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class _Group:
    """A group on the page with its faces, and examples of the person that it may be."""

    chosen: ChosenGroup
    years: str
    faces: Sequence[_Face]
    examples: Sequence[_Face]


def review_page(library: Library, request: ReviewRequest, emit: EventSink = ignore_events) -> Review:
    """Return the page.

    Only previews are read, so originals may be offline; the next scan makes those that are missing. Ignored persons are left
    out, and without `request.also` hidden ones, all photos of them, and sensitive photos. Raises NothingFound for an unknown
    person, and where there is nothing to review.
    """
    suggested = suggestions(library, emit)
    with library.database.read() as connection:
        choice = choose(connection, request, suggested)
        faces = [face for group in choice.groups for face in (*group.faces, *group.examples)]
        photos = sorted({face.photo_id for face in faces})
        persons = review.persons_in(connection, photos)
    if not choice.groups:
        kept = [
            kind for kind, shown in zip(("hidden people", "sensitive photos"), request.also, strict=True) if not shown
        ]
        left_out = f", {' and '.join(kept)} left out" if kept else ""
        raise NothingFound(f"there are no faces to review{left_out}; see: photoindex people list")
    crops = face_crops(library.derived_folder, [_place(face) for face in faces])
    if lost := {face.asset_id for face, crop in zip(faces, crops, strict=True) if crop is None}:
        mark_lost_if_possible(library, lost)
    hits = hits_by_id(library, photos)
    made = {
        face.id: _face(face, crop, hits.get(face.photo_id), persons.get(face.photo_id, set()))
        for face, crop in zip(faces, crops, strict=True)
    }
    groups = [
        _Group(one, _years(one), [made[face.id] for face in one.faces], [made[face.id] for face in one.examples])
        for one in choice.groups
    ]
    shown_faces = [face for group in groups for face in group.faces]
    page = rendered(
        "photoindex.library.people.review",
        "page.html.j2",
        {},
        groups=groups,
        known=_known(choice, shown_faces),
        faces=len(shown_faces),
    )
    return Review(page, len(groups), len(shown_faces), choice.left, sum(not face.crop for face in shown_faces))


def _place(face: ShownFace) -> Place:
    return Place(face.digest, Box(face.x, face.y, face.width, face.height))


def _face(face: ShownFace, crop: bytes | None, hit: Hit | None, persons: set[int]) -> _Face:
    return _Face(
        id=face.id,
        crop=base64.b64encode(crop or b"").decode("ascii"),
        taken=shown(face.taken_at, face.taken_at_precision, face.taken_at_source),
        day=taken_on(face.taken_at, face.taken_at_precision, face.taken_at_source) or "",
        photo=0 if face.may_repeat else face.photo_id,
        persons=sorted(persons),
        name=f"photo {face.photo_id}" if hit is None or not hit.name else display(hit.name),
        address="" if hit is None or hit.state != "present" else file_url(hit.path),
    )


def _years(group: ChosenGroup) -> str:
    first, last = (group.row.first_at or "")[:4], (group.row.last_at or "")[:4]
    return first if first == last else f"{first} to {last}"


def _known(choice: Choice, faces: Sequence[_Face]) -> Mapping[str, object]:
    """Return what the script of the page must know: the persons with a name, and a key under which answers are kept."""
    content = [[group.row.individual_id, group.kind] for group in choice.groups], [face.id for face in faces]
    return {
        "key": hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16],
        "persons": [
            {"id": one.id, "name": one.name, "born": one.born, "died": one.died, "faces": count}
            for one, count in choice.persons
        ],
    }
