"""`photoindex tasks`: list what is left to do and what failed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.arguments.value_completion import STAGES, STATES, complete_from, complete_names
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Form, Output, choose_output, render
from photoindex.paths import shell_word

if TYPE_CHECKING:
    from photoindex.library.maintenance.tasks import TaskQuery, TaskRow

StageOption = Annotated[
    str | None,
    typer.Option(
        "--stage",
        metavar="STAGE",
        autocompletion=complete_from(*STAGES),
        help="Only this stage's tasks: ingest, embed.",
    ),
]
ErrorClassOption = Annotated[
    str | None,
    typer.Option(
        "--error-class",
        metavar="CLASS",
        autocompletion=complete_names("error"),
        help="Only tasks whose last error is of this class.",
    ),
]
PathsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        autocompletion=complete_path,
        help="Only tasks of these files, or of the files in these folders.",
    ),
]

_COLUMNS = (
    Column("id", "id", justify="right"),
    Column("stage", "stage", plain=True),
    Column("state", "state", plain=True),
    Column("path", "path", plain=True, wide=True),
    Column("attempts", "tries", justify="right", spare=2),
    Column("error_class", "error", spare=1),
    Column("error", "message", plain=True, wide=True),
    Column("seconds"),
    Column("updated_at"),
    Column("dismissed_at"),
    Column("subject_kind"),
    Column("subject_id"),
    Column("variant", structured=True),
)
_PLAIN_ORDER = ("path", "state", "error", "stage")


def register(app: typer.Typer) -> None:
    """Add the command `tasks`."""
    app.command("tasks")(tasks)


def tasks(
    paths: PathsArgument = None,
    stage: StageOption = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            autocompletion=complete_from(*STATES),
            help="Only tasks in this state: pending, running, done, failed, quarantined or dismissed; repeatable "
            "[default: all but done; with --json and --csv all].",
        ),
    ] = None,
    error_class: ErrorClassOption = None,
    limit: Annotated[
        int | None,
        typer.Option("-n", "--limit", metavar="N", min=0, help="Maximum number of tasks.", show_default=False),
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """List what is left to do and what failed, with errors; --state done lists the finished tasks.

    In a pipe: path, state, error and stage, separated by tabs.
    """
    from photoindex.library.maintenance.tasks import UNFINISHED, count_done
    from photoindex.library.maintenance.tasks import tasks as find_tasks

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    # Programs read the state of each task, and get them all.
    for_people = output.form in (Form.TABLE, Form.PLAIN)
    query = task_query(paths, stage, state or (list(UNFINISHED) if for_people else None), error_class)
    with opened(library, reading=True) as found:
        render(_rows(find_tasks(found, query, limit=limit), output), _columns(output), output)
        done = count_done(found, query) if for_people and not state else 0
    if done:
        chosen = "".join(f" {one}" for one in _repeated(paths, stage, error_class))
        print(f"{done:,} done; to list them: photoindex tasks --state done{chosen}", file=sys.stderr)


def _repeated(paths: list[str] | None, stage: str | None, error_class: str | None) -> Iterator[str]:
    """Yield the options and paths that were given, as words of a command."""
    for name, value in (("--stage", stage), ("--error-class", error_class)):
        if value is not None:
            yield f"{name} {shell_word(os.fsencode(value))}"
    yield from (shell_word(os.fsencode(path)) for path in paths or ())


def task_query(
    paths: list[str] | None, stage: str | None, states: list[str] | None, error_class: str | None
) -> TaskQuery:
    """Convert the options shared by `tasks` and `retry` to a TaskQuery."""
    from photoindex.library.maintenance.tasks import TaskQuery

    return TaskQuery(
        stage=stage,
        states=tuple(states or ()),
        error_class=error_class,
        paths=tuple(os.fsencode(path) for path in paths or ()),
    )


def _columns(output: Output) -> list[Column]:
    if output.form is Form.PLAIN:
        by_name = {column.name: column for column in _COLUMNS}
        return [by_name[name] for name in _PLAIN_ORDER]
    return list(_COLUMNS)


def _rows(found: Iterator[TaskRow], output: Output) -> Iterator[dict[str, object]]:
    from photoindex.library.photos.show import task_as_json

    for one in found:
        row = task_as_json(one) | {"path": one.path, "subject_kind": one.subject_kind, "subject_id": one.subject_id}
        if output.form in (Form.TABLE, Form.PLAIN):
            # One word for people; programs get the stored state and the time of dismissal.
            row["state"] = one.label
        yield row
