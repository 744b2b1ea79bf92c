"""`photoindex spaces list|use|drop|eval`: the embedding spaces, each with one model's vectors of the photos."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.value_completion import complete_names
from photoindex.cli.output.details import size_text
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Row, choose_output, render
from photoindex.cli.terminal.confirm import confirm
from photoindex.errors import UsageError
from photoindex.file_access import as_named

if TYPE_CHECKING:
    from photoindex.library.handle import Library
    from photoindex.library.search.evaluation import KnownQuery

_COLUMNS = (
    Column("name", "space", plain=True),
    Column("in_use", "in use", plain=True, show=lambda value: "yes" if value else ""),
    Column("model", "model", spare=3),
    Column("dim", "dim", justify="right", spare=5),
    Column("vectors", "vectors", plain=True, justify="right", show=lambda value: f"{value:,}"),
    Column("lacking", "not embedded", plain=True, justify="right", show=lambda value: f"{value:,}"),
    Column("given_up", "given up", justify="right", spare=1, show=lambda value: f"{value:,}"),
    Column("installed", "model installed", spare=2, show=lambda value: "yes" if value else "no"),
    Column("index_bytes", "index", justify="right", spare=4, show=lambda value: size_text(int(str(value)))),
    Column("calibration", "calibration", spare=6),
    Column("created_at"),
)
_SCORES = (
    Column("space", "space", plain=True),
    Column("queries", "queries", justify="right", spare=2),
    Column("vectors", "vectors", justify="right", spare=3, show=lambda value: f"{value:,}"),
    Column("k", "k", justify="right", spare=1),
    Column("recall", "recall", plain=True, justify="right"),
    Column("mrr", "MRR", plain=True, justify="right"),
    Column("fused_recall", "with texts", plain=True, justify="right"),
    Column("fused_mrr", "MRR with texts", justify="right", spare=4),
    Column("median_ms", "median ms", plain=True, justify="right"),
    Column("p95_ms", "p95 ms", plain=True, justify="right"),
    Column("model"),
    Column("each", structured=True),
)
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPACE", autocompletion=complete_names("space"), help="The space; see: photoindex spaces list"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command `spaces`."""
    group = typer.Typer(
        name="spaces",
        help="List, switch, compare and drop spaces; each has one model's vectors of the photos.",
        no_args_is_help=True,
    )
    group.command("list", help="List the spaces, how complete each is, and which one search uses.")(_list)
    group.command("use", help="Switch search to another space.")(_use)
    group.command("drop", help="Permanently remove a space and its vectors; embed again to recreate it.")(_drop)
    group.command("eval")(_eval)
    app.add_typer(group)


def _list(
    json: JsonOption = False, csv: CsvOption = False, csv_safe: CsvSafeOption = False, library: LibraryOption = None
) -> None:
    from photoindex.library.embed.model_choice import no_space

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    with opened(library, reading=True) as found:
        rows = list(_rows(found))
        if not render(rows, _COLUMNS, output) and output.terminal:
            print(no_space(found), file=sys.stderr)
    for row in rows:
        if row["calibration"] == "outdated":
            print(
                f"the calibration of {row['name']} is outdated; the next search or embed measures it again",
                file=sys.stderr,
            )


def _rows(library: Library) -> Iterator[Row]:
    from photoindex.library.spaces.spaces import list_spaces
    from photoindex.library.timestamps import utc

    for one in list_spaces(library):
        yield {
            "name": one.space.name,
            "in_use": one.space.active,
            "model": one.space.model,
            "dim": one.space.dim,
            "vectors": one.vectors,
            "lacking": one.lacking,
            "given_up": one.given_up,
            "installed": one.installed,
            "index_bytes": one.index_bytes,
            "calibration": one.calibration,
            "created_at": utc(one.space.created_at),
        }


def _use(
    name: NameArgument,
    force: Annotated[bool, typer.Option("--force", help="Even if not all pictures are embedded in it.")] = False,
    library: LibraryOption = None,
) -> None:
    from photoindex.library.spaces.spaces import use_space

    with opened(library) as found:
        space = use_space(found, name, force=force)
    print(f"search now uses the space {space.name} (model {space.model})", file=sys.stderr)


def _drop(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    from photoindex.library.embed.model_choice import command_to_use, embed_hint
    from photoindex.library.spaces.spaces import drop_space, space_names, space_of

    with opened(library) as found:
        space = space_of(found, name)
        if not yes:
            used = ", which search uses," if space.active else ""
            confirm(f"Remove the space {space.name}{used} with all its vectors?", preview="photoindex spaces list")
        with progress_sink(progress) as emit:
            gone = drop_space(found, name, emit)
        others = space_names(found)
        next_step = f"run: {command_to_use(others)}" if others else embed_hint(found)
    print(f"removed the space {name} with {amount(gone, 'vectors')}", file=sys.stderr)
    if space.active:
        print(f"photoindex: no space is active now; {next_step}", file=sys.stderr)


def _eval(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Your queries, one per line: the text and its relevant photos (paths, patterns with *, id:NUMBER), "
            'separated by tabs; or JSON lines {"query": "beach", "relevant": ["a.jpg"]}.',
            show_default=False,
        ),
    ] = None,
    from_keywords: Annotated[
        bool,
        typer.Option("--from-keywords", help="Instead of FILE: the keywords, tags and titles that your photos have."),
    ] = False,
    space: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            metavar="SPACE",
            autocompletion=complete_names("space"),
            help="Only this space; repeatable. Default: all.",
        ),
    ] = None,
    k: Annotated[
        int, typer.Option("--k", "-k", metavar="N", min=1, max=1000, help="How many of the first results count.")
    ] = 10,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """Compare spaces on queries with known answers: recall at k, rank of the first relevant photo, latency.

    recall: the share of a query's relevant photos among the first k results (of k, if there are more), averaged over the
    queries. MRR: the mean of 1/rank of the first relevant photo. Both are of vectors alone, and, in the columns "with
    texts", of a search that fuses them with captions, tags and all other texts; not with --from-keywords, whose answers
    are in the texts. --json adds the scores of each query.
    """
    from photoindex.library.search.evaluation import queries_from_keywords, read_queries

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    if (file is None) != from_keywords:
        raise UsageError("give either a file with queries or --from-keywords")
    with opened(library, reading=True) as found:
        queries = queries_from_keywords(found) if file is None else read_queries(found, as_named(file))
        if from_keywords:
            answers = len(frozenset[int]().union(*(one.relevant for one in queries)))
            print(
                f"{amount(len(queries), 'queries')} from the keywords, tags and titles of {amount(answers, 'photos')}",
                file=sys.stderr,
            )
        render(_scores(found, queries, space or [], k, fused=not from_keywords), _SCORES, output)


def _scores(library: Library, queries: list[KnownQuery], names: list[str], k: int, *, fused: bool) -> Iterator[Row]:
    from photoindex.library.search.evaluation import score_spaces

    for one in score_spaces(library, queries, names, k=k, fused=fused):
        yield {
            "space": one.space.name,
            "model": one.space.model,
            "vectors": one.vectors,
            "queries": one.queries,
            "k": one.k,
            "recall": round(one.recall, 4),
            "mrr": round(one.mrr, 4),
            "fused_recall": _rounded(one.fused_recall),
            "fused_mrr": _rounded(one.fused_mrr),
            "median_ms": round(one.median_ms, 2),
            "p95_ms": round(one.p95_ms, 2),
            "each": [
                {
                    "query": each.text,
                    "recall": round(each.recall, 4),
                    "first_rank": each.first_rank,
                    "fused_recall": _rounded(each.fused_recall),
                    "fused_rank": each.fused_rank,
                }
                for each in one.each
            ],
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
