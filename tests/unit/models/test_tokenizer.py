"""Tokenizing texts, compared with open_clip's own tokenizers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photoindex.errors import ModelUnavailable
from photoindex.models.description import TokenizerSettings
from photoindex.models.export.check import HARD_TEXTS
from photoindex.models.tokenizer import TextTokenizer, cleaned

CLEANINGS = ("lower", "canonicalize", "whitespace")
# The Unicode tables of both libraries differ in which unassigned characters are letters.
ASSIGNED = st.characters(exclude_categories=("Cs", "Cn"))
TEXTS = st.one_of(
    st.text(ASSIGNED, max_size=40),
    st.lists(
        st.sampled_from(
            [
                "sun",
                "Sunset",
                "'s",
                "'LL",
                "&amp;",
                "&#39;",
                "<end_of_text>",
                "<start_of_text>",
                "!",
                " ",
                "12",
                "été",
                "\u0345",
            ]
        ),
        max_size=12,
    ).map("".join),
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, TextTokenizer]:
    """Return open_clip's tokenizer with a small vocabulary, and its export."""
    pytest.importorskip("open_clip")
    from tests.unit.models.clip_models import write_model

    return _both(write_model(tmp_path_factory.mktemp("small")))


def _both(folder: Path) -> tuple[Any, TextTokenizer]:
    from photoindex.models.export.tokenizer import export_tokenizer, load_reference

    reference = load_reference(folder)
    exported, described = export_tokenizer(folder, reference, cut_padding=True)
    exported.save(str(folder / "tokenizer.json"))
    return reference, TextTokenizer.from_file(folder / "tokenizer.json", described, reference.context_length)


@settings(deadline=None)
@given(text=st.one_of(st.text(max_size=60), st.sampled_from(HARD_TEXTS)), clean=st.sampled_from(CLEANINGS))
def test_texts_are_cleaned_like_in_open_clip(text: str, clean: str) -> None:
    of_open_clip = pytest.importorskip("open_clip.tokenizer")
    assert cleaned(text, clean) == of_open_clip.get_clean_fn(clean)(text)


@settings(deadline=None)
@given(text=st.text(st.characters(max_codepoint=0x7F), max_size=40), clean=st.sampled_from(CLEANINGS))
def test_the_fast_path_for_plain_texts_gives_the_same_result(text: str, clean: str) -> None:
    of_open_clip = pytest.importorskip("open_clip.tokenizer")
    assert cleaned(text, clean) == of_open_clip.get_clean_fn(clean)(text)


@settings(deadline=None, max_examples=300)
@given(text=TEXTS)
def test_tokens_of_a_small_vocabulary_equal_those_of_open_clip(small: tuple[Any, TextTokenizer], text: str) -> None:
    reference, exported = small
    np.testing.assert_array_equal(exported.whole([text]), reference([text]).numpy())


@pytest.mark.parametrize("text", [*HARD_TEXTS, "\udcff lone surrogate", "word " * 10_000, "\0"])
def test_hard_texts_have_the_same_tokens_as_in_open_clip(clips_own: tuple[Any, TextTokenizer], text: str) -> None:
    reference, exported = clips_own
    np.testing.assert_array_equal(exported.whole([text]), reference([text]).numpy())


@pytest.fixture(scope="module")
def clips_own() -> tuple[Any, TextTokenizer]:
    """Return CLIP's tokenizer of 49,408 tokens, and its export."""
    open_clip = pytest.importorskip("open_clip")
    from photoindex.models.export.tokenizer import _around_words, _of_merges

    reference = open_clip.get_tokenizer("ViT-B-32")
    exported = _of_merges(reference)
    settings = TokenizerSettings(clean="lower", pad_id=0, around_words=_around_words(exported, reference))
    return reference, TextTokenizer(exported.to_str().encode(), settings, 77)


def test_a_vocabulary_with_a_final_empty_line_keeps_its_token_numbers(tmp_path: Path) -> None:
    pytest.importorskip("open_clip")
    import gzip

    from tests.unit.models.clip_models import write_model

    folder = write_model(tmp_path)
    vocabulary = folder / "bpe_simple_vocab.txt.gz"
    vocabulary.write_bytes(gzip.compress(gzip.decompress(vocabulary.read_bytes()) + b"\n"))
    reference, exported = _both(folder)
    for text in ("sun the dog", "<start_of_text> end"):
        np.testing.assert_array_equal(exported.whole([text]), reference([text]).numpy())


def test_short_texts_get_no_padding_if_the_tower_needs_none(small: tuple[Any, TextTokenizer]) -> None:
    _, exported = small
    tokens = exported.tokens(["sun", "the dog end"])
    assert tokens.shape[1] < exported.whole(["sun"]).shape[1]
    assert tokens[0, -1] == 0
    assert tokens[1, -1] != 0
    assert exported.tokens([]).shape[0] == 0


def test_plain_words_are_tokenized_without_parsing_the_vocabulary(
    clips_own: tuple[Any, TextTokenizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, exported = clips_own
    monkeypatch.setitem(exported.__dict__, "_tokenizer", None)
    for text in ("beach sunset", "A Photo of a dog", " beach", "a " * 75):
        np.testing.assert_array_equal(exported.whole([text]), reference([text]).numpy())


@pytest.mark.parametrize("text", ["beach zyzzyvas", "s t", "a " * 76, "don t", "a-b", "the 2 dogs", "", "q" * 30])
def test_other_texts_have_the_right_tokens_too(clips_own: tuple[Any, TextTokenizer], text: str) -> None:
    reference, exported = clips_own
    np.testing.assert_array_equal(exported.whole([text]), reference([text]).numpy())


def test_words_that_merge_differently_are_not_looked_up(tmp_path: Path) -> None:
    pytest.importorskip("open_clip")
    from tests.unit.models.clip_models import write_model, write_vocabulary

    folder = write_model(tmp_path)
    # "sun" has a token, but its letters are merged differently: "u n</w>" comes first.
    write_vocabulary(folder, ("u n</w>", "s u", "su n</w>"))
    reference, exported = _both(folder)
    np.testing.assert_array_equal(exported.whole(["sun"]), reference(["sun"]).numpy())
    assert len(set(exported.whole(["sun"])[0])) == 5


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"tokenizer\.json cannot be read: .*install the model again"):
        TextTokenizer.from_file(tmp_path / "tokenizer.json", TokenizerSettings(clean="lower", pad_id=0), 77)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"version": "1.0", "model": {"type": "BPE"}}'])
def test_a_damaged_tokenizer_is_reported(content: bytes) -> None:
    tokenizer = TextTokenizer(content, TokenizerSettings(clean="lower", pad_id=0, around_words=(1, 2)), 77)
    with pytest.raises(ModelUnavailable, match=r"tokenizer cannot be used: .*install the model again"):
        tokenizer.tokens(["sun"])
