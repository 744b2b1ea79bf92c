"""Say which files are one photo: split photos, join them; what a person says stands above all rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from sqlalchemy import Connection

from photoindex.domain.pairing.names import parse_name
from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.refresh import settle
from photoindex.library.search.targets import Targets
from photoindex.pipeline.resolve.relate import regroup
from photoindex.progress import EventSink, ignore_events
from photoindex.store.journal import journal
from photoindex.store.photos import pairs
from photoindex.store.photos.pairs import SUPERSEDED, AssetPlace
from photoindex.store.search import targets
from photoindex.store.tasks import stale

MOST_CONTENTS = 50
"""More contents are no one photo: the words of the command meant something else."""
_CHUNK = 500

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PairedContent:
    """One content of a photo: a path that holds it, and what it is in the photo; was: the photo that it belonged to."""

    asset_id: int
    path: bytes
    role: str
    was: int


@dataclass(frozen=True, slots=True)
class MadePhoto:
    """One photo as it is afterwards, the content that stands for it first; photo_id: None where it is only foreseen."""

    photo_id: int | None
    contents: tuple[PairedContent, ...]


@dataclass(frozen=True, slots=True)
class PassedPhoto:
    """A photo that was left as it is, and why."""

    photo_id: int
    path: bytes
    why: str


@dataclass(frozen=True, slots=True)
class PairsChanged:
    """What a split or join came to; entry_id: in the journal, None where nothing was changed."""

    entry_id: int | None
    before: int = 0
    """How many photos there were of those that were changed."""
    made: tuple[MadePhoto, ...] = ()
    passed: tuple[PassedPhoto, ...] = ()


@dataclass(slots=True)
class _Plan:
    """What is to be said of which contents.

    wanted: pair -> together. whole: contents that were one photo and stay so. photos: those that change, with their
    contents. passed: photo -> why it stays as it is.
    """

    wanted: dict[Pair, bool] = field(default_factory=dict)
    whole: list[tuple[int, ...]] = field(default_factory=list)
    photos: dict[int, tuple[int, ...]] = field(default_factory=dict)
    passed: dict[int, str] = field(default_factory=dict)


def split(library: Library, chosen: Targets, *, dry_run: bool = False, emit: EventSink = ignore_events) -> PairsChanged:
    """Make contents photos of their own, all or none, as one entry of the journal that `undo` takes back.

    The content of a file that was named leaves its photo, whose other contents stay together; a photo that a query or a
    folder chose falls apart into its contents. With `dry_run` nothing is changed. Raises LibraryLocked, StorageFull.
    """
    return _carry_out(library, "pair split", lambda connection: _plan_split(connection, chosen), emit, dry_run=dry_run)


def join(library: Library, chosen: Targets, *, dry_run: bool = False, emit: EventSink = ignore_events) -> PairsChanged:
    """Make one photo of several, all or none, as one entry of the journal that `undo` takes back.

    The photos of all files that were named become one. Of the photos that a query or a folder chose, those become one
    that have files of the same stem in the same folder (`IMG_1.CR2`, `img_1.jpg`). With `dry_run` nothing is changed.
    Raises UsageError where fewer than two files were named, or more contents than one photo can have; LibraryLocked,
    StorageFull.
    """
    if len(chosen.files) == 1:
        raise UsageError("one photo cannot be joined; name a file of each photo that is to become part of it")
    return _carry_out(library, "pair join", lambda connection: _plan_join(connection, chosen), emit, dry_run=dry_run)


def _plan_split(connection: Connection, chosen: Targets) -> _Plan:
    plan = _Plan()
    contents = _contents(connection, chosen.photo_ids)
    leaving: defaultdict[int, set[int]] = defaultdict(set)
    for one in chosen.files:
        leaving[one.photo_id].add(one.asset_id)
    falling = set(chosen.photo_ids) if chosen.by_query else set(chosen.photos_of_folders)
    for photo_id, assets in contents.items():
        go = set(assets) if photo_id in falling else leaving[photo_id].intersection(assets)
        if len(assets) < 2 or not go:
            alone = (
                "it is one content alone already" if len(assets) < 2 else "it is an earlier content of an edited file"
            )
            plan.passed[photo_id] = alone
            continue
        plan.photos[photo_id] = assets
        for pair in combinations(sorted(assets), 2):
            if pair[0] in go or pair[1] in go:
                plan.wanted[pair] = False
        plan.whole.append(tuple(asset_id for asset_id in assets if asset_id not in go))
    return plan


def _plan_join(connection: Connection, chosen: Targets) -> _Plan:
    plan = _Plan()
    contents = _contents(connection, chosen.photo_ids)
    sets = [sorted({one.photo_id for one in chosen.files})] if chosen.files else []
    by_name = chosen.photo_ids if chosen.by_query else chosen.photos_of_folders
    sets += _of_one_stem(connection, {photo_id: contents[photo_id] for photo_id in by_name if photo_id in contents})
    for photos in _merged(sets):
        if len(photos) < 2:
            alone = "these files are one photo already" if chosen.files else "no other photo of these has its name"
            plan.passed.update(dict.fromkeys(photos, alone))
            continue
        together = sorted(asset_id for photo_id in photos for asset_id in contents.get(photo_id, ()))
        if len(together) > MOST_CONTENTS:
            raise UsageError(
                f"one photo of {len(together):,} contents is meant to be a mistake: at most {MOST_CONTENTS} can be joined"
            )
        plan.photos.update((photo_id, contents.get(photo_id, ())) for photo_id in photos)
        plan.wanted.update((pair, True) for pair in combinations(together, 2))
    return plan


def _contents(connection: Connection, photo_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for chunk in _chunks(photo_ids):
        for row in targets.contents_of(connection, chunk):
            found[row.photo_id].append(row.asset_id)
    return {photo_id: tuple(assets) for photo_id, assets in found.items()}


def _of_one_stem(connection: Connection, contents: Mapping[int, tuple[int, ...]]) -> list[list[int]]:
    """Return the photos by the folder and the stem that their files share; a photo with several stems comes several times."""
    photo_of = {asset_id: photo_id for photo_id, assets in contents.items() for asset_id in assets}
    found: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for chunk in _chunks(sorted(photo_of)):
        for file in targets.files_of_contents(connection, chunk):
            found[file.folder_id, parse_name(file.name).stem].add(photo_of[file.asset_id])
    return [sorted(photos) for photos in found.values()]


def _merged(sets: Iterable[Sequence[int]]) -> list[list[int]]:
    """Return the sets with those that share a member as one."""
    of: dict[int, set[int]] = {}
    for one in sets:
        whole = set(one).union(*(of[member] for member in one if member in of))
        of.update((member, whole) for member in whole)
    return sorted(sorted(whole) for whole in {id(whole): whole for whole in of.values()}.values())


def _carry_out(
    library: Library, command: str, plan_of: Callable[[Connection], _Plan], emit: EventSink, *, dry_run: bool
) -> PairsChanged:
    with exclusive(library.folder, f"photoindex {command}"), library.database.session() as session:
        roots = Roots(library.database)
        # What a killed scan left would be judged by old pairs.
        settle(library, session, roots, emit)
        with session.write() as connection:
            plan = plan_of(connection)
            passed = _passed(connection, plan.passed)
            if not plan.photos:
                return PairsChanged(None, passed=passed)
            changes = _decide(connection, plan)
            made = _made(connection, plan, dry_run=dry_run)
            if dry_run:
                connection.rollback()
                return PairsChanged(None, len(plan.photos), made, passed)
            summary = f"{_count(len(plan.photos), 'photo')} made {_count(len(made), 'photo')}"
            entry_id = journal.record(connection, command=command, summary=summary, changes=changes)
            # A photo that was made is in no burst yet.
            stale.mark_folders_of_assets_unrelated(
                connection, {asset_id for assets in plan.photos.values() for asset_id in assets}
            )
        settle(library, session, roots, emit)
    return PairsChanged(entry_id, len(plan.photos), made, passed)


def _decide(connection: Connection, plan: _Plan) -> list[journal.Change]:
    """Write the decisions and make the photos anew."""
    assets = {asset_id for contents in plan.photos.values() for asset_id in contents}
    outdated = _outdated(connection, assets, plan.wanted)
    wanted = [*((*pair, None) for pair in outdated), *((*pair, together) for pair, together in plan.wanted.items())]
    changes = list(pairs.decide(connection, wanted))
    regroup(connection, assets)
    places = pairs.places_of(connection, assets)
    kept = [
        (*pair, True)
        for whole in plan.whole
        if len({places[asset_id].photo_id for asset_id in whole}) > 1
        for pair in combinations(sorted(whole), 2)
    ]
    if kept:
        # They were one photo through a content that left; a person asked for that one to leave, and no more.
        changes += pairs.decide(connection, kept)
        regroup(connection, assets)
    return changes


def _outdated(connection: Connection, asset_ids: set[int], wanted: Mapping[Pair, bool]) -> list[Pair]:
    """Return the decisions about earlier contents of edited files that would speak beside the new ones."""
    everything = pairs.connected(connection, asset_ids)
    places = pairs.places_of(connection, everything)
    found = []
    for row in pairs.decisions_among(connection, everything):
        key = (row.asset_id, row.other_asset_id)
        one, other = sorted((current(places, key[0]), current(places, key[1])))
        if key not in wanted and (one, other) in wanted:
            found.append(key)
    return found


def current(places: Mapping[int, AssetPlace], asset_id: int) -> int:
    """Return the content that took the place of an earlier one; of any other content, the content itself."""
    seen: set[int] = set()
    while asset_id not in seen and asset_id in places:
        seen.add(asset_id)
        following = places[asset_id].replaced_by
        if places[asset_id].role != SUPERSEDED or following is None:
            break
        asset_id = following
    return asset_id


def _made(connection: Connection, plan: _Plan, *, dry_run: bool) -> tuple[MadePhoto, ...]:
    was = {asset_id: photo_id for photo_id, assets in plan.photos.items() for asset_id in assets}
    paths = paths_of(connection, was)
    gathered: defaultdict[int, list[PairedContent]] = defaultdict(list)
    for place in pairs.places_of(connection, was).values():
        content = PairedContent(place.id, paths.get(place.id, b""), place.role, was[place.id])
        gathered[place.photo_id].append(content)
    return tuple(
        MadePhoto(
            None if dry_run else photo_id,
            tuple(sorted(contents, key=lambda one: (one.role != "primary", one.asset_id))),
        )
        for photo_id, contents in sorted(gathered.items())
    )


def _passed(connection: Connection, passed: Mapping[int, str]) -> tuple[PassedPhoto, ...]:
    found: list[PassedPhoto] = []
    for chunk in _chunks(sorted(passed)):
        paths = targets.first_paths(connection, chunk)
        found += [PassedPhoto(photo_id, paths.get(photo_id, b""), passed[photo_id]) for photo_id in chunk]
    return tuple(found)


def paths_of(connection: Connection, asset_ids: Iterable[int]) -> dict[int, bytes]:
    """Return a path of each content, of a present file where there is one."""
    found: dict[int, bytes] = {}
    for chunk in _chunks(sorted(asset_ids)):
        for file in targets.files_of_contents(connection, chunk):
            found.setdefault(file.asset_id, file.path)
    return found


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def _chunks(values: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
