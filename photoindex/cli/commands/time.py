"""`photoindex time set|shift|reset PATH|QUERY…`: correct when photos were taken."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand, complete_path_or_term
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.render import Column, Form, Row, choose_output, render
from photoindex.cli.terminal.confirm import confirm
from photoindex.errors import NothingFound
from photoindex.paths import display

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from photoindex.library.handle import Library
    from photoindex.library.photos.time_correction import TimeChange, TimeResult, TimesCorrected

MANY_PHOTOS = 1000
"""Before more photos of a query are changed, a person is asked."""
_NAMED = 20
_FEW = 3
_NONE_SHIFTED = "no photo has a time that can be shifted"

TargetsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH|QUERY",
        autocompletion=complete_path_or_term,
        help="Files, folders with all below them, or a query.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only list what would become what; change nothing.")]
YesOption = Annotated[
    bool,
    typer.Option("--yes", "-y", help=f"Do not ask first, as for a query that finds more than {MANY_PHOTOS:,} photos."),
]

_COLUMNS = (
    Column("path", "Path", plain=True, wide=True),
    Column("id", "ID", justify="right", style="cyan"),
    Column("before", "Before", plain=True),
    Column("after", "After", plain=True),
    Column("changed"),
    Column("why", "Not changed because"),
)
_TABLE = tuple(
    Column(f"{column.name}_marked", column.heading) if column.name in ("before", "after") else column
    for column in _COLUMNS
)
"""As `_COLUMNS`, with a mark on times that are only the file's."""

# Lines of 76 characters: Typer keeps the line breaks and wraps longer lines once more.
_COMMON = r"""An argument that the library knows as a file or folder is one; the others
together are a query, as in `search`, whose words are looked for in texts
alone: no model decides what is changed. Originals are never written: the
correction lies in the library, stands above all that files and sidecars
say, and lasts through scans, moves and edits. `photoindex undo` takes it
back as a whole. The photos' files may be away.
"""
_SET = rf"""Say when photos were taken.

--to takes 2019-06-01T12:00, "2019-06-01 12:00:30", either with an offset
behind it (2019-06-01T12:00+02:00), or a part of a date, for prints and
slides: 1974, 1974-06, 1974-06-30.

{_COMMON}"""
_SHIFT = rf"""Move the times of photos, as for a camera whose clock was wrong.

--by takes +1h30m, -2d, 1w, 90s or +00:05:30; m or min is minutes. The time on the
wall and the instant move together, the offset from UTC stays. Photos of
which only the day, the month or the year is known, or nothing, are passed
over and named; where no photo is left, the exit code is 11.

{_COMMON}"""
_RESET = rf"""Take corrections of photos' times back: what files say holds again.

{_COMMON}"""


def register(app: typer.Typer) -> None:
    """Add the commands `time set`, `time shift` and `time reset`."""
    group = typer.Typer(name="time", help="Correct when photos were taken.", no_args_is_help=True)
    group.command("set", cls=QueryCommand, help=_SET)(set_time)
    group.command("shift", cls=QueryCommand, help=_SHIFT)(shift_time)
    group.command("reset", cls=QueryCommand, help=_RESET)(reset_time)
    app.add_typer(group)


def set_time(
    targets: TargetsArgument,
    to: Annotated[str, typer.Option("--to", metavar="WHEN", help="The time, or a part of a date.", show_default=False)],
    zone: Annotated[
        str | None,
        typer.Option("--zone", metavar="ZONE", help="Its offset: +02:00, or Europe/Lisbon.", show_default=False),
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Say when photos were taken."""
    from photoindex.library.photos.time_correction import set_to
    from photoindex.library.photos.time_text import parse_time

    change = set_to(parse_time(to, zone))
    _correct(library, targets, change, dry_run=dry_run, yes=yes, json=json, progress=progress)


def shift_time(
    targets: TargetsArgument,
    by: Annotated[str, typer.Option("--by", metavar="DURATION", help="How far: +1h30m, -2d, 90s.", show_default=False)],
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Move the times of photos."""
    from photoindex.library.photos.time_correction import shift_by
    from photoindex.library.photos.time_text import read_shift

    change = shift_by(read_shift(by))
    _correct(library, targets, change, dry_run=dry_run, yes=yes, json=json, progress=progress)


def reset_time(
    targets: TargetsArgument,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Take corrections of photos' times back."""
    from photoindex.library.photos.time_correction import reset

    _correct(library, targets, reset(), dry_run=dry_run, yes=yes, json=json, progress=progress)


def _correct(
    folder: Path | None,
    arguments: list[str],
    change: TimeChange,
    *,
    dry_run: bool,
    yes: bool,
    json: bool,
    progress: ProgressMode,
) -> None:
    from photoindex.library.photos.time_correction import correct_times, results_of
    from photoindex.library.search.targets import choose_targets

    with opened(folder) as library:
        chosen = choose_targets(library, arguments)
        if dry_run:
            _print_foreseen(library, chosen.photo_ids, change, json=json)
            return
        if chosen.by_query and len(chosen.photo_ids) > MANY_PHOTOS and not yes:
            confirm(f"{change.what.capitalize()} of {len(chosen.photo_ids):,} photos?")
        with progress_sink(progress) as emit:
            done = correct_times(library, chosen.photo_ids, change, emit)
        if json:
            render(map(_row, results_of(library, done)), _COLUMNS, choose_output(json=True))
        else:
            _print_summary(library, change, done)
        if not done.before and change.command == "time shift":
            raise NothingFound(_NONE_SHIFTED)


def _print_foreseen(library: Library, photo_ids: Sequence[int], change: TimeChange, *, json: bool) -> None:
    """List what would change, in JSON what would not too; people get the latter named on stderr, some of many."""
    from photoindex.library.photos.time_correction import plan_time_changes

    changed = 0
    passed = 0
    named: list[TimeResult] = []

    def listed() -> Iterator[Row]:
        nonlocal changed, passed
        for one in plan_time_changes(library, photo_ids, change):
            if one.why is None:
                changed += 1
            else:
                passed += 1
                if len(named) < _NAMED:
                    named.append(one)
            if json or one.why is None:
                yield _row(one)

    output = choose_output(json=json)
    render(listed(), _TABLE if output.form is Form.TABLE else _COLUMNS, output)
    if not json:
        _print_passed(change, named, passed)
    print("nothing was changed", file=sys.stderr)
    if not changed and change.command == "time shift":
        raise NothingFound(_NONE_SHIFTED)


def _print_summary(library: Library, change: TimeChange, done: TimesCorrected) -> None:
    from photoindex.library.photos.time_correction import skipped_of

    _print_passed(change, islice(skipped_of(library, done), _NAMED), len(done.skipped))
    if done.entry_id is None:
        print("nothing to change")
        return
    photos = f"{len(done.before):,} {'photo' if len(done.before) == 1 else 'photos'}"
    print(f"{change.what} of {photos}; take it back with: photoindex undo {done.entry_id}")


def _print_passed(change: TimeChange, named: Iterable[TimeResult], count: int) -> None:
    if change.command == "time reset" and count > _FEW:
        # Of a folder, most photos have no correction: nothing is missed by not naming them.
        print(f"not changed: {count:,} photos whose time was not corrected", file=sys.stderr)
        return
    for one in named:
        print(f"not changed: {display(one.path)}: {one.why}", file=sys.stderr)
    if count > _NAMED:
        print(f"not changed: {count - _NAMED:,} more; --json lists them all", file=sys.stderr)


def _row(one: TimeResult) -> Row:
    from photoindex.library.photos.time_text import marked

    return {
        "path": one.path,
        "id": one.photo_id,
        "before": one.before,
        "after": one.after,
        "changed": one.why is None,
        "why": one.why,
        "before_marked": marked(one.before or "", one.before_source),
        "after_marked": marked(one.after or "", one.after_source),
    }
