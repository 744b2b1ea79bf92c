"""The words of a line that a shell completes, and completions as the shell takes them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from photoindex.cli.arguments.path_completion import Completion, quoted, shell
from photoindex.text import fold

_ENDS_A_WORD = re.compile(r"[:=@]+")
"""What Bash takes for words of their own, of the characters that words of ours contain (COMP_WORDBREAKS)."""
_IN_DOUBLE_QUOTES = re.compile(r'([\\"$`])')


def words_before_cursor() -> list[str]:
    """Return the words before the one that is completed, without the program, as far as white space parts them; [] without a shell."""
    if shell() == "bash":
        return _words_of_bash()[1:-1]
    line = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    return line.split()[1 : None if line.endswith(" ") else -1]


def join_values_of_options() -> None:
    """Let Bash's `--sort`, `=`, `da` be the `--sort` and `da` that the parser of options knows."""
    words = _words_of_bash()
    if len(words) > 2 and words[-1] == "=" and words[-2].startswith("--"):
        words[-1] = ""
    elif len(words) > 3 and words[-2] == "=" and words[-3].startswith("--"):
        del words[-2]
    else:
        return
    os.environ["COMP_WORDS"], os.environ["COMP_CWORD"] = "\n".join(words), str(len(words) - 1)


def before_and_typed(incomplete: str) -> tuple[str, str]:
    """Return what Bash has parted from the word that is completed, and what it completes: `camera:` and `ca`."""
    words = _words_of_bash()
    if not words or not words[-1]:
        return "", incomplete
    ended = _ENDS_A_WORD.fullmatch(words[-1]) is not None
    if "@" in (words[-1][:1], words[-2][:1]):  # a saved query, @best: Bash parts it, but completes it whole
        before = "-" if words[-2 if ended else -3] == "-" else ""
        return before, words[-1] if ended else f"@{incomplete}"
    at = len(words) - 1
    while at > 1 and (_ENDS_A_WORD.fullmatch(words[at]) or _ENDS_A_WORD.fullmatch(words[at - 1])):
        at -= 1
    return "".join(words[at:] if ended else words[at:-1]), "" if ended else incomplete


def completions(kept: str, typed: str, names: Iterable[str], before: str = "") -> list[str]:
    """Return names as completions of a word.

    kept: how the word begins, whatever the name. typed: how the name begins, but for case and accents. before: what the shell
    has parted from the word, and does not replace.
    """
    if shell() in ("zsh", "fish"):
        # These drop what does not begin with the typed characters; names are compared without case and accents anyway.
        return [Completion(kept + typed + rest) for name in names if (rest := _rest(name, typed)) is not None]
    found = [kept + name for name in names]
    return [Completion(_for_bash(one[len(before) :])) for one in found if one.lower().startswith(before.lower())]


def _for_bash(word: str) -> str:
    opening = _words_of_bash()[-1:]
    if opening and opening[0].startswith('"'):
        return _IN_DOUBLE_QUOTES.sub(r"\\\1", word)
    return word if opening and opening[0].startswith("'") else quoted(word)


def _rest(name: str, typed: str) -> str | None:
    """Return what follows in a name after a beginning that is equal to what was typed, None if it does not begin so."""
    return next((name[end:] for end in range(len(name) + 1) if fold(name[:end]) == fold(typed)), None)


def _words_of_bash() -> list[str]:
    """Return the words up to the cursor as Bash splits them, with their quotes; none in other shells."""
    if shell() != "bash":
        return []
    written, number = os.environ.get("COMP_WORDS", ""), os.environ.get("COMP_CWORD", "")
    words = written.split("\n" if "\n" in written else None)
    return words[: int(number) + 1] if number.isdigit() else []
