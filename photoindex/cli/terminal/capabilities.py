"""What the terminal can show: by its environment, and by asking it where that does not tell."""

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
"""Terminals that print kitty's question instead of ignoring it."""

_ASK_KITTY = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
_ASK_CELL_SIZE = b"\x1b[16t"
_ASK_ATTRIBUTES = b"\x1b[c"
"""Primary device attributes (DA1): every terminal answers it, so that its answer ends the waiting; 4 means sixel."""
_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
_CELL_SIZE = re.compile(rb"\x1b\[6;(\d+);(\d+)t")


@dataclass(frozen=True, slots=True)
class Answers:
    """What a terminal answered. cell_px: width and height of one character, None where it did not say."""

    kitty: bool = False
    sixel: bool = False
    cell_px: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """How pictures are shown here. cell_px: width and height of one character. tmux: codes are to be passed through it."""

    protocol: Protocol
    cell_px: tuple[int, int] = _USUAL_CELL_PX
    tmux: bool = False


def find_terminal(
    environment: Mapping[str, str] | None = None, ask: Callable[[bytes], Answers] | None = None
) -> Terminal | None:
    """Return how this terminal shows pictures; None where it has neither pictures nor colours.

    environment: None: this process's. ask: sends questions and reads what the terminal answers; None: really.
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


def _in_tmux(ask: Callable[[bytes], Answers]) -> Terminal:
    """Within tmux a picture can only be text: kitty's placeholders where codes are passed through, or tmux's own sixel."""
    around, passes = _around_tmux()
    if passes and around in _KITTY_TERMS:
        return Terminal(Protocol.KITTY_PLACEHOLDERS, _cell_px(None), tmux=True)
    return _by_answers(ask(_ASK_CELL_SIZE + _ASK_ATTRIBUTES))


def _by_answers(answers: Answers) -> Terminal:
    protocol = Protocol.KITTY if answers.kitty else Protocol.SIXEL if answers.sixel else Protocol.BLOCKS
    return Terminal(protocol, _cell_px(answers.cell_px))


def _around_tmux() -> tuple[str, bool]:
    """Return the name of the terminal around tmux, and whether tmux passes codes through to it."""
    program = shutil.which("tmux")
    if program is None:
        return "", False
    command = [program, "display-message", "-p", "#{client_termname}\t#{allow-passthrough}"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=_TMUX_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return "", False
    name, _, passes = said.strip().partition("\t")
    return name, passes in ("1", "on", "all")


def _cell_px(answered: tuple[int, int] | None) -> tuple[int, int]:
    """Return the size of one character: as the window says (TIOCGWINSZ), as the terminal answered, or the usual one."""
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
    """Send questions to the terminal and return its answers; nothing is answered where it is silent for a second.

    Nothing is asked where standard input is no terminal, or this process is in the background and would be stopped.
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
        return False  # a terminal that does not control this process does not stop it either


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
    """Return what the bytes that a terminal sent say."""
    attributes, cell = _ATTRIBUTES.search(answer), _CELL_SIZE.search(answer)
    return Answers(
        kitty=b"\x1b_Gi=31;OK" in answer,
        sixel=attributes is not None and b"4" in attributes[1].split(b";")[1:],
        cell_px=None if cell is None else (int(cell[2]), int(cell[1])),
    )
