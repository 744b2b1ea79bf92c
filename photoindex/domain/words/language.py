"""The words that carry no meaning of their own, by language, and what they tell about the language of a query."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

ENGLISH = "en"
FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        [
            "a",
            "an",
            "the",
            "of",
            "on",
            "in",
            "at",
            "to",
            "by",
            "for",
            "from",
            "with",
            "without",
            "and",
            "or",
            "is",
            "are",
            "was",
            "were",
            "be",
            "being",
            "this",
            "that",
            "these",
            "those",
            "its",
            "his",
            "her",
            "their",
            "my",
            "our",
            "your",
            "some",
            "any",
            "into",
            "onto",
            "over",
            "under",
            "near",
            "next",
            "as",
            "it",
            "he",
            "she",
            "they",
            "we",
            "i",
            "you",
        ]
    ),
    "de": frozenset(
        [
            "der",
            "die",
            "das",
            "den",
            "dem",
            "des",
            "ein",
            "eine",
            "einen",
            "einem",
            "einer",
            "eines",
            "und",
            "oder",
            "mit",
            "ohne",
            "auf",
            "im",
            "am",
            "vom",
            "zum",
            "zur",
            "bei",
            "beim",
            "für",
            "über",
            "unter",
            "neben",
            "vor",
            "hinter",
            "zwischen",
            "nach",
            "aus",
            "von",
            "zu",
            "ist",
            "sind",
            "ich",
            "wir",
            "mein",
            "meine",
            "unser",
            "unsere",
        ]
    ),
    "fr": frozenset(
        [
            "le",
            "la",
            "les",
            "un",
            "une",
            "des",
            "du",
            "de",
            "d",
            "l",
            "et",
            "ou",
            "avec",
            "sans",
            "dans",
            "sur",
            "sous",
            "au",
            "aux",
            "par",
            "pour",
            "chez",
            "est",
            "sont",
            "mon",
            "ma",
            "mes",
            "notre",
            "devant",
            "derrière",
            "entre",
        ]
    ),
    "es": frozenset(
        [
            "el",
            "la",
            "los",
            "las",
            "un",
            "una",
            "unos",
            "unas",
            "de",
            "del",
            "y",
            "o",
            "con",
            "sin",
            "en",
            "sobre",
            "bajo",
            "al",
            "por",
            "para",
            "es",
            "son",
            "mi",
            "mis",
            "nuestro",
            "nuestra",
            "junto",
            "delante",
            "detrás",
            "entre",
        ]
    ),
    "it": frozenset(
        [
            "il",
            "lo",
            "la",
            "i",
            "gli",
            "le",
            "un",
            "uno",
            "una",
            "di",
            "del",
            "della",
            "dello",
            "dei",
            "degli",
            "delle",
            "e",
            "o",
            "con",
            "senza",
            "in",
            "nel",
            "nella",
            "sul",
            "sulla",
            "sotto",
            "al",
            "alla",
            "per",
            "da",
            "dal",
            "dalla",
            "è",
            "sono",
            "mio",
            "mia",
            "nostro",
            "davanti",
            "dietro",
            "tra",
        ]
    ),
    "pt": frozenset(
        [
            "o",
            "a",
            "os",
            "as",
            "um",
            "uma",
            "uns",
            "umas",
            "de",
            "do",
            "da",
            "dos",
            "das",
            "e",
            "ou",
            "com",
            "sem",
            "em",
            "no",
            "na",
            "nos",
            "nas",
            "sobre",
            "sob",
            "ao",
            "à",
            "por",
            "para",
            "é",
            "são",
            "meu",
            "minha",
            "nosso",
            "nossa",
        ]
    ),
    "nl": frozenset(
        [
            "de",
            "het",
            "een",
            "en",
            "of",
            "met",
            "zonder",
            "op",
            "in",
            "aan",
            "bij",
            "naar",
            "van",
            "voor",
            "achter",
            "onder",
            "boven",
            "tussen",
            "is",
            "zijn",
            "mijn",
            "onze",
            "door",
        ]
    ),
}
"""Small words of the Latin-script languages that are told apart here."""
_PLAIN = {
    "de": frozenset(
        [
            "und",
            "mit",
            "ohne",
            "auf",
            "vom",
            "zum",
            "zur",
            "beim",
            "für",
            "über",
            "eine",
            "einen",
            "einem",
            "einer",
            "unsere",
            "ich",
        ]
    ),
    "fr": frozenset(["une", "avec", "sans", "dans", "aux", "chez", "sous", "derrière", "devant"]),
    "es": frozenset(["una", "unas", "unos", "detrás", "delante", "junto"]),
    "it": frozenset(["gli", "degli", "nella", "sulla", "dalla", "senza", "dietro", "davanti"]),
    "pt": frozenset(["uma", "uns", "umas", "com", "são", "à"]),
    "nl": frozenset(["een", "met", "zonder", "naar", "voor", "achter", "onder", "boven", "mijn", "onze"]),
}
"""Those of them that are neither English nor part of many names, as `los`, `der` and `van` are."""
_ONLY_ENGLISH = FUNCTION_WORDS["en"].difference(*(words for name, words in FUNCTION_WORDS.items() if name != "en"))
_SCRIPTS = {
    "CYRILLIC": "ru", "GREEK": "el", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh", "ARABIC": "ar",
    "HEBREW": "he", "THAI": "th", "DEVANAGARI": "hi", "BENGALI": "bn", "TELUGU": "te", "TAMIL": "ta", "ARMENIAN": "hy",
    "GEORGIAN": "ka",
}  # fmt: skip
"""A script, the first word of its letters' names in Unicode, and the language that most people write in it."""
NAMES = {
    "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "nl": "Dutch", "ru": "Russian",
    "el": "Greek", "ja": "Japanese", "ko": "Korean", "zh": "Chinese", "ar": "Arabic", "he": "Hebrew", "th": "Thai",
    "hi": "Hindi", "bn": "Bengali", "te": "Telugu", "ta": "Tamil", "hy": "Armenian", "ka": "Georgian", "en": "English",
    "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "lt": "Lithuanian", "lv": "Latvian", "no": "Norwegian", "pl": "Polish",
    "ro": "Romanian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese",
}  # fmt: skip
"""English names of languages, by ISO 639-1 code."""
_SAME = {"nb": "no", "nn": "no", "tl": "fil", "iw": "he", "in": "id"}
_LETTERS_MIN = 2
_WORDS_MIN = 3


def foreign_language(text: str) -> str | None:
    """Return the language (ISO 639-1) of a text that is plainly not English, None for all others.

    It is cheap and careful: another script tells, and small words such as `und` or `avec` do, where no English one stands
    beside them. Names and single words of the Latin script never do. Of a script that several languages use, the most
    common one is returned.
    """
    by_script = _by_script(text)
    if by_script is not None:
        return by_script
    words = _words(text)
    if any(word in _ONLY_ENGLISH for word in words):
        return None
    hits = {
        language: (
            sum(word in plain for word in words),
            sum(word in FUNCTION_WORDS[language] - FUNCTION_WORDS[ENGLISH] for word in words),
        )
        for language, plain in _PLAIN.items()
    }
    best = max(hits, key=hits.__getitem__)
    plain, known = hits[best]
    return best if known > 1 or (plain and len(words) >= _WORDS_MIN) else None


def language_of_locale(environment: Mapping[str, str]) -> str:
    """Return the language of the messages that a user wants, by LC_ALL, LC_MESSAGES and LANG; English if they say nothing."""
    written = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")
    code = re.split("[_.@-]", written, maxsplit=1)[0].lower()
    return _SAME.get(code, code) if re.fullmatch("[a-z]{2,3}", code) else ENGLISH


def function_words(text: str) -> frozenset[str]:
    """Return the words, in lower case, that a text may have and need not: those of English, and of its own language."""
    return FUNCTION_WORDS[ENGLISH] | FUNCTION_WORDS.get(foreign_language(text) or ENGLISH, frozenset())


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFC", text).casefold().replace("'", " ").replace("’", " ").split()  # noqa: RUF001


def _by_script(text: str) -> str | None:
    """Return the language of the script that most letters have, None for the Latin script, an unknown one, or few letters."""
    if text.isascii():
        return None
    letters = [unicodedata.name(one, "").split(" ", 1)[0] for one in text if one.isalpha()]
    foreign = [_SCRIPTS[one] for one in letters if one in _SCRIPTS]
    if len(foreign) < _LETTERS_MIN or 2 * len(foreign) <= len(letters):
        return None
    # Japanese has Chinese characters, too; kana tell it apart.
    return "ja" if "ja" in foreign else max(sorted(set(foreign)), key=foreign.count)
