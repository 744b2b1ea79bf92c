"""What services say is text and numbers from outside: only what can be stored is kept."""

from __future__ import annotations

import math

import pytest

from photoindex.errors import ProviderFailed
from photoindex.library.providers.results import CheckedProvider, checked
from photoindex.providers.base import CallFailed, PictureRefused
from photoindex.types import Label, Result, Text, TextLine

CORNERS = ((-0.5, 0.0), (1.5, 0.0), (math.nan, 1.0), (0.0, math.inf))


def test_names_become_tags_and_those_that_cannot_are_dropped() -> None:
    given = ["dog", "fruit / vegetable", "cat,  mouse", "\x00 ", "x" * 300, "half \ud83d sign"]
    found = checked([Label(name, 0.9, 0.9) for name in given])
    assert [one.name for one in found if isinstance(one, Label)] == ["dog", "fruit/vegetable", "cat mouse", "half sign"]


def test_numbers_are_from_0_to_1_and_labels_that_nobody_would_see_are_dropped() -> None:
    found = checked(
        [Label("a", 7.0, 7.0), Label("b", math.nan, math.nan), Label("c", -1.0, 0.0), Label("d", 0.5, math.inf)]
    )
    assert found == (Label("a", 1.0, 7.0), Label("d", 0.5, 0.5))


def test_captions_are_one_printable_line() -> None:
    assert checked([Text("caption", "a\x00 dog\n\ud83d on a beach ", raw="x")]) == (
        Text("caption", "a dog on a beach", raw="a dog on a beach"),
    )
    assert checked([Text("caption", "\x00")]) == ()


def test_lines_of_text_are_printable_and_lie_in_the_picture() -> None:
    (text,) = checked(
        [Text("ocr", "ignored", lines=(TextLine("Gate\x00 B22", CORNERS, 3.0), TextLine("\ud83d", CORNERS, 1.0)))]
    )
    assert isinstance(text, Text)
    assert text.text == "Gate B22"
    assert text.lines[0] == TextLine("Gate B22", ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)), 1.0)


def test_text_without_places_keeps_its_lines() -> None:
    (text,) = checked([Text("ocr", "Gate B22\nBoarding")])
    assert isinstance(text, Text)
    assert (text.text, len(text.lines)) == ("Gate B22\nBoarding", 2)


def test_of_very_many_results_the_first_ones_are_kept() -> None:
    found = checked([Label(f"label {number}", 0.9, 0.9) for number in range(60_000)])
    assert [one.name for one in found if isinstance(one, Label)] == [f"label {number}" for number in range(100)]
    (text, *_) = checked([Text("ocr", "\n".join("a" * 1_000_000))])
    assert isinstance(text, Text)
    assert len(text.lines) == 10_000


class Raising:
    """A provider that raises what it was given."""

    runs_on = "here"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def ask(self, _jpeg: bytes, _stage: str) -> tuple[Result, ...]:
        raise self.error


def test_an_error_that_no_provider_may_raise_is_a_call_that_failed_and_may_be_billed() -> None:
    for error in (AttributeError("no\x1b[31m 'get'"), OverflowError("too large"), RuntimeError()):
        with pytest.raises(CallFailed) as failed:
            CheckedProvider(Raising(error)).ask(b"", "tags")
        assert (failed.value.may_be_billed, str(failed.value).isprintable()) == (True, True)
    for allowed in (CallFailed("x", may_be_billed=False), PictureRefused("x"), ProviderFailed("x")):
        with pytest.raises(type(allowed)) as raised:
            CheckedProvider(Raising(allowed)).ask(b"", "tags")
        assert raised.value is allowed
