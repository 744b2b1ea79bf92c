"""What a query depends on beyond its text: the date, saved queries, places, regular expressions."""

from __future__ import annotations

import pytest

from photoindex.errors import QuerySyntaxError
from photoindex.query import parser
from photoindex.query.parser import MAX_DEPTH
from photoindex.query.printer import to_text
from photoindex.query.syntax import EVERYTHING, And, Compare, Node, Not, Operator, Or, Words, leaves
from photoindex.store.search.fields import grammar, meaning
from tests.queries import lookups, parse

SAVED = {
    "best": "rating:>=4",
    "either": "beach OR lake",
    "both": "@best @either",
    "all": "",
    "round": "a @round",
    "there": "@back",
    "back": "@there",
    "broken": "rating:many",
    "2019-06-01-lisbon": "event:2019-06-01-lisbon",
}
BEST = Compare("rating", Operator.GREATER_EQUAL, "4")
EITHER = Or((Words("beach"), Words("lake")))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("@best", BEST),
        ("@BEST", BEST),
        ("-@best", Not(BEST)),
        ("x @best", And((Words("x"), BEST))),
        ("@either x", And((EITHER, Words("x")))),
        ("x OR @either", Or((Words("x"), *EITHER.parts))),
        ("(@best OR @either)", Or((BEST, *EITHER.parts))),
        ("-@either", Not(EITHER)),
        ("@both", And((BEST, EITHER))),
        ("@both @both", And((BEST, EITHER, BEST, EITHER))),
        ("@all", EVERYTHING),
        ("@2019-06-01-lisbon", Compare("event", Operator.IS, "2019-06-01-lisbon")),
        ('"@best"', Words("@best", phrase=True)),
        ("me@example.org", Words("me@example.org")),
        ("camera:@best", Compare("camera", Operator.IS, "@best")),
    ],
)
def test_a_saved_query_acts_as_its_tree_in_parentheses(text: str, tree: Node) -> None:
    assert parse(text, SAVED) == tree
    assert parse(to_text(tree), SAVED) == tree


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("x @bset", 2, "there is no saved query '@bset'; did you mean @best?"),
        ("@zzz", 0, "see: photoindex saved"),
        ("x (@round)", 3, "a saved query cannot use itself: @round -> @round"),
        ("@there", 0, "@there -> @back -> @there"),
        ("x @broken", 2, "the saved query @broken (rating:many) is invalid: rating: a whole number"),
        ("@", 0, "'@' must be followed by the name of a saved query"),
        ("@best:x", 0, "'@' must be followed by the name of a saved query"),
        ("@_x", 0, "'@' must be followed by the name of a saved query"),
        ("x @" + "n" * 65, 2, "'@' must be followed by the name of a saved query"),
    ],
)
def test_an_error_in_a_saved_query_is_shown_at_its_name(text: str, position: int, message: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text, SAVED)
    assert caught.value.position == position
    assert message in str(caught.value)


def test_without_saved_queries_the_error_says_how_to_save_one() -> None:
    with pytest.raises(QuerySyntaxError, match="photoindex search QUERY --saved NAME"):
        parse("@best")


def test_a_query_that_is_being_saved_cannot_use_its_own_name() -> None:
    with pytest.raises(QuerySyntaxError, match="cannot use itself: @best -> @best"):
        parser.parse("x @best", grammar(), lookups(SAVED), saving="Best")
    with pytest.raises(QuerySyntaxError, match="cannot use itself"):
        parser.parse("@both", grammar(), lookups(SAVED), saving="either")


def test_positions_inside_a_saved_query_map_to_its_name() -> None:
    assert [leaf.position for leaf in leaves(parse("x @both", SAVED))] == [0, 2, 2, 2]


def test_nesting_of_saved_queries_is_limited() -> None:
    chain = {f"n{level}": f"@n{level + 1}" for level in range(MAX_DEPTH - 1)} | {f"n{MAX_DEPTH - 1}": "x"}
    assert parse("@n0", chain) == Words("x")
    with pytest.raises(QuerySyntaxError, match="can be nested at most 10 deep"):
        parse("(@n0)", chain)
    many = {f"n{level}": f"@n{level + 1} " * 20 for level in range(9)} | {"n9": ""}
    with pytest.raises(QuerySyntaxError, match="at most 500 terms"):
        parse("@n0", many)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("date:today", "2024-03-31"),
        ("date:Yesterday", "2024-03-30"),
        ("date:last-30d", "2024-03-01.."),
        ("date:last-2w", "2024-03-17.."),
        ("date:last-1mo", "2024-02-29.."),
        ("date:last-13mo", "2023-02-28.."),
        ("date:last-1y", "2023-03-31.."),
        ("date:last-0d", "2024-03-31.."),
        ("date:last-1y1mo", "2023-02-28.."),
        ("date:last-1mo2w1d", "2024-02-14.."),
        ("date:Last-6MO", "2023-09-30.."),
        ("date:<last-1y", "2023-03-31"),
        ("date:last-2y..last-1y", "2022-03-31..2023-03-31"),
        ("date:last-1mo..", "2024-02-29.."),
        ("date:2019..yesterday", "2019..2024-03-30"),
        ("added:last-7d", "2024-03-24.."),
        ("near:Lisbon,30km", "30 km around Lisbon, Portugal at 38.7251,-9.1498"),
        ('near:"Paris, Texas,500m"', "0.5 km around Paris, Texas, United States at 33.6609,-95.5555"),
        ("near:Lisbon", "10 km around Lisbon, Portugal at 38.7251,-9.1498"),
    ],
)
def test_a_value_that_needs_a_lookup_is_looked_up_once(text: str, expected: str) -> None:
    tree = parse(text)
    assert isinstance(tree, Compare)
    assert meaning(tree) == expected
    again = parse(to_text(tree))
    assert again == tree


def test_a_self_contained_value_needs_no_lookup() -> None:
    for text in ("date:2019", "near:38.7,-9.1,30km", "near:-38.7,-9.1", "camera:last-30d"):
        tree = parse(text)
        assert isinstance(tree, Compare)
        assert tree.context is None
        assert meaning(tree) is None


def test_commas_in_near_do_not_separate_values() -> None:
    assert parse("near:38.7,-9.1,30km") == Compare("near", Operator.IS, "38.7,-9.1,30km")
    assert parse('near:"Lisbon,30km"') == parse("near:Lisbon,30km") == Compare("near", Operator.IS, "Lisbon,30km")


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("near:Nowhere,30km", 5, "no place is called 'Nowhere'"),
        ("near:30km", 5, "is needed before the distance"),
        ("near:91,0,1km", 5, "the latitude 91 is out of range"),
        ("near:0,181,1km", 5, "the longitude 181 is out of range"),
        ("near:1,2,3,30km", 5, "a position or a place is needed"),
        ("near:Lisbon,0km", 5, "the distance '0km' must be more than 0"),
        ("near:Lisbon,99999km", 5, "at most 20,100 km"),
        ("near:Lisbon,123456789km", 5, "at most 20,100 km"),
        ("near:48.85,2.35,-3km", 5, "'-3km' is not a distance; a number with km, m or mi"),
        ("near:48.85,2.35,30parsec", 5, "'30parsec' is not a distance"),
        ("near:48.85,2.35,5", 5, "'5' is not a distance"),
        ("near:48.85,2.35,infkm", 5, "'infkm' is not a distance"),
        ("near:Lisbon,5", 5, "'5' is not a distance"),
        ("near:-9999,0", 5, "the latitude -9999 is out of range; it must be from -90 to 90"),
        ("near:0,-9999.5,3km", 5, "the longitude -9999.5 is out of range; it must be from -180 to 180"),
        ("near:nan,inf", 5, "'nan' is not a latitude; decimal degrees"),
        ("near:0,-inf,30km", 5, "'-inf' is not a longitude; decimal degrees"),
        ("near:1e9,0", 5, "'1e9' is not a latitude"),
        ("near:Nan,30km", 5, "no place is called 'Nan'"),
        ("near:>3", 5, "cannot be compared"),
        ("date:last-30", 5, "a date is needed"),
        ("date:last-99999y", 5, "before the year 1"),
        ("date:last-999999999w", 5, "before the year 1"),
        ("date:last-6m", 5, "m can mean months or minutes; write 6mo or 6min"),
        ("added:last-1y6m", 6, "m can mean months or minutes; write 6mo or 6min"),
        ("date:2019..last-6M", 11, "write 6mo or 6min"),
        ("date:last-6h", 5, "last-30d, last-2w, last-6mo or last-1y"),
        ("date:last-1.5y", 5, "whole days, weeks, months or years"),
        ("date:today..yesterday", 5, "runs backwards"),
        ("date:last-1y..last-2y", 5, "runs backwards"),
        ("time:25", 5, "'25' is not a time of day"),
        ("time:noon", 5, "a time of day is needed"),
        ("duration:1:60", 9, "'1:60' is not a length of time"),
        ("duration:long", 9, "a length of time is needed"),
        ("exposure:1/0", 9, "a fraction of a second is needed"),
        ("exposure:slow", 9, "an exposure time is needed"),
        ("orientation:9", 12, "'9' is not known"),
        ("has:gpx", 4, "did you mean gps?"),
        ("is:dupplicate", 3, "did you mean duplicate?"),
        ("source:mtime", 7, "a fact and its source are needed"),
        ("source:taken=mtime", 7, "there is no fact 'taken'; did you mean taken_at"),
        ("source:taken_at=mtim", 7, "there is no source 'mtim'; did you mean mtime?"),
        ("x camera::[a", 10, "unterminated character set"),
        ("name::a(b", 7, "parenthesis is not closed"),
        ('name::"a)"', 8, "invalid regular expression: unbalanced parenthesis"),
        ("name::a**", 8, "multiple repeat"),
        ("name::a{99999999999}", 6, "too large"),
        ("name::" + "a" * 501, 506, "at most 500 characters"),
        ("name::", 6, "needs a value"),
        ("rating::5", 0, "does not support regular expressions"),
    ],
)
def test_an_invalid_value_is_shown_at_its_character(text: str, position: int, message: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert caught.value.position == position
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("camera::^canon", "^canon"),
        (r"name::^IMG_(1|2)\d+", r"^IMG_(1|2)\d+"),
        (r'name::"a \d \"b\" \\ c"', r'a \d "b" \ c'),
        ("title::a,b", "a,b"),
        ("keyword::>5..", ">5.."),
        ("path::[[a]", "[[a]"),
    ],
)
def test_two_colons_make_the_whole_value_a_regular_expression(text: str, pattern: str) -> None:
    tree = parse(text)
    assert isinstance(tree, Compare)
    assert (tree.operator, tree.value) == (Operator.REGEX, pattern)
    assert parse(to_text(tree)) == tree
