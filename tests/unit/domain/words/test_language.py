"""Telling queries that are plainly not English."""

from __future__ import annotations

import pytest

from photoindex.domain.words.language import foreign_language, function_words


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hund mit Ball auf der Wiese", "de"),
        ("zwei Kinder und ein Hund", "de"),
        ("chien sur la plage", "fr"),
        ("une femme avec un chapeau", "fr"),
        ("perro en la playa", "es"),
        ("cane sulla spiaggia", "it"),
        ("crianças com um cachorro", "pt"),
        ("hond op het strand", "nl"),
        ("пляж на закате", "ru"),
        ("παραλία", "el"),
        ("海滩日落", "zh"),
        ("ビーチの夕日、犬", "ja"),
        ("해변의 일몰", "ko"),
        ("غروب الشمس", "ar"),
        ("IMG 海滩日落", "zh"),
    ],
)
def test_another_script_and_small_words_tell_a_language(text: str, language: str) -> None:
    assert foreign_language(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "!!!", "42", "sunset", "café", "München", "Straße", "a dog on a beach", "sunset in Del Mar", "los angeles",
        "las vegas", "die hard", "der spiegel", "MIT campus", "van gogh", "man with a com port", "the sur la plage", "IMG_1234",
        "\udce9\udce9", "Ω resistor on a board", "😀😀😀", "San Juan de la Cruz on the wall", "mille feuille cake", "was it in",
    ],
)  # fmt: skip
def test_english_names_and_single_words_are_not_taken_for_another_language(text: str) -> None:
    assert foreign_language(text) is None


def test_function_words_are_those_of_english_and_of_the_language_of_the_text() -> None:
    assert "the" in function_words("Hund mit Ball auf der Wiese")
    assert "auf" in function_words("Hund mit Ball auf der Wiese")
    assert "auf" not in function_words("auf wiedersehen")
