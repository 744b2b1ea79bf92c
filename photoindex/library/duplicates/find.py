"""Finds duplicates: files with the same bytes, and the same picture resaved, cropped or edited."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from photoindex.errors import DatabaseFailed, LibraryLocked, NothingFound, StorageFull, UsageError, VolumeOffline
from photoindex.library.derived_folder import check_not_away
from photoindex.library.duplicates.files import CopyPhotos
from photoindex.library.duplicates.groups import star_groups
from photoindex.library.duplicates.hash_pictures import hash_pictures
from photoindex.library.duplicates.pairs import RADIUS, SamePictures
from photoindex.library.duplicates.ranking import RankingRules, rank
from photoindex.library.duplicates.verdicts import REMOVE, REVIEW, DuplicateGroup, group_of
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import choose, spellings, volumes_now
from photoindex.library.search.find import matching_photo_ids
from photoindex.library.stage_run import StageRequest
from photoindex.paths import display
from photoindex.progress import EventSink, Notice, ignore_events
from photoindex.query.syntax import Node
from photoindex.store.photos import duplicates

_ROUNDS = 5


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
    """Find groups of duplicates and choose which to keep; missing hashes are made, and comparisons remembered.

    Needs no model; if the library has an active embedding space, its nearest neighbours are compared too. Raises UsageError
    for a path in `prefer` or `avoid` that neither exists nor is known, VolumeOffline where the disk of the previews is away.
    """
    wanted = None if request.query is None else set(matching_photo_ids(library, request.query))
    rules = RankingRules(
        prefer=_known_paths(library, "--prefer", request.prefer),
        avoid=_known_paths(library, "--avoid", request.avoid),
    )
    search = SamePictures(library, wanted, emit, radius=request.radius)
    if not request.exact:
        check_not_away(library)
        _make_missing_hashes(library, emit)
        search.run()
    groups = _settled_groups(library, wanted, rules, search)
    search.save()
    groups.sort(key=lambda group: (-group.bytes_of(REMOVE), -group.bytes_of(REVIEW), group.photo_ids))
    return Duplicates(tuple(groups), search.compared, search.apart, search.space)


def _make_missing_hashes(library: Library, emit: EventSink) -> None:
    """Hash what an earlier version read; where nothing can be written, the hashes of that version are compared."""
    with suppress(DatabaseFailed, LibraryLocked, StorageFull, VolumeOffline):
        hash_pictures(library, StageRequest(), emit)


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


def _settled_groups(
    library: Library, wanted: Collection[int] | None, rules: RankingRules, search: SamePictures
) -> list[DuplicateGroup]:
    """Group until grouping compares no further pair: such a pair can show that a photo only adds a border, and so rank it lower.

    Later searches know these pairs from the beginning, and give the same answer.
    """
    groups: list[DuplicateGroup] = []
    for _ in range(_ROUNDS):
        known = len(search.accepted)
        groups = list(_groups(library, wanted, rules, search))
        if len(search.accepted) == known:
            break
    return groups


def _groups(
    library: Library, wanted: Collection[int] | None, rules: RankingRules, search: SamePictures
) -> Iterator[DuplicateGroup]:
    pairs = {(search.photo_of[first], search.photo_of[second]) for first, second in search.accepted}
    pairs = {pair for pair in pairs if pair[0] < pair[1]}
    with library.database.read() as connection:
        exact = set(duplicates.photos_of_contents(connection, duplicates.contents_in_several_files(connection)))
        volumes = volumes_now(connection)
    known = CopyPhotos(library, {number for pair in pairs for number in pair} | exact, volumes)
    if known.gone and not search.said_gone:
        search.said_gone = True
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


def _framed(search: SamePictures) -> set[int]:
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
    search: SamePictures,
) -> Iterator[DuplicateGroup]:
    if wanted is not None and not any(number in wanted for number in numbers):
        return
    photos = [photo for number in numbers if (photo := known.get(number)) is not None]
    group = group_of(photos, search.accepted, rules) if photos else None
    if group is not None:
        yield group
