"""Put the words of a query behind `--`, so that Typer takes none of them for an option."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import typer

from photoindex.errors import UsageError

if TYPE_CHECKING:
    from typer.core import TyperGroup


def query_behind_dashes(argv: list[str], app: TyperGroup) -> list[str]:
    """Return `argv` with the command's options first, then `--`, then all words of its query or paths, in their order.

    Only an exactly spelled option of the command (`--option=value` and `-n5` too) is one: `-person:Bob` is a term that filters
    out, and so is `-nature`, which is no number. Words that the user put behind a `--` stay there. Raises UsageError for another word that begins with two
    dashes, and for an option without its value.
    """
    start = next(index for index in range(len(argv)) if is_command(argv, index)) + 1
    names = [argv[start - 1]]
    command: Any = app.commands[names[0]]
    if hasattr(command, "commands"):
        if start < len(argv) and argv[start] in command.commands:
            names.append(argv[start])
            command = command.commands[argv[start]]
            start += 1
        elif not any(one.param_type_name == "argument" for one in command.params):
            return argv
    options, words = _apart(argv[start:], option_arities(app, command), " ".join(names))
    return [*argv[:start], *options, *(["--", *words] if words else [])]


def option_arities(app: TyperGroup, command: Any) -> dict[str, int]:
    """Return how many values each option of a command takes, by all its names; 0 for a flag, `--help` too."""
    arities = {
        name: 0 if option.is_flag else option.nargs
        for option in command.params
        if option.param_type_name == "option"
        for name in (*option.opts, *option.secondary_opts)
    }
    with typer.Context(app, **app.context_settings) as parent:
        helping = command.get_help_option_names(typer.Context(command, parent=parent))
    return {**arities, **dict.fromkeys(helping, 0)}


def is_command(argv: list[str], index: int) -> bool:
    """Tell whether the word at `index`, of those up to the command, is neither a global option nor its value."""
    return not argv[index].startswith("-") and (index == 0 or argv[index - 1] != "--library")


def _apart(given: list[str], arities: Mapping[str, int], command: str) -> tuple[list[str], list[str]]:
    """Return the options, with their values, and the other words."""
    options: list[str] = []
    words: list[str] = []
    following = iter(given)
    for word in following:
        name, equals, _ = word.partition("=")
        if word == "--":
            words.extend(following)
        elif word in arities:
            values = [next(following, "--") for _ in range(arities[word])]
            if "--" in values:
                raise UsageError(f"{word} needs a value; see: photoindex {command} --help")
            options += [word, *values]
        elif arities.get(word[:2]) == 1 and word[2:].isdecimal():
            options += [word[:2], word[2:]]
        elif word.startswith("--") and equals and arities.get(name):
            options.append(word)
        elif word.startswith("--"):
            raise UsageError(_unknown(word, command, arities))
        else:
            words.append(word)
    return options, words


def _unknown(word: str, command: str, known: Collection[str]) -> str:
    name, equals, _ = word.partition("=")
    if equals and name in known:
        return f"{name} takes no value"
    near = get_close_matches(name, [option for option in known if option.startswith("--")], n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"see: photoindex {command} --help"
    return f"there is no option {name}; {hint} (to search for text with dashes, quote it inside: '\"{word}\"')"
