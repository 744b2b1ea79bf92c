"""The README says what the program does: its tables, its commands, its options, its exit codes."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer

from photoindex import errors
from photoindex.cli.main import COMMANDS, _rearranged, build_app
from tests.reference import DEFAULTS, README, REPOSITORY, TABLES, commands, default_settings, exit_codes, filled

TEXT = README.read_text(encoding="utf-8")


def test_the_tables_are_what_the_code_says() -> None:
    assert filled(TEXT) == TEXT, "run: make docs"


def test_the_settings_to_copy_are_what_the_code_says() -> None:
    assert DEFAULTS.read_text(encoding="utf-8") == default_settings(), "run: make docs"


def test_the_settings_to_copy_hold_the_defaults_and_can_be_read() -> None:
    import tomllib

    from photoindex.config.schema import Config

    lines = default_settings().splitlines()
    taken = [line[1:] if re.match(r"#\w+ = \S", line) else line for line in lines]
    assert Config.model_validate(tomllib.loads("\n".join(taken))) == Config()


def test_the_exit_codes_are_those_of_the_program() -> None:
    families = {family.exit_code for family in errors.FAMILIES}
    assert len(families) == len(errors.FAMILIES), "each family has a code of its own"
    assert all(family.meaning for family in errors.FAMILIES)
    assert set(exit_codes()) == families | {0, 1, 2, 75, 100, 130, 141, 143}
    assert all(3 <= code <= 99 for code in families - {errors.EXIT_USAGE})
    assert dict(re.findall(r"^\| (\d+) \| (.+) \|$", TEXT, re.MULTILINE)).keys() == {str(code) for code in exit_codes()}


def test_every_command_is_in_the_table_and_says_what_it_is_for() -> None:
    table = re.findall(r"^\| `([a-z -]+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert {name.split()[0] for name, _help in table} >= set(COMMANDS)
    assert all(meaning.strip() for _name, meaning in table)


@pytest.mark.parametrize(("name", "command"), [pytest.param(name, one, id=name) for name, one in commands()])
def test_every_command_and_option_has_help(name: str, command: Any) -> None:
    assert (command.help or "").strip(), name
    for option in command.params:
        assert (getattr(option, "help", "") or "").strip(), f"{name}: {option.name} has no help"


def shown_command_lines() -> list[str]:
    """Every photoindex command line in a code block, up to a pipe or a redirection."""
    lines = []
    for block in re.findall(r"^```\w*\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            found = re.match(r"(?:\$ |[\d*/ ]{9,})?\s*(photoindex .*)", line)
            if found:
                lines.append(found[1])
    return lines


def words_of(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>;&")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("|>;&"):
            break
        words.append(word)
    return words[1:]


def test_the_readme_shows_commands() -> None:
    assert len(shown_command_lines()) > 5


@pytest.mark.parametrize("line", shown_command_lines())
def test_a_command_line_in_the_readme_exists_with_its_options(line: str) -> None:
    known = dict(commands())
    app: Any = typer.main.get_command(build_app())
    words = _rearranged(words_of(line), app)
    name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
    assert name in known
    options = {text for option in known[name].params for text in (*option.opts, *option.secondary_opts)}
    options |= {"--help", "-h"}
    for word in words[1:]:
        # A query's `-term` is no option: only what is spelled like one is looked up.
        if re.fullmatch(r"--[a-z][a-z-]*(=.*)?|-[0a-z]", word):
            assert word.partition("=")[0] in options, f"{name} has no option {word}"


def test_options_named_in_the_text_exist() -> None:
    options = {
        text for _name, one in commands() for option in one.params for text in (*option.opts, *option.secondary_opts)
    }
    prose = re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    named = {
        option for code in re.findall(r"`([^`]+)`", prose) for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code)
    }
    assert named <= options | {"--help", "--install-completion", "--quick"}
    assert "--library" in named


def test_the_test_command_is_what_ci_runs() -> None:
    assert re.search(r"^make test\b", TEXT, re.MULTILINE)
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^make test VENV=", script, re.MULTILINE)
    assert re.search(r"^make bench VENV=\S+ BENCHMARK_OPTIONS=--quick", script, re.MULTILINE)
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)\b", TEXT, re.MULTILINE)) <= targets


def test_system_packages_are_named_in_the_readme() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    packages = re.findall(r"\w+:(\S+)", re.search(r"for pair in (.*?);", makefile)[1])  # type: ignore[index]
    assert packages
    assert all(f"`{package}`" in TEXT for package in packages)


def test_every_table_has_rows() -> None:
    for name, make in TABLES.items():
        assert make().count("\n") > 2, name


def test_the_session_is_the_demo() -> None:
    session = re.search(r"<!-- begin session -->(.*?)<!-- end session -->", TEXT, re.DOTALL)
    assert session is not None
    shown = re.findall(r"^\$ (.*)$", session[1], re.MULTILINE)
    script = (REPOSITORY / "tests" / "demo.sh").read_text(encoding="utf-8")
    assert shown
    assert all(f'"{line}"' in script for line in shown)


def test_what_the_readme_links_to_in_the_repository_is_there() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)
    assert "tests/golden/gallery.png" in targets
    assert all((REPOSITORY / target).is_file() for target in targets), targets
