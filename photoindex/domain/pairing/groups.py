"""Grouping contents (assets) into photos by links and the user's decisions, and choosing the primary of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from photoindex.domain.pairing.values import LINK_KINDS, Decision, Link, LinkKind, Member, PhotoGroup, Role
from photoindex.types import Kind

JOINED_BY_HAND = "joined by hand"
_ORDER: Mapping[str, int] = {kind: place for place, kind in enumerate(("person", *LINK_KINDS))}

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Edge:
    """A reason to keep two contents in one photo; `rank` sorts reasons, strongest first."""

    kind: LinkKind | Literal["person"]
    asset_id: int
    other_asset_id: int
    why: str

    @property
    def rank(self) -> tuple[int, int, int, int, str]:
        low, high = pair_of(self.asset_id, self.other_asset_id)
        return _ORDER[self.kind], low, high, self.asset_id, self.why


def group(members: Iterable[Member], links: Iterable[Link], decisions: Sequence[Decision]) -> list[PhotoGroup]:
    """Return the photos formed by `members`, by smallest asset id; each content is in exactly one.

    `decisions` are in the order in which the user made them; of those about the same two contents the last one applies. Two
    contents that were split stay apart even if a third links them: edges that would connect them are dropped, first the
    rules' links (companions, edits, then RAW, then Live Photos), then the older joins. Otherwise the order of the input
    does not matter. Links and decisions about other contents are ignored.
    """
    by_asset = _representatives(members)
    joins, splits = effective_decisions(decisions)
    hand = [_Edge("person", *pair, JOINED_BY_HAND) for pair in joins]
    ruled = [_Edge(link.kind, link.asset_id, link.other_asset_id, link.why) for link in links]
    edges = [edge for edge in (*hand, *sorted(ruled, key=lambda edge: edge.rank)) if _is_inside(edge, by_asset)]
    components = _Components(splits)
    for edge in edges:
        components.join(edge.asset_id, edge.other_asset_id)
    gathered: defaultdict[int, list[int]] = defaultdict(list)
    for asset_id in sorted(by_asset):
        gathered[components.root(asset_id)].append(asset_id)
    inside: defaultdict[int, list[_Edge]] = defaultdict(list)
    for edge in edges:
        if components.root(edge.asset_id) == components.root(edge.other_asset_id):
            inside[components.root(edge.asset_id)].append(edge)
    return [_group_of([by_asset[asset_id] for asset_id in found], inside[root]) for root, found in gathered.items()]


def effective_decisions(decisions: Sequence[Decision]) -> tuple[list[Pair], set[Pair]]:
    """Return the pairs that the user joined, latest first, and those that the user split."""
    last: dict[Pair, bool] = {}
    for decision in decisions:
        pair = pair_of(decision.asset_id, decision.other_asset_id)
        if pair[0] != pair[1]:
            last.pop(pair, None)
            last[pair] = decision.together
    joins = [pair for pair, together in reversed(last.items()) if together]
    return joins, {pair for pair, together in last.items() if not together}


def pair_of(asset_id: int, other_asset_id: int) -> Pair:
    """Return two asset ids as a sorted pair."""
    return min(asset_id, other_asset_id), max(asset_id, other_asset_id)


class _Components:
    """Union-find of contents in which some pairs must stay apart."""

    def __init__(self, splits: Iterable[Pair]) -> None:
        self._parent: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._apart: dict[int, set[int]] = {}
        """Root -> contents that its component must not be joined with."""
        for first, second in splits:
            self._apart.setdefault(first, set()).add(second)
            self._apart.setdefault(second, set()).add(first)

    def root(self, asset_id: int) -> int:
        """Return the representative of the component of `asset_id`."""
        parent = self._parent
        root = asset_id
        while (above := parent.get(root, root)) != root:
            root = above
        while (above := parent.get(asset_id, asset_id)) != root:
            parent[asset_id], asset_id = root, above
        return root

    def join(self, first: int, second: int) -> None:
        """Merge two components unless a pair of them must stay apart."""
        first, second = self.root(first), self.root(second)
        if first == second:
            return
        if self._size.get(first, 1) < self._size.get(second, 1):
            first, second = second, first
        apart, other_apart = self._apart.get(first, set()), self._apart.get(second, set())
        fewer, opposite = (apart, second) if len(apart) <= len(other_apart) else (other_apart, first)
        if any(self.root(asset_id) == opposite for asset_id in fewer):
            return
        self._parent[second] = first
        self._size[first] = self._size.get(first, 1) + self._size.get(second, 1)
        if other_apart:
            self._apart[first] = apart | other_apart


def _representatives(members: Iterable[Member]) -> dict[int, Member]:
    """Return one file per content; equal files do not differ in anything relevant here."""
    found: dict[int, Member] = {}
    for member in members:
        known = found.get(member.asset_id)
        if known is None or (member.name, member.file_id) < (known.name, known.file_id):
            found[member.asset_id] = member
    return found


def _is_inside(edge: _Edge, by_asset: Mapping[int, Member]) -> bool:
    return edge.asset_id in by_asset and edge.other_asset_id in by_asset and edge.asset_id != edge.other_asset_id


def _group_of(members: Sequence[Member], edges: Sequence[_Edge]) -> PhotoGroup:
    edits = {edge.asset_id for edge in edges if edge.kind == "edit"}
    originals = {edge.other_asset_id for edge in edges if edge.kind == "edit"}
    beside: dict[int, Role] = {
        edge.asset_id: edge.kind
        for edge in edges
        if edge.kind == "companion" or edge.kind == "backup"  # noqa: PLR1714 - the type checker narrows it only so
    }
    primary = min(members, key=lambda member: (member.asset_id in beside, *_primary_order(member, edits)))
    roles: dict[int, Role] = {}
    for member in members:
        if member is primary:
            roles[member.asset_id] = "primary"
        elif member.asset_id in beside:
            roles[member.asset_id] = beside[member.asset_id]
        elif member.kind is Kind.RAW:
            roles[member.asset_id] = "raw"
        elif member.kind is Kind.VIDEO and primary.kind is not Kind.VIDEO:
            roles[member.asset_id] = "movie"
        elif member.asset_id in edits:
            roles[member.asset_id] = "edit"
        elif member.asset_id in originals:
            roles[member.asset_id] = "original"
        else:
            roles[member.asset_id] = "alternate"
    return PhotoGroup(primary.asset_id, roles, _reasons(primary.asset_id, edges) if len(members) > 1 else {})


def _primary_order(member: Member, edits: set[int]) -> tuple[int, bool, int, int]:
    """Sort key for the primary: edited pictures, other pictures, RAW, movies; then the larger, then the older asset."""
    if member.kind is Kind.RAW:
        rank = 2
    elif member.kind is Kind.VIDEO:
        rank = 3
    else:
        rank = 1
    edited = member.asset_id in edits
    return (
        (0 if edited and rank == 1 else rank),
        not edited,
        -(member.width or 0) * (member.height or 0),
        member.asset_id,
    )


def _reasons(primary: int, edges: Sequence[_Edge]) -> dict[int, str]:
    """Return why each content except the primary belongs: its strongest link on the shortest path to the primary."""
    beside: defaultdict[int, list[_Edge]] = defaultdict(list)
    for edge in sorted(edges, key=lambda edge: edge.rank):
        beside[edge.asset_id].append(edge)
        beside[edge.other_asset_id].append(edge)
    reasons: dict[int, str] = {}
    reached = {primary}
    frontier = [primary]
    while frontier:
        following: list[int] = []
        for edge in sorted({edge for asset_id in frontier for edge in beside[asset_id]}, key=lambda edge: edge.rank):
            for asset_id in (edge.asset_id, edge.other_asset_id):
                if asset_id not in reached:
                    reached.add(asset_id)
                    reasons[asset_id] = edge.why
                    following.append(asset_id)
        frontier = following
    return reasons
