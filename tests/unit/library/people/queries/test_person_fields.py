"""The query fields about people and faces: `person:`, `faces:`, `age:`, `is:alone`, `is:unnamed`, `is:unreviewed`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert

from photoindex.domain.people.names import name_key
from photoindex.domain.people.values import PERSON, How
from photoindex.errors import QuerySyntaxError
from photoindex.library.handle import Library
from photoindex.library.search.find import SearchRequest, find, matching_photo_ids
from photoindex.library.search.parse import lookups_of, parse, parse_arguments, parse_with_options
from photoindex.library.search.saved import save
from photoindex.query import parser
from photoindex.query.printer import to_text
from photoindex.query.syntax import KnownPerson, OptionTerm
from photoindex.store.schema.tables import individual
from photoindex.store.search import people as people_fields
from photoindex.store.search.compile import matching_ids
from photoindex.store.search.fields import grammar
from tests.face_rows import FaceRows
from tests.rows import library_in

ANNA, BEN, BERG, GROUP, STRANGER = 1, 2, 3, 4, 5
PRESENT = {"anna", "anna and ben", "anna later", "ben", "berg", "group", "stranger", "crowd", "empty", "unknown", "raw"}


class People(FaceRows):
    """Photos by name: who is in them is in the name."""

    def __init__(self, library: Library, originals: Path) -> None:
        super().__init__(library, originals)
        self.photos: dict[int, str] = {}
        anna = [self._add("anna", "anna", taken_at="2015-06-01T10:00:00")[0]]
        both = self._add("anna and ben", "anna", "ben", taken_at="2018-06-01T10:00:00")
        later = self._add("anna later", "anna", taken_at="2021-06-01T10:00:00")
        ben = self._add("ben", "ben", taken_at="2019")
        berg = self._add("berg", "berg")
        group, stranger = self._add("group", "group"), self._add("stranger", "stranger")
        self._add("crowd", *(f"somebody {number}" for number in range(4)))
        self._add("empty")
        self.photos[self.add_whole_photo("unknown.jpg")] = "unknown"
        with_raw = self.add_whole_photo("raw.jpg")
        self.photos[with_raw] = "raw"
        elsewhere = self.add_face(self.add_asset(with_raw, role="raw"), self.next_face("ben"))
        assert self.add_person("Anna", [*anna, both[0]]) == ANNA
        self.assign(ANNA, later, how=How.CLUSTER)
        assert self.add_person("Ben", [both[1], *ben, elsewhere], how=How.METADATA) == BEN
        assert self.add_person("Änne von Berg", berg) == BERG
        assert self.add_person(None, group, how=How.CLUSTER) == GROUP
        assert self.add_person(None, stranger, how=How.CLUSTER) == STRANGER
        self.set_person(ANNA, born="2012-02-29")
        self.set_person(STRANGER, ignored=True)

    def _add(self, name: str, *people: str, **values: object) -> list[int]:
        if not people:
            photo_id = self.add_whole_photo(f"{name}.jpg", faces=0)
        else:
            faces = self.add_face_photo(f"{name}.jpg", *people, **values)
            photo_id = max(self.photos, default=0) + 1
            self.photos[photo_id] = name
            return faces
        self.photos[photo_id] = name
        return []


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    folder = tmp_path_factory.mktemp("people")
    with library_in(folder / "library") as library:
        yield People(library, folder / "photos")


def found(people: People, query: str) -> set[str]:
    tree = parse(people.library, query)
    ids = matching_photo_ids(people.library, tree)
    assert matching_photo_ids(people.library, parse(people.library, to_text(tree))) == ids
    return {people.photos[one] for one in ids}


FREQUENT = [
    "person:Anna", "person:Anna person:Ben", "person:Ben -person:Anna", "person:Anna,Ben", "person:Ben OR date:2021", "-person:an*",
]  # fmt: skip


@pytest.mark.parametrize("query", FREQUENT)
@pytest.mark.parametrize("sort", ["date", "-date"])
def test_photos_of_frequent_people_are_the_same_in_whatever_way_they_are_looked_for(
    people: People, monkeypatch: pytest.MonkeyPatch, query: str, sort: str
) -> None:
    def photos(limit: int | None) -> list[int]:
        with people.library.database.read() as connection:
            return list(matching_ids(connection, parse(people.library, query), sort=sort, limit=limit))

    expected = photos(None)
    monkeypatch.setattr(people_fields, "FREQUENT", 2)
    assert photos(100) == expected
    assert photos(1) == expected[:1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("person:Anna", {"anna", "anna and ben", "anna later"}),
        ("person:ANNA", {"anna", "anna and ben", "anna later"}),
        ("person:Ann", None),
        ('person:"anne VON berg"', {"berg"}),
        ("person:an*", {"anna", "anna and ben", "anna later", "berg"}),
        ("person:*berg", {"berg"}),
        ("person:1", {"anna", "anna and ben", "anna later"}),
        ("person:4", {"group"}),
        ("person:5", {"stranger"}),
        ("person:Anna person:Ben", {"anna and ben"}),
        ("person:Anna,Ben", {"anna", "anna and ben", "anna later", "ben"}),
        ("person:Anna OR person:Ben", {"anna", "anna and ben", "anna later", "ben"}),
        ("person:Anna -person:Ben", {"anna", "anna later"}),
        ("-person:*", PRESENT - {"anna", "anna and ben", "anna later", "ben", "berg"}),
        ("person::^(anna|ben)$", {"anna", "anna and ben", "anna later", "ben"}),
        ("person::nobody", set()),
        ("person:Anna is:alone", {"anna", "anna later"}),
        ("is:alone", {"anna", "anna later", "ben", "berg", "group", "stranger"}),
        ("faces:>1", {"anna and ben", "crowd"}),
        ("faces:2..3", {"anna and ben"}),
        ("faces:0", {"empty"}),
        ("-faces:>0", {"empty", "unknown", "raw"}),
        ("has:faces", PRESENT - {"empty", "unknown", "raw"}),
        ("is:unnamed", {"group", "crowd"}),
        ("is:unreviewed", {"anna later"}),
        ("-is:unreviewed person:Anna", {"anna", "anna and ben"}),
        ("person:Anna date:2018.. name:later", {"anna later"}),
    ],
)
def test_queries_about_people(people: People, query: str, expected: set[str] | None) -> None:
    if expected is None:
        with pytest.raises(QuerySyntaxError):
            parse(people.library, query)
        return
    assert found(people, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("age:Anna<6", {"anna"}),
        ("age:anna:3", {"anna"}),
        ("age:1<=6", {"anna", "anna and ben"}),
        ("age:Anna>=9", {"anna later"}),
        ("age:Anna:>6", {"anna later"}),
        ("age:Anna:3..6", {"anna", "anna and ben"}),
        ("age:Anna:..6", {"anna", "anna and ben"}),
        ("age:Anna:6..", {"anna and ben", "anna later"}),
        ("-age:Anna<6 person:Anna", {"anna and ben", "anna later"}),
        ("age:Anna<4,Anna>8", {"anna", "anna later"}),
        ("age:Anna<0..", None),
        ("age:Anna", None),
        ("age:<6", None),
        ("age:An*<6", None),
        ("age:Anna:7..3", None),
        ("age:Anna<0", None),
        ("age:Ben<6", None),
    ],
)
def test_queries_about_ages(people: People, query: str, expected: set[str] | None) -> None:
    test_queries_about_people(people, query, expected)


def _photos_at(rows: FaceRows, born: str, query: str) -> set[str]:
    rows.set_person(1, born=born)
    return {os.fsdecode(hit.name) for hit in find(rows.library, SearchRequest(query)).hits()}


def test_only_photos_whose_whole_period_fits_an_age_are_found(tmp_path: Path) -> None:
    with library_in(tmp_path / "library") as library:
        rows = FaceRows(library, tmp_path / "photos")
        faces = []
        for name, taken_at, precision in (
            ("before", "2010-06-01T10:00:00", "second"), ("birth year", "2012-01-01T00:00:00", "year"),
            ("day before", "2018-02-28T23:59:59", "second"), ("birthday", "2018-03-01T00:00:00", "second"),
            ("february", "2018-02-01T00:00:00", "month"), ("march", "2018-03-01T00:00:00", "month"),
            ("whole year", "2018-01-01T00:00:00", "year"), ("undated", None, None),
        ):  # fmt: skip
            faces += rows.add_face_photo(f"{name}.jpg", "anna", taken_at=taken_at, taken_at_precision=precision)
        rows.add_person("Anna", faces)
        day = "2012-02-29"
        assert _photos_at(rows, day, "age:Anna<6") == {"birth year.jpg", "day before.jpg", "february.jpg"}
        assert _photos_at(rows, day, "age:Anna:6") == {"birthday.jpg", "march.jpg"}
        assert _photos_at(rows, day, "age:Anna>=0") == _photos_at(rows, day, "age:Anna<7") - {"birth year.jpg"}
        month = "2012-02"
        assert _photos_at(rows, month, "age:Anna<6") == {"birth year.jpg"}
        assert _photos_at(rows, month, "age:Anna>=6") == {"birthday.jpg", "march.jpg"}
        year = "2012"
        assert _photos_at(rows, year, "age:Anna<6") == {"birth year.jpg"}
        assert _photos_at(rows, year, "age:Anna>=6") == set()
        assert _photos_at(rows, year, "age:Anna<7") == {
            "birth year.jpg", "day before.jpg", "birthday.jpg", "february.jpg", "march.jpg", "whole year.jpg",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "message", "marked"),
    [
        ("beach person:Ana", "there is no person 'Ana'; did you mean Anna?", "Ana"),
        ("person:Berg", "there is no person 'Berg'; did you mean Änne von Berg?", "Berg"),
        ("person:Xyz", "there is no person 'Xyz'; see: photoindex people list", "Xyz"),
        ("person:Anna,Bem", "there is no person 'Bem'; did you mean Ben?", "Bem"),
        ("person:99", "there is no person 99; see: photoindex people list --all", "99"),
        ("person:X*", "nobody has a name like 'X*'; see: photoindex people list", "X*"),
        ("age:Ben<6", "Ben has no birth date; give it with: photoindex people born Ben DATE", "Ben"),
        ("age:4<6", "person 4 has no birth date; give it with: photoindex people born 4 DATE", "4"),
        ("age:<6", "age: needs a name before '<', such as age:Anna<6", "<6"),
        ("age:Anna", "a person and an age in whole years are needed", "Anna"),
    ],
)
def test_errors_name_what_is_wrong_where_and_the_remedy(people: People, query: str, message: str, marked: str) -> None:
    with pytest.raises(QuerySyntaxError) as refused:
        parse(people.library, query)
    assert message in refused.value.message
    assert query[refused.value.position :].startswith(marked)


def test_names_with_spaces_need_no_inner_quotes_on_the_command_line(people: People) -> None:
    def ids(*arguments: str) -> list[int]:
        return matching_photo_ids(people.library, parse_arguments(people.library, arguments))

    assert ids("person:Änne von Berg") == ids("person:3") != []
    assert ids("person:Änne von Berg,Ben") == ids("person:3,2")
    people.set_person(BERG, born="1950")
    assert ids("age:Änne von Berg<99") == ids('age:"Änne von Berg"<99')


def test_options_mean_the_same_as_terms(people: People) -> None:
    terms = [
        OptionTerm("--person", "person", ("Anna", "Ben")),
        OptionTerm("--not-person", "person", ("Ben",), negated=True),
    ]
    parsed = parse_with_options(people.library, [], terms)
    assert parsed.text == "person:Anna,Ben -person:Ben"
    assert {people.photos[one] for one in matching_photo_ids(people.library, parsed.tree)} == {"anna", "anna later"}


def test_a_saved_query_names_people_as_they_are_called_when_it_is_used(people: People) -> None:
    save(people.library, "both", "person:Anna person:Ben")
    assert found(people, "@both") == {"anna and ben"}
    assert found(people, "person:Anna -@both") == {"anna", "anna later"}


def test_an_explanation_says_whom_and_which_days_were_meant(people: People) -> None:
    def meanings(query: str) -> list[str | None]:
        tree = find(people.library, SearchRequest(query)).explanation().tree
        return [part.meaning for part in tree.parts or (tree,)]

    assert meanings("person:1 person:Ben person:an*") == ["Anna", None, "Anna, Änne von Berg"]
    assert meanings("age:Anna<6") == ["Anna, born 2012-02-29, taken before 2018-03-01"]
    assert meanings("age:Anna>=6") == ["Anna, born 2012-02-29, taken from 2018-03-01"]
    assert meanings("person:4") == ["person 4"]


def test_faces_of_another_content_than_the_one_that_represents_the_photo_do_not_count(people: People) -> None:
    assert "raw" not in found(people, "person:Ben")
    assert "raw" not in found(people, "has:faces")


def test_too_many_people_are_refused_before_anybody_is_looked_up(people: People) -> None:
    asked: list[str] = []

    def look_up(written: str) -> list[KnownPerson]:
        asked.append(written)
        return [KnownPerson(ANNA, "Anna", None)]

    lookups = replace(lookups_of(people.library), people=look_up)
    with pytest.raises(QuerySyntaxError, match="at most 500 terms"):
        parser.parse(f"person:{','.join(['Anna'] * 3_000)}", grammar(), lookups)
    assert asked == []
    parser.parse(f"person:{','.join(['Anna'] * 500)}", grammar(), lookups)
    assert len(asked) == 500


def test_the_nearest_of_very_many_names_are_offered(people: People) -> None:
    with people.writing() as connection:
        names = [f"Person {number:04}" for number in range(1_000)]
        rows = [{"kind": PERSON, "name": one, "name_key": name_key(one), "created_at": 0.0} for one in names]
        connection.execute(insert(individual), rows)
    with pytest.raises(QuerySyntaxError, match="did you mean Änne von Berg"):
        parse(people.library, 'person:"Anne van Berg"')
