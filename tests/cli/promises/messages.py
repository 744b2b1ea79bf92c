"""Finds the messages in the code that name a command, and the command lines in a text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typer

from photoindex.cli.arguments.default_command import GroupWithDefault
from photoindex.cli.arguments.query_words import option_arities
from photoindex.cli.main import COMMANDS, _rearranged, build_app

PACKAGE = Path(__file__).resolve().parents[3] / "photoindex"

HOLE = "{}"
"""A field of an f-string in the text of a message."""

_PROSE = frozenset({"command", "knows", "library", "never", "or", "that"})
"""Words after "photoindex" where the name stands for the program, as in "which photoindex never changes"."""

_NO_MESSAGES = frozenset({"exclusive", "Option", "Argument", "Field"})
"""Functions whose strings nobody is asked to run: names of locks, options and settings with their help."""

_WORD = re.compile(r"""(?:\$?'(?:\\.|[^'\\])*'|"[^"]*"|\{\}|[^\s'"`;,(){}])+""")
_AGAIN = re.compile(
    r"\b(?:(?:scan|run the command|run it|install (?:it|the models?)) again|the next scan|then scan)\b", re.IGNORECASE
)
_OTHER_PROGRAM = re.compile(r"pip install [^;,]*|install photoindex \{\}|photoindex \{\} knows")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


@dataclass(frozen=True)
class Message:
    """A string of the code: its module's path in the package, its line, and its text with a HOLE for each field."""

    module: str
    line: int
    text: str


@dataclass(frozen=True)
class Named:
    """A command line, option or call to repeat something in a text: where it stands, and the words of a command line."""

    start: int
    end: int
    words: tuple[str, ...] = ()
    problem: str | None = None


@cache
def app() -> Any:
    """Return the whole command line of photoindex."""
    return typer.main.get_command(build_app())


@cache
def all_options() -> frozenset[str]:
    """Return the names of all options of all commands."""
    return frozenset(name for command in _all_commands(app()) for name in option_arities(app(), command))


def _all_commands(command: Any) -> Iterator[Any]:
    yield command
    for one in getattr(command, "commands", {}).values():
        yield from _all_commands(one)


@cache
def help_texts() -> tuple[str, ...]:
    """Return every text that `--help` of some command shows, of commands, arguments and options."""
    return tuple(
        text
        for command in _all_commands(app())
        for text in (command.help, *(_help_of(one) for one in command.params))
        if text
    )


def _help_of(option: Any) -> str:
    return f"{getattr(option, 'help', None) or ''}\n{getattr(option, 'rich_help_panel', None) or ''}"


@cache
def messages() -> tuple[Message, ...]:
    """Return every string of the package that a person may read and that names a command, without the texts of `--help`."""
    return tuple(one for one in strings() if not _is_help(one.text) and list(named_in(one.text)))


@cache
def strings() -> tuple[Message, ...]:
    """Return every string of the package that a person may read."""
    return tuple(one for path in sorted(PACKAGE.rglob("*.py")) for one in _strings(path))


def _is_help(text: str) -> bool:
    """Tell whether `--help` shows a text: as a whole line, or all lines of a paragraph that several commands share."""
    if "photoindex" not in text and "`" not in text and "--" not in text:
        return False
    lines = [line.strip() for line in text.replace("\b", "").split("\n") if line.strip() and HOLE not in line]
    return bool(lines) and all(line in _help_lines() for line in lines)


@cache
def _help_lines() -> frozenset[str]:
    return frozenset(line.strip() for text in help_texts() for line in text.replace("\b", "").split("\n"))


def _strings(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = path.relative_to(PACKAGE).as_posix()
    skipped = {id(part) for node in ast.walk(tree) for part in _no_messages_below(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else HOLE for part in node.values]
            yield Message(module, node.lineno, "".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Message(module, node.lineno, node.value)


def _no_messages_below(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the strings of a node that are no messages: docstrings, names of options, parts of a longer string."""
    for statement in node.body if isinstance(getattr(node, "body", None), list) else ():  # type: ignore[attr-defined]
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            yield statement.value
    if isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.Constant))
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _NO_MESSAGES:
            yield from (part for argument in (*node.args, *node.keywords) for part in ast.walk(argument))
    if isinstance(node, ast.keyword) and node.arg in ("command", "comment"):  # of a journal entry, of a column
        yield from ast.walk(node.value)


def named_in(text: str) -> Iterator[Named]:
    """Yield the commands, options and calls to repeat that a text names.

    A command begins with "photoindex" or a backquote. Its words are its options with their values, as many plain words as
    it needs, and whatever looks like a value: SNAPSHOT, a path, id:3. An option at the beginning of a message is what the
    message is about, not a promise.
    """
    taken: list[Named] = []
    text = _OTHER_PROGRAM.sub(lambda match: "." * len(match.group()), text)
    for match in re.finditer(r"(?:\b|`)photoindex (?=[\w{-])|`(?=[a-z]+\b)", text):
        one = _command_line(text, match.end(), begins_with=match.group())
        if one is not None and not any(other.start <= one.start < other.end for other in taken):
            taken.append(one)
    for match in (*_OPTION.finditer(text), *_AGAIN.finditer(text)):
        is_subject = (match.start() == 0 and match.group().startswith("--")) or _OPTION.fullmatch(
            text.partition("/")[0]
        )
        if not is_subject and not any(one.start <= match.start() < one.end for one in taken):
            unknown = match.group().startswith("--") and match.group() not in all_options()
            taken.append(Named(*match.span(), problem=f"no command has {match.group()}" if unknown else None))
    yield from sorted(taken, key=lambda one: one.start)


def _command_line(text: str, start: int, *, begins_with: str) -> Named | None:
    words = _Words(text, start)
    first = words.next() or ""
    if first in _PROSE or (first not in COMMANDS and begins_with == "`"):
        return None
    if first == HOLE:
        return Named(start, words.end)
    names, command = [first], app().commands.get(first)
    while command is not None and getattr(command, "commands", None) and (word := words.peek()):
        if names == ["backup"] and word not in command.commands:  # `photoindex backup DEST` is short for `backup make`
            command = command.commands["make"]
            break
        if (
            isinstance(command, GroupWithDefault) and word not in command.commands
        ):  # `bursts QUERY` is `bursts list QUERY`
            command = command.commands[command.default]
            break
        if word.startswith("-") or (command.invoke_without_command and word not in command.commands):
            break
        if word == HOLE:
            words.next()
            return Named(start, words.end)
        words.next()
        names.append(word)
        command = command.commands.get(word)
    if command is None:
        return Named(start, words.end, tuple(names), f"there is no command {' '.join(names)}")
    return _with_arguments(words, start, names, command)


def _with_arguments(words: _Words, start: int, names: list[str], command: Any) -> Named:
    arities = option_arities(app(), command) | {"--library": 1}
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    lacking = sum(one.required for one in arguments)
    given = list(names)
    while (word := words.peek()) is not None:
        option, equals, _ = word.partition("=")
        if word.startswith("--") or word in arities:
            if option not in arities:
                return Named(start, words.end, tuple(given), f"{' '.join(names)} has no {option}")
            given += [words.next() or "" for _ in range(1 if equals else 1 + arities[word])]
        elif arguments and (lacking > 0 or not re.fullmatch(r"[a-z][a-z'-]*", word)):
            lacking -= 1
            given.append(words.next() or "")
        else:
            break
    return Named(start, words.end, tuple(given))


class _Words:
    """Reads the words of a command line, up to a mark that ends it."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._next = start
        self.end = start

    def peek(self) -> str | None:
        match = _WORD.match(self._text, self._next)
        return match.group().rstrip(".:") or None if match else None

    def next(self) -> str | None:
        word = self.peek()
        if word is None:
            return None
        self.end = self._next + len(word)
        self._next = self.end + 1 if self._text[self.end : self.end + 1] == " " else len(self._text)
        return word


def problem_of(words: tuple[str, ...]) -> str | None:
    """Return what the command line refuses in these words, None if it takes them; names in capitals stand for values."""
    argv = [re.sub(r"\{\}|^[A-Z]{2,}\b", "1", word.strip("'\"")) for word in words if word != "--help"]
    try:
        argv = _rearranged(argv, app())
        command, context = app(), None
        context = command.make_context("photoindex", argv, resilient_parsing=False)
        while getattr(command, "commands", None):
            rest = [*context._protected_args, *context.args]
            if not rest:
                break
            name, command, rest = command.resolve_command(context, rest)
            context = command.make_context(name, rest, parent=context)
    except typer.Exit:
        return None
    except Exception as error:
        return f"{' '.join(argv)}: {error or type(error).__name__}"
    return None
