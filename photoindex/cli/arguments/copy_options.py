"""The options --copy-to and --link-to of `search`, and doing what they ask for."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.value_completion import complete_layout
from photoindex.cli.output.progress import progress_sink
from photoindex.cli.output.progress_text import amount, size_text
from photoindex.cli.output.render import Column, Form, Output, Row, render, visible
from photoindex.cli.terminal.signals import StopRequest, stop_on_signal
from photoindex.errors import UsageError, VolumeOffline

if TYPE_CHECKING:
    from photoindex.library.export.copying import Outcome, Request
    from photoindex.library.export.layout import Layout
    from photoindex.library.handle import Library

_PROBLEMS_SHOWN = 20

PANEL = "Copies and links of the photos"
CopyToOption = Annotated[
    Path | None,
    typer.Option(
        "--copy-to",
        metavar="FOLDER",
        help="Copy the photos, with sidecars and companions, into this folder; nothing is overwritten.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
LinkToOption = Annotated[
    Path | None,
    typer.Option(
        "--link-to",
        metavar="FOLDER",
        help="Make links to the photos in this folder: symbolic ones, which also lead to other disks and break where an original is moved.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
LayoutOption = Annotated[
    str | None,
    typer.Option(
        "--layout",
        metavar="LAYOUT",
        autocompletion=complete_layout,
        help="Folders and names in it: '{year}/{event}/{name}'. Fields: year, month, day, date, event, place, city, country, camera, "
        "person, album, rating, name, stem, ext, id. Without it, '{name}'.",
        show_default=False,
        rich_help_panel=PANEL,
    ),
]
HardOption = Annotated[
    bool,
    typer.Option(
        "--hard",
        help="With --link-to, hard links: they outlive a move, but stay on one disk, and a program that writes into one changes the original.",
        rich_help_panel=PANEL,
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="With --copy-to or --link-to, only say what would be made.", rich_help_panel=PANEL),
]

_COLUMNS = (
    Column("action"),
    Column("to", plain=True),
    *(Column(name) for name in ("path", "photo", "size", "numbered", "problem")),
)
"""One file. action: made, there (already, with the same bytes), failed."""


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """Where to make copies or links, None for nowhere, and how."""

    target: Path | None
    layout: Layout | None = None
    links: bool = False
    hard: bool = False
    dry_run: bool = False
    hidden: bool = False
    sensitive: bool = False

    def check_alone(self, *, other: bool) -> None:
        """Raise UsageError where photos are copied and something `other` is asked for, which would print another answer."""
        if self.target is not None and other:
            raise UsageError("--copy-to and --link-to go without pictures, --count, --explain and --geojson")


def copy_options(
    copy_to: Path | None,
    link_to: Path | None,
    layout: str | None,
    *,
    hard: bool,
    dry_run: bool,
    hidden: bool,
    sensitive: bool,
) -> CopyOptions:
    """Return a command's options, checked before anything is searched for. Raises UsageError."""
    if copy_to is not None and link_to is not None:
        raise UsageError("--copy-to and --link-to exclude each other; use only one")
    if hard and link_to is None:
        raise UsageError("--hard goes with --link-to")
    target = copy_to or link_to
    if target is None:
        if layout is not None or dry_run:
            raise UsageError(f"{'--layout' if layout is not None else '--dry-run'} goes with --copy-to or --link-to")
        return CopyOptions(None)
    from photoindex.library.export.layout import DEFAULT, Layout

    parsed = Layout(DEFAULT if layout is None else layout)
    return CopyOptions(target, parsed, link_to is not None, hard, dry_run, hidden, sensitive)


def copy_found(library: Library, photo_ids: Sequence[int], options: CopyOptions, output: Output) -> int:
    """Copy or link the photos, print what was made, and return the number of photos.

    Raises VolumeOffline if some files could not be copied, Exit after a signal, and what `copy_photos` raises.
    """
    from photoindex.library.export.copying import How, Request, copy_photos

    assert options.target is not None
    assert options.layout is not None
    kept = _without_left_out(library, photo_ids, options)
    how = How.COPY if not options.links else How.HARD_LINK if options.hard else How.SYMLINK
    with stop_on_signal() as stop, progress_sink() as emit:
        request = Request(kept, options.target, options.layout, how, options.dry_run, stop)
        summary = _Summary(request)
        outcomes = summary.counted(copy_photos(library, request, emit))
        if output.form is Form.TABLE:
            for _ in outcomes:
                pass
        else:
            render(map(_row, outcomes), _COLUMNS, output)
    summary.print(stop)
    if stop.exit_code is not None:
        raise typer.Exit(stop.exit_code)
    if summary.failed:
        raise VolumeOffline(f"{amount(summary.failed, 'files')} could not be copied; the others were")
    return len(photo_ids)


def _without_left_out(library: Library, photo_ids: Sequence[int], options: CopyOptions) -> list[int]:
    from photoindex.library.people.hidden import left_out

    of_hidden, of_sensitive = left_out(library, photo_ids)
    if options.hidden:
        of_hidden = set()
    elif of_hidden:
        print(f"{amount(len(of_hidden), 'photos')} of hidden persons left out; --hidden copies them", file=sys.stderr)
    of_sensitive = set() if options.sensitive else of_sensitive - of_hidden
    if of_sensitive:
        print(f"{amount(len(of_sensitive), 'sensitive photos')} left out; --sensitive copies them", file=sys.stderr)
    return [one for one in photo_ids if one not in of_hidden | of_sensitive]


class _Summary:
    """Counts what became of the files."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._files: Counter[str] = Counter()
        self._photos: set[int] = set()
        self._bytes = 0
        self.failed = 0

    def counted(self, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        """Yield the outcomes; problems are named on stderr."""
        for one in outcomes:
            self._files[one.action] += 1
            self._files["numbered"] += one.numbered
            if one.action == "made":
                self._photos.add(one.photo_id)
                self._bytes += one.size_bytes
            if one.problem:
                self.failed += 1
                if self.failed <= _PROBLEMS_SHOWN:
                    what = visible(one.source) if one.source else f"photo {one.photo_id}"
                    print(f"not copied: {what}: {one.problem}", file=sys.stderr)
            yield one
        if self.failed > _PROBLEMS_SHOWN:
            print(f"not copied: {self.failed - _PROBLEMS_SHOWN:,} more", file=sys.stderr)

    def print(self, stop: StopRequest) -> None:
        """Say what was made."""
        verb = "copied" if self._request.how == "copy" else "linked"
        said = f"would be {verb}" if self._request.dry_run else verb
        size = f", {size_text(self._bytes)}" if verb == "copied" and self._bytes else ""
        files, target = amount(self._files["made"], "files"), visible(str(self._request.target))
        parts = [f"{files} of {amount(len(self._photos), 'photos')} {said} to {target}{size}"]
        if self._files["there"]:
            parts.append(f"{self._files['there']:,} were there already")
        if self._files["numbered"]:
            parts.append(f"{self._files['numbered']:,} got a number, because another file has the name")
        if stop.exit_code is not None:
            parts.append("stopped; the same command goes on")
        print("; ".join(parts), file=sys.stderr)


def _row(one: Outcome) -> Row:
    return {
        "action": str(one.action),
        "to": one.target,
        "path": one.source,
        "photo": one.photo_id,
        "size": one.size_bytes,
        "numbered": one.numbered,
        "problem": one.problem or None,
    }
