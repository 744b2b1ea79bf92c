"""Turning the words of a command line into one query."""

from __future__ import annotations

import pytest

from photoindex.errors import QuerySyntaxError
from tests.queries import parse, parse_arguments


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        ([], ""),
        (["beach", "sunset"], "beach sunset"),
        (["beach sunset"], "beach sunset"),
        (["a", "OR", "b"], "a OR b"),
        (["camera:EOS 5D"], 'camera:"EOS 5D"'),
        (["-camera:EOS 5D", "beach"], '-camera:"EOS 5D" beach'),
        (["camera:EOS 5D,EOS R5"], 'camera:"EOS 5D","EOS R5"'),
        (["title:Hello, World"], 'title:"Hello, World"'),
        (["title:Trip: part two"], 'title:"Trip: part two"'),
        (["path:/photos/Trip (2019)/a b"], 'path:"/photos/Trip (2019)/a b"'),
        (["path:C:\\a b"], 'path:"C:\\\\a b"'),
        (["type:raw beach"], "type:raw beach"),
        (["date:2019 beach"], "date:2019 beach"),
        (["camera:canon date:2019"], "camera:canon date:2019"),
        (["camera:canon -beach"], "camera:canon -beach"),
        (["camera:canon -date:2019"], "camera:canon -date:2019"),
        (["camera:canon OR beach"], "camera:canon OR beach"),
        (["camera:canon AND beach"], "camera:canon beach"),
        (["camera:canon NOT beach"], "camera:canon -beach"),
        (["camera:canon @best"], "camera:canon @best"),
        (["camera:canon -@best"], "camera:canon -@best"),
        (["camera:canon (@best OR beach)"], "camera:canon (@best OR beach)"),
        (["camera:canon sold@best"], 'camera:"canon sold@best"'),
        (['camera:"EOS 5D" beach'], 'camera:"EOS 5D" beach'),
        (['"golden gate"', "bridge"], '"golden gate" bridge'),
    ],
)
def test_arguments_become_the_expected_query(arguments: list[str], query: str) -> None:
    saved = {"best": "rating:5"}
    assert parse_arguments(arguments, saved) == parse(query, saved)


def test_a_field_separated_from_its_value_is_an_error_as_in_one_text() -> None:
    with pytest.raises(QuerySyntaxError, match="needs a value directly after the colon"):
        parse_arguments(["camera: EOS 5D"])


def test_an_error_points_into_the_joined_text() -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse_arguments(["camera:EOS 5D", "iso:x"])
    assert caught.value.query[caught.value.position :] == "x"
