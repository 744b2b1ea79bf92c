"""`photoindex pair explain|split|join PATH|QUERY…`: which files are one photo, and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand, complete_path_or_term
from photoindex.cli.output.details import Section, print_details, print_json, size_text
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.terminal.confirm import confirm
from photoindex.paths import display

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photoindex.library.handle import Library
    from photoindex.library.photos.pair_explanation import EmbeddedVideo, ExplainedPhoto
    from photoindex.library.photos.pairs import PairsChanged, ResultingPhoto
    from photoindex.library.search.targets import Targets
    from photoindex.progress import EventSink

MANY_PHOTOS = 1000
"""Before more photos of a query are changed, a person is asked."""
_NAMED = 20

TargetsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH|QUERY",
        autocompletion=complete_path_or_term,
        help="Files, folders with all below them, or a query.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only list what would become what; decide nothing.")]
YesOption = Annotated[
    bool,
    typer.Option("--yes", "-y", help=f"Do not ask first, as for a query that finds more than {MANY_PHOTOS:,} photos."),
]

# Lines of 76 characters: Typer keeps the line breaks and wraps longer lines once more.
_COMMON = r"""An argument that the library knows as a file or folder is one; the others
together are a query, as in `search`, whose words are looked for in texts
alone: no model decides what is changed.
"""
_LASTING = r"""Originals are never touched. What you say lasts through scans, moves and
edits of the files; `photoindex undo` takes it back as a whole. With
--dry-run nothing is decided or journaled; only what an interrupted scan
left to work out is finished first, as the answer depends on it.
"""
_EXPLAIN = rf"""Say why files are one photo, or are not.

For each photo: its files with what they are in it and the reason of each
link, the video that a motion photo's file holds, what you said of it, its
sidecars, the rest of its burst, and the files with alike names that were
not joined, with the reason.

{_COMMON}"""
_SPLIT = rf"""Take photos apart.

A FILE leaves its photo and becomes one of its own; the others stay
together. Each photo of a FOLDER or QUERY falls apart into its files (equal
files stay together).

{_COMMON}
{_LASTING}"""
_JOIN = rf"""Make one photo of several.

The photos of all FILES become one. Of the photos of a FOLDER or QUERY,
those become one that have files with the same name, but for its ending, in
the same folder.

{_COMMON}
{_LASTING}"""


def register(app: typer.Typer) -> None:
    """Add the commands `pair explain`, `pair split` and `pair join`."""
    group = typer.Typer(name="pair", help="See, split and join what is one photo.", no_args_is_help=True)
    group.command("explain", cls=QueryCommand, help=_EXPLAIN)(explain)
    group.command("split", cls=QueryCommand, help=_SPLIT)(split)
    group.command("join", cls=QueryCommand, help=_JOIN)(join)
    app.add_typer(group)


def explain(targets: TargetsArgument, json: JsonOption = False, library: LibraryOption = None) -> None:
    """Say why files are one photo, or are not."""
    from photoindex.library.photos.pair_explanation import explain_pairs
    from photoindex.library.search.targets import choose_targets

    with opened(library, reading=True) as found:
        for one in explain_pairs(found, choose_targets(found, targets).photo_ids):
            if json:
                print_json(_explained_as_json(one))
            else:
                print_details(f"photo {one.photo_id}", list(_sections(one)))


def split(
    targets: TargetsArgument,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Take photos apart."""
    from photoindex.library.photos.pairs import split as take_apart

    def change(found: Library, chosen: Targets, emit: EventSink) -> PairsChanged:
        return take_apart(found, chosen, dry_run=dry_run, emit=emit)

    _change(library, targets, "Split", change, dry_run=dry_run, yes=yes, json=json, progress=progress)


def join(
    targets: TargetsArgument,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    json: JsonOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Make one photo of several."""
    from photoindex.library.photos.pairs import join as put_together

    def change(found: Library, chosen: Targets, emit: EventSink) -> PairsChanged:
        return put_together(found, chosen, dry_run=dry_run, emit=emit)

    _change(library, targets, "Join", change, dry_run=dry_run, yes=yes, json=json, progress=progress)


def _change(
    folder: Path | None,
    arguments: list[str],
    verb: str,
    change: Callable[[Library, Targets, EventSink], PairsChanged],
    *,
    dry_run: bool,
    yes: bool,
    json: bool,
    progress: ProgressMode,
) -> None:
    from photoindex.library.search.targets import choose_targets

    with opened(folder) as library:
        chosen = choose_targets(library, arguments)
        if chosen.by_query and len(chosen.photo_ids) > MANY_PHOTOS and not (yes or dry_run):
            confirm(f"{verb} what belongs together among {len(chosen.photo_ids):,} photos?")
        with progress_sink(progress) as emit:
            done = change(library, chosen, emit)
    if json:
        for made in done.photos:
            print_json(_made_as_json(made))
        for passed in done.skipped:
            print_json({"schema": 1, "id": passed.photo_id, "path": passed.path, "changed": False, "why": passed.why})
    else:
        _print_made(done, dry_run=dry_run)


def _print_made(done: PairsChanged, *, dry_run: bool) -> None:
    for passed in done.skipped[:_NAMED]:
        print(f"not changed: {display(passed.path)}: {passed.why}", file=sys.stderr)
    if len(done.skipped) > _NAMED:
        print(f"not changed: {len(done.skipped) - _NAMED:,} more; --json lists them all", file=sys.stderr)
    if not done.photos:
        print("nothing to change")
        return
    if dry_run:
        for made in done.photos:
            print(" + ".join(f"{display(one.path)} ({one.role})" for one in made.contents))
        print(
            f"would make {amount(len(done.photos), 'photos')} of {amount(done.before, 'photos')}; nothing was changed",
            file=sys.stderr,
        )
        return
    print(
        f"made {amount(len(done.photos), 'photos')} of {amount(done.before, 'photos')}; take it back with: photoindex undo {done.entry_id}"
    )


def _made_as_json(made: ResultingPhoto) -> dict[str, object]:
    return {
        "schema": 1,
        "id": made.photo_id,
        "path": made.contents[0].path,
        "changed": True,
        "contents": [{"id": one.asset_id, "path": one.path, "role": one.role, "was": one.was} for one in made.contents],
    }


def _sections(one: ExplainedPhoto) -> Iterator[Section]:
    from photoindex.library.timestamps import utc

    yield Section(
        "files",
        [
            (content.role if number == 0 else "same content", path, (content.why or "") if number == 0 else "")
            for content in one.contents
            for number, path in enumerate(content.paths or (b"(no file)",))
        ],
    )
    yield Section(
        "motion",
        [
            (
                content.role,
                f"its file holds a video of {size_text(video.length)} from byte {video.offset} on ({video.kind})",
            )
            for content in one.contents
            if (video := content.motion) is not None
        ],
    )
    yield Section(
        "not joined", [(candidate.path, f"photo {candidate.photo_id}", candidate.why) for candidate in one.candidates]
    )
    yield Section(
        "said by you",
        [
            (
                utc(said.at),
                "together" if said.together else "apart",
                said.path or b"(no file)",
                said.other_path or b"(no file)",
            )
            for said in one.decisions
        ],
    )
    yield Section("sidecars", [(sidecar.kind, sidecar.path, sidecar.why) for sidecar in one.sidecars])
    yield Section("burst", [("photos", ", ".join(map(str, one.burst)))] if one.burst else [])


def _motion_as_json(video: EmbeddedVideo | None) -> dict[str, object] | None:
    return None if video is None else {"kind": video.kind, "offset": video.offset, "bytes": video.length}


def _explained_as_json(one: ExplainedPhoto) -> dict[str, object]:
    from photoindex.library.timestamps import utc

    return {
        "schema": 1,
        "id": one.photo_id,
        "path": next((path for content in one.contents for path in content.paths), None),
        "contents": [
            {
                "id": content.asset_id,
                "paths": list(content.paths),
                "role": content.role,
                "why": content.why,
                "motion": _motion_as_json(content.motion),
            }
            for content in one.contents
        ],
        "candidates": [
            {"of": candidate.of, "path": candidate.path, "id": candidate.photo_id, "why": candidate.why}
            for candidate in one.candidates
        ],
        "decisions": [
            {
                "path": said.path,
                "other_path": said.other_path,
                "together": said.together,
                "at": utc(said.at),
            }
            for said in one.decisions
        ],
        "sidecars": [{"path": sidecar.path, "kind": sidecar.kind, "why": sidecar.why} for sidecar in one.sidecars],
        "burst": list(one.burst),
    }
