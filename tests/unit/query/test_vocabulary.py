"""The words for completion are those that the program takes."""

from __future__ import annotations

import pytest

from photoindex.cli.arguments import value_completion as words
from photoindex.errors import QuerySyntaxError
from photoindex.library.maintenance.tasks import STATES
from photoindex.library.night.run import STEPS
from photoindex.library.search.completion import as_value
from photoindex.library.statistics.count import DIMENSIONS
from photoindex.library.words.tagging.auto import WORKS
from photoindex.query import vocabulary
from photoindex.query.arguments import join_arguments
from photoindex.query.parser import parse
from photoindex.query.syntax import Compare, Operator
from photoindex.stages import STAGES
from photoindex.store.search import compile as compiled
from photoindex.store.search import fields, sources
from photoindex.store.search.choices import HAS, IS, ORIENTATIONS, TYPES
from photoindex.store.words.albums import KINDS
from tests.queries import lookups

NAMES = (
    "EOS 5D", "a, b", 'the "best"', "Cats OR dogs", "rock AND roll", "-x", "x -y", "@home", "at @home now", "(a)", "a..b", "place:rome",
    "see place:rome", "Zoë", "São Tomé & Príncipe", "EF24-105mm f/4L IS USM", "O'Brien", "50%", "back\\slash", "a^2", "new  york", "NOT", ">5",
    "1/2", "“typographic”", "tab\there",
)  # fmt: skip


def test_the_lists_are_those_of_the_program() -> None:
    assert set(vocabulary.FIELDS) == {one.name for one in fields.FIELDS}
    assert {alias: one.name for one in fields.FIELDS for alias in one.aliases} == vocabulary.ALIASES
    assert ("relevance", *compiled.SORT_KEYS) == vocabulary.SORT_KEYS
    assert set(vocabulary.TAG_SOURCES) == set(sources.TAG_SOURCES)
    assert vocabulary.CHOICES["has"] == tuple(HAS)
    assert vocabulary.CHOICES["is"] == tuple(IS)
    assert set(vocabulary.CHOICES["type"]) <= set(TYPES)
    assert vocabulary.CHOICES["orientation"] == tuple(name for name in ORIENTATIONS if not name.isdigit())
    assert tuple(stage.name for stage in STAGES) == words.STAGES
    assert tuple(step.name for step in STEPS) == words.STEPS
    assert tuple(WORKS) == words.TAGGING
    assert tuple(map(str, STATES)) == words.STATES
    assert tuple(DIMENSIONS) == words.COUNTED_BY
    assert (*KINDS, "smart") == words.ALBUM_KINDS


@pytest.mark.parametrize("name", [*vocabulary.CHOICES, *vocabulary.EXAMPLES])
def test_each_value_that_is_offered_is_one_that_the_field_takes(name: str) -> None:
    values = vocabulary.CHOICES.get(name) or vocabulary.EXAMPLES[name]
    for value in values:
        try:
            parse(join_arguments([f"{name}:{value}"], fields.grammar()), fields.grammar(), lookups())
        except QuerySyntaxError:
            assert name in ("near", "age", "face", "like")
    if name in vocabulary.EXAMPLES:
        assert values[0][0] != values[1][0]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_characters_is_read_as_the_value_that_it_is(name: str) -> None:
    written = join_arguments([f"camera:{as_value(name)}"], fields.grammar())
    read = parse(written, fields.grammar(), lookups())
    assert isinstance(read, Compare)
    assert (read.field, read.operator, read.value) == ("camera", Operator.IS, name)
