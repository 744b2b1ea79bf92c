"""Options such as --camera mean the same as the terms of a query."""

from __future__ import annotations

import pytest

from photoindex.errors import QuerySyntaxError
from photoindex.query.option_terms import option_nodes
from photoindex.query.printer import to_text
from photoindex.query.syntax import And, OptionTerm
from photoindex.query.value_syntax import joined
from photoindex.store.search.fields import grammar
from tests.queries import lookups, parse

FROM_DATE, TO_DATE = "--from-date", "--to-date"


def term(option: str, *values: str) -> OptionTerm:
    negated = option.startswith("--not-")
    name = option.removeprefix("--not-").removeprefix("--")
    for bound in ("from", "to"):
        if name.startswith(f"{bound}-"):
            return OptionTerm(option, name.removeprefix(f"{bound}-"), values, bound)  # type: ignore[arg-type]
    return OptionTerm(option, name, values, negated=negated)


def tree_of(*terms: OptionTerm) -> object:
    return joined(And, option_nodes(terms, grammar(), lookups()))


@pytest.mark.parametrize(
    ("terms", "query"),
    [
        ([], ""),
        ([term("--camera", "canon")], "camera:canon"),
        ([term("--camera", "EOS 5D")], 'camera:"EOS 5D"'),
        ([term("--camera", 'a "b" (c')], r'camera:"a \"b\" (c"'),
        ([term("--camera", "canon", "nikon")], "camera:canon OR camera:nikon"),
        ([term("--camera", "canon"), term("--type", "raw,heic")], "camera:canon type:raw,heic"),
        ([term("--not-camera", "canon", "nikon")], "-(camera:canon OR camera:nikon)"),
        ([term("--not-type", "video"), term("--type", "raw")], "-type:video type:raw"),
        ([term("--place", "Paris, Texas")], 'place:"Paris, Texas"'),
        ([term("--near", "Lisbon,30km")], 'near:"Lisbon,30km"'),
        ([term("--near", "38.7,-9.1,30km")], "near:38.7,-9.1,30km"),
        ([term("--rating", ">=3")], "rating:>=3"),
        ([term("--rating", "3..4", "5")], "rating:3..4,5"),
        ([term(FROM_DATE, "2019")], "date:2019.."),
        ([term(TO_DATE, "2019-06")], "date:..2019-06"),
        ([term(FROM_DATE, "2019"), term(TO_DATE, "2021")], "date:2019..2021"),
        ([term(TO_DATE, "2021"), term(FROM_DATE, "2019")], "date:2019..2021"),
        ([term(FROM_DATE, "last-1y"), term(TO_DATE, "yesterday")], "date:last-1y..yesterday"),
        ([term(FROM_DATE, "2019", "2020"), term(TO_DATE, "2021")], "date:2019..,2020.. date:..2021"),
        ([term("--from-time", "22"), term("--to-time", "04:30")], "time:22..04:30"),
    ],
)
def test_options_become_the_expected_query(terms: list[OptionTerm], query: str) -> None:
    tree = tree_of(*terms)
    assert tree == parse(query)
    assert parse(to_text(tree)) == tree  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("terms", "shown", "marked", "message"),
    [
        ([term("--camera", "")], "--camera ", "", "needs a value"),
        ([term("--type", "raw", "raww")], "--type raww", "raww", "did you mean raw?"),
        ([term("--type", "heic,raww")], "--type heic,raww", "raww", "did you mean raw?"),
        ([term(FROM_DATE, "2019-13")], "--from-date 2019-13", "2019-13", "there is no month 13"),
        ([term(FROM_DATE, "2021"), term(TO_DATE, "2019")], "--from-date 2021 --to-date 2019", "2021 --to", "backwards"),
        ([term(FROM_DATE, "2021"), term(TO_DATE, "x")], "--from-date 2021 --to-date x", "x", "a date is needed"),
        ([term("--not-near", "Nowhere")], "--not-near Nowhere", "Nowhere", "no place is called"),
    ],
)
def test_an_error_names_the_option(terms: list[OptionTerm], shown: str, marked: str, message: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        tree_of(*terms)
    assert caught.value.query == shown
    assert shown[caught.value.position :].startswith(marked)
    assert message in str(caught.value)
