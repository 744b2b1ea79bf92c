"""What a model's answer says about a picture, and whether it is a caption at all."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from photoindex.text import composed

PARSER = 1
"""Version of `caption_of`; raise it when it makes another text of an answer, and stored answers are read again."""
WORDS_MAX = 300
"""A caption of more words describes no photo."""

_THINKING = re.compile(
    r"<\|?(?:think|thinking|reasoning|channel)\b|◁think▷|\[THINK\]|^\s*(?:thinking|reasoning) process\s*:",
    re.IGNORECASE,
)
_EMPTY_THINKING = re.compile(r"<think>\s*</think>|◁think▷\s*◁/think▷", re.IGNORECASE)
_MARKS = re.compile(
    r"<\|[\w/-]{1,40}\|>|</?(?:s|pad|unk|bos|eos|image|end_of_utterance|start_of_turn|end_of_turn)>", re.IGNORECASE
)
_LABEL = re.compile(
    r"^\s*(?:assistant|caption|answer|description|image description|photo description)\s*:\s*", re.IGNORECASE
)
_REFUSAL = re.compile(
    r"^(?:i'?m sorry|i am sorry|sorry,|i (?:can ?not|can'?t|am unable to|am not able to)\b|as an ai\b"
    r"|(?:there is|i (?:do not|don'?t) see|you (?:have not|haven'?t) (?:provided|attached)) (?:no|an|any) (?:image|picture|photo))",
    re.IGNORECASE,
)
_INVENTED = re.compile(r"\b(?:arafed|araffe|araffes|arafe)\b\s*", re.IGNORECASE)
"""A word that BLIP made up, in front of what is there."""
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("„", "“"), ("«", "»"))
_AGAIN = 8
"""A phrase that stands so often in a row is a model that does not find an end."""


@dataclass(frozen=True, slots=True)
class NotACaption(Exception):
    """An answer that is no caption. error_class: to group by. remedy: what to change, if anything helps."""

    error_class: str
    message: str
    remedy: str = ""


def whole_caption_of(raw: str, *, whole: bool) -> str:
    """Return the caption in an answer; whole: it ended by itself. Raises NotACaption."""
    if not whole:
        raise NotACaption(
            "caption_cut", "the answer was cut off at its maximum length", "raise the setting caption.max_tokens"
        )
    return caption_of(raw)


def caption_of(raw: str) -> str:
    """Return the caption in a model's answer: one line, without marks of the model, labels and control characters.

    Raises NotACaption.
    """
    text = _EMPTY_THINKING.sub(" ", raw)
    if _THINKING.search(text):
        raise NotACaption(
            "caption_thinking",
            "the model answered with its thoughts",
            "turn thinking off in the server, or choose a model without it",
        )
    text = _tidy(text)
    if not any(character.isalnum() for character in text):
        raise NotACaption("caption_empty", "the model answered with nothing")
    if _REFUSAL.search(text):
        raise NotACaption("caption_refused", f"the model does not describe this picture: {_beginning(text)}")
    words = text.split()
    if len(words) > WORDS_MAX or len(text) > 20 * WORDS_MAX:
        raise NotACaption(
            "caption_too_long", f"the model answered with {len(words):,} words, beginning with: {_beginning(text)}"
        )
    if _repeats(words):
        raise NotACaption("caption_repeats", f"the model repeated itself: {_beginning(text)}")
    return text


def _tidy(raw: str) -> str:
    visible = "".join(" " if _is_control(character) else character for character in composed(raw))
    text = " ".join(_MARKS.sub(" ", visible).split())
    text = _INVENTED.sub("", _LABEL.sub("", text.replace("**", ""))).strip()
    for first, last in _QUOTES:
        if len(text) > 2 and text.startswith(first) and text.endswith(last) and first not in text[1:-1]:
            text = text[1:-1].strip()
    return text


def _is_control(character: str) -> bool:
    """Tell whether a character is invisible and no joiner of letters or emoji."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") and character not in "\u200c\u200d"


def _beginning(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"


def _repeats(words: list[str]) -> bool:
    """Tell whether a phrase stands many times in a row."""
    for length in range(1, len(words) // _AGAIN + 1):
        for start in range(len(words) - length * _AGAIN + 1):
            phrase = words[start : start + length]
            if all(words[start + turn * length : start + (turn + 1) * length] == phrase for turn in range(_AGAIN)):
                return True
    return False
