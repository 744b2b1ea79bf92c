"""`photoindex people name|merge|split|confirm|reject|…`: what a person says about people and their faces."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments import people_panels
from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.arguments.person_completion import complete_person
from photoindex.cli.output.details import print_json
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from photoindex.library.people.decisions.changes import PeopleChanged

PersonArgument = Annotated[
    str,
    typer.Argument(metavar="PERSON", autocompletion=complete_person, help="Number or name, as `people list` shows it."),
]
FacesArgument = Annotated[list[str], typer.Argument(metavar="FACE", help="f123, as `people show` lists them.")]


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group `people`."""
    group.command("name", rich_help_panel=people_panels.NAME)(_name)
    group.command("merge", rich_help_panel=people_panels.NAME)(_merge)
    group.command("confirm", rich_help_panel=people_panels.CORRECT)(_confirm)
    group.command("reject", rich_help_panel=people_panels.CORRECT)(_reject)
    group.command("split", rich_help_panel=people_panels.CORRECT)(_split)
    group.command("apart", rich_help_panel=people_panels.CORRECT)(_apart)
    group.command("repeats", rich_help_panel=people_panels.CORRECT)(_repeats)
    group.command("ignore", rich_help_panel=people_panels.HIDE)(_ignore)
    group.command("hide", rich_help_panel=people_panels.HIDE)(_hide)
    group.command("cover", rich_help_panel=people_panels.NAME)(_cover)
    group.command("born", rich_help_panel=people_panels.NAME)(_born)
    group.command("died", rich_help_panel=people_panels.NAME)(_died)


def _name(
    person: PersonArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Give a person a name, or another one."""
    from photoindex.library.people.decisions import changes

    with opened(library) as found:
        _say(changes.name(found, person, name), json=json)


def _merge(
    into: Annotated[
        str,
        typer.Argument(metavar="INTO", autocompletion=complete_person, help="The person who stays: number or name."),
    ],
    others: Annotated[
        list[str],
        typer.Argument(metavar="FROM", autocompletion=complete_person, help="The people who are the same one."),
    ],
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Make people one, who gets the faces of the others.

    `photoindex undo` gives each their number, name and faces back.
    """
    from photoindex.library.people.decisions import changes

    with opened(library) as found:
        _say(changes.merge(found, into, others), json=json)


def _confirm(
    person: PersonArgument,
    faces: Annotated[
        list[str] | None, typer.Argument(metavar="FACE", help="f123, of anybody; default: all of the person.")
    ] = None,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Say that faces show a person; no grouping takes them away again."""
    from photoindex.library.people.decisions import changes

    with opened(library) as found:
        _say(changes.confirm(found, person, faces or ()), json=json)


def _reject(
    person: PersonArgument, faces: FacesArgument, json: JsonOption = False, library: LibraryOption = None
) -> None:
    """Say that faces are not a person, which is remembered for ever."""
    from photoindex.library.people.decisions import changes

    with opened(library) as found:
        _say(changes.reject(found, person, faces), json=json)


def _split(
    person: PersonArgument,
    faces: FacesArgument,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="PERSON",
            autocompletion=complete_person,
            help="Whose they are; without it a new person's.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Make faces of a person another one's; that they are not this person is remembered for ever."""
    from photoindex.library.people.decisions import changes

    with opened(library) as found:
        _say(changes.split(found, person, faces, to=to), json=json)


def _apart(
    person: PersonArgument,
    other: Annotated[
        str, typer.Argument(metavar="PERSON", autocompletion=complete_person, help="The other one: number or name.")
    ],
    off: Annotated[bool, typer.Option("--off", help="Take it back.")] = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Say that two people are not the same: they are never suggested as one, or grouped together."""
    from photoindex.library.people.decisions import attributes

    with opened(library) as found:
        _say(attributes.keep_apart(found, person, other, on=not off), json=json)


def _repeats(
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH|QUERY",
            autocompletion=complete_path,
            help="Files, folders with all below them, or a query.",
        ),
    ],
    off: Annotated[bool, typer.Option("--off", help="Take it back.")] = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Say that photos may show somebody more than once: collages, mirrors, photos of photos."""
    from photoindex.library.people.decisions import attributes

    with opened(library) as found:
        _say(attributes.set_repeats(found, photos, on=not off), json=json)


def _ignore(
    strangers: Annotated[
        list[str], typer.Argument(metavar="PERSON|FACE", help="Numbers of groups without a name, or faces: f123.")
    ],
    off: Annotated[bool, typer.Option("--off", help="They are no strangers.")] = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Say that people or faces are strangers: they are neither listed nor suggested."""
    from photoindex.library.people.decisions import attributes

    with opened(library) as found:
        _say(attributes.ignore(found, strangers, on=not off), json=json)


def _hide(
    people: Annotated[
        list[str], typer.Argument(metavar="PERSON", autocompletion=complete_person, help="Numbers or names.")
    ],
    off: Annotated[bool, typer.Option("--off", help="Show them again.")] = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Leave photos of people out of galleries, sheets, previews and suggestions; paths are listed."""
    from photoindex.library.people.decisions import attributes

    with opened(library) as found:
        _say(attributes.hide(found, people, on=not off), json=json)


def _cover(
    person: PersonArgument,
    face: Annotated[str, typer.Argument(metavar="FACE", help="f123, one of the person's.")],
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Choose the face that shows a person in lists and pages."""
    from photoindex.library.people.decisions import attributes

    with opened(library) as found:
        _say(attributes.set_cover(found, person, face), json=json)


DateArgument = Annotated[
    str | None, typer.Argument(metavar="DATE", help="1974, 1974-06 or 1974-06-30.", show_default=False)
]


def _born(
    person: PersonArgument,
    date: DateArgument = None,
    off: Annotated[bool, typer.Option("--off", help="It is unknown.")] = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Say when a person was born: no face in an earlier photo can be theirs."""
    from photoindex.library.people.decisions import attributes

    wanted = _date(date, off=off)
    with opened(library) as found:
        _say(attributes.set_birth(found, person, wanted), json=json)


def _died(
    person: PersonArgument,
    date: DateArgument = None,
    off: Annotated[bool, typer.Option("--off", help="They live, or it is unknown.")] = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Say when a person died: no face in a later photo can be theirs."""
    from photoindex.library.people.decisions import attributes

    wanted = _date(date, off=off)
    with opened(library) as found:
        _say(attributes.set_death(found, person, wanted), json=json)


def _date(date: str | None, *, off: bool) -> str | None:
    if (date is None) != off:
        raise UsageError("give a date such as 1974-06, or --off for an unknown one")
    return date


def _say(done: PeopleChanged, *, json: bool) -> None:
    if json:
        print_json(
            {
                "schema": 1,
                "entry": done.entry_id,
                "person": done.person_id,
                "summary": done.summary,
                "notes": list(done.notes),
            }
        )
        return
    from photoindex.cli.output.render import visible

    for note in done.notes:
        print(visible(note), file=sys.stderr)
    if done.entry_id is None:
        print("nothing to change")
    else:
        print(f"{visible(done.summary)}; take it back with: photoindex undo {done.entry_id}")
