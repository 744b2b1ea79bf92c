"""Tokenizing texts for a model: open_clip's text cleaning, then the exported `tokenizer.json`."""

from __future__ import annotations

import html
import re
import string
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.description import TokenizerSettings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WORD_END = "</w>"
"""Suffix of byte-level BPE tokens that end a word."""
_PLAIN_WORD = re.compile(r"[a-z]+")
_NUMBER = re.compile(rb"\d+")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def cleaned(text: str, clean: str) -> str:
    """Clean a text like open_clip's tokenizers do before splitting it into words.

    clean: `lower` (CLIP), `canonicalize` (SigLIP: no punctuation, lower case) or `whitespace` (other text models).
    """
    return _CLEANERS[clean](_repaired(text))


def _repaired(text: str) -> str:
    """Fix broken encodings, decode HTML entities and strip white space."""
    # ftfy does not change printable ASCII without entities, and importing it takes longer than most queries.
    if not (text.isascii() and text.isprintable()) or "&" in text:
        import ftfy

        text = str(ftfy.fix_text(text))
    return html.unescape(html.unescape(text)).strip()


def _one_space(text: str) -> str:
    return " ".join(text.split())


def _lower(text: str) -> str:
    return _one_space(text).lower()


def _canonical(text: str) -> str:
    return _one_space(text.replace("_", " ").translate(_WITHOUT_PUNCTUATION).lower())


_CLEANERS: Mapping[str, Callable[[str], str]] = {
    "lower": _lower,
    "canonicalize": _canonical,
    "whitespace": _one_space,
}


class TextTokenizer:
    """Tokenizer with the same results as the open_clip tokenizer that it was exported from."""

    def __init__(self, content: bytes, settings: TokenizerSettings, context_length: int) -> None:
        """content: the content of a `tokenizer.json`."""
        self._content = content
        self._settings = settings
        self._context_length = context_length

    @classmethod
    def from_file(cls, path: Path, settings: TokenizerSettings, context_length: int) -> TextTokenizer:
        """Read a `tokenizer.json`; raises ModelUnavailable if that fails."""
        try:
            return cls(path.read_bytes(), settings, context_length)
        except OSError as error:
            raise ModelUnavailable(f"the tokenizer {path} cannot be read: {error}; install the model again") from error

    def tokens(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return int64 [n, length]; long texts are truncated like open_clip does.

        length is the context length, or the length of the longest text if the tower needs no padding.
        """
        rows = self._rows(texts)
        if self._settings.cut_padding:
            return self._filled(rows, max((len(row) for row in rows), default=1))
        return self._filled(rows, self._context_length)

    def whole(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return int64 [n, context length], the same as open_clip's tokenizer."""
        return self._filled(self._rows(texts), self._context_length)

    def _rows(self, texts: Sequence[str]) -> list[list[int]]:
        rows = []
        for text in texts:
            clean = cleaned(text, self._settings.clean)
            rows.append(self._of_words(clean) or list(self._tokenizer.encode(clean).ids))
        return rows

    def _of_words(self, text: str) -> list[int] | None:
        """Return the tokens of a text whose words are all plain and have their own token, None for any other text.

        Most queries are such texts, and parsing the vocabulary takes longer than answering a query.
        """
        around = self._settings.around_words
        words = text.split(" ")
        if around is None or len(words) + 2 > self._context_length or not all(map(_PLAIN_WORD.fullmatch, words)):
            return None
        row = [around[0]]
        for word in words:
            entry = f'"{word}{WORD_END}":'.encode()
            start = self._content.find(entry) + len(entry)
            if start < len(entry) or (number := _NUMBER.match(self._content, start)) is None:
                return None
            row.append(int(number[0]))
        return [*row, around[1]]

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_str(self._content.decode())
        except Exception as error:
            raise ModelUnavailable(f"the model's tokenizer cannot be used: {error}; install the model again") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length=self._context_length)
        return tokenizer

    def _filled(self, rows: Sequence[Sequence[int]], length: int) -> NDArray[np.int64]:
        settings = self._settings
        tokens = np.full((len(rows), length), settings.pad_id, dtype=np.int64)
        for filled, row in zip(tokens, rows, strict=True):
            if settings.padding_side == "right":
                filled[: len(row)] = row
            else:
                filled[length - len(row) :] = row
        if settings.cleared_id is not None:
            tokens[tokens == settings.cleared_id] = 0
        return tokens
