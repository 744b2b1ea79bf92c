"""`photoindex index status|rebuild|optimize`: the vector indices that search uses."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.value_completion import complete_names
from photoindex.cli.output.details import size_text
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Output, Row, choose_output, render

if TYPE_CHECKING:
    from photoindex.library.handle import Library
    from photoindex.library.index.maintain import IndexUpdate
    from photoindex.library.index.status import IndexStatus
    from photoindex.progress import EventSink


def _number(value: object) -> str:
    return f"{value:,}"


def _size(value: object) -> str:
    return size_text(int(str(value)))


_STATUS = (
    Column("space", "space", plain=True),
    Column("state", "state", plain=True),
    Column("vectors", "vectors", plain=True, justify="right", show=_number),
    Column("merged", "merged", justify="right", spare=2, show=_number),
    Column("unmerged", "unmerged", plain=True, justify="right", show=_number),
    Column("gone", "gone", plain=True, justify="right", show=_number),
    Column("bytes", "size", justify="right", spare=3, show=_size),
    Column("generation", "generation", spare=4),
    Column("problem", "problem", wide=True, spare=1),
    Column("coded"),
    Column("dim"),
    Column("made_at"),
    Column("faiss"),
    Column("verified"),
)
_UPDATES = (
    Column("space", "space", plain=True),
    Column("changed", "written", show=lambda value: "yes" if value else "already optimal"),
    Column("vectors", "vectors", plain=True, justify="right", show=_number),
    Column("joined", "added", justify="right", spare=2, show=_number),
    Column("dropped", "dropped", justify="right", spare=1, show=_number),
    Column("freed_bytes"),
    Column("seconds", "seconds", justify="right", spare=3),
)
SpaceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--space",
        metavar="SPACE",
        autocompletion=complete_names("space"),
        help="Only this space; repeatable.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group `index`."""
    group = typer.Typer(
        name="index",
        help="Maintain the vector indices for search; they are built from the database and repaired automatically.",
        no_args_is_help=True,
    )
    group.command("status")(status)
    group.command("rebuild")(rebuild)
    group.command("optimize")(optimize)
    app.add_typer(group)


def status(
    space: SpaceOption = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check every byte of the indices against its checksum.")
    ] = False,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Show each space's index: merged, unmerged and stale vectors, its size and whether it is intact."""
    from photoindex.library.index.status import index_status

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    with opened(library, reading=True) as found:
        with progress_sink(progress) as emit:
            rows = [_status_row(one) for one in index_status(found, space or (), emit, verify=verify)]
        if not render(rows, _STATUS, output) and output.terminal:
            _print_no_space(found)
    damaged = [str(row["space"]) for row in rows if row["problem"]]
    if damaged:
        print(
            f"photoindex: damaged: {', '.join(damaged)}; search still works from the database. Rebuild with: photoindex "
            "index rebuild",
            file=sys.stderr,
        )


def rebuild(
    space: SpaceOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Rebuild indices from the vectors in the database, whatever their state; search continues meanwhile."""
    from photoindex.library.index import maintain

    _make(maintain.rebuild, space, progress, library, choose_output(json=json, csv=csv, csv_safe=csv_safe))


def optimize(
    space: SpaceOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Merge new vectors, drop stale ones and remove leftovers; an optimal index is left alone."""
    from photoindex.library.index import maintain

    _make(maintain.optimize, space, progress, library, choose_output(json=json, csv=csv, csv_safe=csv_safe))


def _make(
    make: Callable[[Library, Sequence[str], EventSink], Iterable[IndexUpdate]],
    space: Sequence[str] | None,
    progress: ProgressMode,
    library: Path | None,
    output: Output,
) -> None:
    """Update the indices of some spaces, or of all, and print the results."""
    with opened(library) as found:
        with progress_sink(progress) as emit:
            rows = _update_rows(make(found, space or (), emit))
        if not render(rows, _UPDATES, output) and output.terminal:
            _print_no_space(found)


def _print_no_space(library: Library) -> None:
    from photoindex.library.embed.model_choice import no_space

    print(no_space(library), file=sys.stderr)


def _update_rows(made: Iterable[IndexUpdate]) -> list[Row]:
    return [
        {
            "space": one.space.name,
            "changed": one.changed,
            "vectors": one.vectors,
            "joined": one.joined,
            "dropped": one.dropped,
            "freed_bytes": one.freed_bytes,
            "seconds": round(one.seconds, 3),
        }
        for one in made
    ]


def _status_row(one: IndexStatus) -> Row:
    from photoindex.library.timestamps import utc

    return {
        "space": one.space.name,
        "state": str(one.state),
        "vectors": one.vectors,
        "merged": one.merged,
        "unmerged": one.unmerged,
        "gone": one.gone,
        "bytes": one.size_bytes,
        "generation": one.generation,
        "problem": one.problem,
        "coded": one.coded,
        "dim": one.space.dim,
        "made_at": utc(one.made_at),
        "faiss": one.faiss,
        "verified": one.verified,
    }
