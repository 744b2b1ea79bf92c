"""Properties of events: every photo is in exactly one session, and sessions match their start and end."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from photoindex.domain.events.sessions import DAY_SECONDS, Moments, Sessions, find_sessions
from photoindex.domain.events.titles import unique_keys
from photoindex.domain.events.trips import homes, trips
from tests.series import SOAKING, examples

repeatable = settings(derandomize=not SOAKING, deadline=None, max_examples=examples(200))

PLACES = [(52.52, 13.405), (52.6, 13.5), (38.72, -9.14), (0.0, 180.0), (0.0, -179.99), (90.0, 0.0), (float("nan"),) * 2]
photos = st.tuples(
    st.one_of(st.integers(-4 * DAY_SECONDS, 40 * DAY_SECONDS), st.integers(0, 200).map(lambda hours: hours * 3_600)),
    st.booleans(),
    st.sampled_from(PLACES),
)
many = st.lists(photos, max_size=40)
gaps = st.sampled_from([60, 1_800, 3_600, 6 * 3_600, DAY_SECONDS, 3 * DAY_SECONDS])

Photo = tuple[int, bool, tuple[float, float]]


def moments(taken: list[Photo]) -> Moments:
    return Moments(
        ids=np.arange(len(taken), dtype=np.int64),
        seconds=np.array([at // DAY_SECONDS * DAY_SECONDS if day else at for at, day, _ in taken], dtype=np.int64),
        day_only=np.array([day for _, day, _ in taken], dtype=np.bool_),
        latitude=np.array([place[0] for _, _, place in taken], dtype=np.float64),
        longitude=np.array([place[1] for _, _, place in taken], dtype=np.float64),
        place_ids=np.array(
            [PLACES.index(place) if place[0] == place[0] else -1 for *_, place in taken], dtype=np.int64
        ),
    )


def photo_sets(found: Sessions) -> list[frozenset[int]]:
    return [frozenset(found.moments.ids[found.photos(index)].tolist()) for index in range(len(found))]


@given(many, gaps)
@repeatable
def test_every_photo_is_in_exactly_one_session(taken: list[Photo], gap: int) -> None:
    numbers = [photo for session in photo_sets(find_sessions(moments(taken), gap)) for photo in session]
    assert sorted(numbers) == list(range(len(taken)))


@given(many, gaps)
@repeatable
def test_a_session_has_exactly_the_photos_between_its_ends(taken: list[Photo], gap: int) -> None:
    all_photos = moments(taken)
    found = find_sessions(all_photos, gap)
    for first, last, members in zip(found.first, found.last, photo_sets(found), strict=True):
        between = np.flatnonzero((all_photos.seconds >= first) & (all_photos.seconds <= last))
        assert frozenset(between.tolist()) == members
    assert all(last < first for last, first in zip(found.last[:-1], found.first[1:], strict=True))


@given(many, gaps, gaps)
@repeatable
def test_a_longer_gap_never_makes_more_sessions(taken: list[Photo], one: int, other: int) -> None:
    shorter, longer = sorted((one, other))
    assert len(find_sessions(moments(taken), longer)) <= len(find_sessions(moments(taken), shorter))


@given(many, gaps, st.randoms(use_true_random=False))
@repeatable
def test_the_order_of_the_photos_does_not_matter(taken: list[Photo], gap: int, chance: object) -> None:
    order = list(range(len(taken)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    given_first = moments(taken)
    shuffled = given_first.chosen(np.array(order, dtype=np.int64))
    one, other = find_sessions(given_first, gap), find_sessions(shuffled, gap)
    assert photo_sets(one) == photo_sets(other)
    assert trips(one, homes(given_first)) == trips(other, homes(shuffled))


@given(many, gaps)
@repeatable
def test_no_pause_inside_a_session_is_longer_than_the_gap_except_within_a_day(taken: list[Photo], gap: int) -> None:
    found = find_sessions(moments(taken), gap)
    for index in range(len(found)):
        part = found.photos(index)
        times = found.moments.seconds[part][~found.moments.day_only[part]].tolist()
        for earlier, later in pairwise(times):
            assert later - earlier <= gap or (gap >= 6 * 3_600 and earlier // DAY_SECONDS == later // DAY_SECONDS)


@given(many, gaps)
@repeatable
def test_trips_do_not_overlap_and_last_at_least_a_night(taken: list[Photo], gap: int) -> None:
    all_photos = moments(taken)
    found = find_sessions(all_photos, gap)
    runs = trips(found, homes(all_photos))
    assert all(earlier.stop <= later.start for earlier, later in pairwise(runs))
    for run in runs:
        assert found.first[run[0]] // DAY_SECONDS < found.last[run[-1]] // DAY_SECONDS


@given(st.lists(st.sampled_from(["a", "a-2", "a-3", "a-2-2", "b"]), max_size=30))
@repeatable
def test_keys_are_unique_and_keep_their_beginning(keys: list[str]) -> None:
    unique = unique_keys(keys)
    assert len(set(unique)) == len(keys)
    assert all(made.startswith(wanted) for made, wanted in zip(unique, keys, strict=True))
