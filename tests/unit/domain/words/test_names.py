"""Names of tags and albums."""

from __future__ import annotations

import pytest

from photoindex.domain.words.names import checked_album, checked_tag, tag_key, tag_of_keyword


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("  dog ", "dog"),
        ("animals / dog", "animals/dog"),
        ("Animals|Dog", "Animals/Dog"),
        ("my   dog", "my dog"),
        ("cafe\u0301", "caf\u00e9"),
        ("🐕", "🐕"),
        ("❤️", "❤️"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("2019", "2019"),
    ],
)
def test_a_tag_is_trimmed_and_composed(written: str, name: str) -> None:
    assert checked_tag(written) == name


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("", "empty"),
        (" ", "empty"),
        ("a//b", "no level"),
        ("/a", "no level"),
        ("a/", "no level"),
        ("\u200d", "empty|no level"),
        ("\u00af", "no level"),
        ("a/\u00af", "no level"),
        ("a\nb", "control characters"),
        ("a\x1bb", "control characters"),
        ("a\u202eb", "invisible"),
        ("a,b", "comma"),
        ("a*", "in a query"),
        ("dog@80", "in a query"),
        ("dog @ 80%", "in a query"),
        ("-a", "in a query"),
        ("animals/-dog", "in a query"),
        ('a"b', "in a query"),
        ("x" * 201, "at most 200"),
        ("/".join("abcdefghijk"), "at most 10 levels"),
        ("\u2100", "stands for a slash"),
    ],
)
def test_a_tag_that_a_query_could_not_name_is_refused(written: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        checked_tag(written)


def test_spellings_of_a_tag_are_one() -> None:
    assert tag_key("Animals/Straße") == tag_key("ANIMALS/strasse") == "animals/strasse"


@pytest.mark.parametrize(
    ("keyword", "name"),
    [
        ("Animals|Dog", "Animals/Dog"),
        ("rome, italy", "rome, italy"),
        ("/a//b/", "a/b"),
        ("a\tb", "a b"),
        ("", None),
        (" | ", None),
        ("x" * 201, None),
        ("\u2100", None),
    ],
)
def test_keywords_of_files_are_tags_where_they_can_be(keyword: str, name: str | None) -> None:
    assert tag_of_keyword(keyword) == name


def test_an_album_may_have_slashes_and_no_comma() -> None:
    assert checked_album(" Rome 2019/20 ") == "Rome 2019/20"
    for bad in ("", "\u00af", "a,b", "a\nb", "@best"):
        with pytest.raises(ValueError, match="album"):
            checked_album(bad)
