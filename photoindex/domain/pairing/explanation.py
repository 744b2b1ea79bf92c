"""Explaining to the user why files are or are not one photo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from photoindex.domain.pairing.groups import JOINED_BY_HAND, Pair, effective_decisions, pair_of
from photoindex.domain.pairing.links import SAME_STEM_LIMIT
from photoindex.domain.pairing.names import ParsedName, named_originals, parse_name
from photoindex.domain.pairing.rules import (
    identifier_of,
    judge_companion,
    judge_edit,
    judge_live,
    judge_raw,
    may_be_companion_of,
    may_be_edit_of,
    same_shot_seconds,
)
from photoindex.domain.pairing.values import Decision, Link, Member, PhotoGroup, Role
from photoindex.paths import display
from photoindex.types import Kind

Named = tuple[Member, ParsedName]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that might belong to the same photo; `why` is a sentence for the user."""

    member: Member
    joined: bool
    why: str


@dataclass(frozen=True, slots=True)
class PairExplanation:
    """The role of one file in its photo, and all candidate files.

    reason: why it belongs to its photo, None for the primary one.
    """

    member: Member
    role: Role
    primary_asset_id: int
    reason: str | None
    candidates: tuple[Candidate, ...]


def explain(
    members: Iterable[Member], links: Iterable[Link], decisions: Sequence[Decision], groups: Iterable[PhotoGroup]
) -> list[PairExplanation]:
    """Return for each file, sorted by name, which others it was or was not joined with, and why.

    Candidates are other files of the same folder whose names mean the same shot (edits and copies too), those with the same
    content identifier, those of the same photo, and those in a link or a user's decision; equal files (one asset) are no
    candidates. Files without a group are left out.
    """
    context = _Context(members, links, decisions, groups)
    return [context.explanation(entry) for entry in context.named if entry[0].asset_id in context.group_of]


class _Context:
    """Lookup tables of members, links and decisions."""

    def __init__(
        self,
        members: Iterable[Member],
        links: Iterable[Link],
        decisions: Sequence[Decision],
        groups: Iterable[PhotoGroup],
    ) -> None:
        self.named: list[Named] = sorted(((member, parse_name(member.name)) for member in members), key=_order)
        self.group_of: Mapping[int, PhotoGroup] = {asset_id: group for group in groups for asset_id in group.roles}
        self._links: dict[Pair, Link] = {}
        for link in links:
            self._links.setdefault(pair_of(link.asset_id, link.other_asset_id), link)
        joins, self._splits = effective_decisions(decisions)
        self._joins = set(joins)
        self._by_shot: defaultdict[tuple[int, str], list[Named]] = defaultdict(list)
        self._by_identifier: defaultdict[str, list[Named]] = defaultdict(list)
        self._by_asset: defaultdict[int, list[Named]] = defaultdict(list)
        for entry in self.named:
            member, name = entry
            self._by_shot[member.folder_id, name.shot].append(entry)
            self._by_asset[member.asset_id].append(entry)
            if identifier := identifier_of(member.content_identifier):
                self._by_identifier[identifier].append(entry)
        self._beside: defaultdict[int, set[int]] = defaultdict(set)
        for first, second in (*self._links, *joins, *self._splits):
            self._beside[first].add(second)
            self._beside[second].add(first)

    def explanation(self, entry: Named) -> PairExplanation:
        member = entry[0]
        group = self.group_of[member.asset_id]
        found = {other[0].file_id: other for other in self._candidates(entry) if other[0].asset_id != member.asset_id}
        candidates = [self._candidate(entry, other) for other in sorted(found.values(), key=_order)]
        return PairExplanation(
            member=member,
            role=group.roles[member.asset_id],
            primary_asset_id=group.primary_asset_id,
            reason=group.reasons.get(member.asset_id),
            candidates=tuple(candidates),
        )

    def _candidates(self, entry: Named) -> Iterator[Named]:
        member, name = entry
        same_shot = self._by_shot[member.folder_id, name.shot]
        if len(same_shot) <= SAME_STEM_LIMIT:
            yield from same_shot
        if identifier := identifier_of(member.content_identifier):
            yield from self._by_identifier[identifier][:SAME_STEM_LIMIT]
        for asset_id in sorted({*self.group_of[member.asset_id].roles, *self._beside[member.asset_id]}):
            # One file represents all equal ones, preferably one in the same folder.
            beside = sorted(self._by_asset[asset_id], key=lambda other: other[0].folder_id != member.folder_id)
            yield from beside[:1]

    def _candidate(self, entry: Named, other: Named) -> Candidate:
        pair = pair_of(entry[0].asset_id, other[0].asset_id)
        link = self._links.get(pair)
        if self.group_of.get(pair[0]) is self.group_of.get(pair[1]):
            if pair in self._joins:
                why = JOINED_BY_HAND
            elif link is not None:
                why = link.why
            else:
                why = f"both belong to {self._name_of(self.group_of[pair[0]].primary_asset_id)}"
            return Candidate(other[0], joined=True, why=why)
        if pair in self._splits:
            why = "split by hand"
        elif link is not None or pair in self._joins:
            known = link.why if link is not None else JOINED_BY_HAND
            why = f"kept apart because files of their photos were split by hand; otherwise: {known}"
        elif entry[1].companion is not None or other[1].companion is not None:
            why = _why_no_companion(entry, other)
        else:
            why = why_not(entry, other)
        return Candidate(other[0], joined=False, why=why)

    def _name_of(self, asset_id: int) -> str:
        entries = self._by_asset.get(asset_id)
        return display(entries[0][0].name) if entries else f"content {asset_id}"


def why_not(first: Named, second: Named) -> str:
    """Return why the rules do not join two files."""
    for (edit, name), (original, parsed) in ((first, second), (second, first)):
        if {parsed.full, parsed.stem} & {*named_originals(name)} and may_be_edit_of(edit, original):
            verdict = judge_edit(edit, original, tolerance_seconds=same_shot_seconds(name))
            return verdict.why if not verdict.joined else f"{display(edit.name)} was joined with a better match"
    by_kind = {member.kind: (member, name) for member, name in (first, second)}
    still = by_kind.get(Kind.IMAGE) or by_kind.get(Kind.RAW)
    same_stem = first[1].stem == second[1].stem
    if Kind.VIDEO in by_kind and still is not None:
        movie = by_kind[Kind.VIDEO][0]
        verdict = judge_live(still[0], movie, google_motion=still[1].google_motion)
        both = identifier_of(still[0].content_identifier) and identifier_of(movie.content_identifier)
        if not verdict.joined and (same_stem or both):
            return verdict.why
        if verdict.joined and (same_stem or both):
            return f"{display(movie.name)} was joined with a better match, or copies share the identifier"
    elif Kind.RAW in by_kind and Kind.IMAGE in by_kind and same_stem:
        tolerance = same_shot_seconds(first[1])
        return judge_raw(by_kind[Kind.RAW][0], by_kind[Kind.IMAGE][0], tolerance_seconds=tolerance).why
    elif same_stem:
        return f"{display(first[0].name)} and {display(second[0].name)} have the same name, but no rule joins two files of the same kind"
    return (
        f"{display(first[0].name)} and {display(second[0].name)} have similar names, but no rule joins copies by name"
    )


def _why_no_companion(first: Named, second: Named) -> str:
    for (companion, name), (main, parsed) in ((first, second), (second, first)):
        if name.companion is not None and may_be_companion_of(companion, main, name, parsed):
            verdict = judge_companion(companion, main, name)
            return verdict.why if not verdict.joined else f"{display(companion.name)} was joined with a better match"
    names = f"{display(first[0].name)} and {display(second[0].name)}"
    return f"{names} have similar names, but neither is a companion of the other"


def _order(entry: Named) -> tuple[bytes, int, int]:
    member = entry[0]
    return member.name, member.asset_id, member.file_id
