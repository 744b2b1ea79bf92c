"""Detects how the terminal shows pictures, from the environment and by querying it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from photoindex.cli.terminal.graphics import Protocol

_ANSWER_SECONDS = 1.0
_TMUX_SECONDS = 2.0
_USUAL_CELL_PX = (10, 20)
_LARGEST_CELL_PX = 100

_KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
_ITERM2_PROGRAMS = ("iTerm.app", "WezTerm", "mintty")
_PRINTS_APC = ("Apple_Terminal",)
"""Terminals that print kitty's query instead of ignoring it."""

_SIXEL_TERMS = ("foot", "foot-extra", "mlterm", "contour", "yaft-256color")
_LATER_FZF = "FZF_SELECT_COUNT"
"""Set by fzf from 0.46 on."""

_ASK_KITTY = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
_ASK_CELL_SIZE = b"\x1b[16t"
_ASK_ATTRIBUTES = b"\x1b[c"
"""Primary device attributes (DA1): every terminal answers it, so its answer ends the wait; 4 means sixel."""
_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
_CELL_SIZE = re.compile(rb"\x1b\[6;(\d+);(\d+)t")


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of a terminal. cell_px: width and height of one character, None if it did not answer."""

    kitty: bool = False
    sixel: bool = False
    cell_px: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """How to show pictures. cell_px: width and height of one character. tmux: escape codes must be passed through tmux."""

    protocol: Protocol
    cell_px: tuple[int, int] = _USUAL_CELL_PX
    tmux: bool = False


def find_terminal(
    environment: Mapping[str, str] | None = None, ask: Callable[[bytes], Answers] | None = None
) -> Terminal | None:
    """Return how this terminal shows pictures; None if it supports neither pictures nor colours.

    environment: by default this process's. ask: sends queries and reads the answers, by default `ask_terminal`.
    """
    environment = os.environ if environment is None else environment
    ask = ask_terminal if ask is None else ask
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if term in ("", "dumb"):
        return None
    if environment.get("TMUX") or program == "tmux":
        return _in_tmux(ask)
    if term.startswith("screen"):
        return Terminal(Protocol.BLOCKS)
    if term in _KITTY_TERMS or program == "ghostty" or (environment.get("KITTY_WINDOW_ID") and not program):
        return Terminal(Protocol.KITTY, _cell_px(None))
    if program in _ITERM2_PROGRAMS or environment.get("LC_TERMINAL") == "iTerm2":
        return Terminal(Protocol.ITERM2, _cell_px(None))
    questions = _ASK_CELL_SIZE + _ASK_ATTRIBUTES
    if program not in _PRINTS_APC and term != "linux":
        questions = _ASK_KITTY + questions
    return _by_answers(ask(questions))


def preview_window(environment: Mapping[str, str] | None = None) -> tuple[int, int] | None:
    """Return the columns and lines of the preview window of fzf that this process writes to, None if it runs in none."""
    environment = os.environ if environment is None else environment
    written = [environment.get(name, "") for name in ("FZF_PREVIEW_COLUMNS", "FZF_PREVIEW_LINES")]
    return (int(written[0]), int(written[1])) if all(one.isdecimal() and int(one) > 0 for one in written) else None


def find_terminal_of_fzf(environment: Mapping[str, str] | None = None) -> Terminal | None:
    """Return how the terminal around a preview window of fzf shows pictures, as for `find_terminal`, without asking it.

    fzf 0.46 and later pass on the codes of all protocols, kitty's with placeholders; earlier ones show text alone.
    """
    environment = os.environ if environment is None else environment
    if _LATER_FZF not in environment and environment.get("TERM", "") not in ("", "dumb"):
        return Terminal(Protocol.BLOCKS)
    terminal = find_terminal(environment, lambda _questions: Answers(sixel=environment.get("TERM") in _SIXEL_TERMS))
    if terminal is not None and terminal.protocol is Protocol.KITTY:
        return Terminal(Protocol.KITTY_PLACEHOLDERS, terminal.cell_px)
    return terminal


def _in_tmux(ask: Callable[[bytes], Answers]) -> Terminal:
    """In tmux, use kitty's placeholders if tmux passes escape codes through, else tmux's own sixel or blocks."""
    outer, passes = _outer_terminal()
    if passes and outer in _KITTY_TERMS:
        return Terminal(Protocol.KITTY_PLACEHOLDERS, _cell_px(None), tmux=True)
    return _by_answers(ask(_ASK_CELL_SIZE + _ASK_ATTRIBUTES))


def _by_answers(answers: Answers) -> Terminal:
    protocol = Protocol.KITTY if answers.kitty else Protocol.SIXEL if answers.sixel else Protocol.BLOCKS
    return Terminal(protocol, _cell_px(answers.cell_px))


def _outer_terminal() -> tuple[str, bool]:
    """Return the name of the terminal that tmux runs in, and whether tmux passes escape codes through to it."""
    program = shutil.which("tmux")
    if program is None:
        return "", False
    command = [program, "display-message", "-p", "#{client_termname}\t#{allow-passthrough}"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=_TMUX_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return "", False
    name, _, passes = output.strip().partition("\t")
    return name, passes in ("1", "on", "all")


def _cell_px(answered: tuple[int, int] | None) -> tuple[int, int]:
    """Return the size of one character: from the window size (TIOCGWINSZ), the terminal's answer, or the default."""
    width, height = _cell_of_window() or answered or _USUAL_CELL_PX
    return (width, height) if 2 <= width <= _LARGEST_CELL_PX and 2 <= height <= _LARGEST_CELL_PX else _USUAL_CELL_PX


def _cell_of_window() -> tuple[int, int] | None:
    try:
        import fcntl
        import struct
        import termios

        packed = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
    except (ImportError, OSError, ValueError):
        return None
    rows, columns, width_px, height_px = struct.unpack("HHHH", packed)
    return (width_px // columns, height_px // rows) if rows and columns and width_px and height_px else None


def ask_terminal(questions: bytes) -> Answers:
    """Send queries to the terminal and return its answers; times out after a second.

    Sends nothing if standard input is not a terminal, or this process is in the background and would be stopped.
    """
    try:
        import termios
        import tty

        reading, writing = sys.stdin.fileno(), sys.stdout.fileno()
        if not os.isatty(reading) or not os.isatty(writing) or _in_background(reading):
            return Answers()
        before = termios.tcgetattr(reading)
    except (ImportError, OSError, ValueError):
        return Answers()
    try:
        tty.setcbreak(reading, termios.TCSANOW)
        sys.stdout.flush()
        os.write(writing, questions)
        return read_answers(_read_until_attributes(reading))
    except OSError:
        return Answers()
    finally:
        termios.tcsetattr(reading, termios.TCSADRAIN, before)


def _in_background(descriptor: int) -> bool:
    try:
        return os.tcgetpgrp(descriptor) != os.getpgrp()
    except OSError:
        return False  # not the controlling terminal, which cannot stop this process


def _read_until_attributes(descriptor: int) -> bytes:
    import select

    answer, end = b"", time.monotonic() + _ANSWER_SECONDS
    while not _ATTRIBUTES.search(answer):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, end - time.monotonic()))
        part = os.read(descriptor, 4096) if ready else b""
        if not part:
            break
        answer += part
    return answer


def read_answers(answer: bytes) -> Answers:
    """Parse the bytes that a terminal sent."""
    attributes, cell = _ATTRIBUTES.search(answer), _CELL_SIZE.search(answer)
    return Answers(
        kitty=b"\x1b_Gi=31;OK" in answer,
        sixel=attributes is not None and b"4" in attributes[1].split(b";")[1:],
        cell_px=None if cell is None else (int(cell[2]), int(cell[1])),
    )
