"""Groups of copies: stars around the one to keep, so that no chain of likenesses joins what is not alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

Judge = Callable[[int, int], bool]
"""Photo numbers of two photos that no comparison has met yet -> whether they show the same."""
Ranking = Callable[[Collection[int]], Sequence[int]]
"""Photo numbers -> the same, the one to keep first."""


def stars(pairs: Collection[tuple[int, int]], ranked: Ranking, judge: Judge) -> Iterator[list[int]]:
    """Yield groups of photos, the one to keep first, each photo in one group at most.

    pairs: photos that were found to show the same. Every photo of a group was found to show the same as its first: those
    that are two pairs away from it are compared with it by `judge`, those further away are left to other groups.
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
            group = [best, *_around(best, near, left, order, judge)]
            left.difference_update(group)
            if len(group) > 1:
                yield group


def _around(
    best: int, near: Mapping[int, set[int]], left: Collection[int], order: Sequence[int], judge: Judge
) -> list[int]:
    direct = near[best]
    beyond = {further for one in direct for further in near[one]} - direct - {best}
    return [one for one in order if one in left and (one in direct or (one in beyond and judge(best, one)))]


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
