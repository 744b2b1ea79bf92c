"""Leaves photos of hidden persons, and sensitive photos, out of what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from photoindex.library.export.photo_cards import GalleryEntry, GalleryGroup
from photoindex.library.handle import Library
from photoindex.store.people.hidden import photos_of_hidden
from photoindex.store.search.tags import sensitive_among


def without_hidden(library: Library, groups: Sequence[GalleryGroup]) -> tuple[list[GalleryGroup], int]:
    """Return the groups without photos of hidden persons, and how many photos were left out.

    Where the photos of a group are the same picture, a hidden person in one of them leaves out all.
    """
    with library.database.read() as connection:
        return _without(groups, photos_of_hidden(connection, _ids(groups)))


def without_sensitive(library: Library, groups: Sequence[GalleryGroup]) -> tuple[list[GalleryGroup], int]:
    """Return the groups without sensitive photos, and how many photos were left out; equal pictures as for hidden persons."""
    with library.database.read() as connection:
        return _without(groups, sensitive_among(connection, _ids(groups)))


def left_out(library: Library, photo_ids: Sequence[int]) -> tuple[set[int], set[int]]:
    """Return those of the photos that show hidden persons, and those that are sensitive."""
    with library.database.read() as connection:
        return photos_of_hidden(connection, photo_ids), sensitive_among(connection, photo_ids)


def _ids(groups: Sequence[GalleryGroup]) -> list[int]:
    return sorted({entry.hit.id for group in groups for entry in group.entries})


def _without(groups: Sequence[GalleryGroup], photo_ids: set[int]) -> tuple[list[GalleryGroup], int]:
    kept = [replace(group, entries=_shown(group, photo_ids)) for group in groups]
    left_out = sum(len(group.entries) for group in groups) - sum(len(group.entries) for group in kept)
    return kept, left_out


def _shown(group: GalleryGroup, hidden: set[int]) -> list[GalleryEntry]:
    if group.same_picture and any(entry.hit.id in hidden for entry in group.entries):
        return []
    return [entry for entry in group.entries if entry.hit.id not in hidden]
