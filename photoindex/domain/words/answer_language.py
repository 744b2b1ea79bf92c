"""The language of a model's answer, and whether it is the one that was asked for."""

from __future__ import annotations

from photoindex.domain.words.language import ENGLISH, FUNCTION_WORDS, foreign_language

_ONE_SCRIPT = (
    frozenset({"ru", "uk", "bg", "sr", "mk", "be"}), frozenset({"ar", "fa", "ur"}), frozenset({"hi", "mr", "ne"}),
    frozenset({"zh", "ja"}),
)  # fmt: skip
"""Languages that are not told apart in short texts."""
_ENGLISH_LEAST = 2


def language_of(text: str) -> str | None:
    """Return the language of a sentence as ISO 639-1, None if it cannot be told."""
    foreign = foreign_language(text)
    if foreign is not None:
        return foreign
    words = text.lower().split()
    return ENGLISH if sum(word in FUNCTION_WORDS[ENGLISH] for word in words) >= _ENGLISH_LEAST else None


def is_in(text: str, language: str) -> bool:
    """Tell whether a sentence may be in a language; only one that is plainly in another is not."""
    found = language_of(text)
    if found is None or found == language or any({found, language} <= together for together in _ONE_SCRIPT):
        return True
    # Small words of a language that is not known here look like those of its neighbours.
    return language not in FUNCTION_WORDS and found in FUNCTION_WORDS and found != ENGLISH
