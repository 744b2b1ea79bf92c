"""`photoindex bursts [QUERY]`, `bursts review`, `bursts apply`: list bursts with their best frames, and choose among them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand, complete_term
from photoindex.cli.arguments.photo_arguments import say
from photoindex.cli.arguments.picture_options import HiddenOption, SensitiveOption, write_page
from photoindex.cli.arguments.query_group import QueryGroup
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
from photoindex.cli.output.render import (
    Column,
    CsvOption,
    CsvSafeOption,
    NullOption,
    Row,
    choose_output,
    render,
    visible,
)

if TYPE_CHECKING:
    from photoindex.library.bursts.find import Burst, Bursts
    from photoindex.library.search.hits import Hit

# Lines of 76 characters: Typer keeps the line breaks and wraps longer lines once more.
HELP = """List bursts, newest first, and propose their best frames, with reasons.

Without QUERY all bursts; with it, those with a photo that matches, as in
search: photoindex bursts date:2019 person:anna

A BURST is what the camera marked as one, or three or more shots of one
camera within a second of each other (is:burst finds them). Exposure brackets
and time-lapses are named so, and get no proposal. Copies of a frame are left
to `photoindex duplicates`.

THE BEST FRAME: what you chose before counts first: more stars than the
others, a favourite, or your choice from the page of `bursts review`. A
rejected frame is never proposed. Else the previews of a burst are compared:
sharpness of known faces, or where the picture is best focused; whether eyes
look closed; faces that are missing; lights and shadows without detail. With
50 frames rated in bursts, your stars say how much each of these counts,
where they predict your choice better. Long bursts whose scene changes have a
best frame of each.

In a pipe: number of the burst, choice and path, separated by tabs; -0 ends
each with NUL.
"""
_DEFAULT_PAGE = Path("bursts.html")

QueryArgument = Annotated[
    list[str] | None, typer.Argument(metavar="QUERY", autocompletion=complete_term, help="As in search.")
]


def register(app: typer.Typer) -> None:
    """Add the commands `bursts`, `bursts review` and `bursts apply`."""
    group = typer.Typer(name="bursts", cls=QueryGroup, help=HELP)
    group.callback(invoke_without_command=True)(bursts)
    group.command("review", cls=QueryCommand)(_review)
    group.command("apply")(_apply)
    app.add_typer(group)


def bursts(
    context: typer.Context,
    query: QueryArgument = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", metavar="N", min=1, help="Only the N newest bursts.", show_default=False),
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    null: NullOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """List bursts with a proposal for each."""
    if context.invoked_subcommand is not None:
        return
    from photoindex.library.bursts.find import BurstsRequest, find_bursts
    from photoindex.library.search.hits import hits_by_id

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe, null=null)
    with opened(library, reading=True) as found:
        with progress_sink(progress) as emit:
            result = find_bursts(found, BurstsRequest(query or None, limit), emit)
        hits = hits_by_id(found, [photo.id for one in result.bursts for photo in one.photos])
    if json:
        for number, burst in enumerate(result.bursts, 1):
            print_json(_as_json(number, burst, hits))
    else:
        render(_rows(result.bursts, hits), COLUMNS, output)
    _print_summary(result)


def _review(
    query: QueryArgument = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="Show at most N frames [default: 200].", show_default=False
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also bursts of which you preferred some frames already.")
    ] = False,
    output: PageOption = _DEFAULT_PAGE,
    hidden: HiddenOption = False,
    sensitive: SensitiveOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Write a page to choose the best frames of bursts by keyboard, in a browser.

    It needs no network and no server, works without the library, and gives its answers as a file for `photoindex bursts
    apply`. Each burst begins with the proposal of `photoindex bursts`.
    """
    from photoindex.library.bursts.page import FRAMES, PageRequest, bursts_page

    target = page_target(output)
    with opened(library, reading=True) as found:
        request = PageRequest(query or None, FRAMES if limit is None else limit, every, hidden, sensitive)
        with progress_sink(progress) as emit:
            made = bursts_page(found, request, emit)
        what = f"a page of {amount(made.bursts, 'bursts')} with {amount(made.frames, 'frames')}"
        write_page(found, target, made.page, what)
    print("its answers are applied with: photoindex bursts apply ANSWERS.jsonl", file=sys.stderr)
    if made.left_out:
        print(
            f"{amount(made.left_out, 'bursts')} with a hidden person or a sensitive photo left out; --hidden and "
            "--sensitive show them",
            file=sys.stderr,
        )
    if made.left:
        print(f"{amount(made.left, 'more bursts')} did not fit; -n shows more frames", file=sys.stderr)


def _apply(
    answers: AnswersArgument,
    dry_run: CheckOnlyOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Apply the answers of `bursts review`: all of them, or none.

    The best frames get the tag burst/best and the others burst/other, in the library alone; `photoindex undo` takes them
    all back.
    """
    from photoindex.library.bursts.answers import apply_answers

    name, data = read_answers(answers)
    with opened(library) as found:
        done = apply_answers(found, data, name, dry_run=dry_run)
    if dry_run and not json:
        print(f"would apply: {visible(done.summary)}; nothing was changed")
        return
    say(done, json=json)
    if done.entry_id is not None:
        print("to see what you did not choose: photoindex search tag:burst/other", file=sys.stderr)


def _rows(bursts: Sequence[Burst], hits: Mapping[int, Hit]) -> Iterator[Row]:
    for number, burst in enumerate(bursts, 1):
        for place, photo in enumerate(burst.photos):
            hit = hits.get(photo.id)
            judged = burst.judged[place] if burst.judged else None
            yield {
                "burst": number, "series": burst.series, "key": burst.key, "photo": photo.id, "taken_at": photo.taken_at,
                "choice": burst.series if judged is None else judged.choice,
                "path": b"" if hit is None else hit.path, "state": None if hit is None else hit.state,
                "reason": None if judged is None else judged.reason,
                "scene": None if judged is None else judged.scene,
                "score": None if judged is None or judged.score is None else round(judged.score, 3),
            }  # fmt: skip


def _as_json(number: int, burst: Burst, hits: Mapping[int, Hit]) -> dict[str, object]:
    names = ("path", "choice", "reason", "photo", "taken_at", "scene", "score", "state")
    return {
        "schema": 1,
        "burst": number,
        "key": burst.key,
        "series": burst.series,
        "decided": burst.decided,
        "seconds": None if burst.seconds is None else round(burst.seconds, 3),
        "best": [one.photo_id for one in burst.judged if one.choice == "best"],
        "frames": [{name: row[name] for name in names} for row in _rows([burst], hits)],
    }


def _print_summary(result: Bursts) -> None:
    if not result.bursts:
        print("no burst was found; photoindex search is:burst lists the photos that are in one", file=sys.stderr)
        return
    frames = sum(len(one.photos) for one in result.bursts)
    text = f"{amount(len(result.bursts), 'bursts')} with {amount(frames, 'frames')}"
    if result.measured:
        text += f"; {amount(result.measured, 'frames')} compared, {_weights_text(result)}"
    if result.copies:
        text += f"; {amount(result.copies, 'copies')} of frames left out"
    print(text, file=sys.stderr)
    if result.left:
        print(f"{amount(result.left, 'more bursts')}; -n shows more", file=sys.stderr)
    if any(one.judged and not one.decided for one in result.bursts):
        print("to choose among the frames in a browser: photoindex bursts review", file=sys.stderr)


def _weights_text(result: Bursts) -> str:
    weights = result.weights
    if weights.learned:
        return (
            f"weighed as your stars on {amount(weights.frames, 'frames')} teach: {100 * (weights.right or 0):.0f} % of pairs in your "
            f"order, {100 * (weights.right_fixed or 0):.0f} % by fixed weights"
        )
    if weights.right is not None:
        return f"by fixed weights: your stars on {amount(weights.frames, 'frames')} do not predict your choice better"
    return "by fixed weights"


COLUMNS: tuple[Column, ...] = (
    Column("burst", "Burst", plain=True, justify="right", style="cyan"),
    Column("choice", "Choice", plain=True),
    Column("path", "Path", plain=True, wide=True),
    Column("reason", "Why"),
    *(Column(name) for name in ("key", "series", "photo", "taken_at", "scene", "score", "state")),
)
"""What is known of each frame: all in CSV, those with a heading in the table."""
