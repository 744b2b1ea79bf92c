"""Thumbnails in terminals: the codes sent are decoded back into pictures, and the kind of terminal is detected."""

from __future__ import annotations

import os
import pty
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.color import ColorSystem
from rich.console import Console

from photoindex.cli.terminal.capabilities import Answers, Terminal, ask_terminal, find_terminal, read_answers
from photoindex.cli.terminal.graphics import (
    Protocol,
    above_cursor,
    blocks,
    iterm2,
    kitty,
    kitty_placeholders,
    passed_through,
    sixel,
)
from photoindex.cli.terminal.thumbnails import Layout, captions, drawn, layout_for, strip
from tests.picture_items import item, jpeg, share_of
from tests.terminal_decoders import block_picture, iterm2_pictures, kitty_pictures, sixel_pictures, unwrapped

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 60), (40, 60, 200)


@pytest.fixture
def picture() -> Image.Image:
    """Noise in few colours, half of it transparent; it compresses badly, so it needs several chunks."""
    generator = np.random.default_rng(5)
    pixels = generator.integers(0, 4, (94, 130, 4)) * 85
    pixels[..., 3] = np.where(np.arange(130) < 70, 255, 0)
    return Image.fromarray(pixels.astype(np.uint8))


def same_colours(first: Image.Image, second: Image.Image, tolerance: int) -> bool:
    """Whether two RGBA pictures are transparent in the same places and about equal everywhere else."""
    one, other = np.asarray(first.convert("RGBA")).astype(int), np.asarray(second.convert("RGBA")).astype(int)
    opaque = one[..., 3] >= 128
    if one.shape != other.shape or not (opaque == (other[..., 3] >= 128)).all():
        return False
    return int(np.abs(one[opaque][:, :3] - other[opaque][:, :3]).max(initial=0)) <= tolerance


def test_kitty_gets_the_exact_picture_in_chunks(picture: Image.Image) -> None:
    codes = kitty(picture, 13, 5)
    assert len(codes) > 1
    (shown,) = kitty_pictures(b"".join(codes))
    assert same_colours(picture, shown.picture, 0)
    assert (shown.columns, shown.rows) == (13, 5)
    assert (shown.keys["C"], shown.keys["q"]) == ("1", "2")


def test_iterm2_gets_the_exact_picture(picture: Image.Image) -> None:
    (shown,) = iterm2_pictures(iterm2(picture, 13, 5))
    assert same_colours(picture, shown.picture, 0)
    assert (shown.columns, shown.rows) == (13, 5)


def test_sixel_draws_the_picture_and_skips_transparent_pixels(picture: Image.Image) -> None:
    (shown,) = sixel_pictures(sixel(picture))
    assert same_colours(picture, shown, 3)


def test_sixel_run_length_encodes_equal_pixels() -> None:
    plain = Image.new("RGBA", (300, 60), (*RED, 255))
    sent = sixel(plain)
    assert len(sent) < 400
    assert same_colours(plain, sixel_pictures(sent)[0], 3)


def test_sixel_reduces_many_colours_to_similar_ones() -> None:
    x, y = np.meshgrid(np.arange(120), np.arange(60))
    smooth = Image.fromarray(np.stack([x * 2, y * 4, 255 - x * 2, np.full_like(x, 255)], axis=2).astype(np.uint8))
    (shown,) = sixel_pictures(sixel(smooth))
    difference = np.abs(np.asarray(smooth).astype(int) - np.asarray(shown).astype(int))
    assert difference.mean() < 8


def test_a_fully_transparent_picture_stays_transparent() -> None:
    empty = Image.new("RGBA", (20, 14), (0, 0, 0, 0))
    assert same_colours(empty, sixel_pictures(sixel(empty))[0], 0)


def test_half_blocks_show_two_pixels_per_cell(picture: Image.Image) -> None:
    sent = blocks(picture, ColorSystem.TRUECOLOR)
    assert same_colours(picture, block_picture(sent), 0)
    assert sent.count(b"\n") == 47


def test_a_half_block_leaves_its_transparent_half_empty() -> None:
    column = Image.new("RGBA", (2, 4), (0, 0, 0, 0))
    column.putpixel((0, 0), (*RED, 255))
    column.putpixel((1, 3), (*BLUE, 255))
    assert same_colours(column, block_picture(blocks(column, ColorSystem.TRUECOLOR)), 0)


@pytest.mark.parametrize("colours", [ColorSystem.EIGHT_BIT, ColorSystem.STANDARD])
def test_a_terminal_with_fewer_colours_gets_no_24_bit_codes(colours: ColorSystem, picture: Image.Image) -> None:
    sent = blocks(picture, colours).decode()
    codes = set(re.findall(r"\x1b\[([\d;]*)m", sent))
    assert codes
    assert not any("8;2;" in code for code in codes)


def test_codes_wrapped_for_tmux_are_intact_after_unwrapping(picture: Image.Image) -> None:
    codes = kitty(picture, 13, 5, placeholder_id=0x123456)
    passed_on = unwrapped(b"".join(map(passed_through, codes)))
    assert passed_on == b"".join(codes)
    (shown,) = kitty_pictures(passed_on)
    assert (shown.keys["U"], shown.keys["i"]) == ("1", str(0x123456))


def test_placeholders_encode_the_picture_id_as_colour_and_the_row_as_a_diacritic() -> None:
    lines = kitty_placeholders(0x123456, 13, 5).decode().split("\n")[:-1]
    assert len(lines) == 5
    marks = [re.match(r"\x1b\[38;2;18;52;86m\U0010eeee(.)\u0305(\U0010eeee*)\x1b\[39m$", line) for line in lines]
    assert all(marks)
    assert {len(one[2]) for one in marks if one} == {12}
    assert [one[1] for one in marks if one] == list("\u0305\u030d\u030e\u0310\u0312")


def test_lines_are_reserved_for_a_picture_and_the_cursor_ends_below_it() -> None:
    sent = above_cursor(b"PICTURE", 9)
    before, after = sent.split(b"PICTURE")
    assert before == b"\r" + b"\n" * 9 + b"\x1b[9A\x1b7"
    assert after == b"\x1b8\x1b[9B\r"


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_row_of_thumbnails_shows_each_photo_in_its_column(protocol: Protocol, tmp_path: Path) -> None:
    layout = Layout(columns=8, rows=4, beside=3)
    terminal = Terminal(protocol, (10, 20), tmux=protocol is Protocol.KITTY_PLACEHOLDERS)
    items = [
        item(1, jpeg(tmp_path / "1.jpg", RED, (160, 160))), item(2, None), item(3, jpeg(tmp_path / "3.jpg", BLUE, (160, 160))),
    ]  # fmt: skip
    sent = drawn(
        strip(items, terminal, layout), terminal, layout, Console(color_system="truecolor", force_terminal=True)
    )
    shown = {
        Protocol.KITTY: lambda: kitty_pictures(sent)[0].picture,
        Protocol.KITTY_PLACEHOLDERS: lambda: kitty_pictures(unwrapped(sent))[0].picture,
        Protocol.ITERM2: lambda: iterm2_pictures(sent)[0].picture,
        Protocol.SIXEL: lambda: sixel_pictures(sent)[0],
        Protocol.BLOCKS: lambda: block_picture(sent),
    }[protocol]()
    width, third = shown.width, shown.width * 10 // 28
    parts = [shown.crop((left, 0, min(width, left + third * 8 // 10), shown.height)) for left in (0, third, 2 * third)]
    for part, colour in zip(parts, (RED, (128, 128, 128), BLUE), strict=True):
        assert share_of(part, colour) > 0.9
    gap = np.asarray(shown.convert("RGBA"))[:, width * 8 // 28 + 1 : third - 1, 3]
    assert not gap.any()


def test_thumbnails_fit_the_width_of_the_terminal() -> None:
    for protocol in Protocol:
        for width in (5, 20, 40, 80, 81, 133, 300):
            layout = layout_for(protocol, width, 24)
            assert layout.beside >= 1
            assert layout.width < width
            assert 2 <= layout.rows < 24


def test_captions_are_below_their_pictures_and_contain_no_control_codes() -> None:
    layout = Layout(columns=20, rows=4, beside=2)
    items = [
        item(12, heading="京都の秋は長い名前です、とても長い", relevance=33),
        item(13, heading="red\x1b[31m\u202e", keep=True),
    ]
    names, facts, _ = captions(items, layout)
    assert names.cell_len == facts.cell_len == 20 + 2 + 20
    assert "\x1b" not in names.plain
    assert "\u202e" not in names.plain
    assert facts.plain.startswith("12  33  2019")
    assert "13  keep  2019" in facts.plain


def test_a_caption_has_the_whole_day_with_its_mark() -> None:
    _, facts, _ = captions([item(12, taken="~2024-06-01 10:00", relevance=None)], Layout(columns=30, rows=4, beside=1))
    assert facts.plain.rstrip() == "12  ~2024-06-01"


NOTHING = Answers()
KNOWN = [
    ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, NOTHING, Protocol.KITTY),
    ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, NOTHING, Protocol.KITTY),
    ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, NOTHING, Protocol.KITTY),
    ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, NOTHING, Protocol.ITERM2),
    ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, NOTHING, Protocol.ITERM2),
    ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, NOTHING, Protocol.ITERM2),
    ({"TERM": "foot"}, Answers(sixel=True), Protocol.SIXEL),
    ({"TERM": "xterm-256color"}, Answers(kitty=True, sixel=True), Protocol.KITTY),
    ({"TERM": "xterm-256color"}, NOTHING, Protocol.BLOCKS),
    ({"TERM": "xterm-256color", "TERM_PROGRAM": "vscode", "KITTY_WINDOW_ID": "1"}, NOTHING, Protocol.BLOCKS),
    ({"TERM": "screen-256color", "STY": "1.pts"}, NOTHING, Protocol.BLOCKS),
    ({"TERM": "linux"}, NOTHING, Protocol.BLOCKS),
]


@pytest.mark.parametrize(("environment", "answers", "expected"), KNOWN)
def test_a_terminal_is_identified_by_its_environment_or_its_answers(
    environment: dict[str, str], answers: Answers, expected: Protocol
) -> None:
    found = find_terminal(environment, lambda _questions: answers)
    assert found is not None
    assert found.protocol is expected


@pytest.mark.parametrize("environment", [{}, {"TERM": ""}, {"TERM": "dumb"}])
def test_a_terminal_without_colours_shows_nothing(environment: dict[str, str]) -> None:
    assert find_terminal(environment, lambda _questions: NOTHING) is None


def test_terminals_that_would_print_kittys_query_are_not_sent_it() -> None:
    asked: list[bytes] = []

    def ask(questions: bytes) -> Answers:
        asked.append(questions)
        return NOTHING

    find_terminal({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, ask)
    find_terminal({"TERM": "linux"}, ask)
    assert asked
    assert not any(b"\x1b_G" in one for one in asked)


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fake tmux that prints the contents of a file; returns the file."""
    program, output = tmp_path / "tmux", tmp_path / "output"
    program.write_text(f"#!/bin/sh\ncat {output}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return output


TMUX = {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0", "KITTY_WINDOW_ID": "1"}


def test_in_tmux_on_kitty_pictures_are_passed_through_if_tmux_allows_it(tmux: Path) -> None:
    tmux.write_text("xterm-kitty\t1\n")
    found = find_terminal(TMUX, lambda _questions: NOTHING)
    assert found is not None
    assert (found.protocol, found.tmux) == (Protocol.KITTY_PLACEHOLDERS, True)


def test_in_tmux_without_passthrough_its_own_sixel_or_blocks_are_used(tmux: Path) -> None:
    tmux.write_text("xterm-kitty\t0\n")
    protocols = [find_terminal(TMUX, lambda _questions, a=a: a) for a in (Answers(sixel=True), NOTHING)]
    assert [one and one.protocol for one in protocols] == [Protocol.SIXEL, Protocol.BLOCKS]


def test_answers_are_parsed_amid_typed_input() -> None:
    typed = b"ls\n\x1b_Gi=31;OK\x1b\\\x1b[6;22;11t\x1b[?62;4;22cq"
    assert read_answers(typed) == Answers(kitty=True, sixel=True, cell_px=(11, 22))
    assert read_answers(b"\x1b[?4;6c") == Answers()
    assert read_answers(b"\x1b[?64;1;2") == Answers()


def query_fake_terminal(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> tuple[Answers, bytes]:
    """Query a terminal that sends `answer` when asked for its attributes; return the parsed answers and the queries."""
    outer, inner = pty.openpty()
    asked = bytearray()

    def terminal() -> None:
        while not asked.endswith(b"\x1b[c"):
            asked.extend(os.read(outer, 1024))
        os.write(outer, answer)

    answering = threading.Thread(target=terminal)
    answering.start()
    with os.fdopen(inner, "r+b", buffering=0) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        monkeypatch.setattr(sys, "stdout", stream)
        answers = ask_terminal(b"\x1b[16t\x1b[c")
        answering.join()
    os.close(outer)
    return answers, bytes(asked)


def test_a_terminal_is_queried_and_its_answers_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, asked = query_fake_terminal(monkeypatch, b"\x1b[6;20;9t\x1b[?62;4c")
    assert asked == b"\x1b[16t\x1b[c"
    assert answers == Answers(sixel=True, cell_px=(9, 20))


def test_waiting_for_a_terminals_answers_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, _ = query_fake_terminal(monkeypatch, b"x")
    assert answers == Answers()


def test_no_query_is_sent_if_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "in").open("w+b") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        monkeypatch.setattr(sys, "stdout", stream)
        assert ask_terminal(b"\x1b[c") == Answers()
        assert stream.seek(0, os.SEEK_END) == 0
