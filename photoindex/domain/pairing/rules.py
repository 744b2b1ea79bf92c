"""The rules that decide whether two files are one photo, with a sentence that says why or why not."""

from __future__ import annotations

from dataclasses import dataclass

from photoindex.domain.pairing.compatibility import (
    Compatibility,
    camera_text,
    compare_cameras,
    compare_times,
    printable,
    span,
)
from photoindex.domain.pairing.names import ParsedName
from photoindex.domain.pairing.values import Member
from photoindex.paths import display
from photoindex.types import Kind

SAME_SHOT_SECONDS = 2.0
"""Maximum time between a RAW and its JPEG, or a picture and its edit."""
DATED_NAME_SECONDS = 300.0
"""The same where both have the date and time of the shot in their name: a phone's night exposure takes minutes."""
LIVE_SECONDS = 3.0
"""Maximum time between a Live Photo's picture and movie."""
LIVE_MOVIE_SECONDS = 6.0
"""Longest movie that is accepted for a Live Photo by name; Apple's last 3 s."""


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """Whether two files are one photo, and a sentence for the user that says why or why not."""

    joined: bool
    why: str


def same_shot_seconds(name: ParsedName) -> float:
    """Return the maximum time between two files of one shot with this name."""
    return DATED_NAME_SECONDS if name.dated else SAME_SHOT_SECONDS


def judge_raw(raw: Member, still: Member, *, tolerance_seconds: float = SAME_SHOT_SECONDS) -> PairVerdict:
    """Judge a RAW and a picture of the same stem: they need the same time, and their cameras must not differ."""
    names = f"{display(raw.name)} and {display(still.name)}"
    cameras = compare_cameras(raw, still)
    times = compare_times(raw, still, tolerance_seconds=tolerance_seconds)
    for comparison in (cameras, times):
        if comparison.agreement is Compatibility.DIFFER:
            return PairVerdict(joined=False, why=f"{names} have the same name, but {comparison.words}")
    camera = f" and {cameras.words}" if cameras.agreement is Compatibility.AGREE else ""
    if times.agreement is Compatibility.UNKNOWN and not camera and not _is_dated(raw) and not _is_dated(still):
        return PairVerdict(
            joined=False, why=f"{names} have the same name, but {times.words}, and no camera confirms it"
        )
    if times.agreement is Compatibility.UNKNOWN:
        support = camera or ", and nothing contradicts it"
        return PairVerdict(joined=True, why=f"RAW and picture: {names} have the same name{support}; {times.words}")
    return PairVerdict(joined=True, why=f"RAW and picture: {names} have the same name, {times.words}{camera}")


def _is_dated(member: Member) -> bool:
    return member.taken_at is not None or member.taken_at_utc is not None


def judge_live(still: Member, movie: Member, *, google_motion: bool = False) -> PairVerdict:
    """Judge a picture and a movie of the same stem: by identifier if both have one, otherwise everything else must match.

    google_motion: by its name the picture is one of Google's motion photos.
    """
    names = f"{display(still.name)} and {display(movie.name)}"
    ours, theirs = identifier_of(still.content_identifier), identifier_of(movie.content_identifier)
    if ours and theirs:
        if ours == theirs:
            return PairVerdict(
                joined=True, why=f"Live Photo: {names} have the same content identifier {printable(ours)}"
            )
        different = f"{printable(ours)} and {printable(theirs)}"
        return PairVerdict(joined=False, why=f"{names} have different content identifiers ({different})")
    cameras = compare_cameras(still, movie)
    times = compare_times(still, movie, tolerance_seconds=LIVE_SECONDS)
    against = _objection_to_live(still, movie, google_motion=google_motion)
    if against is None and cameras.agreement is Compatibility.DIFFER:
        against = cameras.words
    elif against is None and times.agreement is Compatibility.UNKNOWN and _share_takeout(still, movie):
        why = f"Live Photo by name: {names} have the same name and the same JSON of Google Takeout; {times.words}"
        return PairVerdict(joined=True, why=why)
    elif against is None and times.agreement in (Compatibility.DIFFER, Compatibility.UNKNOWN):
        against = times.words
    elif (
        against is None and times.agreement is Compatibility.UP_TO_ZONE and cameras.agreement is not Compatibility.AGREE
    ):
        against = "one time has no known time zone, and the cameras are not known to match"
    if against is not None:
        return PairVerdict(joined=False, why=f"{names} have the same name, but {against}")
    fits = f"{times.words}, and the movie lasts {span(movie.duration_seconds or 0)}"
    return PairVerdict(
        joined=True, why=f"Live Photo by name: {names} have the same name, {fits}; at least one has no identifier"
    )


def judge_edit(edit: Member, original: Member, *, tolerance_seconds: float = SAME_SHOT_SECONDS) -> PairVerdict:
    """Judge a file named as an edit of `original`: an edit may have no time, but not a different one."""
    names = f"{display(edit.name)} is named as an edit of {display(original.name)}"
    cameras = compare_cameras(edit, original)
    times = compare_times(edit, original, tolerance_seconds=tolerance_seconds)
    for comparison in (times, cameras):
        if comparison.agreement is Compatibility.DIFFER:
            return PairVerdict(joined=False, why=f"{names}, but {comparison.words}")
    if times.agreement is Compatibility.UNKNOWN:
        return PairVerdict(joined=True, why=f"Edit: {names}; {times.words}")
    return PairVerdict(joined=True, why=f"Edit: {names} and has {times.words}")


def judge_companion(companion: Member, main: Member, parsed: ParsedName) -> PairVerdict:
    """Judge a file named as a companion of `main`, whatever its time: it never stands for a photo of its own."""
    names = display(companion.name), display(main.name)
    if parsed.companion == "backup":
        return PairVerdict(
            joined=True, why=f"Backup: {names[0]} is what ExifTool kept of {names[1]} when it changed it"
        )
    what = "a small copy" if companion.kind is Kind.VIDEO else "a thumbnail"
    return PairVerdict(joined=True, why=f"Companion: {names[0]} is {what} of {names[1]} by its name")


def may_be_companion_of(companion: Member, main: Member, parsed: ParsedName, main_parsed: ParsedName) -> bool:
    """Tell whether names and kinds match: a small copy is of a movie, a thumbnail of anything, a backup of its own kind."""
    if companion.asset_id == main.asset_id or main_parsed.companion is not None:
        return False
    if parsed.companion == "backup":
        return (parsed.full, parsed.extension) == (main_parsed.full, main_parsed.extension)
    return companion.kind is not Kind.VIDEO or main.kind is Kind.VIDEO


def may_be_edit_of(edit: Member, original: Member) -> bool:
    """Tell whether the kinds match: an edited picture comes from a picture or RAW, an edited movie from a movie; no RAW is one."""
    is_movie = edit.kind is Kind.VIDEO
    return (
        edit.asset_id != original.asset_id and edit.kind is not Kind.RAW and is_movie == (original.kind is Kind.VIDEO)
    )


def identifier_of(identifier: str | None) -> str | None:
    """Return an identifier normalised for comparison (upper case, stripped), None if it is empty or all zeros."""
    cleaned = (identifier or "").strip().upper()
    return cleaned if cleaned.strip("0-") else None


def _objection_to_live(still: Member, movie: Member, *, google_motion: bool) -> str | None:
    """Return why duration or camera rule out a Live Photo without identifiers, None if they do not."""
    if movie.duration_seconds is None:
        return "the duration of the movie is unknown"
    if not 0 < movie.duration_seconds <= LIVE_MOVIE_SECONDS:
        longest = span(LIVE_MOVIE_SECONDS)
        return f"the movie lasts {span(movie.duration_seconds)}, longer than the {longest} of a Live Photo"
    for member in (still, movie):
        if member.camera and not _is_apple(member.camera) and not google_motion and not _share_takeout(still, movie):
            return f"{camera_text(member.camera)} does not make Live Photos"
    return None


def _share_takeout(still: Member, movie: Member) -> bool:
    """Tell whether one JSON of Google Takeout is for both: Google took them for one item."""
    return still.takeout_id is not None and still.takeout_id == movie.takeout_id


def _is_apple(camera: str) -> bool:
    return camera.lower().split()[:1] == ["apple"] or camera.lower().startswith(("iphone", "ipad", "ipod"))
