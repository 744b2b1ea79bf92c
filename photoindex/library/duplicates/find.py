"""Finds duplicates: files with the same bytes, and the same picture resaved, cropped or edited."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.pairing.values import Member
from photoindex.domain.same_picture.hashes import VERSION, WINDOWS
from photoindex.domain.same_picture.orientations import ORIENTATIONS
from photoindex.domain.same_picture.shots import different_shots
from photoindex.domain.same_picture.trimming import Rectangle
from photoindex.errors import DatabaseFailed, LibraryLocked, NothingFound, StorageFull, UsageError, VolumeOffline
from photoindex.library.cores import jobs_for
from photoindex.library.duplicates.files import CopyPhotos
from photoindex.library.duplicates.groups import star_groups
from photoindex.library.duplicates.hash_pictures import hash_pictures
from photoindex.library.duplicates.near_vectors import near_in_space
from photoindex.library.duplicates.ranking import RankingRules, rank
from photoindex.library.duplicates.verdicts import REMOVE, REVIEW, DuplicateGroup, group_of
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import choose, spellings, volumes_now
from photoindex.library.photos.lost_previews import mark_lost_if_possible
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.stage_run import StageRequest
from photoindex.paths import display
from photoindex.pipeline.duplicates import candidates
from photoindex.pipeline.duplicates.comparison import Compared, Comparer, Task, threads_for
from photoindex.pipeline.duplicates.one_shot import examined
from photoindex.pipeline.resolve.relate import member_of
from photoindex.progress import EventSink, Notice, PhaseAdvanced, PhaseFinished, PhaseStarted, ignore_events
from photoindex.query.syntax import Node
from photoindex.store.photos import duplicates, hashes
from photoindex.store.photos import pairs as store_pairs

RADIUS = 11
"""Maximum distance (bits of 64) between the hashes of two pictures to compare; 95 % of pictures cropped by 5 % are within it."""
_CHUNK_TASKS = 2_000
_BATCH_TASKS = 64
_OTHER_BORDER = 0.03
_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class DuplicatesRequest:
    """Options of the search.

    query: return only groups with a matching photo. exact: find only files with the same bytes. radius: maximum distance
    of the hashes, in bits. prefer, avoid: paths as given; see `RankingRules`.
    """

    query: Node | Sequence[str] | None = None
    exact: bool = False
    radius: int = RADIUS
    prefer: Sequence[bytes] = ()
    avoid: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The groups found, those that free the most bytes first.

    compared: number of pairs compared. apart: pairs that look the same but are different shots by their times or frame
    numbers. space: the embedding space whose nearest neighbours were compared, None if there is none.
    """

    groups: tuple[DuplicateGroup, ...]
    compared: int = 0
    apart: int = 0
    space: str | None = None

    @property
    def removable_bytes(self) -> int:
        """Bytes of all files that can be removed without loss."""
        return sum(group.bytes_of(REMOVE) for group in self.groups)

    @property
    def review_bytes(self) -> int:
        """Bytes of all files that a person should review first."""
        return sum(group.bytes_of(REVIEW) for group in self.groups)


def find_duplicates(library: Library, request: DuplicatesRequest, emit: EventSink = ignore_events) -> Duplicates:
    """Find groups of duplicates and choose which to keep; nothing is changed but that missing hashes are made.

    Needs no model; if the library has an active embedding space, its nearest neighbours are compared too. Raises UsageError
    for a path in `prefer` or `avoid` that neither exists nor is known.
    """
    wanted = None if request.query is None else set(matching_photo_ids(library, request.query))
    rules = RankingRules(
        prefer=_known_paths(library, "--prefer", request.prefer),
        avoid=_known_paths(library, "--avoid", request.avoid),
    )
    search = _SamePictures(library, request, wanted, emit)
    if not request.exact:
        _make_missing_hashes(library, emit)
        search.run()
    groups = list(_groups(library, wanted, rules, search))
    groups.sort(key=lambda group: (-group.bytes_of(REMOVE), -group.bytes_of(REVIEW), group.photo_ids))
    return Duplicates(tuple(groups), search.compared, search.apart, search.space)


def _make_missing_hashes(library: Library, emit: EventSink) -> None:
    """Hash what an earlier version read; where nothing can be written, the hashes of that version are compared."""
    with suppress(DatabaseFailed, LibraryLocked, StorageFull, VolumeOffline):
        hash_pictures(library, StageRequest(), emit)


@dataclass
class _SamePictures:
    """The search for pairs that show the same picture, and its results so far.

    accepted: comparisons by the asset ids of the pair, in both orders. photo_of: the photo of each content.
    """

    library: Library
    request: DuplicatesRequest
    wanted: Collection[int] | None
    emit: EventSink
    compared: int = 0
    apart: int = 0
    space: str | None = None
    accepted: dict[tuple[int, int], Compared] = field(default_factory=dict)
    photo_of: dict[int, int] = field(default_factory=dict)
    _digests: dict[int, bytes] = field(default_factory=dict)
    _borders: dict[int, Rectangle] = field(default_factory=dict)
    _near: dict[int, set[int]] = field(default_factory=dict)
    _skipped: dict[tuple[int, int], Task] = field(default_factory=dict)
    _comparer: Comparer | None = None

    @property
    def comparer(self) -> Comparer:
        """The comparer, which caches features of pictures."""
        if self._comparer is None:
            self._comparer = Comparer(self.library.derived_folder, self._digests, self._borders)
        return self._comparer

    def run(self) -> None:
        """Find and compare all candidate pairs."""
        with self.library.database.read() as connection:
            contents = duplicates.hashed_contents(connection)
        found = self._candidates(contents)
        started = time.monotonic()
        self.emit(PhaseStarted("compare", len(found), "pairs"))
        for start in range(0, len(found), _CHUNK_TASKS):
            self._compare(_tasks(found, contents.asset_ids, start, start + _CHUNK_TASKS), contents, done=start)
        self.compared = len(found)
        self.emit(PhaseFinished("compare", len(found), time.monotonic() - started))
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

    def _candidates(self, contents: duplicates.HashedContents) -> candidates.PairCandidates:
        started = time.monotonic()
        self.emit(PhaseStarted("look for pairs", len(ORIENTATIONS), "steps"))
        collector = candidates.Collector()
        self._add_hashes(collector, contents)
        with self.library.database.read() as connection:
            moments = duplicates.contents_of_one_moment(connection)
        candidates.add_pairs(collector, contents.asset_ids, _all_pairs(moments))
        self._add_neighbours(collector, contents.asset_ids)
        found = self._of_wanted(collector.result(), contents)
        self.emit(PhaseFinished("look for pairs", len(ORIENTATIONS), time.monotonic() - started))
        return found

    def _add_hashes(self, collector: candidates.Collector, contents: duplicates.HashedContents) -> None:
        """Add pairs by their hashes: those of today's version among each other, the others by the hashes of old."""
        with self.library.database.read() as connection:
            known = hashes.stored(connection, version=VERSION, windows=WINDOWS)
        current = np.isin(known.asset_ids, contents.asset_ids)
        places = np.searchsorted(contents.asset_ids, known.asset_ids[current])
        full = known.full[current]
        windows = known.windows if current.all() else known.windows[current]
        wanted = self._wanted_contents(contents)
        codes = np.zeros(len(contents.asset_ids), np.uint64)
        codes[places] = np.where(candidates.has_structure(full), full, 0)

        def signatures(chosen: NDArray[np.int64]) -> NDArray[np.float32]:
            return self._signatures(contents.asset_ids[chosen])

        def advance(done: int) -> None:
            self.emit(PhaseAdvanced("look for pairs", done))

        candidates.add_near_hashes(collector, codes, self.request.radius, signatures, advance, wanted=wanted)
        radius = min(self.request.radius, candidates.smaller_radius(len(full)))
        candidates.add_windows(
            collector, full, windows, places, radius, wanted=None if wanted is None else wanted[places]
        )
        old = np.ones(len(contents.asset_ids), np.bool_)
        old[places] = False
        if old.any():
            asked = old if wanted is None else wanted
            candidates.add_near_hashes(
                collector, contents.hashes, self.request.radius, signatures, advance, wanted=asked
            )

    def _wanted_contents(self, contents: duplicates.HashedContents) -> NDArray[np.bool_] | None:
        if self.wanted is None:
            return None
        return np.isin(contents.photo_ids, np.fromiter(self.wanted, np.int64, len(self.wanted)))

    def _add_neighbours(self, collector: candidates.Collector, asset_ids: NDArray[np.int64]) -> None:
        near = near_in_space(self.library, self.emit)
        if near is not None:
            self.space = near.space
            candidates.add_pairs(collector, asset_ids, self._not_known_apart(near.pairs))

    def _not_known_apart(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Drop neighbours that are different shots by their metadata, such as a burst; comparing them costs far more."""
        kept = np.zeros(len(pairs), np.bool_)
        for start in range(0, len(pairs), _CHUNK_TASKS):
            chunk = pairs[start : start + _CHUNK_TASKS].tolist()
            kept[start : start + len(chunk)] = [why is None for why, _ in self._shot_differences(chunk)]
        return pairs[kept]

    def _of_wanted(
        self, found: candidates.PairCandidates, contents: duplicates.HashedContents
    ) -> candidates.PairCandidates:
        """Drop pairs within one photo, pairs of a video and a picture, and pairs that the query does not match."""
        photos = contents.photo_ids[found.first], contents.photo_ids[found.second]
        kept = (photos[0] != photos[1]) & (contents.videos[found.first] == contents.videos[found.second])
        wanted = self._wanted_contents(contents)
        if wanted is not None:
            kept &= wanted[found.first] | wanted[found.second]
        return found.chosen(kept)

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

    def _compare(self, tasks: Sequence[Task], contents: duplicates.HashedContents, *, done: int) -> None:
        self._load_digests(number for task in tasks for number in (task.first, task.second))
        threads = threads_for(len(tasks), jobs_for(1.0))
        for first in range(0, len(tasks), _BATCH_TASKS):
            batch = tasks[first : first + _BATCH_TASKS]
            same: list[Compared] = []
            for bundle in self.comparer.compared([one for one in batch if not self._is_linked(one)], threads=threads):
                same += [one for one in bundle if one.comparison.same]
            self.emit(PhaseAdvanced("compare", done + first + len(batch)))
            for one in self._without_different_shots(same):
                self._accept(one)
        for number in {number for one in self.accepted for number in one} - self.photo_of.keys():
            place = int(np.searchsorted(contents.asset_ids, number))
            self.photo_of[number] = int(contents.photo_ids[place])

    def _accept(self, one: Compared) -> None:
        first, second = one.task.first, one.task.second
        self.accepted[first, second] = self.accepted[second, first] = one
        self._near.setdefault(first, set()).add(second)
        self._near.setdefault(second, set()).add(first)

    def _is_linked(self, task: Task) -> bool:
        """Tell whether both show the same picture as a third one.

        Then they are in one group, and compared only if one of them is the one to keep; see `same_picture`.
        """
        inside = [self._borders[one].share if one in self._borders else 1.0 for one in (task.first, task.second)]
        if abs(inside[0] - inside[1]) > _OTHER_BORDER:
            return False  # which of the two only adds a border has to be known
        if self._near.get(task.first, _NONE).isdisjoint(self._near.get(task.second, _NONE)):
            return False
        self._skipped[task.first, task.second] = task
        return True

    def _without_different_shots(self, same: Sequence[Compared]) -> Iterator[Compared]:
        pairs = [(one.task.first, one.task.second) for one in same]
        for one, (why, members) in zip(same, self._shot_differences(pairs), strict=True):
            found = examined(one, members, self.comparer) if why is None else None
            if found is None:
                self.apart += 1
            else:
                yield found

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
        pair = (
            min(first.primary_asset_id, second.primary_asset_id),
            max(first.primary_asset_id, second.primary_asset_id),
        )
        self._load_digests(pair)
        found = self.comparer.compare(self._skipped.get(pair) or Task(*pair))
        accepted = next(self._without_different_shots([found]), None) if found.comparison.same else None
        if accepted is not None:
            self._accept(accepted)
        return accepted is not None


def _tasks(found: candidates.PairCandidates, asset_ids: NDArray[np.int64], start: int, end: int) -> list[Task]:
    part = slice(start, end)
    columns = (
        asset_ids[found.first[part]].tolist(), asset_ids[found.second[part]].tolist(), found.turns[part].tolist(),
        found.thorough[part].tolist(), map(candidates.Start.unpacked, found.starts[part].tolist()),
    )  # fmt: skip
    return [Task(*values) for values in zip(*columns, strict=True)]


def _all_pairs(lists: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    for ids in lists:
        for place, first in enumerate(ids):
            yield from ((first, second) for second in ids[place + 1 :])


def _known_paths(library: Library, option: str, paths: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return all spellings of some paths. Raises UsageError for one that neither exists nor is known (a typo)."""
    for path in paths:
        if any(map(os.path.lexists, spellings(path))):
            continue
        try:
            with library.database.read() as connection:
                choose(connection, [path])
        except NothingFound as error:
            raise UsageError(
                f"{option} {display(path)}: there is no such file or folder, on disk or in the library"
            ) from error
    return tuple(spelling for path in paths for spelling in spellings(path))


def _groups(
    library: Library, wanted: Collection[int] | None, rules: RankingRules, search: _SamePictures
) -> Iterator[DuplicateGroup]:
    pairs = {(search.photo_of[first], search.photo_of[second]) for first, second in search.accepted}
    pairs = {pair for pair in pairs if pair[0] < pair[1]}
    with library.database.read() as connection:
        exact = set(duplicates.photos_of_contents(connection, duplicates.contents_in_several_files(connection)))
        volumes = volumes_now(connection)
    known = CopyPhotos(library, {number for pair in pairs for number in pair} | exact, volumes)
    if known.gone:
        search.emit(Notice(_gone_words(known.gone), "warning"))
    rules = replace(
        rules, states=known.states, framed=_framed(search), further_pictures=known.further_pictures, quality=known.quality,
        words=known.words,
    )  # fmt: skip
    grouped: set[int] = set()

    def ranked(numbers: Collection[int]) -> list[int]:
        found = [photo for number in numbers if (photo := known.get(number)) is not None]
        return [photo.photo_id for photo in rank(found, rules)]

    def same_picture(first: int, second: int) -> bool:
        photos = known.get(first), known.get(second)
        return photos[0] is not None and photos[1] is not None and search.same_picture(photos[0], photos[1])

    for numbers in star_groups(pairs, ranked, same_picture):
        grouped.update(numbers)
        yield from _group(numbers, known, wanted, rules, search)
    for number in sorted(exact - grouped):
        yield from _group([number], known, wanted, rules, search)


def _gone_words(count: int) -> str:
    files = "1 file is" if count == 1 else f"{count:,} files are"
    return f"{files} gone since the last scan and not considered; run photoindex scan to update the library"


def _framed(search: _SamePictures) -> set[int]:
    """Return the photos that differ from a copy only by a plain border around them."""
    found = set()
    for one in search.accepted.values():
        agreement = one.comparison.agreement
        if agreement is not None and agreement.only_border:
            framed = one.task.first if agreement.second_is_smaller else one.task.second
            found.add(search.photo_of[framed])
    return found


def _group(
    numbers: Sequence[int],
    known: CopyPhotos,
    wanted: Collection[int] | None,
    rules: RankingRules,
    search: _SamePictures,
) -> Iterator[DuplicateGroup]:
    if wanted is not None and not any(number in wanted for number in numbers):
        return
    photos = [photo for number in numbers if (photo := known.get(number)) is not None]
    group = group_of(photos, search.accepted, rules) if photos else None
    if group is not None:
        yield group
