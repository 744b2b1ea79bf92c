"""Converting a model's tokenizer to a `tokenizer.json` that needs neither open_clip nor transformers."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photoindex.errors import ModelUnavailable
from photoindex.models.description import TokenizerSettings
from photoindex.models.open_clip_loader import OWN_VOCABULARY, read_config, staged
from photoindex.models.tokenizer import WORD_END

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_VOCABULARY_BYTES_MAX = 64 * 1024 * 1024
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d"


def load_reference(folder: Path) -> Any:
    """Load open_clip's tokenizer for a model's folder; raises ModelUnavailable if that fails.

    A folder may have its own BPE vocabulary, `bpe_simple_vocab.txt.gz`, which open_clip has no setting for.
    """
    import open_clip

    text = read_config(folder)["model_cfg"]["text_cfg"]
    try:
        with staged(folder) as stage:
            _check_vocabulary(folder / OWN_VOCABULARY)
            local = {"local_files_only": True} if text.get("hf_tokenizer_name") else {}
            return open_clip.get_tokenizer(f"local-dir:{stage}", **local)
    except ModelUnavailable:
        raise
    except Exception as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelUnavailable(f"the tokenizer of the model in {folder} cannot be loaded: {first}") from error


def _check_vocabulary(path: Path) -> None:
    """Refuse a vocabulary that is far too large when decompressed."""
    if not path.is_file():
        return
    with gzip.open(path) as file:
        if len(file.read(_VOCABULARY_BYTES_MAX + 1)) > _VOCABULARY_BYTES_MAX:
            raise ModelUnavailable(f"the vocabulary {path} is too large")


def export_tokenizer(folder: Path, reference: Any, *, cut_padding: bool) -> tuple[Tokenizer, TokenizerSettings]:
    """Return a model's tokenizer for the `tokenizers` package, and its settings.

    reference: from `load_reference`. cut_padding: the text tower needs no padding.
    """
    from open_clip.tokenizer import SimpleTokenizer

    settings = read_config(folder)["model_cfg"]["text_cfg"].get("tokenizer_kwargs") or {}
    if isinstance(reference, SimpleTokenizer):
        exported = _of_merges(reference)
        return exported, TokenizerSettings(
            clean=settings.get("clean", "lower"),
            pad_id=0,
            cut_padding=cut_padding,
            around_words=_around_words(exported, reference),
        )
    wrapped = reference.tokenizer
    if not wrapped.is_fast or wrapped.truncation_side != "right" or wrapped.pad_token_id is None:
        raise ModelUnavailable(f"the tokenizer of the model in {folder} is of an unsupported kind")
    from tokenizers import Tokenizer

    return Tokenizer.from_str(wrapped.backend_tokenizer.to_str()), TokenizerSettings(
        clean=settings.get("clean", "whitespace"),
        pad_id=wrapped.pad_token_id,
        padding_side=wrapped.padding_side,
        cleared_id=wrapped.sep_token_id if reference.strip_sep_token else None,
        cut_padding=cut_padding and wrapped.padding_side == "right",
    )


def _of_merges(reference: Any) -> Tokenizer:
    """Convert open_clip's SimpleTokenizer, a byte-level BPE whose words end in `</w>`."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    identifiers: dict[int, str] = {number: token for token, number in reference.encoder.items()}
    special = [identifiers[number] for number in reference.all_special_ids]
    # For open_clip, an empty line at the end of a vocabulary is a merge: it takes a number but has no effect.
    merges = [pair for pair in sorted(reference.bpe_ranks, key=reference.bpe_ranks.__getitem__) if len(pair) == 2]
    vocabulary: dict[str, int] = dict(reference.encoder)
    for token in special:
        _add_chain(vocabulary, merges, token)
    exported = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=WORD_END))
    names = "|".join(re.escape(token) for token in special)
    # U+0345, whose upper case is a letter, does not match open_clip's case-insensitive expression: it is in no word.
    words = Regex(rf"(?i:{names}|{_WORDS})|\p{{L}}+|\p{{N}}|[^\s\p{{L}}\p{{N}}\x{{0345}}]+")
    exported.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    start, end = special[:2]
    exported.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        special_tokens=[(start, reference.sot_token_id), (end, reference.eot_token_id)],
    )
    return exported


def _around_words(exported: Tokenizer, reference: Any) -> tuple[int, int] | None:
    """Return the tokens around a text if every plain word with its own token becomes that token, else None."""
    around = int(reference.sot_token_id), int(reference.eot_token_id)
    words = {
        token.removesuffix(WORD_END): number
        for token, number in exported.get_vocab().items()
        if re.fullmatch(f"[a-z]+{WORD_END}", token)
    }
    encoded = exported.encode_batch(list(words))
    known = all(one.ids == [around[0], number, around[1]] for one, number in zip(encoded, words.values(), strict=True))
    return around if known else None


def _add_chain(vocabulary: dict[str, int], merges: list[tuple[str, str]], token: str) -> None:
    """Make a special token that appears in a text as a separate word become that token, like in open_clip.

    As an added token, `tokenizers` would also find it inside a run of punctuation, where open_clip does not. Therefore it is
    built by merges of the lowest priority: no other word contains letters next to `<`, so nothing else is affected.
    """
    from tokenizers import models

    parts = [
        one.value for one in models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=WORD_END).tokenize(token)
    ]
    joined = parts[0]
    for number, part in enumerate(parts[1:], start=2):
        merges.append((joined, part))
        joined += part
        spare = max(vocabulary.values()) + 1
        vocabulary.setdefault(joined, vocabulary.pop(token) if number == len(parts) else spare)
