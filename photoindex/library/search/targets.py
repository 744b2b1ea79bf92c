"""Resolves command-line arguments to photos: paths in the library, or a query."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.errors import NothingFound, UsageError
from photoindex.file_access import as_on_disk
from photoindex.library.handle import Library
from photoindex.library.originals.path_lookup import find_file, folders_at
from photoindex.library.search.find import matching_photo_ids
from photoindex.paths import display, from_text, shell_word
from photoindex.store.files.locations import Location
from photoindex.store.files.volumes import VolumeRow, all_volumes
from photoindex.store.search.targets import PhotoOfFile, photo_of_file, photos_below

_LIKE_A_FILE = re.compile(r"[^-:\"][^:\"]*(/[^:\"]*|\.[A-Za-z][A-Za-z0-9]{1,4})")
"""A word of a query that was more likely meant as the name of a file: with a slash or an extension."""
_PATH_BEGINNINGS = (b"/", b"./", b"../")


@dataclass(frozen=True, slots=True)
class Targets:
    """The chosen photos.

    photo_ids: ascending, or in the order of the query's answer, without duplicates. files: individually named files. photos_of_folders: the photos in named
    folders. by_query: whether the photos were chosen by a query.
    """

    photo_ids: tuple[int, ...]
    files: tuple[PhotoOfFile, ...] = ()
    photos_of_folders: tuple[int, ...] = ()
    by_query: bool = False


ByWords = Callable[[Library, Sequence[str]], Sequence[int]]
"""Returns the photos that the words of a query find."""


def choose_targets(library: Library, arguments: Sequence[str], by_words: ByWords = matching_photo_ids) -> Targets:
    """Return the photos given by paths (of files or folders, relative or absolute) or by the words of a query.

    An argument is a path if it is in the library, starts with `/`, `./` or `../`, or exists. All other arguments
    together are a query, which `by_words` answers, in texts and fields alone by default. Raises NothingFound for a path that is not in the library or not a photo, and
    if no photo matches, also where a word seems to be a mistyped name of a file; UsageError for paths together with a query, and for no arguments; QuerySyntaxError.
    """
    if not any(argument.strip() for argument in arguments):
        raise UsageError("name the photos: a PATH of a file or folder, or a query such as camera:canon")
    files: list[PhotoOfFile] = []
    folders: list[Location] = []
    words: list[str] = []
    with library.database.read() as connection:
        volumes = all_volumes(connection)
        for argument in arguments:
            path = from_text(argument)
            file_id = find_file(connection, path) if path and b"\0" not in path else None
            locations = [] if file_id is not None else _folders(connection, path, volumes)
            if file_id is not None:
                files.append(_photo_of(connection, file_id, path))
            elif locations:
                folders += locations
            elif _is_path(path):
                raise NothingFound(f"{display(path)} is not in the library; see: photoindex why {shell_word(path)}")
            else:
                words.append(argument)
        in_folders = photos_below(connection, folders) if folders else []
    if words and (files or folders):
        raise UsageError(
            f"'{display(from_text(words[0]))}' is not a path in the library, and paths cannot be combined "
            "with a query; for the matching photos of a folder, write the folder as path:FOLDER"
        )
    if words:
        found = by_words(library, words)
        if not found:
            name = next(filter(_LIKE_A_FILE.fullmatch, words), None)
            there_is = "" if name is None else f", and there is no file {display(from_text(name))}"
            raise NothingFound(f"no photo matches{there_is}")
        return Targets(tuple(found), by_query=True)
    photo_ids = sorted({one.photo_id for one in files}.union(in_folders))
    if not photo_ids:
        raise NothingFound("there is no photo in these folders")
    return Targets(tuple(photo_ids), tuple(dict.fromkeys(files)), tuple(in_folders))


def _folders(connection: Connection, path: bytes, volumes: Sequence[VolumeRow]) -> list[Location]:
    if not path or b"\0" in path:
        return []
    return folders_at(connection, path, volumes)


def _is_path(path: bytes) -> bool:
    return path.startswith(_PATH_BEGINNINGS) or (b"\0" not in path and os.path.lexists(as_on_disk(path)))


def _photo_of(connection: Connection, file_id: int, path: bytes) -> PhotoOfFile:
    found = photo_of_file(connection, file_id)
    if found is None:
        raise NothingFound(
            f"{display(path)} is in the library, but it is not a photo; see: photoindex why {shell_word(path)}"
        )
    return found
