"""The language of a sentence, where its script or its most frequent words tell."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

_SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "HIRAGANA": ("ja",), "KATAKANA": ("ja",), "HANGUL": ("ko",), "CJK": ("zh", "ja"), "GREEK": ("el",),
    "CYRILLIC": ("ru", "uk", "bg", "sr"), "HEBREW": ("he",), "ARABIC": ("ar", "fa", "ur"), "DEVANAGARI": ("hi", "mr", "ne"),
    "THAI": ("th",),
}  # fmt: skip
"""First word of a letter's name in Unicode -> languages, the most likely first."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FREQUENT: Mapping[str, frozenset[str]] = {
    "en": _words("the of and is are with on at there it its this that from by two an"),
    "de": _words("der die das und ist sind mit auf einer einem einen ein eine im am von zwei nicht sich dem den"),
    "fr": _words("le la les des et est sont avec sur une un dans du au aux deux il elle qui devant"),
    "es": _words("el la los las de y es son con en una un del al dos que se junto por"),
    "it": _words("il lo la gli le di e è sono con su una un nel nella del della al due che"),
    "pt": _words("o a os as de e é são com em uma um no na do da ao dois duas que"),
    "nl": _words("de het een en is zijn met op van in twee er die dat bij naast aan"),
}
_SURE = 2
"""How many more frequent words than in the next language."""


def language_of(text: str) -> str | None:
    """Return the language of a text as ISO 639-1, None if it cannot be told."""
    by_script = _by_script(text)
    return by_script if by_script is not None else _by_words(text)


def is_in(text: str, language: str) -> bool:
    """Tell whether a text may be in a language; only a text that is clearly in another is not."""
    scripts = _scripts_of(text)
    if scripts:
        return any(language in _SCRIPTS[script] for script in scripts)
    found = _by_words(text)
    return found is None or found == language


def _by_script(text: str) -> str | None:
    scripts = _scripts_of(text)
    named = next((script for script in ("HIRAGANA", "KATAKANA", *scripts) if script in scripts), None)
    return None if named is None else _SCRIPTS[named][0]


def _scripts_of(text: str) -> list[str]:
    """Return the scripts of at least a third of the letters, other than Latin."""
    letters = [unicodedata.name(character, "").partition(" ")[0] for character in text if character.isalpha()]
    return [
        script
        for script in _SCRIPTS
        if letters.count(script) * 3 >= len(letters) > 0
        or (script in ("HIRAGANA", "KATAKANA") and script in letters and letters.count("CJK") * 3 >= len(letters))
    ]


def _by_words(text: str) -> str | None:
    words = [word.strip(".,;:!?\"'()").lower() for word in text.split()]
    counts = sorted(((sum(word in known for word in words), name) for name, known in _FREQUENT.items()), reverse=True)
    (most, name), (second, _) = counts[0], counts[1]
    return name if most - second >= _SURE else None
