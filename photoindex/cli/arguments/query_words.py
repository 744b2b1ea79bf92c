"""Put the words of a query behind `--`, so that Typer takes none of them for an option."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from photoindex.errors import UsageError


def query_behind_dashes(argv: list[str], command: str, *, flags: Collection[str], valued: Collection[str]) -> list[str]:
    """Return `argv` with `command`'s options first, then `--`, then all that belongs to the query, in its order.

    flags, valued: the options without and with a value, short and long. Only an exactly spelled option (`--option=value`
    too) is one: `-person:Bob` and `-n5` are terms that filter out. What the user put behind a `--` stays there. Raises
    UsageError for another word that begins with two dashes, and for an option whose value is missing.
    """
    start = next(index for index in range(len(argv)) if _is_command(argv, index)) + 1
    options: list[str] = []
    words: list[str] = []
    following = iter(argv[start:])
    for word in following:
        if word == "--":
            words.extend(following)
        elif word in flags or (word.startswith("--") and "=" in word and word.partition("=")[0] in valued):
            options.append(word)
        elif word in valued:
            value = next(following, None)
            if value is None or value == "--":
                raise UsageError(f"{word} needs a value; see: photoindex {command} --help")
            options += [word, value]
        elif word.startswith("--"):
            raise UsageError(_unknown(word, command, [*flags, *valued]))
        else:
            words.append(word)
    return [*argv[:start], *options, *(["--", *words] if words else [])]


def _is_command(argv: list[str], index: int) -> bool:
    return not argv[index].startswith("-") and (index == 0 or argv[index - 1] != "--library")


def _unknown(word: str, command: str, known: Collection[str]) -> str:
    name, equals, _ = word.partition("=")
    if equals and name in known:
        return f"{name} takes no value"
    near = get_close_matches(name, [option for option in known if option.startswith("--")], n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"see: photoindex {command} --help"
    return f"there is no option {name}; {hint} (to search for text with dashes, quote it inside: '\"{word}\"')"


def targets_behind_dashes(argv: list[str], group: str, *, flags: Collection[str], valued: Collection[str]) -> list[str]:
    """Return `argv` of a command of a group (`time set …`) as `query_behind_dashes` does; all commands share the options."""
    start = next(index for index in range(len(argv)) if _is_command(argv, index)) + 1
    if start >= len(argv) or argv[start].startswith("-"):
        return argv
    command = argv[start:]
    return [
        *argv[:start],
        *query_behind_dashes(command, f"{group} {command[0]}", flags=flags, valued=valued),
    ]
