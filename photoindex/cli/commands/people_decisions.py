"""`photoindex people name|merge|split|confirm|reject|…`: what a person says about people and their faces."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.output.details import print_json

if TYPE_CHECKING:
    from photoindex.library.people.changes import PeopleChanged

PersonArgument = Annotated[str, typer.Argument(metavar="PERSON", help="Number or name, as `people list` shows it.")]
FacesArgument = Annotated[list[str], typer.Argument(metavar="FACE...", help="f123, as `people show` lists them.")]


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group `people`."""
    group.command("name")(_name)
    group.command("merge")(_merge)
    group.command("confirm")(_confirm)
    group.command("reject")(_reject)


def _name(
    person: PersonArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Give a person a name, or another one."""
    from photoindex.library.people import changes

    with opened(library) as found:
        _say(changes.name(found, person, name), json=json)


def _merge(
    into: Annotated[str, typer.Argument(metavar="INTO", help="The person who stays: number or name.")],
    others: Annotated[list[str], typer.Argument(metavar="FROM...", help="The people who are the same one.")],
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Make people one, who gets the faces of the others.

    `photoindex undo` gives each their number, name and faces back.
    """
    from photoindex.library.people import changes

    with opened(library) as found:
        _say(changes.merge(found, into, others), json=json)


def _confirm(
    person: PersonArgument,
    faces: Annotated[
        list[str] | None, typer.Argument(metavar="[FACE]...", help="f123, of anybody; default: all of the person.")
    ] = None,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Say that faces show a person; no grouping takes them away again."""
    from photoindex.library.people import changes

    with opened(library) as found:
        _say(changes.confirm(found, person, faces or ()), json=json)


def _reject(
    person: PersonArgument, faces: FacesArgument, json: JsonOption = False, library: LibraryOption = None
) -> None:
    """Say that faces are not a person, which is remembered for ever."""
    from photoindex.library.people import changes

    with opened(library) as found:
        _say(changes.reject(found, person, faces), json=json)


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
