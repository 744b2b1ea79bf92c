"""Whom a face can show: nobody is twice in a photo, or in one taken before their birth or after their death."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.domain.people.lifetimes import impossible_on, taken_on
from photoindex.domain.people.values import FIXED
from photoindex.errors import UsageError
from photoindex.library.people.arguments import face_text, person_text
from photoindex.paths import display, shell_word
from photoindex.store.people import faces
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow
from photoindex.store.search.targets import first_paths

_NAMED = 5


class CannotBe(UsageError):
    """Faces cannot show a person; nothing was changed."""

    meaning = ""


def is_fixed(face: FaceRow) -> bool:
    """Tell whether a person, or a file, said who a face is."""
    return face.how in FIXED


def outside_life(person: IndividualRow, given: Sequence[FaceRow]) -> dict[int, str]:
    """Return face -> why, of those in photos taken before the person's birth or after their death."""
    found: dict[int, str] = {}
    for face in given:
        day = taken_on(face.taken_at, face.taken_at_precision, face.taken_at_source)
        why = impossible_on(day, born=person.born, died=person.died)
        if why is not None:
            found[face.id] = why
    return found


@dataclass(frozen=True, slots=True)
class InOnePhoto:
    """Faces of one person in the same content.

    twice: those of which a person's word, now or before, says that they show the person. given_up: those that only the
    program gave to them, which give way.
    """

    twice: tuple[tuple[FaceRow, FaceRow], ...]
    given_up: tuple[FaceRow, ...]


def in_one_photo(
    connection: Connection, person_id: int, given: Sequence[FaceRow], has: Sequence[FaceRow]
) -> InOnePhoto:
    """Return which faces are in one content with another of the same person, if `given` join those that they have.

    Contents that may show somebody more than once are left out.
    """
    chosen = {one.id for one in given}
    by_asset: defaultdict[int, list[FaceRow]] = defaultdict(list)
    for one in given:
        by_asset[one.asset_id].append(one)
    others: defaultdict[int, list[FaceRow]] = defaultdict(list)
    for one in has:
        if one.individual_id == person_id and one.id not in chosen and one.asset_id in by_asset:
            others[one.asset_id].append(one)
    crowded = [asset_id for asset_id, some in by_asset.items() if len(some) + len(others[asset_id]) > 1]
    allowed = faces.with_repeats(connection, crowded)
    twice: list[tuple[FaceRow, FaceRow]] = []
    given_up: list[FaceRow] = []
    for asset_id in crowded:
        if asset_id in allowed:
            continue
        first, *more = by_asset[asset_id]
        twice += [(first, one) for one in more]
        for one in others[asset_id]:
            if is_fixed(one):
                twice.append((one, first))
            else:
                given_up.append(one)
    return InOnePhoto(tuple(twice), tuple(given_up))


def refuse_outside_life(connection: Connection, person: IndividualRow, given: Sequence[FaceRow]) -> None:
    """Raise CannotBe for faces in photos taken before the person's birth or after their death."""
    outside = outside_life(person, given)
    if not outside:
        return
    first = next(one for one in given if one.id in outside)
    path = _path(connection, first)
    more = f", and {len(outside) - 1:,} more" if len(outside) > 1 else ""
    date = (
        f"photoindex people born {person.id} DATE"
        if "birth" in outside[first.id]
        else f"photoindex people died {person.id} DATE"
    )
    raise CannotBe(
        f"{face_text(first.id)} in {display(path)} cannot be {person_text(person)}: {outside[first.id]}{more}; correct the "
        f"date with: {date}, or the photo's with: photoindex time set "
        f"{shell_word(path)} --to WHEN"
    )


def refuse_twice(connection: Connection, person: IndividualRow, pairs: Sequence[tuple[FaceRow, FaceRow]]) -> None:
    """Raise CannotBe if there are pairs of faces of one person in one photo."""
    if not pairs:
        return
    photos = {other.photo_id: (one, other) for one, other in pairs}
    paths = first_paths(connection, list(photos)[:_NAMED])
    named = ", ".join(
        f"{display(paths.get(photo_id, b''))} ({face_text(one.id)} and {face_text(other.id)})"
        for photo_id, (one, other) in list(photos.items())[:_NAMED]
    )
    more = f" and {len(photos) - _NAMED:,} more" if len(photos) > _NAMED else ""
    first = shell_word(paths.get(next(iter(photos)), b""))
    raise CannotBe(
        f"{person_text(person)} would be twice in {named}{more}, and two faces in one photo are two people; for a collage, a "
        f"mirror or a photo of photos, first run: photoindex people repeats {first}"
    )


def refuse_rejected(person: IndividualRow, given: Sequence[FaceRow], rejected: Collection[int]) -> None:
    """Raise CannotBe for faces that a person gave to another one, and said not to be this person."""
    conflicting = [one for one in given if one.id in rejected and is_fixed(one)]
    if not conflicting:
        return
    named = " ".join(face_text(one.id) for one in conflicting[:_NAMED])
    more = f" and {len(conflicting) - _NAMED:,} more" if len(conflicting) > _NAMED else ""
    raise CannotBe(
        f"you said that {named}{more} {'is' if len(conflicting) == 1 else 'are'} not {person_text(person)}; if that was "
        f"wrong, first run: photoindex people confirm {person.id} {named}"
    )


def _path(connection: Connection, face: FaceRow) -> bytes:
    return first_paths(connection, [face.photo_id]).get(face.photo_id, b"")
