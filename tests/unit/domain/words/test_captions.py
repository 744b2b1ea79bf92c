"""What is a caption in a model's answer, and what is not."""

from __future__ import annotations

import pytest

from photoindex.domain.words.answer_language import is_in, language_of
from photoindex.domain.words.captions import NotACaption, caption_of


@pytest.mark.parametrize(
    ("raw", "caption"),
    [
        ("a boat at a pier", "a boat at a pier"),
        ("  A boat\n\tat a pier. \r\n", "A boat at a pier."),
        ("Caption: A boat.", "A boat."),
        ("**Answer:** A boat.", "A boat."),
        ('"A boat."', "A boat."),
        ("«Un bateau»", "Un bateau"),
        ('"One" and "two"', '"One" and "two"'),
        ("arafed dog on a couch", "dog on a couch"),
        ("</s><s><s>The image shows a dog.</s><pad>", "The image shows a dog."),
        ("<think>\n\n</think>\n\nA dog.", "A dog."),
        ("a\x00 dog\x1b[31m\u202e red\u200b", "a dog [31m red"),
        ("Cafe\u0301", "Café"),
        ("A family 👨\u200d👩\u200d👧 waves.", "A family 👨\u200d👩\u200d👧 waves."),
        ("一只狗", "一只狗"),
        ("I see a dog", "I see a dog"),
    ],
)
def test_a_caption_is_one_line_without_what_is_not_said_of_the_picture(raw: str, caption: str) -> None:
    assert caption_of(raw) == caption


@pytest.mark.parametrize(
    ("raw", "error_class"),
    [
        ("", "caption_empty"),
        (" \n\x00.", "caption_empty"),
        ("</s><pad>", "caption_empty"),
        ("<think>The user wants", "caption_thinking"),
        ("<think>Red.</think>A red square.", "caption_thinking"),
        ("◁think▷Hm", "caption_thinking"),
        ("<|channel|>analysis<|message|>We need", "caption_thinking"),
        ("I'm sorry, but I can't help with that.", "caption_refused"),
        ("There is no image in your message.", "caption_refused"),
        (" ".join(f"word{number}" for number in range(10_000)), "caption_too_long"),
        ("x" * 100_000, "caption_too_long"),
        ("a dog " * 30, "caption_repeats"),
        ("the the the the the the the the", "caption_repeats"),
        ("one two three four five six seven " * 8, "caption_repeats"),
    ],
)
def test_what_is_no_caption_is_refused_with_its_reason(raw: str, error_class: str) -> None:
    with pytest.raises(NotACaption) as refused:
        caption_of(raw)
    assert refused.value.error_class == error_class
    assert len(refused.value.message) < 200


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("a dog on the grass with a ball", "en"),
        ("ein Hund mit einem Ball und eine Katze", "de"),
        ("一只狗在草地上", "zh"),
        ("собака на траве", "ru"),
        ("dog", None),
        ("", None),
    ],
)
def test_the_language_of_an_answer_is_told_where_it_is_plain(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_only_an_answer_that_is_plainly_in_another_language_is_not_in_the_one_asked_for() -> None:
    assert is_in("a dog on the grass with a ball", "en")
    assert not is_in("a dog on the grass with a ball", "de")
    assert not is_in("ein Hund mit einem Ball und eine Katze", "en")
    assert is_in("dog", "de")
    assert is_in("собака на траве", "uk")
    assert not is_in("собака на траве", "de")
    assert is_in("een hund med en ball", "da")
