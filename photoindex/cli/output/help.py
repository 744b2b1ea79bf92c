"""Prints the help of a command: its usage, its text, and a line for each option with its placeholder."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WIDEST_NAMES = 32
"""Columns for an option and its placeholder; longer ones are folded."""
_WRITTEN_WIDTH = 76
"""A paragraph whose lines are no longer than this keeps its line breaks; others are wrapped again."""


def with_plain_help(command: Any) -> Any:
    """Return a command of Typer whose help, and that of all commands in it, is printed by this module.

    Typer shows types of Python beside the placeholders, a column for each of four kinds of name, and cuts what is too wide.
    """
    command.get_usage = partial(usage, command)
    command.format_help = partial(_print_help, command)
    for inner in getattr(command, "commands", {}).values():
        with_plain_help(inner)
        # What a group takes itself does not stand before its commands.
        for one in command.params:
            one.get_usage_pieces = lambda _context: []
    return command


def usage(command: Any, context: Any) -> str:
    """Return the usage of a command: `Usage: photoindex search [OPTIONS] [QUERY...]`."""
    name = " ".join(_path(context))
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    written = ["[OPTIONS]", *(_in_usage(one) for one in arguments)]
    if not hasattr(command, "commands"):
        return f"Usage: {' '.join((name, *written))}"
    if arguments:
        return f"Usage: {' '.join((name, *written))}\n       {name} COMMAND [ARGS...]"
    return f"Usage: {name} [OPTIONS] {'[COMMAND]' if command.invoke_without_command else 'COMMAND'} [ARGS...]"


def placeholder(parameter: Any) -> str:
    """Return what stands for the value of an option or an argument, "" for a flag."""
    if getattr(parameter, "is_flag", False):
        return ""
    word = str(parameter.metavar or parameter.name.upper())
    return f"{word}..." if parameter.nargs == -1 else word


def _path(context: Any) -> Iterator[str]:
    if context.parent is not None:
        yield from _path(context.parent)
    yield context.info_name or ""


def _in_usage(argument: Any) -> str:
    return placeholder(argument) if argument.required else f"[{placeholder(argument)}]"


def _print_help(command: Any, context: Any, _formatter: Any) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False, markup=False, emoji=False)
    console.print(Padding(Text(usage(command, context), style="bold"), (1, 1)))
    for paragraph in _paragraphs(command.help or ""):
        console.print(Padding(Text(paragraph), (0, 1, 1, 1)))
    for title, parameters in _panels(command.get_params(context)).items():
        _print_panel(console, title, [(_name(one), _help(one)) for one in parameters])
    _print_commands(console, command)


def _print_commands(console: Console, command: Any) -> None:
    from rich.text import Text

    panels: dict[str, list[tuple[Text, Text]]] = {}
    for name, inner in getattr(command, "commands", {}).items():
        first = _paragraphs(inner.help or "")[:1]
        row = Text(name, style="bold cyan"), Text(" ".join(" ".join(first).split()))
        panels.setdefault(getattr(inner, "rich_help_panel", None) or "Commands", []).append(row)
    for title, rows in panels.items():
        _print_panel(console, title, rows)


def _paragraphs(text: str) -> list[str]:
    written = [one.split("\n") for one in inspect.cleandoc(text).strip().split("\n\n")]
    filled = (" ".join(one) if max(map(len, one)) > _WRITTEN_WIDTH else "\n".join(one) for one in written)
    return [one for one in filled if one]


def _panels(parameters: Iterable[Any]) -> dict[str, list[Any]]:
    panels: dict[str, list[Any]] = {"Arguments": [], "Options": []}
    for one in parameters:
        if not getattr(one, "hidden", False):
            usual = "Arguments" if one.param_type_name == "argument" else "Options"
            panels.setdefault(getattr(one, "rich_help_panel", None) or usual, []).append(one)
    return {title: found for title, found in panels.items() if found}


def _name(parameter: Any) -> Text:
    from rich.text import Text

    if parameter.param_type_name == "argument":
        return Text(placeholder(parameter), style="yellow")
    names = sorted(parameter.opts, key=lambda name: name.startswith("--"))
    off = [name for name in parameter.secondary_opts if name.startswith("--no-")]
    shown = [f"--[no-]{name[2:]}" if f"--no-{name[2:]}" in off else name for name in names]
    text = Text(", ".join(shown), style="bold cyan")
    return text.append(f" {placeholder(parameter)}".rstrip(), style="not bold yellow")


def _help(parameter: Any) -> Text:
    from rich.text import Text

    text = Text(" ".join((parameter.help or "").split()))
    default = parameter.default
    if parameter.show_default and isinstance(default, str | int | float | Path) and not isinstance(default, bool):
        value = default.value if isinstance(default, Enum) else default
        text.append(f" [default: {value}]", style="dim")
    return text


def _print_panel(console: Console, title: str, rows: list[tuple[Text, Text]]) -> None:
    from rich.panel import Panel
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=min(_WIDEST_NAMES, max(name.cell_len for name, _ in rows)), overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(Panel(table, title=title, title_align="left", border_style="dim"))
