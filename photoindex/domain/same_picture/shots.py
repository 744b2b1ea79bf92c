"""Deciding by metadata that two files are different shots, however similar they look."""

from __future__ import annotations

from photoindex.domain.pairing.compatibility import Compatibility, compare_cameras, span, wall_seconds
from photoindex.domain.pairing.names import parse_name
from photoindex.domain.pairing.values import Member
from photoindex.types import Kind

_EXACT_SECONDS = 5e-4
_ZONE_STEP_SECONDS = 900.0
_ZONE_LIMIT_SECONDS = 14 * 3600.0
_ZONE_SLACK_SECONDS = 1.0
_DURATION_SECONDS = 0.3
_DURATION_SHARE = 0.01


def different_shots(first: Member, second: Member, *, one_burst: bool = False) -> str | None:
    """Return why two files cannot be copies of each other (a phrase for the user), None if nothing rules it out.

    Copies and edits keep the time of the shot, so two times of one camera are two shots, unless they differ by a multiple
    of 15 minutes, as after a corrected clock. Two frames of a burst (one_burst) may have the same whole second; then the
    running numbers decide. A video and a picture are never copies, nor are videos of different durations.
    """
    videos = first.kind is Kind.VIDEO, second.kind is Kind.VIDEO
    if videos[0] != videos[1]:
        return "one is a video"
    if all(videos) and not _same_length(first.duration_seconds, second.duration_seconds):
        return "their durations differ"
    if compare_cameras(first, second).agreement is not Compatibility.AGREE:
        return None
    return _by_time(first, second, one_burst=one_burst)


def speaks_against(first: Member, second: Member) -> str | None:
    """Return what makes it doubtful that two files are copies of one shot (a phrase for the user), None if nothing does.

    Another camera, or another time. Unlike `different_shots` this is no proof: programs change what a file says.
    """
    cameras = compare_cameras(first, second)
    if cameras.agreement is Compatibility.DIFFER:
        return cameras.words
    gap = _gap_seconds(first, second)
    return None if gap is None or gap < 1 or _is_zone(gap) else f"they were taken {span(gap)} apart"


def is_one_shot(first: Member, second: Member) -> bool:
    """Tell whether both files have the time of one and the same shot: to a fraction of a second, or with the name of that shot.

    In one second a camera takes several shots.
    """
    gap = _gap_seconds(first, second)
    if gap is None or gap > _EXACT_SECONDS or speaks_against(first, second) is not None:
        return False
    if _is_exact(first) and _is_exact(second):
        return True
    names = parse_name(first.name), parse_name(second.name)
    return names[0].shot == names[1].shot and any(map(str.isdigit, names[0].shot))


def _gap_seconds(first: Member, second: Member) -> float | None:
    """Return the time between two shots, whole seconds if one of them has no fraction; None if a time is missing."""
    walls = wall_seconds(first), wall_seconds(second)
    if walls[0] is None or walls[1] is None:
        return None
    if _is_exact(first) and _is_exact(second):
        return abs(walls[0] - walls[1])
    return float(abs(int(walls[0]) - int(walls[1])))


def _by_time(first: Member, second: Member, *, one_burst: bool) -> str | None:
    gap = _gap_seconds(first, second)
    if gap is None:
        return None
    if not gap and not (_is_exact(first) and _is_exact(second)):
        return _by_numbers(first, second) if one_burst else None
    if gap <= _EXACT_SECONDS or _is_zone(gap):
        return None
    return f"one camera took them {span(gap)} apart"


def _same_length(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return False
    return abs(first - second) <= max(_DURATION_SECONDS, _DURATION_SHARE * max(first, second))


def _is_exact(member: Member) -> bool:
    return "." in (member.taken_at or "")


def _is_zone(gap_seconds: float) -> bool:
    steps = round(gap_seconds / _ZONE_STEP_SECONDS)
    return (
        0 < steps * _ZONE_STEP_SECONDS <= _ZONE_LIMIT_SECONDS
        and abs(gap_seconds - steps * _ZONE_STEP_SECONDS) <= _ZONE_SLACK_SECONDS
    )


def _by_numbers(first: Member, second: Member) -> str | None:
    """Compare frames of the same second by running number, or by burst names with different suffixes."""
    names = parse_name(first.name), parse_name(second.name)
    numbers = names[0].number, names[1].number
    if names[0].shot == names[1].shot:
        return None
    if None not in numbers and numbers[0] != numbers[1]:
        return f"they are frames {numbers[0]} and {numbers[1]} of a burst"
    if names[0].burst is not None and names[0].burst == names[1].burst:
        return "they are frames of a burst"
    return None
