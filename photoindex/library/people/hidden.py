"""Leaves photos of hidden persons out of what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from photoindex.library.export.photo_cards import GalleryEntry, GalleryGroup
from photoindex.library.handle import Library
from photoindex.store.people.hidden import photos_of_hidden


def without_hidden(library: Library, groups: Sequence[GalleryGroup]) -> tuple[list[GalleryGroup], int]:
    """Return the groups without photos of hidden persons, and how many photos were left out.

    Where the photos of a group are the same picture, a hidden person in one of them leaves out all.
    """
    ids = sorted({entry.hit.id for group in groups for entry in group.entries})
    with library.database.read() as connection:
        hidden = photos_of_hidden(connection, ids)
    kept = [replace(group, entries=_shown(group, hidden)) for group in groups]
    left_out = sum(len(group.entries) for group in groups) - sum(len(group.entries) for group in kept)
    return kept, left_out


def _shown(group: GalleryGroup, hidden: set[int]) -> list[GalleryEntry]:
    if group.same_picture and any(entry.hit.id in hidden for entry in group.entries):
        return []
    return [entry for entry in group.entries if entry.hit.id not in hidden]
