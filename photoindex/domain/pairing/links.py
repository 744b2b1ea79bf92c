"""Finding links between the files of one folder, and between folders by Apple's identifiers, in linear time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from photoindex.domain.pairing.compatibility import printable
from photoindex.domain.pairing.names import ParsedName, main_stems, named_originals, parse_name
from photoindex.domain.pairing.rules import (
    PairVerdict,
    identifier_of,
    judge_companion,
    judge_edit,
    judge_live,
    judge_raw,
    may_be_companion_of,
    may_be_edit_of,
    same_shot_seconds,
)
from photoindex.domain.pairing.values import LINK_KINDS, Link, LinkKind, Member
from photoindex.paths import display
from photoindex.types import Kind

SAME_STEM_LIMIT = 24
"""Maximum number of files with one stem; no camera makes that many, so files of more are not linked by name."""

Named = tuple[Member, ParsedName]


def links_in_folder(members: Sequence[Member]) -> list[Link]:
    """Return the links among one folder's files, present and missing; the order of `members` does not matter.

    The links are sorted: live, raw, edit, companion, backup, each by asset ids. There is at most one of a kind per pair of
    contents. A file named as a companion has no other links, so that a thumbnail never stands for its movie or RAW.
    """
    everything = sorted(((member, parse_name(member.name)) for member in members), key=_order)
    named = [entry for entry in everything if entry[1].companion is None]
    by_stem: defaultdict[str, list[Named]] = defaultdict(list)
    for entry in named:
        if entry[1].stem:
            by_stem[entry[1].stem].append(entry)
    stems = [entries for entries in by_stem.values() if 1 < len(entries) <= SAME_STEM_LIMIT]
    links = _Links()
    _link_live_by_identifier(named, links)
    for entries in stems:
        _link_live_by_name(entries, links)
        _link_raw(entries, links)
    _link_edits(named, by_stem, links)
    for entry in everything:
        if entry[1].companion is not None:
            _link_companion(entry, by_stem, links)
    return links.sorted()


def live_across_folders(members: Iterable[Member]) -> list[Link]:
    """Return the Live Photos whose picture and movie are in different folders.

    Exactly one picture and one movie of all `members`, those of the whole library, must have their content identifier:
    if copies share it, the pairing is ambiguous.
    """
    by_identifier: defaultdict[str, list[Member]] = defaultdict(list)
    for member in members:
        if identifier := identifier_of(member.content_identifier):
            by_identifier[identifier].append(member)
    links = []
    for identifier, found in by_identifier.items():
        stills = {member.asset_id for member in found if member.kind is not Kind.VIDEO}
        movies = {member.asset_id for member in found if member.kind is Kind.VIDEO}
        if len(stills) != 1 or len(movies) != 1:
            continue
        still = min((member for member in found if member.asset_id in stills), key=_plain_order)
        movie = min((member for member in found if member.asset_id in movies), key=_plain_order)
        folders = [{member.folder_id for member in found if member.asset_id in assets} for assets in (stills, movies)]
        if folders[0] & folders[1] or stills == movies:
            continue
        why = (
            f"Live Photo: {display(still.name)} and {display(movie.name)}, in different folders, are the only picture and "
            f"movie with the content identifier {printable(identifier)}"
        )
        links.append(Link(movie.asset_id, still.asset_id, "live", why))
    return sorted(links, key=lambda link: (link.asset_id, link.other_asset_id))


class _Links:
    """Links found so far, one per kind and pair of contents."""

    def __init__(self) -> None:
        self._found: dict[tuple[LinkKind, int, int], Link] = {}
        self.movies_linked: set[int] = set()

    def add(self, member: Member, other: Member, kind: LinkKind, verdict: PairVerdict) -> bool:
        """Add a link if the verdict joins the files; the first one of a pair is kept."""
        if not verdict.joined or member.asset_id == other.asset_id:
            return False
        low, high = sorted((member.asset_id, other.asset_id))
        self._found.setdefault((kind, low, high), Link(member.asset_id, other.asset_id, kind, verdict.why))
        return True

    def sorted(self) -> list[Link]:
        return [
            self._found[key] for key in sorted(self._found, key=lambda key: (LINK_KINDS.index(key[0]), key[1], key[2]))
        ]


def _link_live_by_identifier(named: Sequence[Named], links: _Links) -> None:
    by_identifier: defaultdict[str, list[Named]] = defaultdict(list)
    for entry in named:
        if identifier := identifier_of(entry[0].content_identifier):
            by_identifier[identifier].append(entry)
    for entries in by_identifier.values():
        stills = [entry for entry in entries if entry[0].kind is not Kind.VIDEO]
        if not stills or len(stills) == len(entries):
            continue
        # Copies and edits of a Live Photo keep its identifier: link each movie to one picture, preferably of the same name.
        preferred = sorted(stills, key=_still_order)
        by_stem = {entry[1].stem: entry[0] for entry in reversed(preferred)}
        by_shot = {entry[1].shot: entry[0] for entry in reversed(preferred)}
        for movie, name in entries:
            if movie.kind is Kind.VIDEO:
                still = by_stem.get(name.stem) or by_shot.get(name.shot) or preferred[0][0]
                if links.add(movie, still, "live", judge_live(still, movie)):
                    links.movies_linked.add(movie.asset_id)


def _link_live_by_name(entries: Sequence[Named], links: _Links) -> None:
    stills = sorted((entry for entry in entries if entry[0].kind is not Kind.VIDEO), key=_still_order)
    for movie, _ in entries:
        if movie.kind is not Kind.VIDEO or movie.asset_id in links.movies_linked:
            continue
        for still, name in stills:
            verdict = judge_live(still, movie, google_motion=name.google_motion)
            if links.add(movie, still, "live", verdict):
                break


def _link_raw(entries: Sequence[Named], links: _Links) -> None:
    for raw, name in entries:
        if raw.kind is Kind.RAW:
            for still, _ in entries:
                if still.kind is Kind.IMAGE:
                    verdict = judge_raw(raw, still, tolerance_seconds=same_shot_seconds(name))
                    links.add(raw, still, "raw", verdict)


def _link_edits(named: Sequence[Named], by_stem: dict[str, list[Named]], links: _Links) -> None:
    by_full: defaultdict[str, list[Named]] = defaultdict(list)
    for entry in named:
        by_full[entry[1].full].append(entry)
    for edit, name in named:
        for original in originals_of((edit, name), by_full, by_stem):
            if links.add(edit, original, "edit", judge_edit(edit, original, tolerance_seconds=same_shot_seconds(name))):
                break


def _link_companion(entry: Named, by_stem: dict[str, list[Named]], links: _Links) -> None:
    """Link a companion to the one file that it belongs to, preferably a movie, then a RAW."""
    companion, name = entry
    assert name.companion is not None
    found = [other for stem in main_stems(name.full) for other in by_stem.get(stem, [])]
    if len(found) > SAME_STEM_LIMIT:
        return
    for main, parsed in sorted(found, key=_main_order):
        if may_be_companion_of(companion, main, name, parsed) and links.add(
            companion, main, name.companion, judge_companion(companion, main, name)
        ):
            break


def _main_order(entry: Named) -> tuple[int, bytes, int, int]:
    return (Kind.VIDEO, Kind.RAW, Kind.IMAGE).index(entry[0].kind), *_order(entry)


def originals_of(edit: Named, by_full: dict[str, list[Named]], by_stem: dict[str, list[Named]]) -> Iterator[Member]:
    """Yield possible originals of `edit` by its name, best first: same extension, then pictures before RAW."""
    member, name = edit
    by_name = (by_full.get(wanted) or by_stem.get(wanted) or [] for wanted in named_originals(name))
    found = next(filter(None, by_name), [])
    if len(found) > SAME_STEM_LIMIT:
        return
    for original, parsed in sorted(
        found, key=lambda entry: (entry[1].extension != name.extension, _still_order(entry))
    ):
        if may_be_edit_of(member, original) and parsed.full != name.full:
            yield original


def _order(entry: Named) -> tuple[bytes, int, int]:
    return _plain_order(entry[0])


def _plain_order(member: Member) -> tuple[bytes, int, int]:
    return member.name, member.asset_id, member.file_id


def _still_order(entry: Named) -> tuple[bool, bool, bool, bytes, int, int]:
    """Sort key: pictures before RAW, originals before edits, Apple's HEIC before conversions of it."""
    member, name = entry
    return (
        member.kind is not Kind.IMAGE,
        name.original is not None,
        member.format not in ("heic", "heif"),
        *_plain_order(member),
    )
