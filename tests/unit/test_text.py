"""Folding for comparison is the same for every way to write a text."""

from __future__ import annotations

import unicodedata

import pytest

from photoindex.text import composed, fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ZÜRICH", "zurich"),
        ("Straße", "strasse"),
        ("STRA\u1e9eE", "strasse"),
        ("Łódź", "lodz"),
        ("Ærø", "aero"),
        ("Œuvre", "oeuvre"),
        ("Þingvellir, Đakovo, Eiðar", "thingvellir, dakovo, eidar"),
        ("\u0130stanbul I\u011fd\u0131r", "istanbul igdir"),
        ("\ufb01n \uff21\uff22", "fin ab"),
        ("O\u2019Brien", "o'brien"),
        ("co\u00adoperate\u200b \u2764\ufe0f", "cooperate \u2764"),
        ("Йод", "иод"),
        ("カ\u30d0", "カ\u30d0"),
        ("한국", "한국"),
    ],
)
def test_a_text_folds_to_what_people_type_composed_or_not(text: str, folded: str) -> None:
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, text)) == unicodedata.normalize("NFC", folded)


def test_folding_again_changes_nothing_and_equivalent_characters_fold_alike() -> None:
    for character in map(chr, range(0x30000)):
        folded = fold(character)
        assert fold(folded) == folded
        if not "\ud800" <= character <= "\udfff":
            for form in ("NFC", "NFD", "NFKC", "NFKD"):
                assert fold(unicodedata.normalize(form, character)) == folded


def test_voiced_kana_differ_from_plain_ones_in_both_forms() -> None:
    assert fold("か\u3099") == fold("が") != fold("か")


def test_composing_joins_what_looks_the_same_and_nothing_else() -> None:
    assert composed("e\u0301\u212b") == "\u00e9\u00c5"
    assert composed("\ufb01 E\udce9") == "\ufb01 E\udce9"
