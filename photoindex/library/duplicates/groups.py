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

    pairs: photos that show the same picture. Every photo of a group shows the same picture as its first one: photos two
    pairs away from it are compared with it by `same`, those further away are left to other groups.
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
    direct = near[best]
    beyond = {further for one in direct for further in near[one]} - direct - {best}
    return [one for one in order if one in left and (one in direct or (one in beyond and same(best, one)))]


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
