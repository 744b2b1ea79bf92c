"""Finds the pairs of contents that show the same picture: each pair is compared once, and remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.pairing.values import Member
from photoindex.domain.same_picture.compare import VERSION as COMPARISON
from photoindex.domain.same_picture.hashes import VERSION, WINDOWS
from photoindex.domain.same_picture.orientations import ORIENTATIONS
from photoindex.domain.same_picture.shots import different_shots
from photoindex.domain.same_picture.trimming import Rectangle
from photoindex.library.cores import jobs_for
from photoindex.library.duplicates.known_pairs import (
    LINKED,
    ONE_PHOTO,
    OTHER,
    SAME,
    KnownPairs,
    StoredPair,
    compared_of,
    task_of,
)
from photoindex.library.duplicates.near_vectors import near_pairs_of, not_compared
from photoindex.library.handle import Library
from photoindex.library.photos.lost_previews import mark_lost_if_possible
from photoindex.pipeline.duplicates import candidates
from photoindex.pipeline.duplicates.comparison import Compared, Comparer, Task
from photoindex.pipeline.duplicates.one_shot import examined
from photoindex.pipeline.resolve.relate import member_of
from photoindex.progress import EventSink, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted
from photoindex.store.photos import compared_pairs, duplicates, hashes
from photoindex.store.photos import pairs as store_pairs
from photoindex.store.photos.duplicates import HashedContents
from photoindex.store.vectors.spaces import SpaceRow, active_space, count_vectors

RADIUS = 11
"""Maximum distance (bits of 64) between the hashes of two pictures to compare; 95 % of pictures cropped by 5 % are within it."""
_CHUNK_TASKS = 2_000
_BATCH_TASKS = 8
"""So few that pairs of pictures that are both like a third one, which follow each other, are seldom compared."""
_OTHER_BORDER = 0.03
_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Open:
    """What is to be compared. places: of the contents, ascending. by_hash, by_vector: bool [contents], with what. space: of the vectors."""

    places: NDArray[np.int64]
    by_hash: NDArray[np.bool_]
    by_vector: NDArray[np.bool_]
    space: SpaceRow | None


@dataclass
class SamePictures:
    """The search for pairs that show the same picture, and its results so far.

    radius: as in DuplicatesRequest; with another one than RADIUS, nothing is remembered. wanted: ids of photos, only pairs with
    one of them are looked for. stop: asked between comparisons. compared: how many pairs were compared now. apart: pairs that
    look the same but are different shots. space: whose neighbours were compared. finished: contents that were compared with all
    others now. left: those that were not, because it had to stop. said_gone: the user knows of files that are gone. accepted: comparisons by the asset ids of the pair, in both
    orders. photo_of: the photo of each content.
    """

    library: Library
    wanted: Collection[int] | None
    emit: EventSink
    radius: int = RADIUS
    stop: Callable[[], bool] = lambda: False
    compared: int = 0
    apart: int = 0
    space: str | None = None
    finished: int = 0
    left: int = 0
    said_gone: bool = False
    accepted: dict[tuple[int, int], Compared] = field(default_factory=dict)
    photo_of: dict[int, int] = field(default_factory=dict)
    _digests: dict[int, bytes] = field(default_factory=dict)
    _borders: dict[int, Rectangle] = field(default_factory=dict)
    _near: dict[int, set[int]] = field(default_factory=dict)
    _moments: set[tuple[int, int]] = field(default_factory=set)
    _judged: set[tuple[int, int]] = field(default_factory=set)
    _passed: int = 0
    _comparer: Comparer | None = None
    _known: KnownPairs = field(init=False)
    _contents: HashedContents = field(init=False)

    def __post_init__(self) -> None:
        self._known = KnownPairs(self.library, keep=self.radius == RADIUS)

    @property
    def comparer(self) -> Comparer:
        """The comparer, which caches features of pictures."""
        if self._comparer is None:
            self._comparer = Comparer(self.library.derived_folder, self._digests, self._borders)
        return self._comparer

    def run(self, *, limit: int | None = None) -> None:
        """Find and compare all candidate pairs that were not compared yet. limit: of contents to compare with all others."""
        open_ = self._read(limit)
        self._accept_known()
        again = self._to_compare_again()
        found = self._candidates(open_)
        total = len(again) + len(found)
        started = time.monotonic()
        self.emit(PhaseStarted("compare", total, "pairs"))
        with ThreadPoolExecutor(jobs_for(1.0), "compare") as pool:
            if self._compare(again, pool) == len(again):
                self._compare_all(found, open_, pool)
            self._known.save()
        self.left = len(open_.places) - self.finished
        self.emit(PhaseFinished("compare", self.compared, time.monotonic() - started))
        self._say_unreadable()

    def save(self) -> None:
        """Remember what was compared since."""
        self._known.save()

    # What is to be compared

    def _read(self, limit: int | None) -> _Open:
        """Read contents and what is known of them, as they are at one moment."""
        with self.library.database.read() as connection:
            contents = self._contents = duplicates.hashed_contents(connection)
            self._known.load(connection)
            self._moments = set(_all_pairs(duplicates.contents_of_one_moment(connection)))
            marked = np.zeros(0, np.int64)
            if self._known.keep:
                marked = compared_pairs.marked(connection, hashes=VERSION, version=COMPARISON)
            space = active_space(connection)
            in_space = np.zeros(0, np.int64)
            if space is not None:
                self.space = space.name if count_vectors(connection, space.id) > 1 else None
                again = not self._known.keep
                in_space = (
                    compared_pairs.embedded(connection, space.id) if again else not_compared(connection, space.id)
                )
        # What is away now is compared anew when it comes back: others may have come meanwhile.
        self._known.forget_marks(np.setdiff1d(marked, contents.asset_ids).tolist())
        by_hash = ~np.isin(contents.asset_ids, marked)
        by_vector = np.isin(contents.asset_ids, in_space)
        chosen = by_hash | by_vector
        wanted = self._wanted_contents()
        if wanted is not None:
            chosen &= wanted
        return _Open(np.flatnonzero(chosen)[:limit], by_hash, by_vector, space)

    def _to_compare_again(self) -> list[Task]:
        """Return pairs that were left out for a reason that is gone, and those of one moment, which nothing else may find."""
        tasks = [task_of(one) for one in self._known_of(ONE_PHOTO)]
        tasks += [task for one in self._known_of(LINKED) if not self._is_linked(task := task_of(one))]
        ids = self._contents.asset_ids
        pairs = [pair for pair in sorted(self._moments) if self._known.get(*pair) is None]
        places = places_of(ids, pairs)
        kept = self._comparable(places[:, 0], places[:, 1])[0]
        return tasks + [Task(*pair) for pair, is_kept in zip(pairs, kept.tolist(), strict=True) if is_kept]

    def _candidates(self, open_: _Open) -> candidates.PairCandidates:
        """Return pairs of which one content at least is open, and that are not known."""
        started = time.monotonic()
        self.emit(PhaseStarted("look for pairs", len(ORIENTATIONS), "steps"))
        collector = candidates.Collector()
        ids = self._contents.asset_ids
        by_hash = open_.places[open_.by_hash[open_.places]]
        if len(by_hash):
            self._add_hashes(collector, by_hash)
        by_vector = ids[open_.places[open_.by_vector[open_.places]]]
        if open_.space is not None and len(by_vector):
            near = near_pairs_of(self.library, open_.space, by_vector, self.emit)
            candidates.add_pairs(collector, ids, self._not_known_apart(near))
        found = collector.result()
        is_open = np.zeros(len(ids), np.bool_)
        is_open[open_.places] = True
        kept, of_one_photo = self._comparable(found.first, found.second)
        self._leave_out(found.chosen(of_one_photo))
        kept &= is_open[found.first] | is_open[found.second]
        kept &= ~self._known.are_known(ids[found.first], ids[found.second])
        self.emit(PhaseFinished("look for pairs", len(ORIENTATIONS), time.monotonic() - started))
        return found.chosen(kept)

    def _add_hashes(self, collector: candidates.Collector, asked: NDArray[np.int64]) -> None:
        """Add pairs by their hashes: those of today's version among each other, the others by the hashes of old."""
        contents = self._contents
        with self.library.database.read() as connection:
            known = hashes.stored(connection, version=VERSION, windows=WINDOWS)
        current = np.isin(known.asset_ids, contents.asset_ids)
        places = np.searchsorted(contents.asset_ids, known.asset_ids[current])
        full = known.full[current]
        windows = known.windows if current.all() else known.windows[current]
        wanted = None
        if len(asked) < len(contents.asset_ids):
            wanted = np.zeros(len(contents.asset_ids), np.bool_)
            wanted[asked] = True
        codes = np.zeros(len(contents.asset_ids), np.uint64)
        codes[places] = np.where(candidates.has_structure(full), full, 0)

        def signatures(chosen: NDArray[np.int64]) -> NDArray[np.float32]:
            return self._signatures(contents.asset_ids[chosen])

        def advance(done: int) -> None:
            self.emit(PhaseAdvanced("look for pairs", done))

        candidates.add_near_hashes(collector, codes, self.radius, signatures, advance, wanted=wanted)
        radius = min(self.radius, candidates.smaller_radius(len(full)))
        candidates.add_windows(
            collector, full, windows, places, radius, wanted=None if wanted is None else wanted[places]
        )
        old = np.ones(len(contents.asset_ids), np.bool_)
        old[places] = False
        if old.any():
            asked_of_old = old if wanted is None else wanted
            candidates.add_near_hashes(
                collector, contents.hashes, self.radius, signatures, advance, wanted=asked_of_old
            )

    def _wanted_contents(self) -> NDArray[np.bool_] | None:
        if self.wanted is None:
            return None
        return np.isin(self._contents.photo_ids, np.fromiter(self.wanted, np.int64, len(self.wanted)))

    def _not_known_apart(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Drop neighbours that are different shots by their metadata, such as a burst; comparing them costs far more."""
        kept = np.zeros(len(pairs), np.bool_)
        for start in range(0, len(pairs), _CHUNK_TASKS):
            chunk = pairs[start : start + _CHUNK_TASKS].tolist()
            kept[start : start + len(chunk)] = [why is None for why, _ in self._shot_differences(chunk)]
        return pairs[kept]

    def _leave_out(self, of_one_photo: candidates.PairCandidates) -> None:
        """Remember pairs within one photo: they may become two photos."""
        for task in _tasks(of_one_photo, self._contents.asset_ids, 0, len(of_one_photo)):
            if self._known.get(task.first, task.second) is None:
                self._known.note_left_out(task, ONE_PHOTO)

    def _comparable(
        self, first: NDArray[np.integer], second: NDArray[np.integer]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell which pairs of places are to be compared, and which are of one photo; a place of -1 is none."""
        contents = self._contents
        if not len(contents.asset_ids):
            return np.zeros(len(first), np.bool_), np.zeros(len(first), np.bool_)
        there = (first >= 0) & (second >= 0)
        one_photo = there & (contents.photo_ids[first] == contents.photo_ids[second])
        kept = there & ~one_photo & (contents.videos[first] == contents.videos[second])
        wanted = self._wanted_contents()
        if wanted is not None:
            kept &= wanted[first] | wanted[second]
        return kept, one_photo

    def _signatures(self, asset_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        self._load_digests(asset_ids.tolist())
        return self.comparer.signatures(asset_ids)

    def _load_digests(self, asset_ids: Iterable[int]) -> None:
        new = [one for one in dict.fromkeys(asset_ids) if one not in self._digests]
        if new:
            with self.library.database.read() as connection:
                self._digests.update(duplicates.digests_of(connection, new))
                borders = hashes.contents(connection, new, version=VERSION)
            found = ((asset_id, Rectangle.unpacked(packed)) for asset_id, packed in borders.items())
            self._borders.update((asset_id, one) for asset_id, one in found if not one.is_whole)

    # Comparing

    def _compare_all(self, found: candidates.PairCandidates, open_: _Open, pool: ThreadPoolExecutor) -> None:
        """Compare pairs in the order in which that finishes the open contents, one after the other."""
        ids = self._contents.asset_ids
        rank = np.full(len(ids), -1, np.int64)
        rank[open_.places] = np.arange(len(open_.places))
        finishes = np.maximum(rank[found.first], rank[found.second])
        order = np.argsort(finishes, kind="stable")
        found, finishes = found.chosen(order), finishes[order]
        at = 0
        while at < len(found) and not self.stop():
            at += self._compare(_tasks(found, ids, at, at + _CHUNK_TASKS), pool)
            self._finish(open_, len(open_.places) if at == len(found) else int(finishes[at]))
        if at == len(found):
            self._finish(open_, len(open_.places))

    def _finish(self, open_: _Open, upto: int) -> None:
        """Note that the first open contents were compared, except where a thumbnail could not be read."""
        places = open_.places[self.finished : upto]
        ids = self._contents.asset_ids[places]
        read = ~np.isin(ids, np.fromiter(self.comparer.without_thumbnail, np.int64))
        by_hash, by_vector = ids[read & open_.by_hash[places]], ids[read & open_.by_vector[places]]
        space_id = None if open_.space is None else open_.space.id
        self._known.save(by_hash.tolist(), space_id=space_id, in_space=by_vector.tolist())
        self.finished = max(self.finished, upto)

    def _compare(self, tasks: Sequence[Task], pool: ThreadPoolExecutor) -> int:
        """Compare pairs until told to stop; return how many."""
        self._load_digests(number for task in tasks for number in (task.first, task.second))
        for first in range(0, len(tasks), _BATCH_TASKS):
            if first and self.stop():
                return first
            batch = tasks[first : first + _BATCH_TASKS]
            left = [one for one in batch if not self._is_linked(one)]
            same: list[Compared] = []
            for bundle in self.comparer.compared(left, pool):
                for one in bundle:
                    self._note(one)
                same += [one for one in bundle if one.comparison.same]
            self.compared += len(left)
            self._passed += len(batch)
            self.emit(PhaseAdvanced("compare", self._passed))
            self._accept_shots(same)
        return len(tasks)

    def _note(self, one: Compared) -> None:
        self._known.note(one)
        pair = one.task.first, one.task.second
        if one.read and not one.comparison.same and (pair in self._moments or self._known.get(*pair) is not None):
            self._known.note_other(one.task)

    def _accept_known(self) -> None:
        """Accept the pairs that an earlier search found, as far as today's times and cameras allow it."""
        chosen = self._known_of(SAME)
        for start in range(0, len(chosen), _CHUNK_TASKS):
            found = [compared_of(one) for one in chosen[start : start + _CHUNK_TASKS]]
            self._load_digests(number for one in found for number in (one.task.first, one.task.second))
            self._accept_shots(found)

    def _known_of(self, outcome: str) -> list[StoredPair]:
        """Return the known pairs with an outcome, of contents that are there, of two photos, and wanted."""
        known = list(self._known.with_outcome(outcome))
        places = places_of(self._contents.asset_ids, [(one.first, one.second) for one in known])
        kept = self._comparable(places[:, 0], places[:, 1])[0]
        return [known[place] for place in np.flatnonzero(kept).tolist()]

    def _accept_shots(self, same: Sequence[Compared]) -> None:
        """Accept the pairs of the same picture that are not different shots."""
        self._judged.update((one.task.first, one.task.second) for one in same)
        pairs = [(one.task.first, one.task.second) for one in same]
        for one, (why, members) in zip(same, self._shot_differences(pairs), strict=True):
            if why is not None:
                self.apart += 1
                continue
            found, is_one_shot = examined(one, members, self.comparer)
            self._known.note(found)
            if is_one_shot:
                self._accept(found)
            else:
                self.apart += 1

    def _accept(self, one: Compared) -> None:
        first, second = one.task.first, one.task.second
        self.accepted[first, second] = self.accepted[second, first] = one
        self._near.setdefault(first, set()).add(second)
        self._near.setdefault(second, set()).add(first)
        for number in (first, second):
            self.photo_of[number] = int(self._contents.photo_ids[np.searchsorted(self._contents.asset_ids, number)])

    def _is_linked(self, task: Task) -> bool:
        """Tell whether both show the same picture as a third one.

        Then they are in one group, and compared only if one of them is the one to keep; see `same_picture`.
        """
        inside = [self._borders[one].share if one in self._borders else 1.0 for one in (task.first, task.second)]
        if abs(inside[0] - inside[1]) > _OTHER_BORDER:
            return False  # which of the two only adds a border has to be known
        if self._near.get(task.first, _NONE).isdisjoint(self._near.get(task.second, _NONE)):
            return False
        self._known.note_left_out(task, LINKED)
        return True

    def _shot_differences(
        self, pairs: Sequence[Sequence[int]]
    ) -> Iterator[tuple[str | None, tuple[Member, Member] | None]]:
        """Yield why each pair of contents is of different shots, None if it may be one, and a file of each, if known."""
        numbers = sorted({number for pair in pairs for number in pair})
        if not numbers:
            return
        with self.library.database.read() as connection:
            members: dict[int, Member] = {
                row.asset_id: member_of(row) for row in store_pairs.members_of_assets(connection, numbers)
            }
            bursts = duplicates.bursts_of(connection, numbers)
        for first, second in pairs:
            one, other = members.get(first), members.get(second)
            burst = bursts.get(first)
            if one is None or other is None:
                yield None, None
            else:
                one_burst = burst is not None and burst == bursts.get(second)
                yield different_shots(one, other, one_burst=one_burst), (one, other)

    def same_picture(self, first: duplicates.CopyPhoto, second: duplicates.CopyPhoto) -> bool:
        """Compare the primary contents of two photos that are not a candidate pair."""
        ids = first.primary_asset_id, second.primary_asset_id
        pair = min(ids), max(ids)
        known = self._known.get(*pair)
        if pair in self._judged or (known is not None and known.outcome == OTHER):
            return pair in self.accepted
        self._load_digests(pair)
        if known is not None and known.outcome == SAME:
            self._accept_shots([compared_of(known)])
            return pair in self.accepted
        found = self.comparer.compare(Task(*pair) if known is None else task_of(known))
        if found.comparison.same:
            self._accept_shots([found])
        elif found.read:
            self._known.note_other(found.task)
        return pair in self.accepted

    def _say_unreadable(self) -> None:
        unreadable = self.comparer.without_thumbnail
        if unreadable:
            mark_lost_if_possible(self.library, unreadable)
            self.emit(
                Notice(
                    f"{len(unreadable):,} contents have no readable thumbnail and were not compared; "
                    "run photoindex scan to make their thumbnails again",
                    "warning",
                )
            )


def _tasks(found: candidates.PairCandidates, asset_ids: NDArray[np.int64], start: int, end: int) -> list[Task]:
    part = slice(start, end)
    columns = (
        asset_ids[found.first[part]].tolist(), asset_ids[found.second[part]].tolist(), found.turns[part].tolist(),
        found.thorough[part].tolist(), map(candidates.Start.unpacked, found.starts[part].tolist()),
    )  # fmt: skip
    return [Task(*values) for values in zip(*columns, strict=True)]


def places_of(asset_ids: NDArray[np.int64], pairs: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the places of pairs of asset ids, int64 [n, 2], among some in ascending order; -1 for those that are not there."""
    given = np.array(pairs, np.int64).reshape(-1, 2)
    places = np.searchsorted(asset_ids, given)
    there = places < len(asset_ids)
    there[there] = asset_ids[places[there]] == given[there]
    return np.where(there, places, -1)


def _all_pairs(lists: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    for ids in lists:
        for place, first in enumerate(ids):
            yield from ((first, second) for second in ids[place + 1 :])
