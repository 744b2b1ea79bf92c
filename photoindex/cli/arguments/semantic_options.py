"""The options of `search` for what photos show: --like, --not, --weight, --min-score, --all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.path_completion import complete_path
from photoindex.cli.output.render import visible
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from photoindex.library.search.semantic_query import PictureFile, SemanticOptions, WeightedText

PANEL = "What photos show; needs an embedded library (photoindex embed)"

_STDIN = "-"
_STDIN_BYTES_MAX = 512 << 20
_PARTS = ("words", "like", "not")

LikeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--like", metavar="FILE", autocompletion=complete_path, show_default=False, rich_help_panel=PANEL,
        help="Find photos that look like this picture file; - reads it from stdin. May be repeated.",
    ),
]  # fmt: skip
NotOption = Annotated[
    list[str] | None,
    typer.Option(
        "--not", metavar="WORDS", show_default=False, rich_help_panel=PANEL,
        help="Subtract what this means; WORDS^0.5 subtracts half of it. May be repeated. To filter, use -term.",
    ),
]  # fmt: skip
WeightOption = Annotated[
    list[str] | None,
    typer.Option(
        "--weight", metavar="NAME=N", show_default=False, rich_help_panel=PANEL,
        help="How much a part counts: words=2, like=0.5 or not=0.3, or one word or phrase of the query: beach=2.",
    ),
]  # fmt: skip
MinScoreOption = Annotated[
    float | None,
    typer.Option(
        "--min-score", metavar="N", min=-1.0, max=1.0, show_default=False, rich_help_panel=PANEL,
        help="The least score of a hit, -1 to 1, instead of the cut-off of the embedding space.",
    ),
]  # fmt: skip
AllOption = Annotated[
    bool, typer.Option("--all", rich_help_panel=PANEL, help="Rank all photos, however little they match.")
]

RerankOption = Annotated[
    int | None,
    typer.Option(
        "--rerank", metavar="N", min=1, max=1000, show_default=False, rich_help_panel=PANEL,
        help="Look again at the previews of the first N, at most 1000, with a stronger installed model.",
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class GivenOptions:
    """The values of these options as a command got them."""

    like: Sequence[str]
    without: Sequence[str]
    weights: Sequence[str]
    min_score: float | None
    everything: bool

    def __post_init__(self) -> None:
        if self.everything and self.min_score is not None:
            raise UsageError("--all and --min-score exclude each other; give one of them")
        if self.like.count(_STDIN) > 1:
            raise UsageError("--like - reads the one picture that stdin has; give it once")


@contextmanager
def semantic_options(given: GivenOptions) -> Iterator[SemanticOptions]:
    """Give what these options ask of a search; a picture from stdin is kept in a file until the block ends."""
    from photoindex.library.search.semantic_query import SemanticOptions

    without = tuple(_subtracted(text) for text in given.without)
    weights = dict(map(_weight, given.weights))
    with _pictures(given.like) as pictures:
        yield SemanticOptions(
            pictures=tuple(pictures),
            without=without,
            word_weights={name: weight for name, weight in weights.items() if name not in _PARTS},
            words_weight=weights.get("words", 1.0),
            like_weight=weights.get("like", 1.0),
            not_weight=weights.get("not", 1.0),
            min_score=given.min_score,
            everything=given.everything,
        )


def _weight(written: str) -> tuple[str, float]:
    from photoindex.query.lexer import read_weight

    name, equals, number = written.rpartition("=")
    if not equals or not name.strip():
        raise UsageError(f"--weight {visible(written)}: write NAME=NUMBER, such as like=0.5 or beach=2")
    try:
        return " ".join(name.lower().split()), read_weight(number.strip())
    except ValueError as error:
        raise UsageError(f"--weight {visible(written)}: {error}") from error


def _subtracted(written: str) -> WeightedText:
    from photoindex.library.search.semantic_query import WeightedText
    from photoindex.query.lexer import read_weight, split_weight

    text, weight = split_weight(written.strip())
    if not text.strip():
        raise UsageError("--not needs a text, such as --not people")
    try:
        return WeightedText(" ".join(text.split()), 1.0 if weight is None else read_weight(weight))
    except ValueError as error:
        raise UsageError(f"--not {visible(written)}: {error}") from error


@contextmanager
def _pictures(like: Sequence[str]) -> Iterator[list[PictureFile]]:
    from photoindex.file_access import as_on_disk
    from photoindex.library.search.semantic_query import PictureFile

    files = [
        PictureFile(as_on_disk(os.fsencode(one)), f"--like {visible(os.fsencode(one))}")
        for one in like
        if one != _STDIN
    ]
    if _STDIN not in like:
        yield files
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="photoindex-") as folder:
        path = Path(folder) / "stdin"
        path.write_bytes(_stdin())
        yield [*files, PictureFile(os.fsencode(path), "--like -: stdin")]


def _stdin() -> bytes:
    if sys.stdin.isatty():
        raise UsageError("--like - reads a picture from stdin, which is a terminal; redirect a file to it, or name one")
    data = sys.stdin.buffer.read(_STDIN_BYTES_MAX + 1)
    if len(data) > _STDIN_BYTES_MAX:
        raise UsageError(f"--like -: stdin gives more than {_STDIN_BYTES_MAX >> 20} MiB; name the file instead")
    return data
