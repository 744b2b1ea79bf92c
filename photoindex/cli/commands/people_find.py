"""`photoindex people find FILE`: who is in a picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments import people_panels
from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Row, choose_output, render, visible
from photoindex.errors import NothingFound

if TYPE_CHECKING:
    from photoindex.library.people.queries.find import Candidate, FoundFace

_COLUMNS = (
    Column("face", "Face", justify="right"),
    Column("sure", "Sure", show=lambda value: "yes" if value else "maybe"),
    Column("person", "Person", plain=True, justify="right", style="cyan"),
    Column("name", "Name", plain=True, wide=True),
    Column("confidence", "Confidence", plain=True, justify="right", show=lambda value: f"{value:.3f}"),
    Column("likeness", "Likeness", justify="right", spare=2, show=lambda value: f"{value:.3f}"),
    Column("example", "Example", spare=1),
    Column("path", "Its photo", wide=True, spare=3),
    *(Column(name) for name in ("examples", "x", "y", "width", "height")),
)


def add_to(group: typer.Typer) -> None:
    """Add the command `people find`."""
    group.command("find", rich_help_panel=people_panels.LOOK)(find)


def find(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", autocompletion=complete_path, help="A picture, in the library or not.")
    ],
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """Say who is in a picture, from left to right, and who else each face is like.

    Confidence: the chance that no stranger in the library is as alike. Likeness: the mean cosine of the three nearest faces.
    """
    from photoindex.library.people.queries.find import people_in_picture

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    path = os.fsencode(file)
    with opened(library, reading=True) as found:
        faces = people_in_picture(found, path)
    if not faces:
        raise NothingFound(f"no face is found in {visible(path)}")
    render((row for number, face in enumerate(faces, 1) for row in _rows(number, face)), _COLUMNS, output)
    unknown = sum(face.person is None for face in faces)
    if unknown:
        which = "the face is" if len(faces) == 1 else f"{unknown} of {len(faces)} faces are"
        print(f"{which} not enough like anybody", file=sys.stderr)
    if not any(face.person or face.candidates for face in faces):
        raise NothingFound(f"nobody is known who looks like a face in {visible(path)}")


def _rows(number: int, face: FoundFace) -> Iterator[Row]:
    place: Row = {"x": face.box.x, "y": face.box.y, "width": face.box.width, "height": face.box.height}
    people = [(True, face.person)] if face.person else []
    people += [(False, one) for one in face.candidates]
    for sure, one in people:
        yield {"face": number, "sure": sure, **_columns(one), **place}


def _columns(one: Candidate) -> Row:
    first = one.examples[0]
    return {
        "person": one.person.id,
        "name": one.person.name,
        "confidence": one.confidence,
        "likeness": one.likeness,
        "example": f"f{first.face_id}",
        "path": first.path,
        "examples": [
            {"face": f"f{each.face_id}", "photo": each.photo_id, "cosine": round(each.cosine, 4)}
            for each in one.examples
        ],
    }
