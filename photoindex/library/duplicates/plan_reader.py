"""Reads a plan that a person may have edited; every line that makes no sense is named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from photoindex import file_access
from photoindex.errors import UsageError
from photoindex.library.duplicates.plan import COLUMNS, unescaped
from photoindex.library.duplicates.verdicts import KEEP, REMOVE, REVIEW
from photoindex.paths import display

_ACTIONS = (KEEP, REMOVE, REVIEW)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,18}")
_NAMED_PROBLEMS = 20
_PLAN_BYTES_MAX = 1 << 30


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One file of a plan. number: of the line, from 1. digest: BLAKE3 of the file when the plan was made."""

    number: int
    action: str
    group: int
    digest: bytes
    path: bytes


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """The lines of a group, in the order of the plan."""

    number: int
    lines: tuple[PlanLine, ...]

    def with_action(self, action: str) -> list[PlanLine]:
        """Return the lines with an action."""
        return [one for one in self.lines if one.action == action]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line. number: of the line, from 1."""

    number: int
    text: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.text}"


def read_plan(path: Path) -> list[PlanGroup]:
    """Return the groups of a plan that have files to remove. Raises UsageError, which names the first 20 bad lines."""
    problems: list[Problem] = []
    groups: dict[int, list[PlanLine]] = {}
    for line in _lines(_text(path), problems):
        groups.setdefault(line.group, []).append(line)
    found = [PlanGroup(number, tuple(lines)) for number, lines in groups.items()]
    problems += _contradictions(found)
    if problems:
        raise UsageError(_message(path, problems))
    return [one for one in found if one.with_action(REMOVE)]


def _text(path: Path) -> str:
    shown = display(os.fsencode(path))
    try:
        with file_access.open_file(path) as stream:
            written = stream.read(_PLAN_BYTES_MAX)
        return written.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is no plan: it is not UTF-8") from error
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}") from error


def _message(path: Path, problems: Sequence[Problem]) -> str:
    listed = sorted(problems, key=lambda one: one.number)[:_NAMED_PROBLEMS]
    more = len(problems) - len(listed)
    lines = [f"{display(os.fsencode(path))} cannot be applied, and nothing was changed:", *map(str, listed)]
    return "\n  ".join([*lines, *([f"and {more:,} more"] if more else [])])


def _lines(text: str, problems: list[Problem]) -> Iterator[PlanLine]:
    """Yield the lines that make sense alone; the others become problems."""
    has_head = False
    number = 0
    for number, written in enumerate(text.split("\n"), 1):
        line = written.removesuffix("\r")
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if not has_head:
            has_head = True
            if fields == list(COLUMNS):
                continue
            problems.append(Problem(number, f"the names of the columns are missing: {', '.join(COLUMNS)}"))
        try:
            yield _line(number, fields)
        except ValueError as error:
            problems.append(Problem(number, str(error)))
    if not has_head:
        problems.append(Problem(number, "the plan is empty"))


def _line(number: int, fields: Sequence[str]) -> PlanLine:
    """Raises ValueError for a line that makes no sense."""
    if len(fields) != len(COLUMNS):
        raise ValueError(f"{len(fields)} columns instead of {len(COLUMNS)}, separated by tabs: {', '.join(COLUMNS)}")
    named = dict(zip(COLUMNS, fields, strict=True))
    if named["action"] not in _ACTIONS:
        raise ValueError(f"the action is '{display(named['action'].encode())}', and must be keep, remove or review")
    if not _NUMBER.fullmatch(named["group"]):
        raise ValueError(f"the group is '{display(named['group'].encode())}', and must be a number")
    if not _DIGEST.fullmatch(named["digest"]):
        raise ValueError("the digest is not 64 hexadecimal digits")
    path = unescaped(named["path"])
    if not path.startswith(b"/") or b"\0" in path or os.path.normpath(path) != path:
        raise ValueError(f"{display(path)} is not an absolute path")
    return PlanLine(number, named["action"], int(named["group"]), bytes.fromhex(named["digest"]), path)


def _contradictions(groups: Sequence[PlanGroup]) -> Iterator[Problem]:
    """Yield what is wrong with lines that make sense alone."""
    first: dict[bytes, PlanLine] = {}
    for group in groups:
        for line in group.lines:
            other = first.setdefault(line.path, line)
            if other is not line:
                yield Problem(
                    line.number, f"the file is already in line {other.number} (group {other.group}, {other.action})"
                )
        removed = group.with_action(REMOVE)
        if removed and not group.with_action(KEEP):
            yield Problem(removed[0].number, f"group {group.number} keeps no file, so none of it can be removed")
