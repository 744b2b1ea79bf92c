"""The files of photos that go together: a photo's contents, its sidecars, and what a layout calls them."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from photoindex.library.export.layout import Layout, safe
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import volumes_now
from photoindex.library.photos.events import Event, found_events
from photoindex.library.search.hits import CHUNK_PHOTOS, Hit, read_hits
from photoindex.paths import from_text, to_text
from photoindex.store.files.together import PhotoFile, SidecarFile, of_photos, sidecars_of
from photoindex.store.photos import layout_names

_REJECTED = -1
_BETWEEN = ".-_ (+~"
"""What may follow the stem of the main file's name in that of another file: IMG_1.jpg.xmp, IMG_1-edited.jpg."""


@dataclass(frozen=True, slots=True)
class SetFile:
    """One file to export. path: where it is now, None on a volume that is not mounted. digest: BLAKE3; None for a sidecar.

    stem, rest: its name in the layout; a number goes between them.
    """

    path: bytes | None
    known_path: bytes
    size_bytes: int
    digest: bytes | None
    stem: bytes
    rest: bytes

    def name(self, number: int) -> bytes:
        """Return its name with a number, which the first does not have."""
        return self.stem + (b"" if number == 1 else b"-%d" % number) + self.rest


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """The present files of one photo, its main file first. folders: of the layout, below the target."""

    photo_id: int
    folders: tuple[bytes, ...]
    files: tuple[SetFile, ...]


class PhotoSets:
    """Finds the files of photos, and what a layout calls them."""

    def __init__(self, library: Library, layout: Layout) -> None:
        """Find the events, where the layout names them."""
        self._library = library
        self._layout = layout
        self._events = _Events(found_events(library) if "event" in layout.fields else [])

    def of(self, photo_ids: Sequence[int]) -> Iterator[PhotoSet]:
        """Yield the files of photos in their order; a photo without a present file has none."""
        for start in range(0, len(photo_ids), CHUNK_PHOTOS):
            yield from self._of_chunk(photo_ids[start : start + CHUNK_PHOTOS])

    def _of_chunk(self, photo_ids: Sequence[int]) -> Iterator[PhotoSet]:
        with self._library.database.read() as connection:
            mounts = {number: volume.mounted_at for number, volume in volumes_now(connection).items()}
            files = {number: _one_of_each(found) for number, found in of_photos(connection, photo_ids).items()}
            photo_of = {file.id: file.photo_id for found in files.values() for file in found}
            sidecars: dict[int, list[SidecarFile]] = {}
            for sidecar in sidecars_of(connection, list(photo_of)):
                for photo_id in {photo_of[number] for number in sidecar.about if number in photo_of}:
                    sidecars.setdefault(photo_id, []).append(sidecar)
            places = layout_names.places(connection, photo_ids)
            people = layout_names.people(connection, photo_ids)
            albums = layout_names.albums(connection, photo_ids)
        for hit in read_hits(self._library, photo_ids):
            place = places.get(hit.id)
            around: dict[str, str | None] = {
                "event": self._events.at(hit),
                "city": place and place.city,
                "country": place and place.country,
                "person": " & ".join(people.get(hit.id, [])),
                "album": albums.get(hit.id),
            }
            yield _set(hit, files.get(hit.id, []), sidecars.get(hit.id, []), self._layout, around, mounts)


def _one_of_each(files: Sequence[PhotoFile]) -> list[PhotoFile]:
    """Return one file of each content, the primary first, and of equal ones that in the folder of the primary."""
    ordered = sorted(files, key=lambda file: (file.role != "primary", file.id))
    home = ordered[0].folder_id
    ordered.sort(key=lambda file: (file.role != "primary", file.folder_id != home, file.id))
    return list({file.asset_id: file for file in reversed(ordered)}.values())[::-1]


def _set(
    hit: Hit,
    files: Sequence[PhotoFile],
    sidecars: Sequence[SidecarFile],
    layout: Layout,
    around: dict[str, str | None],
    mounts: Mapping[int, bytes | None],
) -> PhotoSet:
    if not files:
        return PhotoSet(hit.id, (), ())
    main = to_text(files[0].name)
    folders, name = layout.fill(_values(hit, main) | around)
    parts: list[SetFile] = []
    everything: list[PhotoFile | SidecarFile] = [*files, *sidecars]
    for file in everything:
        own = name if file is files[0] else to_text(os.path.basename(file.location))
        mount = mounts.get(file.volume_id)
        path = None if mount is None else os.path.join(mount, file.location)
        digest = file.digest if isinstance(file, PhotoFile) else None
        stem, rest = _called(own, main, name, is_main=file is files[0])
        while any(stem + rest == other.name(1) for other in parts):
            stem += b"_2"
        parts.append(SetFile(path, os.path.join(file.mount_point, file.location), file.size_bytes, digest, stem, rest))
    return PhotoSet(hit.id, tuple(map(from_text, folders)), tuple(parts))


def _called(own: str, main: str, name: str, *, is_main: bool) -> tuple[bytes, bytes]:
    """Return stem and rest of a file's name: what begins as the main file's name goes on doing so in the layout."""
    new_stem, extension = os.path.splitext(name)
    if is_main:
        return from_text(new_stem), from_text(extension)
    old_stem = os.path.splitext(main)[0]
    rest = own[len(old_stem) :]
    if own.lower().startswith(old_stem.lower()) and len(rest) > 1 and not rest[0].isalnum():
        between = rest[0] if rest[0] in _BETWEEN else "_"
        return from_text(new_stem), from_text(between + safe(rest[1:]))
    stem, extension = os.path.splitext(safe(own))
    return from_text(stem), from_text(extension)


def _values(hit: Hit, name: str) -> dict[str, str | None]:
    stem, extension = os.path.splitext(name)
    taken, precision = hit.taken_at or "", hit.taken_at_precision
    digits = {"year": 4, "month": 7}.get(precision or "", 10)
    known = taken[:digits]
    return {
        "year": known[:4],
        "month": known[5:7],
        "day": known[8:10],
        "date": known if len(known) == 10 else None,
        "place": hit.place,
        "camera": hit.camera,
        "rating": None if hit.rating is None else "rejected" if hit.rating == _REJECTED else str(hit.rating),
        "name": name,
        "stem": stem,
        "ext": extension.lstrip(".").lower(),
        "id": str(hit.id),
    }


class _Events:
    """Finds the trip, or else the day, in which a photo was taken."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._of_kind = [
            sorted((event.first_at, event.last_at, event.key) for event in events if event.kind == kind)
            for kind in ("trip", "day")
        ]

    def at(self, hit: Hit) -> str | None:
        """Return the key of the event, None if it is in none."""
        if not hit.taken_at or hit.taken_at_precision in ("month", "year"):
            return None
        moment = hit.taken_at[:19]
        for events in self._of_kind:
            index = bisect_right(events, (moment, "\U0010ffff")) - 1
            if index >= 0 and moment <= events[index][1]:
                return events[index][2]
        return None
