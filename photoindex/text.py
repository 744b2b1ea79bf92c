"""Normalises text for comparison: case, accents, Unicode forms, bytes that are not UTF-8."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_PLAIN_LETTERS = {
    "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t", "ŋ": "n", "ĸ": "k", "\u0131": "i",
    "ȷ": "j", "ƒ": "f", "ə": "e", "ɖ": "d", "ɗ": "d", "ɓ": "b", "ƙ": "k", "ɛ": "e", "ɔ": "o", "ƶ": "z", "ɨ": "i", "ʉ": "u",
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u02bb": "'", "\u2032": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"',
    "\u2010": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-",
}  # fmt: skip
"""Letters that Unicode does not decompose, and typographic signs, as people type them; in lower case."""

_VARIATIONS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_LETTER_SIGNS = (range(7, 10), range(84, 133))
"""Combining classes of signs that make another letter, a vowel or a tone in Indic scripts, kana, Thai, Lao and Tibetan."""


def fold(text: str) -> str:
    """Return `text` as every comparison of words and paths sees it, so that STRASSE, Straße and strasse are equal.

    Without case, accents, compatibility forms (Unicode NFKD) and invisible characters; letters that do not decompose are
    written as people type them (ø as o, ł as l, æ as ae); the result is composed (NFC). Folding again changes nothing.
    """
    return text.lower() if text.isascii() else _fold_marked(text)


@lru_cache(maxsize=4096)
def _fold_marked(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", without_stray_bytes(text))
    return unicodedata.normalize("NFC", decomposed.translate(_FOLDED))


class _Folded(dict[int, str]):
    """Code point of a decomposed character -> its folded form; each is worked out once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = character.casefold()
        folded = "" if _is_ignored(character) else _PLAIN_LETTERS.get(plain, plain)
        self[code] = folded
        return folded


_FOLDED = _Folded()


def _is_ignored(character: str) -> bool:
    kind = unicodedata.combining(character)
    is_accent = kind > 0 and not any(kind in signs for signs in _LETTER_SIGNS)
    is_invisible = unicodedata.category(character) == "Cf" or any(ord(character) in each for each in _VARIATIONS)
    return is_accent or is_invisible


def composed(text: str) -> str:
    """Return `text` in composed form (Unicode NFC): what looks the same is then the same, and nothing else."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def without_stray_bytes(text: str) -> str:
    """Return `text` with bytes that are not UTF-8 (surrogates from a path) replaced by U+FFFD."""
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "replace")


def in_one_line(text: str, longest: int | None = None) -> str:
    """Return a text as one line of printable characters, cut off with an ellipsis after `longest` of them."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if longest is None or len(line) <= longest else f"{line[:longest]}…"
