"""`photoindex people …`: who is in the photos, and what a person says about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments import people_panels
from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import complete_person
from photoindex.cli.commands import people_decisions, people_find, people_review, people_suggestions, people_transfer
from photoindex.cli.output.details import Section, print_details, print_json
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Row, choose_output, render
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from photoindex.library.people.people import ListedFace, ListedPerson, PersonDetails, Which

_UNNAMED = 20
"""Groups without a name that are listed unless asked otherwise."""

PersonArgument = Annotated[
    str,
    typer.Argument(metavar="PERSON", autocompletion=complete_person, help="Number or name, as `people list` shows it."),
]

_COLUMNS = (
    Column("id", "Person", plain=True, justify="right", style="cyan"),
    Column("name", "Name", plain=True, wide=True),
    Column("faces", "Faces", plain=True, justify="right", show=lambda value: f"{value:,}"),
    Column("confirmed", "Confirmed", justify="right", spare=3, show=lambda value: f"{value:,}"),
    Column("photos", "Photos", justify="right", spare=4, show=lambda value: f"{value:,}"),
    Column("first_at", "First", show=lambda value: str(value)[:10]),
    Column("last_at", "Last", show=lambda value: str(value)[:10]),
    Column("born", "Born", spare=2),
    Column("died", "Died", spare=6),
    Column("cover", "Cover", spare=1),
    Column("hidden", "Hidden", spare=5, show=lambda value: "yes" if value else ""),
    Column("ignored", "Stranger", spare=5, show=lambda value: "yes" if value else ""),
)
_FACES = (
    Column("face", "Face", plain=True, style="cyan"),
    Column("path", "Path", plain=True, wide=True),
    Column("taken_at", "Taken", spare=1, show=lambda value: str(value)[:10]),
    Column("how", "How", spare=2),
    Column("certainty", "Sure", justify="right", spare=3, show=lambda value: f"{value:.2f}"),
    Column("why", "Problem", spare=4),
    Column("photo"),
    *(Column(name) for name in ("x", "y", "width", "height")),
)


def register(app: typer.Typer) -> None:
    """Add the command `people`."""
    group = typer.Typer(
        name="people",
        help="List and name people, and correct who is in a photo; every change can be undone.",
        no_args_is_help=True,
    )
    group.command("list", rich_help_panel=people_panels.LOOK)(_list)
    group.command("show", rich_help_panel=people_panels.LOOK)(_show)
    people_find.add_to(group)
    people_decisions.add_to(group)
    people_suggestions.add_to(group)
    people_review.add_to(group)
    people_transfer.add_to(group)
    app.add_typer(group)


def _list(
    named: Annotated[bool, typer.Option("--named", help="Only people with a name.")] = False,
    unnamed: Annotated[bool, typer.Option("--unnamed", help="Only groups of faces without a name.")] = False,
    ignored: Annotated[bool, typer.Option("--ignored", help="Only strangers.")] = False,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody, strangers too, without a limit.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=0, help="At most so many groups without a name.")
    ] = _UNNAMED,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """List people: those with a name, then the largest groups of faces without one."""
    from photoindex.library.people.people import list_people

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    which = _which(named=named, unnamed=unnamed, ignored=ignored, everybody=everybody)
    with opened(library, reading=True) as found:
        people = list_people(found, which, limit=limit)
    render(map(_row, people.people), _COLUMNS, output)
    if not people.people:
        print("there is nobody to list; to group faces into people, run: photoindex cluster", file=sys.stderr)
    if people.left:
        groups = "group has" if people.left == 1 else "groups have"
        print(f"{people.left:,} more {groups} no name; list all with: photoindex people list --all", file=sys.stderr)


def _which(*, named: bool, unnamed: bool, ignored: bool, everybody: bool) -> Which:
    from photoindex.library.people.people import Which

    asked = [
        which
        for given, which in (
            (named, Which.NAMED),
            (unnamed, Which.UNNAMED),
            (ignored, Which.IGNORED),
            (everybody, Which.ALL),
        )
        if given
    ]
    if len(asked) > 1:
        raise UsageError("--named, --unnamed, --ignored and --all exclude each other; use only one")
    return asked[0] if asked else Which.USUAL


def _row(one: ListedPerson) -> Row:
    cover = one.cover_id
    return {
        "id": one.person.id,
        "name": one.person.name,
        "faces": one.summary.faces,
        "confirmed": one.summary.confirmed,
        "photos": one.summary.photos,
        "first_at": one.summary.first_at,
        "last_at": one.summary.last_at,
        "born": one.person.born,
        "died": one.person.died,
        "cover": None if cover is None else f"f{cover}",
        "hidden": one.person.hidden,
        "ignored": one.person.ignored,
    }


def _show(
    person: PersonArgument,
    faces: Annotated[bool, typer.Option("--faces", help="List all faces instead, with their numbers.")] = False,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """Show a person: faces by year, those that the program is least sure of, and those that cannot be right."""
    from photoindex.library.people.people import faces_of, show_person

    if not faces and (csv or csv_safe):
        raise UsageError("--csv goes with --faces: the details are no table")
    with opened(library, reading=True) as found:
        if faces:
            output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
            render(map(_face_row, faces_of(found, person)), _FACES, output)
            return
        details = show_person(found, person)
    if json:
        print_json(_details_as_json(details))
    else:
        print_details(_title(details), list(_sections(details)))


def _face_row(one: ListedFace) -> Row:
    return {
        "face": f"f{one.face.id}",
        "path": one.path,
        "taken_at": one.face.taken_at,
        "how": one.face.how,
        "certainty": one.face.certainty,
        "why": one.why,
        "photo": one.face.photo_id,
        "x": one.face.x,
        "y": one.face.y,
        "width": one.face.width,
        "height": one.face.height,
    }


def _title(details: PersonDetails) -> str:
    person = details.listed.person
    return f"person {person.id}" if person.name is None else f"{person.name} (person {person.id})"


def _sections(details: PersonDetails) -> list[Section]:
    person, summary = details.listed.person, details.listed.summary
    cover = details.listed.cover_id
    facts: list[tuple[str, object]] = [
        ("faces", f"{summary.faces:,}, of which {summary.confirmed:,} confirmed"),
        ("photos", f"{summary.photos:,}"),
        ("from", _day(summary.first_at, of_file=_of_file(details))),
        ("to", _day(summary.last_at, of_file=_of_file(details))),
        ("born", person.born),
        ("died", person.died),
        ("cover", "" if cover is None else f"f{cover}"),
        ("also called", ", ".join(details.names)),
        ("hidden", "yes" if person.hidden else ""),
        ("stranger", "yes" if person.ignored else ""),
        (
            "not the same",
            ", ".join(str(one.id) if one.name is None else f"{one.name} ({one.id})" for one in details.apart),
        ),
        ("rejected faces", f"{details.rejected:,}" if details.rejected else ""),
    ]
    return [
        Section("person", [fact for fact in facts if fact[1]]),
        Section("faces by year", [(year or "unknown", f"{count:,}") for year, count in details.years]),
        Section("least sure", [_face_cells(one) for one in details.doubtful]),
        Section("cannot be right", [(*_face_cells(one), one.why) for one in details.conflicts]),
    ]


def _of_file(details: PersonDetails) -> bool:
    """Return whether no face has another time than that of a file."""
    return not any(year for year, _ in details.years)


def _day(taken_at: str | None, *, of_file: bool) -> str:
    """Return a day; ~ before it says that it is only that of a file, as copies get new ones."""
    return ("~" if of_file else "") + taken_at[:10] if taken_at else ""


def _face_cells(one: ListedFace) -> tuple[object, ...]:
    certainty = "" if one.face.certainty is None else f"{one.face.certainty:.2f}"
    day = _day(one.face.taken_at, of_file=one.face.taken_at_source == "mtime")
    return (f"f{one.face.id}", certainty, day, one.path)


def _details_as_json(details: PersonDetails) -> dict[str, object]:
    return {
        "schema": 1,
        **_row(details.listed),
        "names": list(details.names),
        "apart": [one.id for one in details.apart],
        "rejected": details.rejected,
        "years": [{"year": year, "faces": count} for year, count in details.years],
        "doubtful": [_face_row(one) for one in details.doubtful],
        "conflicts": [_face_row(one) for one in details.conflicts],
    }
