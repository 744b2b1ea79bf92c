"""Finding bursts: shots in quick succession, which remain separate photos but share a burst key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from photoindex.domain.pairing.compatibility import camera_words, serial_key, wall_seconds
from photoindex.domain.pairing.names import ParsedName, parse_name
from photoindex.domain.pairing.rules import identifier_of, same_shot_seconds
from photoindex.domain.pairing.values import Member
from photoindex.types import Kind

GAP_SECONDS = 1.0
"""Longest pause within a burst that is recognised only by times and running numbers."""
SHOTS_IN_RUN = 3
_ROUNDING_SECONDS = 1e-3
_SKIPPED_NUMBERS = 5  # allows for deleted frames
_DCF_LAST_NUMBER = 9999

Named = tuple[Member, ParsedName]


@dataclass(frozen=True, slots=True)
class _Shot:
    """The files of one shot in one folder: RAW, picture, edits, copies. seconds: local time since year 1."""

    seconds: float
    number: int
    exact: bool
    stem: str
    asset_ids: tuple[int, ...]


def bursts(members: Iterable[Member]) -> dict[int, str]:
    """Return asset id -> burst key, shared by the contents of a burst, for contents that are part of one.

    A burst is recognised, most reliable first, by the identifier in the file (Apple's BurstUUID, Google's BurstID), valid in
    all folders; by its marker in the name, within a folder; by three or more shots of one camera in one folder, each within
    1 s of the previous one by times with fractions or by running numbers. RAW, picture and edit count as one shot.
    The order of `members` does not matter.
    """
    by_folder: defaultdict[int, list[Named]] = defaultdict(list)
    for member in members:
        name = parse_name(member.name)
        if member.kind is not Kind.VIDEO and name.companion is None:
            by_folder[member.folder_id].append((member, name))
    keys: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for folder_id, named in by_folder.items():
        for asset_id, key in _in_folder(folder_id, named):
            keys[asset_id].append(key)
    return {asset_id: min(found)[1] for asset_id, found in sorted(keys.items())}


def _in_folder(folder_id: int, named: Sequence[Named]) -> list[tuple[int, tuple[int, str]]]:
    """Return pairs of asset id and (rank of the evidence, key)."""
    named = sorted(named, key=lambda entry: (entry[0].name, entry[0].asset_id, entry[0].file_id))
    by_mark: defaultdict[str, set[str]] = defaultdict(set)
    for _, name in named:
        if name.burst is not None:
            by_mark[name.burst].add(name.shot)
    by_shot: defaultdict[str, list[Named]] = defaultdict(list)
    for entry in named:
        by_shot[entry[1].shot].append(entry)
    found: list[tuple[int, tuple[int, str]]] = []
    unmarked: defaultdict[tuple[object, ...], list[_Shot]] = defaultdict(list)
    for entries in by_shot.values():
        for taken in _apart_in_time(entries):
            keys = sorted(key for entry in taken if (key := _burst_key(folder_id, entry, by_mark)) is not None)
            if keys:
                found.extend((member.asset_id, keys[0]) for member, _ in taken)
            elif (shot := _shot_of(taken)) is not None:
                unmarked[_camera_of(taken)].append(shot)
    for shots in unmarked.values():
        for run in _runs(shots):
            key = (2, f"run:{folder_id}:{min(min(shot.asset_ids) for shot in run)}")
            found.extend((asset_id, key) for shot in run for asset_id in shot.asset_ids)
    return found


def _burst_key(folder_id: int, entry: Named, by_mark: dict[str, set[str]]) -> tuple[int, str] | None:
    """Return the burst key from a file's identifier or name."""
    member, name = entry
    if identifier := identifier_of(member.burst_identifier):
        return 0, f"id:{identifier}"
    if name.burst is not None and (name.burst_is_certain or len(by_mark[name.burst]) > 1):
        return 1, f"name:{folder_id}:{name.burst}"
    return None


def _apart_in_time(entries: Sequence[Named]) -> list[list[Named]]:
    """Split the files of one stem into shots by their times; files without a time go to the first shot."""
    timed = sorted(
        ((seconds, index) for index, entry in enumerate(entries) if (seconds := wall_seconds(entry[0])) is not None)
    )
    known = {index for _, index in timed}
    shots: list[list[Named]] = [[entry for index, entry in enumerate(entries) if index not in known]]
    began: float | None = None
    for seconds, index in timed:
        if began is not None and seconds - began > same_shot_seconds(entries[index][1]) + _ROUNDING_SECONDS:
            shots.append([])
            began = seconds
        began = seconds if began is None else began
        shots[-1].append(entries[index])
    return shots


def _shot_of(taken: Sequence[Named]) -> _Shot | None:
    """Return the shot of some files, None if its time or camera is unknown."""
    moments = [
        (seconds, "." not in (member.taken_at or ""))
        for member, _ in taken
        if (seconds := wall_seconds(member)) is not None
    ]
    if not moments or not any(member.camera for member, _ in taken):
        return None
    # Of the same shot, a time with a fraction is more precise.
    seconds, whole = min(moments, key=lambda moment: (moment[1], moment[0]))
    name = taken[0][1]
    number = -1 if name.number is None else name.number
    return _Shot(seconds, number, not whole, name.shot, tuple(sorted({member.asset_id for member, _ in taken})))


def _camera_of(taken: Sequence[Named]) -> tuple[object, ...]:
    camera = next(member.camera for member, _ in taken if member.camera)
    serial = next((member.serial for member, _ in taken if member.serial), "")
    return camera_words(camera), serial_key(serial)


def _runs(shots: Sequence[_Shot]) -> list[list[_Shot]]:
    ordered = sorted(shots, key=lambda shot: (shot.seconds, shot.number, shot.stem, shot.asset_ids))
    runs: list[list[_Shot]] = []
    for shot in ordered:
        if runs and _follows(runs[-1][-1], shot):
            runs[-1].append(shot)
        else:
            runs.append([shot])
    return [run for run in runs if len(run) >= SHOTS_IN_RUN]


def _follows(before: _Shot, after: _Shot) -> bool:
    gap = after.seconds - before.seconds
    if gap > GAP_SECONDS + _ROUNDING_SECONDS:
        return False
    if before.number >= 0 and after.number >= 0:
        step = after.number - before.number
        if before.number == _DCF_LAST_NUMBER and step < 0:
            step += _DCF_LAST_NUMBER
        if step == 1:
            return True
        if not 1 <= step <= _SKIPPED_NUMBERS:
            return False
    # Without running numbers, only times with fractions distinguish a burst from copies and from quick single shots.
    return before.exact and after.exact and gap > _ROUNDING_SECONDS
