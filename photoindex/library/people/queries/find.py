"""Finds the people in a picture file; the file need not be in the library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from photoindex.domain.people.boxes import Box
from photoindex.domain.people.calibration import Calibration, from_photos
from photoindex.domain.people.identify import Match, matches
from photoindex.errors import ModelUnavailable, NothingFound, UsageError
from photoindex.file_access import as_on_disk
from photoindex.library.handle import Library
from photoindex.library.limit_settings import with_settings
from photoindex.library.people.faces import comparable
from photoindex.library.people.groups.calibrate import from_json
from photoindex.library.people.model_choice import command_for_faces
from photoindex.models.base import DescribedFaces
from photoindex.models.faces.pack import open_face_pack
from photoindex.models.weights import ModelStore
from photoindex.paths import display, from_text, shell_word
from photoindex.pipeline.query_picture import PictureJob, read_picture
from photoindex.query.syntax import KnownPerson
from photoindex.store.people import individuals, spaces
from photoindex.store.people.faces import by_ids as faces_by_ids
from photoindex.store.people.individuals import IndividualRow
from photoindex.store.people.spaces import RegionSpace
from photoindex.store.search.targets import first_paths
from photoindex.store.vectors.face_vectors import faces_of_people
from photoindex.types import Failure

_SHOWN = 5
_KEPT_OF_BATCH = 256
_SAMPLE_FACES = 4_000
"""Enough to measure how alike strangers are, where `cluster` has not done it yet."""


@dataclass(frozen=True, slots=True)
class Example:
    """A face of somebody, and how alike it is. path: of its photo."""

    face_id: int
    photo_id: int
    path: bytes
    cosine: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person that a face may be. confidence: 0 to 1; see `domain.people.identify`."""

    person: IndividualRow
    confidence: float
    likeness: float
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class FoundFace:
    """One face of a picture, in the upright one.

    person: who it is, None if it is not enough like anybody. candidates: the other people it is like, best first.
    """

    box: Box
    person: Candidate | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """The faces of people that are nearest to the faces of a picture.

    faces, persons: int64 [n]. cosines: float32 [n, faces of the picture]. among: how many faces the library has.
    """

    faces: NDArray[np.int64]
    persons: NDArray[np.int64]
    cosines: NDArray[np.float32]
    calibration: Calibration
    among: int


def people_in_picture(library: Library, path: bytes) -> list[FoundFace]:
    """Return the faces of a picture file from left to right, each with its person; none if there is no face.

    Raises UsageError for a file that cannot be decoded; NothingFound if no faces of the library are known; ModelUnavailable.
    """
    space = _space(library)
    pixels = _pixels(library, path)
    described = _described(library, space, pixels)
    if not len(described):
        return []
    height, width = pixels.shape[:2]
    with library.database.read() as connection:
        known = _known(connection, space, described.vectors)
        return [
            FoundFace(
                Box(*described.found.boxes[one] / (width, height, width, height)), *_people(connection, known, one)
            )
            for one in np.argsort(described.found.boxes[:, 0], kind="stable").tolist()
        ]


def person_in_picture(library: Library, written: str) -> KnownPerson:
    """Return the person in a picture file with one face, for `face:`.

    Raises ValueError with a message for the user for a file that cannot be decoded or has no face or several;
    NothingFound if the face is like nobody; ModelUnavailable.
    """
    path = as_on_disk(from_text(written))
    shown, word = display(path), shell_word(path)
    try:
        faces = people_in_picture(library, path)
    except UsageError as error:
        raise ValueError(str(error)) from error
    if not faces:
        raise ValueError(f"no face is found in {shown}")
    if len(faces) > 1:
        raise ValueError(
            f"{shown} shows {len(faces)} faces, and one is needed; to see who they are: photoindex people find {word}"
        )
    if faces[0].person is None:
        raise NothingFound(
            f"the face in {shown} is not enough like anybody; for the nearest people: photoindex people find {word}"
        )
    person = faces[0].person.person
    return KnownPerson(person.id, person.name, person.born)


def _space(library: Library) -> RegionSpace:
    with library.database.read() as connection:
        space = spaces.active(connection)
        known = space is not None and spaces.count_regions(connection, space.id)
    if space is None or not known:
        raise NothingFound("no faces were found in the library yet; run: photoindex faces")
    return space


def _pixels(library: Library, path: bytes) -> NDArray[np.uint8]:
    shown, config = display(path), library.config
    if os.path.isdir(path):
        raise UsageError(f"{shown} is a folder; name a picture file")
    if not os.path.lexists(path):
        raise UsageError(f"{shown}: there is no such file")
    pixels = read_picture(PictureJob(path, config.derived.params, None, config.scan.limits))
    if isinstance(pixels, Failure):
        raise UsageError(f"{shown} cannot be decoded: {with_settings(pixels.message)}")
    return pixels


def _described(library: Library, space: RegionSpace, pixels: NDArray[np.uint8]) -> DescribedFaces:
    installed = ModelStore(library.models_folder).get(space.model)
    with library.database.read() as connection:
        same = spaces.find(connection, comparable(installed))
    if same is None or same.id != space.id:
        raise ModelUnavailable(
            f"the faces of the library were described by another version of '{space.model}' than the installed one; "
            f"describe them again: {command_for_faces(library, space.model)}"
        )
    return open_face_pack(installed, device="cpu").describe([pixels])[0]


def _known(connection: Connection, space: RegionSpace, vectors: NDArray[np.float32]) -> _Known:
    among = spaces.count_regions(connection, space.id)
    every = max(1, among // _SAMPLE_FACES)
    parts, sample = [], []
    for batch in faces_of_people(connection, space.id, space.dim):
        cosines = batch.vectors @ vectors.T
        best = np.unique(np.argsort(-cosines, axis=0, kind="stable")[:_KEPT_OF_BATCH])
        parts.append((batch.faces[best], batch.persons[best], cosines[best]))
        # Whole pictures, because two faces of one are two people.
        some = batch.contents % every == 0
        sample.append((batch.vectors[some], batch.contents[some]))
    empty = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, len(vectors)), np.float32))
    faces, persons, cosines = map(np.concatenate, zip(*parts or [empty], strict=True))
    measured = from_json(space.calibration)
    calibration = measured.calibration if measured else _measured(space, sample)
    return _Known(faces, persons, cosines, calibration, among)


def _measured(space: RegionSpace, sample: Sequence[tuple[NDArray[np.float32], NDArray[np.int64]]]) -> Calibration:
    """Return what `cluster` would measure, by a sample of the faces, where it has not yet."""
    seen, contents = (
        map(np.concatenate, zip(*sample, strict=True)) if sample else (np.zeros((0, space.dim)), np.zeros(0))
    )
    return from_photos(seen.astype(np.float32), contents.astype(np.int64))


def _people(connection: Connection, known: _Known, one: int) -> tuple[Candidate | None, tuple[Candidate, ...]]:
    """Return who one face of the picture is, and the other people it is like."""
    thresholds = known.calibration.thresholds(known.among)
    alike = matches(known.faces, known.persons, known.cosines[:, one], known.calibration, among=known.among)
    person = next((each for each in alike if each.cosine >= thresholds.join), None)
    others = [each for each in alike if each is not person and each.cosine >= thresholds.possible]
    made = _candidates(connection, [each for each in (person, *others[:_SHOWN]) if each is not None])
    return (made[0], made[1:]) if person is not None else (None, made)


def _candidates(connection: Connection, found: Sequence[Match]) -> tuple[Candidate, ...]:
    people = individuals.by_ids(connection, [one.person for one in found])
    faces = faces_by_ids(connection, [face for one in found for face, _ in one.nearest])
    paths = first_paths(connection, sorted({one.photo_id for one in faces.values()}))
    return tuple(
        Candidate(
            people[one.person], one.confidence, one.likeness,
            tuple(
                Example(face, faces[face].photo_id, paths.get(faces[face].photo_id, b""), cosine)
                for face, cosine in one.nearest
            ),
        )
        for one in found
    )  # fmt: skip
