"""The vocabulary of tags: its file, its problems by line, names in other languages."""

from __future__ import annotations

import pytest

from photoindex.config.layers import shipped_file
from photoindex.domain.words.vocabulary import LANGUAGES, BadVocabulary, read_vocabulary

OWN = "animals/ | de Tiere\nanimals/dog | de Hund\nanimals/crane: crane bird\nmachines/crane: building crane\n"


def names(text: str, **more: str) -> list[str]:
    return [one.name for one in read_vocabulary(text, **more)]


def problems(text: str, **more: str) -> dict[int, str]:
    with pytest.raises(BadVocabulary) as raised:
        read_vocabulary(text, **more)
    return {one.line: one.reason for one in raised.value.problems}


def test_a_term_is_named_with_its_levels_and_said_by_its_last_one_or_by_the_words_after_a_colon() -> None:
    terms = read_vocabulary(OWN)
    assert [(one.name, one.words) for one in terms] == [
        ("animals/dog", "dog"), ("animals/crane", "crane bird"), ("machines/crane", "building crane")
    ]  # fmt: skip


def test_names_are_in_the_chosen_language_level_by_level_and_english_where_there_is_none() -> None:
    assert names(OWN, language="de") == ["Tiere/Hund", "Tiere/crane", "machines/crane"]
    assert names(OWN, language="fr") == names(OWN)
    assert read_vocabulary(OWN, language="de")[0].words == "dog"


def test_comments_empty_lines_and_a_byte_order_mark_are_skipped() -> None:
    assert names("\ufeff# of mine\n\n  \nboat\n") == ["boat"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("dog, cat", "comma"),
        ("dog \N{DOG FACE}", "emoji"),
        ("dog\x07", "emoji"),
        ("animals//dog", "a level has no name"),
        ("a/b/c/d/e/f", "6 levels"),
        ("dog | Hund", "no name in another language"),
        ("dog | xx Hund", "no name in another language"),
        ("dog | de Tiere/Hund", "last level"),
        ("w" * 61, "61 letters"),
        ("-dog", "extends photoindex"),
        ("---", "no letter"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_the_reason(line: str, says: str) -> None:
    found = problems(f"boat\n{line}\n")
    assert list(found) == [2]
    assert says in found[2]


def test_terms_that_fold_to_the_same_name_are_duplicates() -> None:
    assert "line 1" in problems("animals/Café\nboat\nANIMALS/cafe\n")[3]


def test_two_terms_that_are_said_alike_or_called_alike_in_a_language_are_refused() -> None:
    assert "machines/crane is said to the model as 'crane'" in problems("animals/crane\nmachines/crane\n")[2]
    assert "is called 'Ball'" in problems("ball | de Ball\ndance ball | de Ball\n", language="de")[2]


def test_every_bad_line_is_counted_and_the_first_ten_are_listed() -> None:
    with pytest.raises(BadVocabulary) as raised:
        read_vocabulary("\n".join(f"a, {number}" for number in range(12)))
    assert str(raised.value).count("line ") == 10
    assert "and 2 more lines" in str(raised.value)


def test_an_empty_vocabulary_is_refused() -> None:
    assert "there is no term" in problems("# nothing\n")[1]


def test_a_file_that_extends_photoindexs_adds_replaces_and_leaves_out() -> None:
    text = "extends photoindex\nboat\nanimals/dog: my dog Rex\n-machines/crane\n"
    terms = read_vocabulary(text, own=OWN)
    assert [(one.name, one.words) for one in terms] == [
        ("animals/dog", "my dog Rex"), ("animals/crane", "crane bird"), ("boat", "boat")
    ]  # fmt: skip
    assert "no cow" in problems("extends photoindex\n-cow\n", own=OWN)[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_photoindexs_own_vocabulary_can_be_used_in_every_language(language: str) -> None:
    found = read_vocabulary(shipped_file("tags.txt").read_text("utf-8"), language=language)
    assert len(found) >= 1400
