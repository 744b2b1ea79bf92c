"""Texts as the tokens of a model: open_clip's cleaning, then the exported `tokenizer.json`."""

from __future__ import annotations

import html
import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photoindex.errors import ModelUnavailable
from photoindex.models.export_description import TokenizerSettings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def cleaned(text: str, clean: str) -> str:
    """Return a text as open_clip's tokenizers clean it before they look at its words.

    clean: `lower` (CLIP), `canonicalize` (SigLIP: no punctuation, lower case) or `whitespace` (towers of other text models).
    """
    return _CLEANERS[clean](_repaired(text))


def _repaired(text: str) -> str:
    """Return a text with broken encodings mended and HTML entities resolved, without white space around it."""
    # Printable ASCII without entities is what ftfy makes of it too, and importing it costs more than most queries.
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
    """Tokens of texts, equal to those of the open_clip tokenizer that it was exported from."""

    def __init__(self, tokenizer: Tokenizer, settings: TokenizerSettings, context_length: int) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length=context_length)
        self._tokenizer = tokenizer
        self._settings = settings
        self._context_length = context_length

    @classmethod
    def from_file(cls, path: Path, settings: TokenizerSettings, context_length: int) -> TextTokenizer:
        """Read a `tokenizer.json`; raises ModelUnavailable where it is missing or malformed."""
        from tokenizers import Tokenizer

        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelUnavailable(f"the tokenizer {path} cannot be read: {error}; install the model again") from error
        try:
            tokenizer = Tokenizer.from_str(content)
        except Exception as error:
            raise ModelUnavailable(f"the tokenizer {path} cannot be used: {error}; install the model again") from error
        return cls(tokenizer, settings, context_length)

    def tokens(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return int64 [n, length]; a text that is too long is cut as open_clip cuts it.

        length is the context length, or that of the longest text where the tower does without padding.
        """
        rows = self._rows(texts)
        if self._settings.cut_padding:
            return self._filled(rows, max((len(row) for row in rows), default=1))
        return self._filled(rows, self._context_length)

    def whole(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return int64 [n, context length], which is what open_clip's tokenizer gives."""
        return self._filled(self._rows(texts), self._context_length)

    def _rows(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._tokenizer.encode(cleaned(text, self._settings.clean)).ids for text in texts]

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
