"""`photoindex tag accept|reject|review|apply`: what a person says about tags that models gave."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.person_completion import QueryCommand, complete_tag
from photoindex.cli.arguments.photo_arguments import PhotosArgument, YesOption, chosen_photos, say
from photoindex.cli.arguments.picture_options import write_page
from photoindex.cli.arguments.review_files import (
    AnswersArgument,
    CheckOnlyOption,
    PageOption,
    page_target,
    read_answers,
)
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import visible

_DEFAULT_PAGE = Path("tags.html")

TagArgument = Annotated[
    str, typer.Argument(metavar="TAG", autocompletion=complete_tag, help="The tag, as a model gave it.")
]


def add_to(group: typer.Typer) -> None:
    """Add the commands to the group `tag`."""
    group.command("accept", cls=QueryCommand)(_accept)
    group.command("reject", cls=QueryCommand)(_reject)
    group.command("review")(_review)
    group.command("apply")(_apply)


def _accept(
    tag: TagArgument,
    photos: PhotosArgument,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Make a model's tag your own, in those of the photos that a model gave it."""
    from photoindex.library.words.verdicts import accept_tag

    with opened(library) as found:
        say(accept_tag(found, tag, chosen_photos(found, photos, "Accept the tag in {}?", yes=yes)), json=json)


def _reject(
    tag: TagArgument,
    photos: PhotosArgument,
    yes: YesOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Say that a tag does not fit photos, whoever gave it: no model's tag returns."""
    from photoindex.library.words.verdicts import reject_tag

    with opened(library) as found:
        say(reject_tag(found, tag, chosen_photos(found, photos, "Reject the tag in {}?", yes=yes)), json=json)


def _review(
    tags: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TAG", autocompletion=complete_tag, help="Only these. Default: all, least judged first."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="Show at most N pictures [default: 400].", show_default=False
        ),
    ] = None,
    output: PageOption = _DEFAULT_PAGE,
    hidden: Annotated[bool, typer.Option("--hidden", help="Also photos of hidden persons.")] = False,
    sensitive: Annotated[bool, typer.Option("--sensitive", help="Also sensitive photos.")] = False,
    library: LibraryOption = None,
) -> None:
    """Write a page of tags that models gave, to accept or reject in a browser.

    It shows, tag by tag, the pictures that the model is least sure of. It needs no network and no server, works without the
    library, and gives its answers as a file for `photoindex tag apply`. With 50 verdicts on a tag, the next `photoindex tag
    auto` measures how sure its model may be.
    """
    from photoindex.library.words.review.page import PICTURES, ReviewRequest, review_page

    target = page_target(output)
    with opened(library, reading=True) as found:
        made = review_page(found, ReviewRequest(tags or (), PICTURES if limit is None else limit, hidden, sensitive))
        what = f"a page of {amount(made.tags, 'tags')} with {amount(made.pictures, 'pictures')}"
        write_page(found, target, made.page, what)
    print("its answers are applied with: photoindex tag apply ANSWERS.jsonl", file=sys.stderr)
    if made.left:
        print(f"{amount(made.left, 'more tags')} did not fit; -n shows more pictures", file=sys.stderr)


def _apply(
    answers: AnswersArgument,
    dry_run: CheckOnlyOption = False,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    """Apply the answers of `tag review`: all of them, or none.

    Every line is checked against the library as it is now. `photoindex undo` takes them all back.
    """
    from photoindex.library.words.review.answers import apply_answers

    name, data = read_answers(answers)
    with opened(library) as found:
        done = apply_answers(found, data, name, dry_run=dry_run)
    if dry_run and not json:
        print(f"would apply: {visible(done.changed.summary)}; nothing was changed")
    else:
        say(done.changed, json=json)
