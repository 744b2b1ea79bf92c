"""`photoindex show PATH|NAME|ID…`: everything about a photo, each fact with its source."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.arguments.picture_options import HiddenOption, SensitiveOption, show_one
from photoindex.cli.output.details import Section, print_details, print_json, size_text
from photoindex.cli.output.fact_rows import fact_rows
from photoindex.errors import NothingFound, UsageError

if TYPE_CHECKING:
    from photoindex.library.photos.show import Shown


def register(app: typer.Typer) -> None:
    """Add the command `show`."""
    app.command("show")(show)


def show(
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTO",
            autocompletion=complete_path,
            help="A file of the photo, its name anywhere in the library, or the photo's id.",
        ),
    ],
    json: JsonOption = False,
    thumbnail: Annotated[
        bool,
        typer.Option("--thumbnail", help="Also show the picture, in a terminal or in a preview window of fzf."),
    ] = False,
    hidden: HiddenOption = False,
    sensitive: SensitiveOption = False,
    library: LibraryOption = None,
) -> None:
    """Show everything about photos, each fact with its source."""
    from photoindex.library.photos.show import Unknown, as_json
    from photoindex.library.photos.show import show as show_photos

    if thumbnail and json:
        raise UsageError("--thumbnail shows a picture above the text; it goes without --json")
    unknown = 0
    with opened(library, reading=True) as found:
        for number, one in enumerate(show_photos(found, [os.fsencode(each) for each in photos])):
            if isinstance(one, Unknown):
                unknown += 1
                print(f"photoindex: {one.message}", file=sys.stderr)
            elif json:
                print_json(as_json(one))
            else:
                if number:
                    print()
                if thumbnail:
                    show_one(found, one, hidden=hidden, sensitive=sensitive)
                _print(one)
    if unknown:
        raise typer.Exit(NothingFound.exit_code)


def _print(shown: Shown) -> None:
    from photoindex.library.words.text_shown import first_lines

    photo = shown.photo
    title = "not a photo of the library" if photo is None else f"photo {photo.id}"
    sections = [
        Section("what", _what(shown)),
        Section("facts", _facts(shown)),
        Section("captions", [(one.model, one.text) for one in shown.captions]),
        Section("faces", _faces(shown)),
        Section("text in the picture", first_lines(shown.ocr)),
        Section("tags", _tags(shown)),
        Section("albums", [(one.name, one.kind) for one in shown.albums]),
        Section("contents", _contents(shown)),
        Section("files", _files(shown)),
        Section("sidecars", [(one.kind, one.path, one.why) for one in shown.sidecars]),
        Section("tasks", _tasks(shown)),
        Section("notes", _notes(shown)),
        Section(
            "derived",
            [
                (label, os.fsencode(path))
                for label, path in (("preview", shown.preview), ("thumbnail", shown.thumbnail))
                if path
            ],
        ),
    ]
    print_details(f"{title}  {_as_text(shown.asked)}", sections)


def _as_text(path: bytes) -> str:
    from photoindex.paths import to_text

    return to_text(path)


def _what(shown: Shown) -> list[tuple[str, object]]:
    photo, content = shown.photo, shown.content
    if photo is None:
        return []
    rows: list[tuple[str, object]] = [("kind", f"{photo.kind}, {photo.format}, {size_text(photo.size_bytes)}")]
    if photo.width and photo.height:
        rows.append(("size", f"{photo.width} x {photo.height} pixels, orientation {photo.orientation}"))
    if photo.duration_seconds is not None:
        rows.append(("duration", f"{photo.duration_seconds:g} s"))
    if content is not None:
        rows.append(("digest", content.digest.hex()))
        if content.perceptual_hash is not None:
            rows.append(("perceptual hash", f"{content.perceptual_hash:016x}"))
    return rows


def _facts(shown: Shown) -> list[tuple[str, object, str]]:
    from photoindex.library.photos.show import RESOLVED_NAMES

    if shown.photo is None:
        return []
    said = any("favourite" in facts for facts in shown.facts.values())
    return fact_rows((*RESOLVED_NAMES, *(["favourite"] if said else [])), shown.photo.resolved, shown.facts)


def _tags(shown: Shown) -> list[tuple[object, ...]]:
    """Return the tags that are shown, by source, and those that a person rejected."""
    rows: list[tuple[object, ...]] = []
    for one in shown.tags:
        sure = "" if one.confidence is None else f"{one.confidence:.2f}"
        if one.rejected or one.shown:
            notes = ["uncalibrated"] * (one.calibrated is False) + ["rejected by you"] * one.rejected
            rows.append((one.tag.name, one.source, sure, ", ".join(notes)))
    return rows


def _faces(shown: Shown) -> list[tuple[object, ...]]:
    from photoindex.library.people.arguments import face_text
    from photoindex.library.photos.shown_faces import how_known, how_turned, whose

    rows: list[tuple[object, ...]] = []
    for one in shown.faces:
        place = ""
        if one.pixels is not None:
            left, top, width, height = one.pixels
            place = f"{width} x {height} pixels at {left}, {top}"
        rows.append((face_text(one.row.id), whose(one), how_known(one), place, how_turned(one)))
    return rows


def _contents(shown: Shown) -> list[tuple[object, ...]]:
    """Return rows about the parts of a photo: its contents if there are several, its burst, its motion video."""
    rows: list[tuple[object, ...]] = []
    if len(shown.contents) > 1:
        rows += [(one.role, f"{one.kind}, {one.format}", one.pair_reason or "") for one in shown.contents]
    if len(shown.burst) > 1:
        rows.append(("burst", f"{len(shown.burst)} photos", "ids " + ", ".join(map(str, shown.burst))))
    if shown.photo is not None and shown.photo.motion:
        rows.append(("motion", "video", "the file also contains a short video"))
    return rows


def _files(shown: Shown) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in shown.files:
        state = one.state if shown.online[one.volume_id] else f"{one.state}, {one.volume_label} is offline"
        rows.append((one.role or "", one.path, size_text(one.size_bytes), state, one.reason or ""))
    return rows


def _notes(shown: Shown) -> list[tuple[object, ...]]:
    """Return notes on the photo's content and, once each, on its sidecars by name."""
    rows: list[tuple[object, ...]] = [("", note) for note in shown.content.notes] if shown.content else []
    rows += [("", note) for note in shown.face_notes]
    of_sidecars = {one.path: one.notes for one in shown.sidecars}
    return rows + [(os.path.basename(path), note) for path, notes in of_sidecars.items() for note in notes]


def _tasks(shown: Shown) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for one in shown.tasks:
        took = "" if one.seconds is None else f"{one.seconds:.3g} s"
        problem = "" if one.error is None else f"{one.error_class}: {one.error}"
        rows.append((one.stage, one.label, took, f"attempts {one.attempts}", problem))
    return rows
