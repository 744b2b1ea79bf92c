"""The query language: the tree of a text, and the position of an error."""

from __future__ import annotations

import pytest

from photoindex.errors import QuerySyntaxError
from photoindex.query.lexer import MAX_CHARACTERS
from photoindex.query.parser import MAX_DEPTH
from photoindex.query.printer import UNLISTED, to_text
from photoindex.query.syntax import EVERYTHING, And, Compare, Node, Not, Operator, Or, Words
from photoindex.query.value_syntax import MAX_TERMS
from photoindex.store.search.fields import grammar
from tests.queries import parse


def word(text: str, *, prefix: bool = False) -> Words:
    return Words(text, prefix=prefix)


def phrase(text: str, *, prefix: bool = False) -> Words:
    return Words(text, phrase=True, prefix=prefix)


def field(name: str, value: str | None, operator: Operator = Operator.IS, until: str | None = None) -> Compare:
    return Compare(name, operator, value, until)


def between(name: str, lower: str | None, upper: str | None) -> Compare:
    return field(name, lower, Operator.RANGE, upper)


RAW_OR_HEIC = Or((field("type", "raw"), field("type", "heic")))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", EVERYTHING),
        ("  \u00a0 \t\n", EVERYTHING),
        ("()", EVERYTHING),
        ("beach", word("beach")),
        ("beach sunset", And((word("beach"), word("sunset")))),
        ("beach\u00a0sunset", And((word("beach"), word("sunset")))),
        ("sun*", word("sun", prefix=True)),
        ('"golden gate"', phrase("golden gate")),
        ('"golden gat"*', phrase("golden gat", prefix=True)),
        ("\u201cgolden gate\u201d", phrase("golden gate")),
        (r'"a \"b\" \\ \c"', phrase(r'a "b" \ \c')),
        ('golden"gate"', And((word("golden"), phrase("gate")))),
        ("a OR b c", Or((word("a"), And((word("b"), word("c")))))),
        ("(a OR b) c", And((Or((word("a"), word("b"))), word("c")))),
        ("(a b) (c (d))", And((word("a"), word("b"), word("c"), word("d")))),
        ("a OR (b OR c)", Or((word("a"), word("b"), word("c")))),
        ("a or b", And((word("a"), word("or"), word("b")))),
        ('"OR"', phrase("OR")),
        ("cats AND NOT NEAR", And((word("cats"), Not(word("NEAR"))))),
        ("a AND b c AND d", And((word("a"), word("b"), word("c"), word("d")))),
        ("a AND b OR c AND -d", Or((And((word("a"), word("b"))), And((word("c"), Not(word("d"))))))),
        ("NOT (a OR b)", Not(Or((word("a"), word("b"))))),
        ("NOT date:2019", Not(field("date", "2019"))),
        ("-(NOT a)", Not(Not(word("a")))),
        ("and not", And((word("and"), word("not")))),
        ('"AND" "NOT" AND dogs', And((phrase("AND"), phrase("NOT"), word("dogs")))),
        ("title:AND AND*", And((field("title", "AND"), word("AND", prefix=True)))),
        ("-a", Not(word("a"))),
        ("-(a b)", Not(And((word("a"), word("b"))))),
        ('-"a b"', Not(phrase("a b"))),
        ("a-b", word("a-b")),
        ("IMG(1).jpg", word("IMG(1).jpg")),
        ("(IMG(1).jpg)", word("IMG(1).jpg")),
        ("12:30", word("12:30")),
        ("16:9*", word("16:9", prefix=True)),
        ("https://example.org/a?b=c", word("https://example.org/a?b=c")),
        ("C:\\photos\\a", word("C:\\photos\\a")),
        ('"persn:Bob"', phrase("persn:Bob")),
        ("camera:canon", field("camera", "canon")),
        ("CAMERA:Canon", field("camera", "Canon")),
        ("taken:2019", field("date", "2019")),
        ('camera:"EOS 5D"', field("camera", "EOS 5D")),
        ('camera:EOS" "5D', field("camera", "EOS 5D")),
        ("type:raw,heic", RAW_OR_HEIC),
        ("type:raw OR type:heic", RAW_OR_HEIC),
        ("-type:raw,heic", Not(RAW_OR_HEIC)),
        ('camera:"a, b",c', Or((field("camera", "a, b"), field("camera", "c")))),
        ("size:>20MB", field("size", "20MB", Operator.GREATER)),
        ("size:>=20MB", field("size", "20MB", Operator.GREATER_EQUAL)),
        ("size:<20MB", field("size", "20MB", Operator.LESS)),
        ('size:<="20 MB"', field("size", "20 MB", Operator.LESS_EQUAL)),
        ("size:<1MB,>1GB", Or((field("size", "1MB", Operator.LESS), field("size", "1GB", Operator.GREATER)))),
        ("date:2019..2021", between("date", "2019", "2021")),
        ("date:2019-06..2019", between("date", "2019-06", "2019")),
        ("date:2019..", between("date", "2019", None)),
        ("date:..2021", between("date", None, "2021")),
        ("aperture:1.4..2.8", between("aperture", "1.4", "2.8")),
        ("date:2019-06-15T10:30", field("date", "2019-06-15T10:30")),
        ("path:/a..b/c", field("path", "/a..b/c")),
        ("path://server/share", field("path", "//server/share")),
        ("path:/a/b(1)/c", field("path", "/a/b(1)/c")),
        ('title:">5"', field("title", ">5")),
        ("name:caf\udce9", field("name", "caf\udce9")),
        ("rating:-1", field("rating", "-1")),
        ("is:missing", field("is", "missing")),
        ("beach date:2019 -type:video", And((word("beach"), field("date", "2019"), Not(field("type", "video"))))),
    ],
)
def test_a_text_parses_to_the_expected_tree_and_printing_keeps_its_meaning(text: str, tree: Node) -> None:
    assert parse(text) == tree
    assert parse(to_text(tree)) == tree


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("beach persn:Bob", 6, "there is no field 'persn:'"),
        ("camra:x", 0, "did you mean camera:?"),
        ("std::vector", 0, "there is no field 'std:'"),
        ("a.b:c", 3, "'a.b' is not the name of a field"),
        (":)", 0, "needs the name of a field before it"),
        ("beach date:", 11, "needs a value"),
        ("date: 2019", 5, "needs a value"),
        ('camera:""', 9, "needs a value"),
        ("size:>", 6, "needs a value"),
        ("type:raw, heic", 9, "a comma needs a value on both sides"),
        ("type:,raw", 5, "a comma needs a value on both sides"),
        ("date:..", 5, "a range needs at least one end"),
        ("date:2021..2019", 5, "runs backwards"),
        ("size:2MB..2kB", 5, "runs backwards"),
        ("iso:abc", 4, "a whole number"),
        ("iso:100..abc", 9, "a whole number"),
        ("iso:100,abc", 8, "a whole number"),
        ("iso:>abc", 5, "a whole number"),
        ("id:9999999999999999999999", 3, "at most 18 digits"),
        ("aperture:g2", 9, "a number is needed"),
        ("aperture:f/", 9, "a number is needed"),
        ("focal:mm", 6, "a number is needed"),
        ("iso:100.5", 4, "a whole number"),
        ("size:20XB", 5, "a size is needed"),
        ("date:2019-13", 5, "there is no month 13"),
        ("date:2019-02-30", 5, "2019-02 has no day 30"),
        ("date:2019-02-03T25", 5, "'25' is not a time of day"),
        ("date:0000", 5, "there is no year 0000"),
        ("date:last", 5, "a date is needed"),
        ('date:"2019..2020"', 6, "a date is needed"),
        ("is:foo", 3, "choose one of missing"),
        ("type:jpgg", 5, "did you mean jpg or jpeg?"),
        ("ext:*", 4, "an extension is needed"),
        ("path:../x", 5, "are not resolved"),
        ("title:" + "x" * 501, 6, "at most 500 characters"),
        ("title:" + "*" * 11, 6, "at most 10 times"),
        ("camera:>x", 7, "cannot be compared"),
        ("size::eos", 0, "does not support regular expressions"),
        ('x "abc', 2, "this quote is not closed"),
        ('title:"abc', 6, "this quote is not closed"),
        ("(a", 0, "this parenthesis is not closed"),
        ("a (b (c)", 2, "this parenthesis is not closed"),
        ("IMG_(1", 4, "this parenthesis is not closed"),
        ("a)", 1, "no matching '('"),
        ("a OR", 2, "OR needs a term on both sides"),
        ("OR a", 0, "OR needs a term on both sides"),
        ("a OR OR b", 2, "OR needs a term on both sides"),
        ("(a OR)", 3, "OR needs a term on both sides"),
        ("a AND", 2, "AND needs a term on both sides"),
        ("AND a", 0, "AND needs a term on both sides"),
        ("a AND AND b", 2, "AND needs a term on both sides"),
        ("a AND OR b", 2, "AND needs a term on both sides"),
        ("(AND)", 1, "AND needs a term on both sides"),
        ("a OR AND b", 5, "AND needs a term on both sides"),
        ("a NOT", 2, "NOT needs a term after it"),
        ("(NOT) a", 1, "NOT needs a term after it"),
        ("NOT AND a", 0, "NOT needs a term after it"),
        ("NOT NOT a", 4, "negated only once"),
        ("NOT -a", 4, "negated only once"),
        ("-AND a", 0, "'-' needs a term"),
        ("a - b", 2, "'-' must be directly before the term"),
        ("(a -)", 3, "'-' must be directly before the term"),
        ("-OR", 0, "'-' needs a term"),
        ("--a", 0, "one '-' before a term"),
        ("a*b", 1, "'*' is allowed only at the end of a word"),
        ("*", 0, "'*' is allowed only at the end of a word"),
        ("a !!!", 2, "no letter or digit"),
        ('"…"', 0, "no letter or digit"),
        ("\ud800", 0, "lone surrogate"),
    ],
)
def test_an_error_is_shown_at_its_character(text: str, position: int, expected: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert caught.value.position == position
    assert expected in str(caught.value)


def test_an_unknown_field_lists_all_fields_if_none_is_similar() -> None:
    with pytest.raises(
        QuerySyntaxError, match=r"the fields are added, age, album, aperture, camera, caption, date, .*, width;"
    ):
        parse("qqqq:Bob")


def test_the_message_of_an_error_marks_its_character() -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse("beach -persn:Bob")
    message, query, mark = str(caught.value).splitlines()
    assert "persn" in message
    assert query[mark.index("^")] == "p"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "(" * 9_000 + "a" + ")" * 9_000,
        "a(" * 9_000,
        "-(" * 9_000,
        "-" * 15_000,
        '"' * 19_999,
        "x " * 9_000,
        "x OR " * 3_000 + "x",
        "id:" + ",".join("1" * 9_000),
        "x" * 100_000,
        "word " * 20_000,
        ":" * 15_000,
        "persn" * 3_000 + ":x",
    ],
)
def test_a_query_that_is_too_long_or_too_deep_is_refused(text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        parse(text)


def test_queries_at_the_limits_are_allowed() -> None:
    assert parse("x" * MAX_CHARACTERS) == word("x" * MAX_CHARACTERS)
    assert parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH) == word("a")
    assert parse("x " * MAX_TERMS) == And((word("x"),) * MAX_TERMS)


def test_trees_that_no_text_produces_are_printed_with_the_same_meaning() -> None:
    assert to_text(Not(EVERYTHING)) == "-()"
    assert to_text(Or(())) == "-()"
    assert to_text(And((word("a"), And((word("b"), word("c")))))) == "a (b c)"
    assert to_text(Or((EVERYTHING, word("a")))) == "() OR a"
    assert to_text(Not(Not(word("a")))) == "-(-a)"
    assert to_text(word("-a b:c")) == '"-a b:c"'


@pytest.mark.parametrize("name", sorted(UNLISTED))
def test_alternatives_of_a_field_without_lists_are_printed_separately(name: str) -> None:
    tree = Or((field(name, "38.7,-9.1"), field(name, "38.8,-9.1")))
    assert to_text(tree) == f'{name}:"38.7,-9.1" OR {name}:"38.8,-9.1"'
    assert to_text(Not(tree)) == f'-({name}:"38.7,-9.1" OR {name}:"38.8,-9.1")'


def test_the_printer_handles_every_field_without_lists() -> None:
    assert {known.name for known in grammar().values() if not known.listed} == UNLISTED
