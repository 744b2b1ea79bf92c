"""`photoindex people review|apply`: name many faces in one sitting, on a page that gives its answers as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments import people_panels
from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import complete_person
from photoindex.cli.arguments.picture_options import write_page
from photoindex.cli.arguments.review_files import (
    AnswersArgument,
    CheckOnlyOption,
    PageOption,
    page_target,
    read_answers,
)
from photoindex.cli.output.details import print_json
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import visible

if TYPE_CHECKING:
    from photoindex.library.people.review.answers import Applied

_DEFAULT_PAGE = Path("people.html")


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group `people`."""
    group.command("review", rich_help_panel=people_panels.REVIEW)(_review)
    group.command("apply", rich_help_panel=people_panels.REVIEW)(_apply)


def _review(
    persons: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PERSON", autocompletion=complete_person, help="Only these: number or name. Default: everybody."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="Show at most N faces [default: 500].", show_default=False
        ),
    ] = None,
    output: PageOption = _DEFAULT_PAGE,
    hidden: Annotated[
        bool, typer.Option("--hidden", help="Also hidden persons, and faces in photos that show them.")
    ] = False,
    sensitive: Annotated[bool, typer.Option("--sensitive", help="Also faces in sensitive photos.")] = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Write a page of faces to name and to confirm in a browser.

    It shows groups without a name, largest first, then groups that look like a person with a name, then faces of persons
    that nobody confirmed. It needs no network and no server, works without the library, and gives its answers as a file for
    `photoindex people apply`.
    """
    from photoindex.library.people.review.choice import FACES, ReviewRequest
    from photoindex.library.people.review.page import review_page

    target = page_target(output)
    with opened(library, reading=True) as found:
        request = ReviewRequest(persons or (), FACES if limit is None else limit, hidden, sensitive)
        with progress_sink(progress) as emit:
            made = review_page(found, request, emit)
        write_page(
            found, target, made.page, f"a page of {amount(made.groups, 'groups')} with {amount(made.faces, 'faces')}"
        )
    print("its answers are applied with: photoindex people apply ANSWERS.jsonl", file=sys.stderr)
    if made.without_picture:
        print(
            f"{amount(made.without_picture, 'faces')} without a preview; make them with: photoindex scan",
            file=sys.stderr,
        )
    if made.left:
        print(f"{amount(made.left, 'more groups')} did not fit; -n shows more faces", file=sys.stderr)


def _apply(
    answers: AnswersArgument,
    dry_run: CheckOnlyOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Apply the answers of `people review`: all of them, or none.

    Every line is checked against the library as it is now. `photoindex undo` takes them all back.
    """
    from photoindex.library.people.review.answers import apply_answers

    name, data = read_answers(answers)
    with opened(library) as found:
        done = apply_answers(found, data, name, dry_run=dry_run)
    if json:
        print_json(
            {
                "schema": 1,
                "entry": done.entry_id,
                "answers": done.answers,
                "done": {str(do): count for do, count in done.done.items() if count},
                "summary": done.summary,
                "notes": list(done.notes),
                "dry_run": dry_run,
            }
        )
        return
    for note in done.notes:
        print(visible(note), file=sys.stderr)
    print(_said(done, dry_run=dry_run))


def _said(done: Applied, *, dry_run: bool) -> str:
    answers = amount(done.answers, "answers")
    if not done.summary:
        return f"nothing to do: {answers}, all as they already are" if done.answers else "nothing to do: no answers"
    if dry_run:
        return f"{answers} would apply: {done.summary}; nothing was changed"
    return f"{answers} applied: {done.summary}; take them back with: photoindex undo {done.entry_id}"
