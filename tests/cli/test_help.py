"""The help of every command: plain placeholders, nothing cut, whatever the width."""

from __future__ import annotations

import re

import pytest

from photoindex.cli.output.help import placeholder
from tests.command_line import run
from tests.reference import commands

WORDS = {
    *(
        "ALBUM",
        "BITS",
        "CAMERA",
        "CAPTION",
        "CLASS",
        "DATE",
        "DEST",
        "DEVICE",
        "DURATION",
        "ENTRY",
        "EVENT",
        "FACE",
        "FACT",
        "FILE",
    ),
    *(
        "FOLDER",
        "FROM",
        "GLOB",
        "HOW",
        "INTO",
        "KEY",
        "KEYWORD",
        "KIND",
        "LANGUAGE",
        "LAYOUT",
        "LENS",
        "MODEL",
        "MONTH",
        "N",
    ),
    *(
        "NAME",
        "PATH",
        "PERCENT",
        "PERSON",
        "PHOTO",
        "PLACE",
        "PROGRAM",
        "QUERY",
        "SECONDS",
        "SIZE",
        "SNAPSHOT",
        "SPACE",
        "SQL",
    ),
    *(
        "STAGE",
        "STARS",
        "STATE",
        "TAG",
        "TEMPLATE",
        "TIME",
        "TYPE",
        "URL",
        "VALUE",
        "VOLUME",
        "WATTS",
        "WHEN",
        "WHICH",
        "WORDS",
    ),
    "ZONE",
}
"""What an option or an argument takes. One word means the same in every command; look here before you add another."""
MEANINGS = {
    "--batch-size": "N",
    "--for": "DURATION",
    "--format": "TEMPLATE",
    "--gallery": "FILE",
    "--library": "FOLDER",
    "--limit": "N",
    "--model": "MODEL",
    "--older-than": "DURATION",
    "--output": "FILE",
    "--progress": "HOW",
    "--space": "SPACE",
    "--stage": "STAGE",
    "--state": "STATE",
    "--until": "TIME",
}
MONSTERS = re.compile(
    r"…|\.\.\.\.|\[\[|\]\]|\.\.\.\]\.|\\\[|<lambda>|<\w+( range)?>|<list|\bINTEGER\b|\bTEXT\b|\[\w+(\|\w+){2,}\]"
)
ALL = [("", None), *commands()]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(("name", "command"), ALL, ids=[name or "photoindex" for name, _ in ALL])
def test_help_names_each_option_whole_with_a_plain_placeholder(
    name: str,
    command: object,
    columns: int,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    done = run(capsysbinary, *name.split(), "--help")
    assert (done.code, done.err) == (0, b"")
    lines = done.out.decode().splitlines()
    assert not [line for line in lines if MONSTERS.search(line) or len(line.rstrip()) > columns]
    assert lines[1].split()[:2] == ["Usage:", "photoindex"]
    rows = [line.removeprefix("│ ").split("  ")[0] for line in lines if line.startswith("│ ")]
    for parameter in getattr(command, "params", ()):
        shown = placeholder(parameter)
        if parameter.param_type_name == "argument":
            assert shown in rows
            assert re.search(rf"[ \[]{re.escape(shown)}(\]|\s|$)", " ".join(lines[1:4]))
            continue
        assert [row for row in rows if row.endswith(shown) and _names(row.removesuffix(shown)) >= {*parameter.opts}]


def _names(row: str) -> set[str]:
    both = {one for name in row.replace(",", "").split() for one in (name, name.replace("[no-]", ""))}
    return both | {name.replace("[no-]", "no-") for name in row.split()}


def test_placeholders_are_words_of_one_list_and_mean_the_same_everywhere() -> None:
    used: set[str] = set()
    for name, command in commands():
        for parameter in command.params:
            words = re.split(r"[ |=]", placeholder(parameter).removesuffix("..."))
            used.update(filter(None, words))
            for option in parameter.opts:
                if option in MEANINGS and placeholder(parameter):
                    assert placeholder(parameter) == MEANINGS[option], (name, option)
    assert used == WORDS


def test_a_command_of_a_group_with_a_query_is_not_told_to_come_behind_one(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = run(capsysbinary, "duplicates", "apply")
    assert done.code == 2
    assert done.err.decode().splitlines()[:2] == [
        "Usage: photoindex duplicates apply [OPTIONS] FILE",
        "Try 'photoindex duplicates apply -h' for help.",
    ]
    shown = run(capsysbinary, "duplicates", "--help").out.decode()
    assert "photoindex duplicates [OPTIONS] [QUERY...]" in shown
    assert "photoindex duplicates COMMAND [ARGS...]" in shown
