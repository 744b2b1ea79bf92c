"""Properties of grouping faces: what is known holds in every result, and the order of arrival does not matter."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from photoindex.domain.people.grouping import group, join
from photoindex.domain.people.grouping_values import WAITING, Faces, Known, Thresholds
from photoindex.domain.people.lifetimes import outside_life
from tests.made_up_faces import SEARCH, faces_of, unit
from tests.series import SOAKING, examples

repeatable = settings(derandomize=not SOAKING, deadline=None, max_examples=examples(50))

THRESHOLDS = Thresholds(possible=0.4, sure=0.8, join=0.5)
PERSONS = (1, 2, 3)
FIRST_ID = 100


@st.composite
def libraries(draw: st.DrawFn) -> tuple[Faces, Known]:
    count = draw(st.integers(2, 24))
    random = np.random.default_rng(draw(st.integers(0, 1 << 20)))
    centres = random.standard_normal((draw(st.integers(1, 4)), 16))
    spread = draw(st.sampled_from([0.3, 0.8, 1.5]))
    vectors = unit(centres[random.integers(0, len(centres), count)] + spread * random.standard_normal((count, 16)))
    ids = st.integers(FIRST_ID, FIRST_ID + count - 1)
    persons = st.sampled_from(PERSONS)
    years = st.sampled_from(["2009", "2010-06", "2011-01-15", None])
    faces = faces_of(
        vectors,
        ids=np.arange(FIRST_ID, FIRST_ID + count, dtype=np.int64),
        founder=random.random(count) < draw(st.sampled_from([1.0, 0.7])),
        photo=random.integers(0, draw(st.sampled_from([3, 12, 1000])), count),
        taken=np.where(
            random.random(count) < 0.3,
            np.datetime64("NaT"),
            np.datetime64("2008-01-01") + random.integers(0, 1500, count).astype("timedelta64[D]"),
        ),
        repeats_allowed=random.random(count) < 0.1,
        quality=random.random(count).astype(np.float32),
    )
    known = Known(
        confirmed=draw(st.dictionaries(ids, persons, max_size=6)),
        rejected=draw(st.frozensets(st.tuples(ids, persons), max_size=8)),
        apart=draw(st.frozensets(st.sampled_from([(1, 2), (3, 1), (2, 3)]), max_size=2)),
        grouped=draw(st.dictionaries(ids, persons, max_size=12)),
        lives=draw(st.dictionaries(persons, st.tuples(years, st.sampled_from(["2011", None])), max_size=3)),
    )
    return faces, known


def impossible(faces: Faces, known: Known, person: int) -> set[int]:
    outside = outside_life(faces.taken, *known.lives.get(person, (None, None)))
    found = set(faces.ids[outside].tolist()) | {face for face, rejected in known.rejected if rejected == person}
    return {face for face in found if known.confirmed.get(face) != person}


def check(faces: Faces, known: Known, members: dict[int, list[int]]) -> None:
    place = {int(face): position for position, face in enumerate(faces.ids)}
    for group_members in members.values():
        confirmed = {known.confirmed[face] for face in group_members if face in known.confirmed}
        assert len(confirmed) <= 1
        for person in confirmed:
            assert not impossible(faces, known, person) & set(group_members)
        held = {known.confirmed.get(face, known.grouped.get(face)) for face in group_members}
        assert not any({one, other} <= held for one, other in known.apart)
        photos: dict[int, list[int]] = defaultdict(list)
        for face in group_members:
            if not faces.repeats_allowed[place[face]]:
                photos[int(faces.photo[place[face]])].append(face)
        for in_photo in photos.values():
            assert len(in_photo) == 1 or all(face in known.confirmed for face in in_photo)


def members_of(ids: np.ndarray, labels: np.ndarray) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for face, label in zip(ids.tolist(), labels.tolist(), strict=True):
        if label != WAITING:
            found[label].append(face)
    return found


@repeatable
@given(libraries())
def test_no_group_contradicts_what_is_known(library: tuple[Faces, Known]) -> None:
    faces, known = library
    groups = group(faces, known, THRESHOLDS, SEARCH)
    check(faces, known, members_of(faces.ids, groups.labels))
    assert ((groups.scores >= 0) & (groups.scores <= 1)).all()


@repeatable
@given(libraries(), st.integers(0, 1000))
def test_groups_do_not_depend_on_the_order_of_the_faces(library: tuple[Faces, Known], seed: int) -> None:
    faces, known = library
    order = np.random.default_rng(seed).permutation(len(faces))
    one = group(faces, known, THRESHOLDS, SEARCH)
    other = group(faces.some(order), known, THRESHOLDS, SEARCH)
    assert (one.labels[order] == other.labels).all()


@repeatable
@given(libraries())
def test_no_new_face_joins_a_person_that_it_cannot_be(library: tuple[Faces, Known]) -> None:
    faces, known = library
    groups = group(faces, known, THRESHOLDS, SEARCH)
    new = np.arange(len(faces)) % 3 == 0
    base = ~new & (groups.labels != WAITING)
    # As in a library: a group with confirmed faces is their person, another one is a person of its own.
    person = {label: 1000 + label for label in groups.labels.tolist()}
    for face, label in zip(faces.ids[base].tolist(), groups.labels[base].tolist(), strict=True):
        person[label] = known.confirmed.get(face, person[label])
    # Several groups may be one person, who keeps one face of a photo.
    shown: set[tuple[int, int]] = set()
    for place in np.flatnonzero(base).tolist():
        here = (person[int(groups.labels[place])], int(faces.photo[place]))
        free = not faces.repeats_allowed[place] and int(faces.ids[place]) not in known.confirmed
        base[place] = not free or here not in shown
        shown |= {here} if free else set()
    persons = np.array([person[label] for label in groups.labels[base].tolist()], np.int64)
    joined = join(faces.some(new), faces.some(base), persons, known, THRESHOLDS, SEARCH)
    for face, found in zip(faces.ids[new].tolist(), joined.persons.tolist(), strict=True):
        if face in known.confirmed:
            assert found == known.confirmed[face]
        elif found != WAITING:
            assert face not in impossible(faces, known, found)
    everybody = np.concatenate([faces.ids[base], faces.ids[new]])
    together = members_of(everybody, np.concatenate([persons, joined.persons]))
    for someone in together.values():
        place = np.searchsorted(faces.ids, someone)
        photos = faces.photo[place][~faces.repeats_allowed[place]]
        sure = [
            face in known.confirmed
            for face, twice in zip(someone, faces.repeats_allowed[place], strict=True)
            if not twice
        ]
        free = [photo for photo, is_sure in zip(photos.tolist(), sure, strict=True) if not is_sure]
        assert len(free) == len(set(free))
