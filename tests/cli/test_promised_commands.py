"""Every message that names a command is a promise: the command exists, and a scenario shows that it does what is said.

The scenarios are in tests/cli/promises/, each with the messages that it keeps in its decorator `promises`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.cli.promises.messages import Message, help_texts, messages, named_in, problem_of, strings

EXCLUDE = "says which options go together, and asks for no command"
REASON = "says why a file is ranked as it is, and asks for no command"
TABLE = "as for a tower that has changed; only models of many languages, which are large, have a table of tokens"
NO_PROMISE = {
    "--all and --min-score exclude each other; give one of them": EXCLUDE,
    "--derived takes no PATH, --volume or --older-than": EXCLUDE,
    "give PATH or --paths-from, not both": EXCLUDE,
    "-0 needs --paths-from": EXCLUDE,
    "{} goes with --originals": EXCLUDE,
    "--repair goes without --originals, which are never written": EXCLUDE,
    "{} goes with --json alone": EXCLUDE,
    "--copy-to and --link-to exclude each other; use only one": EXCLUDE,
    "--copy-to and --link-to go without pictures, --count, --explain and --geojson": EXCLUDE,
    "--hard goes with --link-to": EXCLUDE,
    "{} goes with --copy-to or --link-to": EXCLUDE,
    "--report goes without --plan, which does nothing that could be reported": EXCLUDE,
    "--diff goes with --dry-run": EXCLUDE,
    "--preview shows photos between the lines of a table; it goes without --json, --geojson, --csv, -0 and --format": EXCLUDE,
    "'{}' already has an offset; do not use --zone as well": EXCLUDE,
    "--named, --unnamed, --ignored and --all exclude each other; use only one": EXCLUDE,
    "--rerank is for words alone; leave out like: and --like, or --rerank": EXCLUDE,
    "{} does not have {} rows; install the model again": TABLE,
    "{} cannot be read: {}; install the model again": TABLE,
    "{} has changed since it was installed; install the model again": TABLE,
    "give either a file with queries or --from-keywords": EXCLUDE,
    "--csv goes with --faces: the details are no table": EXCLUDE,
    "it is in a --prefer folder": REASON,
    "the others are in an --avoid folder": REASON,
    "# Plan of photoindex duplicates, made": "the head of a file",
    "nothing was found (`--fail-if-empty`, or a PATH": "the meaning of an exit code",
    "`photoindex doctor` found something that does not work": "the meaning of an exit code",
    "--json and --textfile exclude each other; use only one": EXCLUDE,
    "{} --model {}": "a part of the commands in the messages of a failed embedding, which have their scenario",
    "the tokenizer {} cannot be read: {}; install the model again": "as for a tokenizer that cannot be used; root reads all",
}
"""Messages that name a command or an option and ask nobody to run it, with the reason."""


@cache
def promised() -> dict[str, str]:
    """Return the messages that the scenarios keep, with the scenario of each."""
    found = {}
    for path in sorted((Path(__file__).parent / "promises").glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for function in tree.body:
            if isinstance(function, ast.FunctionDef):
                found.update(dict.fromkeys(_patterns(function, texts), f"{path.name}::{function.name}"))
    return found


def _patterns(function: ast.FunctionDef, texts: Mapping[str, str]) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "promises":
            for argument in decorator.args:
                yield texts[argument.id] if isinstance(argument, ast.Name) else ast.literal_eval(argument)


def _uncovered(message: Message, patterns: list[str]) -> list[str]:
    """Return what a message names outside of all patterns."""
    # A pattern that is a command alone, as status prints it, stands only for a message that is no more than that.
    fitting = [one for one in patterns if one == message.text or not one.startswith("photoindex ") or "; " in one]
    covered = [(start, start + len(pattern)) for pattern in fitting if (start := message.text.find(pattern)) >= 0]
    return [
        message.text[one.start : one.end]
        for one in named_in(message.text)
        if not any(start <= one.start and one.end <= end for start, end in covered)
    ]


def test_every_command_line_in_a_message_is_one_that_the_program_takes() -> None:
    wrong = {
        f"{message.module}:{message.line}: {message.text[one.start : one.end]}": problem
        for message in strings()
        for one in named_in(message.text)
        if (problem := one.problem or (problem_of(one.words) if one.words else None))
    }
    assert not wrong


def test_every_command_line_in_a_help_text_is_one_that_the_program_takes() -> None:
    wrong = {
        text[one.start : one.end]: problem
        for text in help_texts()
        for one in named_in(text)
        if (problem := one.problem or (problem_of(one.words) if len(one.words) > 2 else None))
    }
    assert not wrong


def test_every_message_that_names_a_command_has_a_scenario_that_keeps_it() -> None:
    patterns = [*promised(), *NO_PROMISE]
    lacking = {
        f"{message.module}:{message.line}: {message.text}": names
        for message in messages()
        if (names := _uncovered(message, patterns))
    }
    assert not lacking, "\n".join(f"{message}\n    {names}" for message, names in lacking.items())


@pytest.mark.parametrize("pattern", [*promised(), *NO_PROMISE])
def test_every_kept_promise_is_still_in_the_code(pattern: str) -> None:
    assert any(pattern in message.text for message in messages())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("there is none; run: photoindex spaces use {}{}", ["spaces use {}{}"]),
        ("the next photoindex embed continues", ["embed"]),
        (
            "see why: photoindex tasks --stage embed --state quarantined, or not",
            ["tasks --stage embed --state quarantined"],
        ),
        ("to keep it: photoindex backup {} --init", ["backup {} --init"]),
        ("mount it and scan again; `retry --dismiss` or --yes", ["scan again", "retry --dismiss", "--yes"]),
        (
            "photoindex scan '/my photos', then: photoindex redo ingest id:{}",
            ["scan '/my photos'", "redo ingest id:{}"],
        ),
        ("which photoindex never does; pip install --upgrade photoindex", []),
    ],
)
def test_command_lines_are_found_in_prose(text: str, named: list[str]) -> None:
    assert [text[one.start : one.end] for one in named_in(text)] == named
    assert all(one.problem is None for one in named_in(text))


@pytest.mark.parametrize(
    "text",
    [
        "run: photoindex scna PATH",
        "run: photoindex scan --acept-missing",
        "run: photoindex models pul X",
        "run: `index rebuilt`",
        "use it anyway with --forze",
        "run: photoindex spaces use",
        "run: photoindex scan --jobs many",
    ],
)
def test_a_command_that_the_program_does_not_take_is_found(text: str) -> None:
    assert any(one.problem or problem_of(one.words) for one in named_in(text))
