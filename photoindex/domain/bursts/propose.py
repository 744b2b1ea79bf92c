"""Proposes which frames of a burst to keep, and says why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from photoindex.domain.bursts.compare import Comparison, compare
from photoindex.domain.bursts.values import CHOSEN, FAVOURITE, Choice, Frame, Judged, Measures

FIXED_WEIGHTS = (1.0, 1.5, 1.5, 0.7, 1.0)
"""How much each of `compare.RESPECTS` counts, as long as too few stars say more."""
_SCENES_FROM = 6
_SCENE_FRAMES = 3
_SCENE_LIKENESS = 0.5
"""A frame whose coarse picture is less like the scene so far begins another scene."""
_BLURRED = 0.75
"""Below this part of the best sharpness a frame is called less sharp; equal frames are above it nearly always."""
_CLIPPED_MORE = 0.03


def propose(frames: Sequence[Frame], weights: Sequence[float] = FIXED_WEIGHTS) -> list[Judged]:
    """Return what is proposed for each frame of a burst, in their order: one best frame of each scene.

    What the user chose before, by stars, as favourites or from a page, is the proposal; a rejected frame is never one.
    """
    own = own_choice(frames)
    found: dict[int, Judged] = {}
    for number, scene in enumerate(scenes(frames), 1):
        found.update((one.photo_id, one) for one in _of_scene(scene, number, weights, own))
    for one in frames:
        if one.measures is None:
            choice = Choice.BEST if one.photo_id in own else Choice.UNKNOWN
            found[one.photo_id] = Judged(
                one.photo_id, choice, _words_of_own(one, own) or "it has no readable preview", 1, None
            )
    return [found[one.photo_id] for one in frames]


def own_choice(frames: Sequence[Frame]) -> set[int]:
    """Return the photos that the user preferred to others of the burst; none if they are rated alike."""
    most = max(one.stars for one in frames)
    if most < 1 or all(one.stars == most for one in frames):
        return set()
    return {one.photo_id for one in frames if one.stars == most}


def scenes(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Return the frames that have measures, by scene; only long bursts have several."""
    known = [one for one in frames if one.measures is not None]
    if len(known) < _SCENES_FROM:
        return [known] if known else []
    found: list[list[Frame]] = []
    for frame in known:
        if found and _is_like(frame, found[-1]):
            found[-1].append(frame)
        else:
            found.append([frame])
    joined: list[list[Frame]] = []
    for scene in found:
        if joined and (min(len(scene), len(joined[-1])) < _SCENE_FRAMES or _is_like(scene[0], joined[-1])):
            joined[-1] += scene
        else:
            joined.append(scene)
    return joined


def respects_of(scene: Sequence[Frame]) -> NDArray[np.float64]:
    """Return `Comparison.respects` of the frames of a scene."""
    return compare(_measures(scene)).respects


def _measures(scene: Sequence[Frame]) -> list[Measures]:
    return [one.measures for one in scene if one.measures is not None]


def _is_like(frame: Frame, scene: Sequence[Frame]) -> bool:
    assert frame.measures is not None
    mean = np.mean([one.signature for one in _measures(scene)], axis=0)
    return float(frame.measures.signature @ mean) >= _SCENE_LIKENESS * max(float(np.linalg.norm(mean)), 1e-6)


def _of_scene(scene: Sequence[Frame], number: int, weights: Sequence[float], own: set[int]) -> Iterator[Judged]:
    compared = compare(_measures(scene))
    scores = compared.respects @ np.asarray(weights)
    allowed = [place for place, one in enumerate(scene) if one.stars >= 0]
    best = None if own or not allowed else max(allowed, key=lambda place: scores[place])
    for place, one in enumerate(scene):
        score = float(scores[place])
        words = _words_of_own(one, own)
        if one.stars < 0:
            yield Judged(one.photo_id, Choice.REJECTED, "you rejected it", number, score)
        elif one.photo_id in own:
            yield Judged(one.photo_id, Choice.BEST, words, number, score)
        elif place == best:
            yield Judged(one.photo_id, Choice.BEST, _merits(compared, place), number, score)
        else:
            yield Judged(one.photo_id, Choice.OTHER, _faults(compared, place), number, score)


def _words_of_own(frame: Frame, own: set[int]) -> str:
    if frame.photo_id not in own:
        return ""
    if frame.stars == CHOSEN:
        return "you chose it"
    if frame.stars == FAVOURITE:
        return "your favourite"
    return f"you gave it {frame.stars} {'star' if frame.stars == 1 else 'stars'}"


def _merits(compared: Comparison, place: int) -> str:
    """Return what is better in this frame than in others."""
    others = [one for one in range(len(compared.sharpness)) if one != place]
    found = []
    faces = compared.face_sharpness[place]
    less = [one for one in others if (compared.face_sharpness[one] or 1.0) < _BLURRED * (faces or 1.0)]
    if faces is not None and less:
        found.append(f"faces sharper than in {len(less)} of {len(others)}")
    less = [one for one in others if compared.sharpness[one] < _BLURRED * compared.sharpness[place]]
    if less and not found:
        found.append(f"sharper than {len(less)} of {len(others)}")
    closed = sum(compared.closed[one] > compared.closed[place] for one in others)
    if closed:
        found.append(f"eyes open, where they look closed in {closed}")
    fewer = sum(compared.found[one] < compared.found[place] for one in others)
    if fewer:
        found.append(
            f"{compared.found[place]} {'face' if compared.found[place] == 1 else 'faces'} found, fewer in {fewer}"
        )
    clipped = compared.bright[place] + compared.dark[place] + _CLIPPED_MORE
    worse = sum(compared.bright[one] + compared.dark[one] > clipped for one in others)
    if worse:
        found.append(f"more detail in lights and shadows than {worse}")
    return "; ".join(found) or "nothing sets the frames apart; it is as good as any"


def _faults(compared: Comparison, place: int) -> str:
    """Return what is worse in this frame than in the best one in that respect."""
    found = []
    if compared.closed[place]:
        found.append("eyes look closed" + (f" in {compared.closed[place]} faces" if compared.closed[place] > 1 else ""))
    faces = compared.face_sharpness[place]
    if faces is not None and faces < _BLURRED:
        found.append(f"faces have {100 * faces:.0f} % of the best sharpness")
    elif compared.sharpness[place] < _BLURRED:
        found.append(f"it has {100 * compared.sharpness[place]:.0f} % of the best sharpness")
    if compared.found[place] < compared.usual:
        found.append(f"{compared.found[place]} of {compared.usual} faces found")
    for name, values in (("white", compared.bright), ("black", compared.dark)):
        if values[place] > min(values) + _CLIPPED_MORE:
            found.append(f"{100 * values[place]:.0f} % of it is {name} without detail")
    return "; ".join(found) or "close to the best"
