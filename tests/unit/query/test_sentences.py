"""Sentences in four languages: what is plainly a date, a place, a camera or a kind becomes a field, and nothing else does."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from photoindex.query.country_words import COUNTRIES, REGIONS
from photoindex.query.lexer import TokenKind, tokenize
from photoindex.query.said_dates import Calendar
from photoindex.query.sentence_rules import KnownPlace, Names
from photoindex.query.sentences import understood
from photoindex.store.search.fields import grammar
from tests import queries

CALENDAR = Calendar(date(2026, 11, 30))
CITIES = {
    "paris", "new york", "nice", "florence", "munich", "berlin", "barcelona", "rome", "tokyo", "essen", "march", "lisbon", "porto", "bath",
    "orange", "lourdes", "lyon", "leon", "granada", "sevilla", "valencia", "hamburg", "cologne", "regen", "palma", "tours",
    "la rochelle", "los angeles", "mobile", "reading",
}  # fmt: skip
OTHER_NAMES = {"lissabon", "lisboa", "lisbonne", "munchen", "roma", "la montagne", "lion", "colonia", "koln", "valence"}
COUNTRY_NAMES = {"PT": "portugal", "IT": "italy", "ES": "spain", "JP": "japan", "FR": "france", "TR": "turkey"}
REGION_NAMES = {"brittany", "bavaria", "tuscany"}
CAMERAS = ("canon canon eos r5", "apple iphone 12 pro", "nikon corporation nikon d850")


def place(key: str) -> KnownPlace | None:
    name = REGIONS.get(key) or COUNTRY_NAMES.get(COUNTRIES.get(key, ""), key)
    if name in REGION_NAMES or name in COUNTRY_NAMES.values():
        return KnownPlace(name, "wide")
    if key in CITIES:
        return KnownPlace(key)
    return KnownPlace(key, "other") if key in OTHER_NAMES else None


NAMES = Names(place, lambda: CAMERAS, lambda key: key in ("florence", "anna", "april", "rose", "bob"))


def read(name: str) -> list[list[str]]:
    return [line.split("\t") for line in Path(__file__).with_name(name).read_text("utf-8").splitlines()]


SENTENCES = read("sentences.tsv")
OF_OTHERS = read("sentences_of_others.tsv")
"""Written by somebody who did not know the rules, half of them traps, and what is right for them in the middle of July."""
SUMMER = Calendar(date(2026, 7, 15))


def meant(text: str, calendar: Calendar = CALENDAR) -> str:
    return understood(text, grammar(), NAMES, calendar) or "-"


def filters(query: str) -> set[str]:
    """Return the fields of a query as they are written."""
    tokens = tokenize("" if query == "-" else query, grammar())
    ends = [token.position for token in tokens[1:]]
    return {
        query[token.position : end].strip()
        for token, end in zip(tokens, ends, strict=False)
        if token.kind is TokenKind.FIELD
    }


def test_no_sentence_gets_a_wrong_filter_and_most_are_understood() -> None:
    assert len(SENTENCES) >= 100
    wrong = {text: meant(text) for text, right in SENTENCES if not filters(meant(text)) <= filters(right)}
    assert wrong == {}
    found = [text for text, right in SENTENCES if meant(text) == right]
    assert len(found) >= 0.95 * len(SENTENCES), [
        (text, meant(text), right) for text, right in SENTENCES if meant(text) != right
    ]


def test_traps_of_others_stay_words() -> None:
    assert len(OF_OTHERS) >= 200
    assert {text: meant(text, SUMMER) for text, right in OF_OTHERS if meant(text, SUMMER) != right} == {}


@pytest.mark.parametrize(("text", "right"), [*SENTENCES, *OF_OTHERS])
def test_what_was_understood_is_a_query(text: str, right: str) -> None:
    if meant(text) != "-":
        queries.parse(meant(text))
    if right != "-":
        queries.parse(right)


@pytest.mark.parametrize(
    "text",
    [
        '"last summer" beach',
        "beach OR lake 2019",
        "-portugal 2019",
        "(beach 2019)",
        "beach*",
        "2019",
        "Lisbon",
        "beach^0.5 sand",
    ],
)
def test_quotes_operators_single_words_and_negations_are_left_alone(text: str) -> None:
    assert meant(text) == "-"


def test_what_is_denied_and_what_follows_stays_as_it_is() -> None:
    assert meant("Portugal 2019 not beach") == "place:portugal date:2019 not beach"
    assert meant("Paris 2019 ohne Menschen in Italien") == "place:paris date:2019 ohne Menschen in Italien"
    assert meant("not in Paris 2019") == "-"


def test_fields_and_phrases_beside_the_words_stay() -> None:
    assert meant('person:Anna "golden gate" last summer rating:>3') == (
        'person:Anna "golden gate" date:2026-06..2026-08 rating:>3'
    )


def test_a_name_of_a_person_is_a_place_only_behind_a_preposition() -> None:
    assert meant("Florence laughing") == "-"
    assert meant("Florence laughing in Florence") == "Florence laughing place:florence"


def test_the_hemisphere_and_the_first_day_of_the_week_count() -> None:
    southern = Calendar(date(2026, 11, 30), southern=True, first_weekday=6)
    assert meant("beach last summer", southern) == "beach date:2025-12..2026-02"
    assert meant("beach last week", southern) == "beach date:2026-11-22..2026-11-28"
