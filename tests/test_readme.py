"""README.md, CONTRIBUTING.md and docs/ match the program: tables, commands, options, exit codes, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from photoindex import errors
from photoindex.cli.main import COMMANDS, _rearranged
from tests.reference import (
    DEFAULTS,
    DOCS,
    README,
    REPOSITORY,
    TABLES,
    app,
    commands,
    default_settings,
    exit_codes,
    filled,
)

CONTRIBUTING = REPOSITORY / "CONTRIBUTING.md"
PAGES = {str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8") for path in (README, *DOCS.glob("*.md"))}
"""The users' documentation, by path in the repository."""
EVERY_PAGE = PAGES | {CONTRIBUTING.name: CONTRIBUTING.read_text(encoding="utf-8")}
README_LINES_MAX = 250


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].splitlines()) <= README_LINES_MAX


@pytest.mark.parametrize("page", sorted({table.page for table in TABLES.values()}))
def test_the_tables_match_the_code(page: str) -> None:
    text = PAGES[f"docs/{page}"]
    assert filled(page, text) == text, "run: make docs"


def test_each_table_is_on_one_page() -> None:
    found = [name for text in EVERY_PAGE.values() for name in re.findall(r"<!-- begin (.+) -->", text)]
    assert sorted(one for one in found if one != "session") == sorted(TABLES)


def test_every_table_has_rows() -> None:
    for name, table in TABLES.items():
        assert table.make().count("\n") > 2, name


def test_the_default_settings_file_matches_the_code() -> None:
    assert DEFAULTS.read_text(encoding="utf-8") == default_settings(), "run: make docs"


def test_the_default_settings_file_parses_to_the_defaults() -> None:
    import tomllib

    from photoindex.config.schema import Config

    lines = default_settings().splitlines()
    taken = [line[1:] if re.match(r"#\w+ = \S", line) else line for line in lines]
    assert Config.model_validate(tomllib.loads("\n".join(taken))) == Config()


def test_the_exit_codes_match_the_program() -> None:
    families = {family.exit_code for family in errors.FAMILIES}
    assert len(families) == len(errors.FAMILIES), "two families share an exit code"
    assert all(family.meaning for family in errors.FAMILIES)
    assert set(exit_codes()) == families | {0, 1, 2, 75, 100, 130, 141, 143}
    assert all(3 <= code <= 99 for code in families - {errors.EXIT_USAGE})
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGES["docs/exit-codes.md"], re.MULTILINE)
    assert dict(rows).keys() == {str(code) for code in exit_codes()}


def test_every_command_is_in_the_table_with_its_purpose() -> None:
    table = re.findall(r"^\| `([a-z -]+)` \| (.+) \|$", PAGES["docs/commands.md"], re.MULTILINE)
    assert {name.split()[0] for name, _help in table} >= set(COMMANDS)
    assert all(meaning.strip() for _name, meaning in table)


@pytest.mark.parametrize(("name", "command"), [pytest.param(name, one, id=name) for name, one in commands()])
def test_every_command_and_option_has_help(name: str, command: Any) -> None:
    assert (command.help or "").strip(), name
    for option in command.params:
        assert (getattr(option, "help", "") or "").strip(), f"{name}: {option.name} has no help"


def shell_lines(text: str) -> Iterator[str]:
    """Every shell line in code blocks; in a console session only the typed lines; continued lines are one."""
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in re.sub(r"\\\n *", "", block).splitlines():
            if language == "console":
                if line.startswith("$ "):
                    yield line[2:]
            elif language in ("sh", "crontab"):
                yield line


def commands_in(line: str) -> Iterator[tuple[str, ...]]:
    """The arguments of every photoindex command in a shell line, including quoted commands."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>;&()")
    lexer.whitespace_split = True
    command: list[str] | None = None
    for word in lexer:
        if set(word) <= set("|<>;&()"):
            if command is not None:
                yield tuple(command)
            command = None
        elif command is None and word == "photoindex":
            command = []
        elif " " in word and re.search(r"\bphotoindex ", word):
            yield from commands_in(re.sub(r"^.*?(?=\bphotoindex )", "", word))
        elif command is not None:
            command.append(word)
    if command is not None:
        yield tuple(command)


def test_commands_are_found_anywhere_in_a_line() -> None:
    line = (
        "case $? in 0) photoindex embed >x;; esac; fzf --bind 'a:b:photoindex show {} || true' | photoindex scan -0 -"
    )
    assert list(commands_in(line)) == [("embed",), ("show", "{}"), ("scan", "-0", "-")]


SHOWN = [
    pytest.param(command, id=f"{page}: {' '.join(command)}")
    for page, text in EVERY_PAGE.items()
    for line in shell_lines(text)
    for command in commands_in(line)
]


def test_the_pages_contain_commands() -> None:
    assert len(SHOWN) > 50


@pytest.mark.parametrize("shown", SHOWN)
def test_command_lines_in_the_pages_are_valid(shown: tuple[str, ...]) -> None:
    known = dict(commands())
    words = _rearranged(list(shown), app())
    name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
    assert name in known
    options = {text for option in known[name].params for text in (*option.opts, *option.secondary_opts)}
    options |= {"--help", "-h"}
    for word in words[1:]:
        # A query's `-term` is not an option: only words spelled like one are checked.
        if re.fullmatch(r"--[a-z][a-z-]*(=.*)?|-[0a-z]", word):
            assert word.partition("=")[0] in options, f"{name} has no option {word}"


def test_options_named_in_the_text_exist() -> None:
    options = {
        text for _name, one in commands() for option in one.params for text in (*option.opts, *option.secondary_opts)
    }
    prose = "\n".join(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL) for text in PAGES.values())
    named = {
        option for code in re.findall(r"`([^`]+)`", prose) for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code)
    }
    assert named <= options | {"--help", "--install-completion"}
    assert "--library" in named


def test_ci_runs_the_documented_test_command() -> None:
    assert re.search(r"^make test\b", PAGES["README.md"], re.MULTILINE)
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^make test VENV=", script, re.MULTILINE)
    assert re.search(r"^make bench VENV=\S+ BENCHMARK_OPTIONS=--quick", script, re.MULTILINE)


def test_the_targets_of_make_exist_and_are_documented() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = "\n".join(EVERY_PAGE.values())
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)\b", text, re.MULTILINE)) <= targets
    for documented in (EVERY_PAGE["CONTRIBUTING.md"], makefile.replace("# make", "make")):
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)\b", documented, re.MULTILINE))
        assert targets - {"help", "system-packages"} <= named


def test_system_packages_are_documented() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    packages = re.findall(r"\w+:(\S+)", re.search(r"for pair in (.*?);", makefile)[1])  # type: ignore[index]
    assert packages
    assert all(f"`{package}`" in EVERY_PAGE["CONTRIBUTING.md"] for package in packages)


def test_the_example_sessions_are_the_demos() -> None:
    sessions = re.findall(r"<!-- begin session -->(.*?)<!-- end session -->", PAGES["README.md"], re.DOTALL)
    shown = re.findall(r"^\$ (.*)$", "\n".join(sessions), re.MULTILINE)
    scripts = [(REPOSITORY / "tests" / name).read_text(encoding="utf-8") for name in ("demo.sh", "words_demo.sh")]
    script = "".join(scripts).replace('\\"', '"')
    assert shown
    assert all(f'"{line}"' in script for line in shown)


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub generates them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*sorted(EVERY_PAGE), "benchmarks/README.md"])
def test_links_into_the_repository_have_a_target(page: str) -> None:
    path = REPOSITORY / page
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", path.read_text(encoding="utf-8")):
        linked = (path.parent / target).resolve() if target else path
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text(encoding="utf-8")), f"{target}#{anchor}"


def test_the_readme_shows_the_gallery() -> None:
    assert "](tests/golden/gallery.png)" in PAGES["README.md"]


def test_every_reference_page_is_in_the_index() -> None:
    linked = set(re.findall(r"\]\(([a-z-]+\.md)", PAGES["docs/README.md"]))
    assert linked == {path.name for path in DOCS.glob("*.md")} - {"README.md"}


def test_folders_named_in_contributing_exist() -> None:
    named = re.findall(r"`((?:photoindex|tests|benchmarks|docs|config)/[\w./-]+)`", EVERY_PAGE["CONTRIBUTING.md"])
    assert named
    assert [name for name in named if not (REPOSITORY / name).exists()] == []
