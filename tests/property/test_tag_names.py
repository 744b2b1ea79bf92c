"""Names of tags, for any text."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from photoindex.domain.words.names import checked_tag, tag_key, tag_of_keyword
from tests.series import SOAKING, examples

repeatable = settings(derandomize=not SOAKING, max_examples=examples(300))

written = st.text(st.one_of(st.characters(), st.sampled_from("/|, \t*\u200d\uff0f\u2100")), max_size=20)


@repeatable
@given(written)
def test_an_accepted_tag_is_accepted_again_unchanged_and_has_as_many_levels_as_its_key(text: str) -> None:
    with contextlib.suppress(ValueError):
        name = checked_tag(text)
        assert checked_tag(name) == name
        levels = tag_key(name).split("/")
        assert len(levels) == len(name.split("/"))
        assert all(levels)


@repeatable
@given(written)
def test_every_keyword_is_a_tag_with_a_key_of_whole_levels_or_none(text: str) -> None:
    name = tag_of_keyword(text)
    if name is not None:
        assert all(tag_key(name).split("/"))
        assert tag_of_keyword(name) == name
