"""Generates the tables in docs/ and the text of config/default.toml from the code.

`python -m tests.reference` (or `make docs`) writes them; tests/test_readme.py fails if they are out of date.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from photoindex import errors

REPOSITORY = Path(__file__).resolve().parent.parent
README = REPOSITORY / "README.md"
DOCS = REPOSITORY / "docs"
DEFAULTS = REPOSITORY / "config" / "default.toml"

_OTHER_EXITS = {
    errors.EXIT_DONE: "done",
    errors.EXIT_BUG: "a bug in photoindex; please report it with the traceback",
    errors.EXIT_WINDOW_ENDED: "stopped at the end of its time window with work left; run it again",
    errors.EXIT_SOME_QUARANTINED: "done, but some files are quarantined; `photoindex tasks --state quarantined` lists them. "
    "Of `verify`: something is damaged or unreadable",
    errors.EXIT_INTERRUPTED: "interrupted (Ctrl-C) after finishing the running batch; run it again to go on",
    141: "the reader of the output went away (`| head`)",
    errors.EXIT_TERMINATED: "terminated (SIGTERM) after finishing the running batch; run it again to go on",
}


def exit_codes() -> dict[int, str]:
    """Return every exit code and its meaning, in numeric order."""
    return dict(sorted((_OTHER_EXITS | {one.exit_code: one.meaning for one in errors.FAMILIES}).items()))


@cache
def app() -> Any:
    """Return the whole command line as click's commands; making it takes a third of a second."""
    import typer.main

    from photoindex.cli.main import build_app

    return typer.main.get_command(build_app())


@cache
def commands() -> tuple[tuple[str, Any], ...]:
    """Return every command by its name, as `group command` in a group, in the order of --help."""

    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        if name:
            yield name, command
        for inner, part in getattr(command, "commands", {}).items():
            yield from walk(f"{name} {inner}".strip(), part)

    return tuple(walk("", app()))


def commands_table() -> str:
    """Return a table of the commands with the first line of their help."""
    rows = [
        (f"`{name}`", command.get_short_help_str(limit=300).rstrip("."))
        for name, command in commands()
        if not getattr(command, "commands", None) or getattr(command, "invoke_without_command", False)
    ]
    return _table(("command", "what it does"), rows)


def exit_code_table() -> str:
    """Return a table of the exit codes."""
    return _table(("code", "meaning"), [(str(code), meaning) for code, meaning in exit_codes().items()])


def field_table() -> str:
    """Return a table of the fields of the query language."""
    from photoindex.store.search.fields import FIELDS, help_of

    rows = []
    for field in FIELDS:
        also = ", ".join(f"`{alias}:`" for alias in field.aliases)
        kind = f"{field.type}, `::`" if field.takes_regex else str(field.type)
        rows.append((f"`{field.name}:`" + (f" ({also})" if also else ""), kind, help_of(field)))
    return _table(("field", "type", "meaning"), rows)


def options_table() -> str:
    """Return a table of the query terms that can be given as options."""
    from photoindex.cli.arguments.field_options import OPTIONS

    negated = {option.field for option in OPTIONS if option.negates}
    rows = []
    for option in OPTIONS:
        if not option.negates:
            name = f"`{option.name}`"
            value = {"from": f"{option.metavar}..", "to": f"..{option.metavar}"}.get(option.bound or "", option.metavar)
            also = f", `--not-{option.name[2:]}`" if option.bound is None and option.field in negated else ""
            rows.append((name + also, f"`{option.field}:{value}`", option.help))
    return _table(("option of search", "in a query", "meaning"), rows)


def views_table() -> str:
    """Return a table of the views that other programs can rely on."""
    from photoindex.store.schema.views import VIEWS

    rows = [(f"`{view.name}`", view.help, ", ".join(f"`{column}`" for column in view.columns)) for view in VIEWS]
    return _table(("view", "what it is", "columns"), rows)


def settings_table() -> str:
    """Return a table of the settings with their defaults and ranges."""
    from photoindex.config.layers import allowed, fields

    rows = []
    for name, field in fields().items():
        default = _default(field.default)
        rows.append((f"`{name}`", f"`{default}`" if default else "", allowed(field), field.description or ""))
    return _table(("setting", "default", "takes", "meaning"), rows)


def _toml(default: Any) -> str:
    """Return a default as a value of TOML; nothing if there is none."""
    if isinstance(default, tuple):
        return json.dumps(default)
    return _default(default) if isinstance(default, int | float) or default is None else f'"{_default(default)}"'


def default_settings() -> str:
    """Return a config.toml in which every line is a comment, to copy and edit."""
    from photoindex.config.layers import allowed, fields

    lines = [
        "# Every setting with its default, for your own config.toml (`photoindex config path` prints its place).",
        "# Take the # away from what you change. The environment and the command line win over this file.",
    ]
    section = ""
    for name, field in fields().items():
        prefix, _dot, key = name.rpartition(".")
        if prefix != section:
            section = prefix
            lines += ["", f"[{section}]"]
        lines += [
            "",
            f"# {field.description} ({allowed(field)})",
            f"#{key} = {_toml(field.default)}".rstrip(),
        ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Table:
    """A generated table: its page in docs/, and the function that generates it."""

    page: str
    make: Callable[[], str]


TABLES: Mapping[str, Table] = {
    "commands": Table("commands.md", commands_table),
    "fields": Table("query-language.md", field_table),
    "options": Table("query-language.md", options_table),
    "views": Table("sql.md", views_table),
    "exit codes": Table("exit-codes.md", exit_code_table),
    "settings": Table("settings.md", settings_table),
}
"""Every generated table by the name in its markers: `<!-- begin NAME -->` and `<!-- end NAME -->`."""


def filled(page: str, text: str) -> str:
    """Return the text of a page of docs/ with its tables regenerated. Raises ValueError for a missing marker."""
    for name, table in TABLES.items():
        if table.page != page:
            continue
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->\n"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"docs/{page} needs the markers of the table '{name}' once")
        before, _, rest = text.partition(begin)
        text = before + begin + table.make() + end + rest.partition(end)[2]
    return text


def _default(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def main() -> None:
    """Write the files."""
    for page in sorted({table.page for table in TABLES.values()}):
        path = DOCS / page
        path.write_text(filled(page, path.read_text(encoding="utf-8")), encoding="utf-8")
    DEFAULTS.write_text(default_settings(), encoding="utf-8")


if __name__ == "__main__":
    main()
