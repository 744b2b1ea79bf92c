"""Files of answers that a review page saves or a script writes: JSON lines, all of which apply, or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from photoindex.errors import UsageError

SCHEMA = 1
_SHOWN = 20
"""Problems that a message lists."""

Answer = TypeVar("Answer")


class NotAnAnswer(Exception):
    """A line is no answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be applied. line: counted from 1."""

    line: int
    reason: str


class AnswersRefused(UsageError):
    """Some answers cannot be applied, so none was; `problems` says which and why, by line."""

    meaning = ""

    def __init__(self, name: str, problems: Sequence[Problem], count: int, *, unit: str = "answers") -> None:
        """Name the file, its problems in the order of lines, and how many units it has."""
        lines = "\n".join(f"  line {one.line}: {one.reason}" for one in problems[:_SHOWN])
        if len(problems) > _SHOWN:
            lines += f"\n  and {len(problems) - _SHOWN:,} more"
        do = "does" if len(problems) == 1 else "do"
        super().__init__(
            f"{name}: {len(problems):,} of {count:,} {unit} {do} not apply, so nothing was changed\n{lines}"
        )
        self.problems = problems


def read_lines(data: bytes, parse: Callable[[int, object], Answer]) -> tuple[list[Answer], list[Problem]]:
    """Return the answers of a file, and the lines that are none; empty lines are skipped.

    parse: makes an answer of a line's number and its JSON. Raises NotAnAnswer.
    """
    answers: list[Answer] = []
    problems: list[Problem] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            answers.append(parse(number, _json(line)))
        except NotAnAnswer as error:
            problems.append(Problem(number, str(error)))
    return answers, problems


def _json(line: bytes) -> object:
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NotAnAnswer(f"it is no JSON: {error}") from error
    return found
