"""`photoindex duplicates apply FILE`: move the copies that a plan removes into a trash folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount, size_text
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Output, Row, choose_output, render, visible
from photoindex.cli.terminal.confirm import confirm
from photoindex.cli.terminal.signals import stop_on_signal
from photoindex.errors import LinesRefused
from photoindex.file_access import as_named

if TYPE_CHECKING:
    from photoindex.library.duplicates.apply import Step
    from photoindex.library.duplicates.check import Checked
    from photoindex.library.duplicates.plan_reader import Problem

HELP = """Move the copies that a plan says to remove into a trash folder.

This is the one command that touches originals: it moves them, and with
--link makes links; it never writes into a file and never deletes one.
Copies keep their paths below the trash folder, which has to be on the same
disk, and which scans leave out. Sidecars and companions go along; one file
of a RAW + JPEG or a Live Photo never goes alone.

FIRST each line is checked: the bytes of the copy and of the kept file must
be those of the plan. What cannot be applied is named by its line and left
alone. Lines to review are never applied, unless you made them remove.

WORDS of the copies are carried over to the kept photos: keywords (as tags),
tags, rating, favourite, title, caption, albums, people, position and time
where the kept photo lacks them.

--dry-run shows all of it; `photoindex undo` puts everything back.

Exit codes: 0 done; 2 the plan makes no sense, and nothing was changed; 19
some lines could not be applied.
"""

_COLUMNS = (
    Column("line", "Line", plain=True, justify="right", style="cyan"),
    Column("action", "Action", plain=True),
    Column("path", "Path", plain=True, wide=True),
    Column("to", "To", wide=True),
    Column("note", "Note"),
    *(Column(name) for name in ("kept", "size")),
)


def add_to(group: typer.Typer) -> None:
    """Add the command `duplicates apply`."""
    group.command("apply", help=HELP)(apply)


def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The plan, of: photoindex duplicates --plan FILE.")],
    trash: Annotated[
        Path, typer.Option("--trash", metavar="FOLDER", help="Where copies go; made if it is not there yet.")
    ],
    link: Annotated[
        bool,
        typer.Option(
            "--link",
            help="Replace copies with the same bytes by links to the kept file (reflinks, where the disk has them).",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check the plan, and show what would be done.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Move copies away."""
    from photoindex.library.duplicates.apply import apply_plan, steps_of
    from photoindex.library.duplicates.check import check
    from photoindex.library.duplicates.plan_reader import read_plan
    from photoindex.library.duplicates.returning import is_unfinished, recover
    from photoindex.library.duplicates.trash import find_trash

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    groups = read_plan(as_named(file))
    with (
        stop_on_signal() as stop,
        opened(library, reading=dry_run) as found,
        progress_sink(progress) as emit,
    ):
        if not dry_run:
            recover(found)
        elif is_unfinished(found):
            print("a killed run left files in the trash, which are put back before a plan is applied", file=sys.stderr)
        place = find_trash(found, as_named(trash))
        checked = check(found, groups, place, emit, link=link)
        if dry_run:
            steps = list(steps_of(found, checked, place))
            _print(steps, checked.problems, output)
            print(f"would {_words(checked)}; nothing was changed", file=sys.stderr)
            _exit(checked.problems)
            return
        if checked.units and not yes:
            confirm(f"This {_words(checked, verb='s')}. Do it?")
        done = apply_plan(found, checked, place, emit, stop)
        problems = (*checked.problems, *done.problems)
        _print(done.steps, problems, output)
    files = sum(len(one.unit.files) for one in done.steps)
    undo = f"; undo with: photoindex undo {done.entry_id}" if done.entry_id is not None else ""
    print(f"{amount(files, 'files')} moved to {visible(place.path)}{undo}", file=sys.stderr)
    if stop.exit_code is not None:
        raise typer.Exit(stop.exit_code)
    _exit(problems)


def _words(checked: Checked, verb: str = "") -> str:
    """Return what would be done: move 12 files to the trash, 3 of them replaced by links."""
    files = sum(len(one.files) for one in checked.units)
    linked = sum(len(one.files) for one in checked.units if one.link)
    links = f", and put links to the kept files in the place of {linked:,}" if linked else ""
    freed = f"; emptying the trash frees {size_text(checked.bytes)}" if files else ""
    before = f"; {amount(checked.done, 'lines')} were applied before" if checked.done else ""
    refused = f"; {amount(len(checked.problems), 'lines')} cannot be applied" if checked.problems else ""
    return f"move{verb} {amount(files, 'originals')} to the trash{links}{freed}{before}{refused}"


def _print(steps: Sequence[Step], problems: Sequence[Problem], output: Output) -> None:
    rows = [*_rows(steps), *({"line": one.number, "action": "refused", "note": one.text} for one in problems)]
    render(sorted(rows, key=lambda row: int(str(row["line"]))), _COLUMNS, output)


def _rows(steps: Sequence[Step]) -> Iterator[Row]:
    for step in steps:
        carried = step.carried
        for place, (one, target) in enumerate(zip(step.unit.files, step.targets, strict=True)):
            first = step.unit.numbers[0]
            goes = "" if one.line is not None else f"goes with line {first}"
            yield {
                "line": one.line or first,
                "action": "link" if step.unit.link else "move",
                "path": one.path,
                "to": target,
                "note": f"carries over: {carried}" if carried and not place else goes,
                "kept": step.unit.keeper.path,
                "size": one.signature.size_bytes,
            }


def _exit(problems: Sequence[Problem]) -> None:
    if problems:
        for one in problems:
            print(f"photoindex: {visible(os.fsencode(str(one)))}", file=sys.stderr)
        raise LinesRefused(f"{amount(len(problems), 'lines')} of the plan could not be applied")
