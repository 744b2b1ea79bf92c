"""`photoindex people suggest`: who may be one person."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments import people_panels
from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import complete_person
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Row, choose_output, render

if TYPE_CHECKING:
    from photoindex.library.people.suggest import Suggestion

_COLUMNS = (
    Column("confidence", "Sure", justify="right", plain=True, show=lambda value: f"{100 * float(str(value)):.0f} %"),
    Column("into", "Person", plain=True),
    Column("others", "May be the same", plain=True, wide=True),
    Column("kind", "Why", spare=3),
    Column("nearest", "Most alike", spare=2),
    Column("command", "If so, run", spare=1),
    Column("people", structured=True),
    Column("examples", structured=True),
)


def add_to(group: typer.Typer) -> None:
    """Add the command to the group `people`."""
    group.command("suggest", rich_help_panel=people_panels.REVIEW)(_suggest)


def _suggest(
    person: Annotated[
        str | None,
        typer.Argument(
            metavar="PERSON",
            autocompletion=complete_person,
            help="Only about this person: number or name.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="At most so many.")] = 20,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Suggest groups without a name that look like somebody, and groups that may be one life; nothing is changed.

    `people merge` says that they are the same, `people apart` that they are not; neither is suggested again.
    """
    from photoindex.library.people.suggest import suggest

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    with opened(library, reading=True) as found, progress_sink(progress) as emit:
        suggestions = suggest(found, person, limit=limit, emit=emit)
    render(map(_row, suggestions), _COLUMNS, output)
    if not suggestions:
        print("nobody looks like somebody else", file=sys.stderr)


def _row(one: Suggestion) -> Row:
    (into, _), *others = one.people
    first = one.examples[0] if one.examples else None
    return {
        "confidence": round(one.confidence, 3),
        "into": str(into.id) if into.name is None else f"{into.name} ({into.id})",
        "others": ", ".join(
            f"{person.id if person.name is None else f'{person.name} ({person.id})'}: {count:,}"
            for person, count in others
        ),
        "kind": one.kind,
        "nearest": None if first is None else f"f{first.face} f{first.other_face} {first.cosine:.2f}",
        "command": f"photoindex people merge {into.id} {' '.join(str(person.id) for person, _ in others)}",
        "people": [{"id": person.id, "name": person.name, "faces": count} for person, count in one.people],
        "examples": [
            {
                "face": f"f{each.face}",
                "path": each.path,
                "other_face": f"f{each.other_face}",
                "other_path": each.other_path,
                "cosine": round(each.cosine, 4),
            }
            for each in one.examples
        ],
    }
