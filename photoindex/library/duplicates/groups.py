"""Groups duplicates as stars around the photo to keep, so that chains of similar pictures do not merge different ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

SamePicture = Callable[[int, int], bool]
"""The ids of two photos that were not compared yet -> whether they show the same picture."""
Ranking = Callable[[Collection[int]], Sequence[int]]
"""Photo ids -> the same ids, the one to keep first."""


def star_groups(pairs: Collection[tuple[int, int]], ranked: Ranking, same: SamePicture) -> Iterator[list[int]]:
    """Yield groups of photos, the one to keep first, each photo in at most one group.

    pairs: photos that show the same picture. Every photo of a group shows the same picture as its first one: photos that
    are one pair away from one of the group are compared with the first by `same`, the rest is left to other groups.
    """
    near: defaultdict[int, set[int]] = defaultdict(set)
    for first, second in pairs:
        near[first].add(second)
        near[second].add(first)
    for component in _components(near):
        left = set(component)
        order = ranked(component)
        for best in order:
            if best not in left:
                continue
            left.discard(best)
            group = [best, *_around(best, near, left, order, same)]
            left.difference_update(group)
            if len(group) > 1:
                yield group


def _around(
    best: int, near: Mapping[int, set[int]], left: Collection[int], order: Sequence[int], same: SamePicture
) -> list[int]:
    found = {one for one in near[best] if one in left}
    tried = {best, *near[best]}
    fresh = found
    while fresh:
        beyond = {further for one in fresh for further in near[one]} - tried
        tried |= beyond
        fresh = {one for one in sorted(beyond) if one in left and same(best, one)}
        found |= fresh
    return [one for one in order if one in found]


def _components(near: Mapping[int, set[int]]) -> Iterator[list[int]]:
    seen: set[int] = set()
    for start in sorted(near):
        if start in seen:
            continue
        seen.add(start)
        found, fresh = [start], [start]
        while fresh:
            fresh = sorted({one for known in fresh for one in near[known]} - seen)
            seen.update(fresh)
            found += fresh
        yield found
