"""Interrupting a search raises the interrupt, not a database error."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from photoindex.cli.main import main
from photoindex.errors import EXIT_INTERRUPTED
from photoindex.library.handle import Library
from photoindex.library.search.find import count_photos, matching_photo_ids
from photoindex.library.search.parse import parse
from photoindex.query.syntax import Node
from tests.rows import VolumeRows, library_in

ENDLESS = "name::(a+)+$"


@pytest.fixture
def endless(library_folder: Path, tmp_path: Path) -> Path:
    """A library with a name on which a careless regular expression runs forever."""
    with library_in(library_folder) as library:
        VolumeRows(library, tmp_path / "originals").add_whole_photo("a" * 60 + "!")
    return library_folder


@pytest.fixture
def interrupt_soon() -> Iterator[Callable[[], None]]:
    """A function that triggers a KeyboardInterrupt a moment after it is called."""

    def raise_interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, raise_interrupt)

    def start() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.5)

    yield start
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("search", [count_photos, matching_photo_ids])
def test_an_interrupt_during_a_slow_regular_expression_is_raised(
    endless: Path, interrupt_soon: Callable[[], None], search: Callable[[Library, Node], object]
) -> None:
    with library_in(endless) as library:
        query = parse(library, ENDLESS)
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # the timer may fire before the search starts
            interrupt_soon()
            search(library, query)
        assert count_photos(library, parse(library, "name::^a")) == 1


def test_an_interrupted_search_ends_with_130_and_without_a_traceback(
    endless: Path, interrupt_soon: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt_soon()
    assert main(["--library", str(endless), "search", ENDLESS]) == EXIT_INTERRUPTED
    assert "Traceback" not in capsys.readouterr().err
