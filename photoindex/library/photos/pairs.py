"""Splits and joins photos; the user's decisions override all pairing rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from sqlalchemy import Connection

from photoindex.domain.pairing.names import parse_name
from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.lock import exclusive
from photoindex.library.originals.roots import Roots
from photoindex.library.scan.refresh import refresh
from photoindex.library.search.targets import Targets
from photoindex.pipeline.resolve.relate import current_content, regroup
from photoindex.progress import EventSink, ignore_events
from photoindex.store.engine.chunks import chunks
from photoindex.store.journal import journal
from photoindex.store.photos import pairs
from photoindex.store.search import targets
from photoindex.store.tasks import stale

MOST_CONTENTS = 50
"""A photo with more contents is surely a mistake in the command."""
_CHUNK = 500

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PairedContent:
    """One content of a photo: a path of it, and its role in the photo; was: the id of its previous photo."""

    asset_id: int
    path: bytes
    role: str
    was: int


@dataclass(frozen=True, slots=True)
class ResultingPhoto:
    """One resulting photo, its primary content first; photo_id: None in a dry run."""

    photo_id: int | None
    contents: tuple[PairedContent, ...]


@dataclass(frozen=True, slots=True)
class SkippedPhoto:
    """A photo that was not changed, and why."""

    photo_id: int
    path: bytes
    why: str


@dataclass(frozen=True, slots=True)
class PairsChanged:
    """The result of a split or join; entry_id: in the journal, None if nothing was changed."""

    entry_id: int | None
    before: int = 0
    """Number of changed photos before the change."""
    photos: tuple[ResultingPhoto, ...] = ()
    skipped: tuple[SkippedPhoto, ...] = ()


@dataclass(slots=True)
class _Plan:
    """The planned decisions.

    wanted: pair -> together. whole: contents that stay one photo. photos: the photos to change, with their contents.
    skipped: photo -> why it is not changed.
    """

    wanted: dict[Pair, bool] = field(default_factory=dict)
    whole: list[tuple[int, ...]] = field(default_factory=list)
    photos: dict[int, tuple[int, ...]] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)


def split(library: Library, chosen: Targets, *, dry_run: bool = False, emit: EventSink = ignore_events) -> PairsChanged:
    """Split contents into separate photos, all or none, as one journal entry that `undo` can revert.

    The content of a named file leaves its photo, whose other contents stay together; a photo chosen by a query or folder
    is split into all its contents. With `dry_run` nothing is changed. Raises LibraryLocked, StorageFull.
    """
    return _carry_out(library, "pair split", lambda connection: _plan_split(connection, chosen), emit, dry_run=dry_run)


def join(library: Library, chosen: Targets, *, dry_run: bool = False, emit: EventSink = ignore_events) -> PairsChanged:
    """Join photos, all or none, as one journal entry that `undo` can revert.

    The photos of all named files become one. Of the photos chosen by a query or folder, those with files of the same stem
    in the same folder (`IMG_1.CR2`, `img_1.jpg`) are joined. With `dry_run` nothing is changed. Raises UsageError for
    fewer than two named files or too many contents; LibraryLocked, StorageFull.
    """
    if len(chosen.files) == 1:
        raise UsageError("one file is not enough to join; name a file of each photo to join")
    return _carry_out(library, "pair join", lambda connection: _plan_join(connection, chosen), emit, dry_run=dry_run)


def _plan_split(connection: Connection, chosen: Targets) -> _Plan:
    plan = _Plan()
    contents = _contents(connection, chosen.photo_ids)
    leaving: defaultdict[int, set[int]] = defaultdict(set)
    for one in chosen.files:
        leaving[one.photo_id].add(one.asset_id)
    split_wholly = set(chosen.photo_ids) if chosen.by_query else set(chosen.photos_of_folders)
    for photo_id, assets in contents.items():
        separate = set(assets) if photo_id in split_wholly else leaving[photo_id].intersection(assets)
        if len(assets) < 2 or not separate:
            plan.skipped[photo_id] = (
                "it has only one content" if len(assets) < 2 else "it is an earlier content of an edited file"
            )
            continue
        plan.photos[photo_id] = assets
        for pair in combinations(sorted(assets), 2):
            if pair[0] in separate or pair[1] in separate:
                plan.wanted[pair] = False
        plan.whole.append(tuple(asset_id for asset_id in assets if asset_id not in separate))
    return plan


def _plan_join(connection: Connection, chosen: Targets) -> _Plan:
    plan = _Plan()
    contents = _contents(connection, chosen.photo_ids)
    sets = [sorted({one.photo_id for one in chosen.files})] if chosen.files else []
    by_name = chosen.photo_ids if chosen.by_query else chosen.photos_of_folders
    sets += _of_one_stem(connection, {photo_id: contents[photo_id] for photo_id in by_name if photo_id in contents})
    for photos in _merged(sets):
        if len(photos) < 2:
            why = "these files are already one photo" if chosen.files else "none of the other photos has its name"
            plan.skipped.update(dict.fromkeys(photos, why))
            continue
        together = sorted(asset_id for photo_id in photos for asset_id in contents.get(photo_id, ()))
        if len(together) > MOST_CONTENTS:
            raise UsageError(f"cannot join {len(together):,} contents into one photo: the limit is {MOST_CONTENTS}")
        plan.photos.update((photo_id, contents.get(photo_id, ())) for photo_id in photos)
        plan.wanted.update((pair, True) for pair in combinations(together, 2))
    return plan


def _contents(connection: Connection, photo_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for chunk in chunks(photo_ids, _CHUNK):
        for row in targets.contents_of(connection, chunk):
            found[row.photo_id].append(row.asset_id)
    return {photo_id: tuple(assets) for photo_id, assets in found.items()}


def _of_one_stem(connection: Connection, contents: Mapping[int, tuple[int, ...]]) -> list[list[int]]:
    """Group photos by folder and stem of their files; a photo with several stems is in several groups."""
    photo_of = {asset_id: photo_id for photo_id, assets in contents.items() for asset_id in assets}
    found: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for chunk in chunks(sorted(photo_of), _CHUNK):
        for file in targets.files_of_contents(connection, chunk):
            found[file.folder_id, parse_name(file.name).stem].add(photo_of[file.asset_id])
    return [sorted(photos) for photos in found.values()]


def _merged(sets: Iterable[Sequence[int]]) -> list[list[int]]:
    """Merge the sets that share a member."""
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
        # Finish the work of a killed scan first; otherwise the plan would use outdated pairs.
        refresh(library, session, roots, emit)
        with session.write() as connection:
            plan = plan_of(connection)
            skipped = _skipped(connection, plan.skipped)
            if not plan.photos:
                return PairsChanged(None, skipped=skipped)
            changes = _decide(connection, plan)
            photos = _resulting_photos(connection, plan, dry_run=dry_run)
            if dry_run:
                connection.rollback()
                return PairsChanged(None, len(plan.photos), photos, skipped)
            verb = command.rpartition(" ")[2]
            summary = f"{verb} {_count(len(plan.photos), 'photo')} into {len(photos):,}"
            entry_id = journal.record(connection, command=command, summary=summary, changes=changes)
            # A new photo is in no burst yet.
            stale.mark_folders_of_assets_unrelated(
                connection, {asset_id for assets in plan.photos.values() for asset_id in assets}
            )
        refresh(library, session, roots, emit)
    return PairsChanged(entry_id, len(plan.photos), photos, skipped)


def _decide(connection: Connection, plan: _Plan) -> list[journal.Change]:
    """Write the decisions and regroup the photos."""
    assets = {asset_id for contents in plan.photos.values() for asset_id in contents}
    outdated = _outdated(connection, assets, plan.wanted)
    wanted = [*((*pair, None) for pair in outdated), *((*pair, together) for pair, together in plan.wanted.items())]
    changes = list(pairs.decide(connection, wanted))
    regroup(connection, assets)
    roles = pairs.roles_of(connection, assets)
    kept = [
        (*pair, True)
        for whole in plan.whole
        if len({roles[asset_id].photo_id for asset_id in whole}) > 1
        for pair in combinations(sorted(whole), 2)
    ]
    if kept:
        # These were linked only through the content that was split off; the user wanted to split off only that one.
        changes += pairs.decide(connection, kept)
        regroup(connection, assets)
    return changes


def _outdated(connection: Connection, asset_ids: set[int], wanted: Mapping[Pair, bool]) -> list[Pair]:
    """Return decisions on earlier contents of edited files that would conflict with the new ones."""
    everything = pairs.connected(connection, asset_ids)
    roles = pairs.roles_of(connection, everything)
    found = []
    for row in pairs.decisions_among(connection, everything):
        key = (row.asset_id, row.other_asset_id)
        one, other = sorted((current_content(roles, key[0]), current_content(roles, key[1])))
        if key not in wanted and (one, other) in wanted:
            found.append(key)
    return found


def _resulting_photos(connection: Connection, plan: _Plan, *, dry_run: bool) -> tuple[ResultingPhoto, ...]:
    was = {asset_id: photo_id for photo_id, assets in plan.photos.items() for asset_id in assets}
    paths = paths_of(connection, was)
    gathered: defaultdict[int, list[PairedContent]] = defaultdict(list)
    for role in pairs.roles_of(connection, was).values():
        content = PairedContent(role.id, paths.get(role.id, b""), role.role, was[role.id])
        gathered[role.photo_id].append(content)
    return tuple(
        ResultingPhoto(
            None if dry_run else photo_id,
            tuple(sorted(contents, key=lambda one: (one.role != "primary", one.asset_id))),
        )
        for photo_id, contents in sorted(gathered.items())
    )


def _skipped(connection: Connection, skipped: Mapping[int, str]) -> tuple[SkippedPhoto, ...]:
    found: list[SkippedPhoto] = []
    for chunk in chunks(sorted(skipped), _CHUNK):
        paths = targets.first_paths(connection, chunk)
        found += [SkippedPhoto(photo_id, paths.get(photo_id, b""), skipped[photo_id]) for photo_id in chunk]
    return tuple(found)


def paths_of(connection: Connection, asset_ids: Iterable[int]) -> dict[int, bytes]:
    """Return a path of each content, preferably of a present file."""
    found: dict[int, bytes] = {}
    for chunk in chunks(sorted(asset_ids), _CHUNK):
        for file in targets.files_of_contents(connection, chunk):
            found.setdefault(file.asset_id, file.path)
    return found


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"
