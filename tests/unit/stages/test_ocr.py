"""The ocr stage: from lines to the text of a picture."""

from __future__ import annotations

from photoindex.stages.ocr import CHARACTERS_MAX, text_of
from photoindex.types import MoreThere, Text, TextLine

CORNERS = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.1), (0.0, 0.1))


def line(text: str) -> TextLine:
    return TextLine(text, CORNERS, 0.9)


def test_control_characters_are_removed_and_white_space_is_one_space() -> None:
    (text,) = text_of([line("a\x00b\x1b[31m\u202e  c\t\u00a0d\n"), line("\ud800\ue000"), line("e")])
    assert isinstance(text, Text)
    assert (text.text, [one.text for one in text.lines]) == ("ab[31m c d\ne", ["ab[31m c d", "", "e"])


def test_a_picture_without_lines_has_no_text_and_one_with_unreadable_lines_an_empty_one() -> None:
    assert text_of([]) == ()
    assert text_of([line("")]) == (Text("ocr", "", lines=(line(""),)),)


def test_more_than_is_kept_of_one_picture_is_cut_and_said() -> None:
    text, more = text_of([line("x" * 60_000), line(""), line("y" * 60_000), line("z")])
    assert isinstance(text, Text)
    assert more == MoreThere("ocr")
    assert len(text.text) == CHARACTERS_MAX == len("\n".join(one.text for one in text.lines if one.text))
    assert text.text == "\n".join(one.text for one in text.lines if one.text)
