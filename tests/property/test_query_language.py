"""Any text is parsed or refused; a parsed query can be printed and run, and finds what its tree means."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from photoindex.cli.main import _rearranged, build_app
from photoindex.errors import QuerySyntaxError, UsageError
from photoindex.library.handle import Library
from photoindex.library.search.find import count_photos, matching_photo_ids
from photoindex.library.search.semantic_query import split_query
from photoindex.query.printer import to_text
from photoindex.query.syntax import And, Compare, Node, Not, Operator, Or, Words, leaves
from photoindex.store.schema.tables import (
    asset,
    assignment,
    file,
    individual,
    photo,
    photo_text,
    place,
    region,
    sidecar_link,
)
from tests.queries import parse, parse_arguments
from tests.rows import library_in
from tests.series import SOAKING, examples
from tests.synthetic import make_library
from tests.synthetic_people import add_people

Row = dict[str, Any]
PHOTOS = 150
repeatable = settings(
    derandomize=not SOAKING, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

PIECES = [
    "beach", "OR", "or", "AND", "NOT", "-", "(", ")", " ", "  ", '"', "\u201c", "\u201d", "\\", "*", ",", "..", ".", ":", "::", ">", ">=", "<",
    "<=", "date:", "camera:", "type:", "path:", "/a/b", "size:", "20MB", "2019", "2019-06", "iso:", "400", "is:missing", "id:1",
    "@", "@best", "@loop", "near:", "38.7,-9.1,30km", '"Lisbon,30km"', "last-30d", "today", "..last-1y", "time:22..04", "has:gps",
    "camera::", "name::", "^img_(1|2)$", "[a", r"\d+", "a{99999999999}", "exposure:1/250", "duration:1:30", "source:taken_at=mtime",
    "added:", "orientation:1", "event:x", "volume:1", "place:lis*,paris", "megapixels:>=20", "is:duplicate,paired",
    "\u00a0", "\0", "\udce9", "12:30", "http://x", "C:\\", "é", "keyword:", "name:", "ext:jpg", "!", "title:", "aperture:2.8",
    "^2", "^0.5", "^", '"golden gate"^3', "beach^.25", "text:", "text:sun*", "^0", "^-1", "person:", "person:Anna", "person:anna,1",
    'person:"Ben Berg"', "person::^a", "person:a*", "faces:>2", "age:", "age:Anna", "<6", ":3..5", "age:2>=18", 'age:"Ben Berg"<9',
    "face:me.jpg", "face:", "is:alone", "is:unnamed,unreviewed",
]  # fmt: skip
SAVED = {
    "best": "rating:>=4 OR @few",
    "few": "-(type:raw,heic) near:Lisbon",
    "loop": "beach @loop",
    "broken": "nothing:x",
}
texts = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(codec=None), max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=10).map(" ".join),
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with library_in(make_library(tmp_path_factory.mktemp("property") / "library", photos=PHOTOS, seed=7)) as library:
        add_people(library.database, faces=PHOTOS, named=2, groups=20, seed=3)
        yield library


def parsed(text: str) -> Node | None:
    """Return the tree of a text, or None if it is refused; any other error fails the test."""
    try:
        return parse(text, SAVED)
    except QuerySyntaxError as error:
        refused = error
    assert 0 <= refused.position <= len(text)
    assert "^" in str(refused)
    return None


@given(texts)
@settings(repeatable, max_examples=examples(250))
def test_any_text_is_parsed_or_refused_and_a_parsed_tree_prints_to_the_same_tree(text: str) -> None:
    tree = parsed(text)
    if tree is not None:
        assert parse(to_text(tree)) == tree


@given(texts)
@settings(repeatable, max_examples=examples(150))
def test_every_query_that_parses_can_be_run(library: Library, text: str) -> None:
    tree = parsed(text)
    if tree is not None:
        assert 0 <= count_photos(library, tree) <= PHOTOS


@given(
    st.lists(st.one_of(texts, st.sampled_from(["camera:EOS 5D", "-n5", "-person:Bob", "path:/a b,c d"])), max_size=4)
)
@settings(repeatable, max_examples=examples(150))
def test_any_arguments_are_parsed_or_refused(arguments: list[str]) -> None:
    try:
        tree = parse_arguments(arguments)
    except QuerySyntaxError:
        return
    assert parse(to_text(tree)) == tree


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=12) | st.sampled_from(["-n", "--", "--sort"])))
@settings(repeatable, max_examples=examples(200))
def test_every_word_of_the_command_line_is_kept_and_no_word_with_one_dash_becomes_an_option(words: list[str]) -> None:
    app: Any = typer.main.get_command(build_app("search"))
    try:
        arranged = _rearranged(["search", *words], app)
    except UsageError:
        return
    rest = arranged.copy()
    for word in words:
        if word != "--":
            rest.remove(word)
    assert rest[0] == "search"
    assert set(rest[1:]) <= {"--"}


# The rest compares SQL with an evaluation of the tree in plain Python, photo by photo.

names = st.sampled_from(["beach", "Zurich", "ITALY", "sunset", "IMG", "title", "canon", "d850", "garden", "00001"])
words = st.builds(
    Words, names, phrase=st.booleans(), prefix=st.booleans(), weight=st.sampled_from([1.0, 1.0, 2.0, 0.125])
)
ordered = st.one_of(
    st.tuples(st.just("date"), st.sampled_from(["2006", "2010-03", "2015", "2019-12-24", "2024"])),
    st.tuples(st.just("iso"), st.sampled_from(["100", "200", "400"])),
    st.tuples(st.just("rating"), st.sampled_from(["1", "3", "5"])),
    st.tuples(st.just("size"), st.sampled_from(["5MB", "20MB", "40MiB"])),
    st.tuples(st.just("id"), st.integers(1, PHOTOS).map(str)),
)
comparisons = st.sampled_from([Operator.GREATER, Operator.GREATER_EQUAL, Operator.LESS, Operator.LESS_EQUAL])
compares = st.one_of(
    st.builds(lambda pair, sign: Compare(pair[0], sign, pair[1]), ordered, comparisons),
    st.builds(lambda pair: Compare(pair[0], Operator.RANGE, pair[1], None), ordered),
    st.builds(lambda pair: Compare(pair[0], Operator.RANGE, None, pair[1]), ordered),
    st.builds(
        lambda ends: Compare("time", Operator.RANGE, *ends),
        st.sampled_from([("22", "04"), ("08:30", "12"), ("5", None)]),
    ),
    st.builds(
        lambda kind: Compare("type", Operator.IS, kind), st.sampled_from(["raw", "video", "photo", "jpeg", "live"])
    ),
    st.builds(lambda name: Compare("place", Operator.IS, name), st.sampled_from(["lisboa", "Paris", "portugal"])),
    st.builds(lambda name: Compare("has", Operator.IS, name), st.sampled_from(["gps", "sidecar", "raw"])),
    st.builds(lambda regex: Compare("camera", Operator.REGEX, regex), st.sampled_from(["^canon", "r5$|d850", "^$"])),
    st.builds(
        lambda where: Compare("near", Operator.IS, where),
        st.sampled_from(["38.7,-9.1,20km", "-18.1,179.9,150km", "-18.1,-179.9,300km", "89,0,6000km", "0,0,5000km"]),
    ),
    st.builds(lambda text: Compare("camera", Operator.IS, text), st.sampled_from(["canon", "nikon d", "PHONE", "5d"])),
    st.builds(lambda text: Compare("title", Operator.IS, text), st.sampled_from(["zurich", "sao", "1"])),
    st.builds(
        lambda name: Compare("is", Operator.IS, name),
        st.sampled_from(["missing", "duplicate", "paired", "burst", "alone", "unnamed", "unreviewed"]),
    ),
    st.builds(
        lambda name: Compare("person", Operator.IS, name),
        st.sampled_from(["Anna", "ANNA", "*n*", "1", "2", "3"]),
    ),
    st.builds(lambda regex: Compare("person", Operator.REGEX, regex), st.sampled_from(["^a", "n$", "x"])),
    st.builds(lambda sign, number: Compare("faces", sign, number), comparisons, st.sampled_from(["0", "1", "3"])),
)
trees: st.SearchStrategy[Node] = st.recursive(
    words | compares,
    lambda parts: st.one_of(
        st.builds(Not, parts),
        st.builds(And, st.lists(parts, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(parts, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


@given(trees)
@settings(repeatable, max_examples=examples(150))
def test_a_query_finds_the_photos_that_its_tree_describes(library: Library, photos: Rows, tree: Node) -> None:
    asks_for_missing = any(
        isinstance(leaf, Compare) and (leaf.field, leaf.value) in (("is", "missing"), ("id", leaf.value))
        for leaf in leaves(tree)
    )
    expected = [row["id"] for row in photos if (asks_for_missing or not is_missing(row)) and holds(tree, row)]
    assert matching_photo_ids(library, tree) == expected
    assert matching_photo_ids(library, parse(to_text(tree))) == expected


@given(trees)
@settings(repeatable, max_examples=examples(75))
def test_a_tree_split_into_texts_for_a_model_keeps_its_meaning(library: Library, tree: Node) -> None:
    meaning = split_query(tree)
    together = And((meaning.words, meaning.filters)) if meaning.words is not None else meaning.filters
    assert matching_photo_ids(library, together) == matching_photo_ids(library, tree)
    assert (meaning.words is None) == (not meaning.alternatives)
    assert all(one.text for each in meaning.alternatives for one in each)


class Rows(list[Row]):
    """Rows with a short representation for Hypothesis's messages."""

    def __repr__(self) -> str:
        return f"<{len(self)} photos>"


@pytest.fixture(scope="module")
def photos(library: Library) -> Rows:
    """All photos with their texts, the states of their files, the roles of their contents, and their sidecars."""
    texts = [column.label(f"text_{column.name}") for column in photo_text.c if column.name in TEXT_COLUMNS]
    statement = (
        select(photo, *texts, file.c.state, place.c.words, place.c.alternates)
        .join(photo_text)
        .join(file, file.c.id == photo.c.id)
        .outerjoin(place, place.c.id == photo.c.place_id)
        .order_by(photo.c.id)
    )
    with library.database.read() as connection:
        rows = Rows(dict(row) for row in connection.execute(statement).mappings())
        contents = connection.execute(select(asset.c.photo_id, asset.c.role)).all()
        copied = set(connection.execute(select(file.c.asset_id).where(file.c.id != file.c.asset_id)).scalars())
        people = connection.execute(
            select(region.c.asset_id, individual.c.id, individual.c.name, assignment.c.how)
            .outerjoin(assignment, assignment.c.region_id == region.c.id)
            .outerjoin(individual, individual.c.id == assignment.c.individual_id)
        ).all()
        described = set(connection.execute(select(sidecar_link.c.file_id)).scalars())
    for row in rows:
        row["roles"] = {role for photo_id, role in contents if photo_id == row["id"]} - {"primary"}
        row["is_copied"] = row["id"] in copied and row["state"] == "present"
        row["people"] = [one for one in people if one.asset_id == row["primary_asset_id"]]
        row["has_sidecar"] = row["id"] in described
    return rows


def is_missing(row: Row) -> bool:
    return bool(row["state"] == "missing")


def plain(text: str) -> str:
    kept = (character for character in unicodedata.normalize("NFKD", text) if not unicodedata.combining(character))
    return "".join(kept).casefold()


def holds(tree: Node, row: Row) -> bool:
    if isinstance(tree, And):
        return all(holds(part, row) for part in tree.parts)
    if isinstance(tree, Or):
        return any(holds(part, row) for part in tree.parts)
    if isinstance(tree, Not):
        return not holds(tree.part, row)
    if isinstance(tree, Words):
        return any(has_word(tree, row[f"text_{column}"]) for column in TEXT_COLUMNS)
    return MEANINGS[tree.field](tree, row)


def has_word(words: Words, text: str) -> bool:
    tokens = re.findall(r"[^\W_]+", plain(text))
    wanted = plain(words.text)
    return any(token.startswith(wanted) if words.prefix else token == wanted for token in tokens)


def within(tree: Compare, value: object, low: Callable[[str], object], high: Callable[[str], object]) -> bool:
    """Compare by the operator; `low` and `high` give the bounds of the range that a written value covers."""
    if value is None:
        return False
    known: dict[Operator, Callable[[str], bool]] = {
        Operator.GREATER: lambda text: value > high(text),  # type: ignore[operator]
        Operator.GREATER_EQUAL: lambda text: value >= low(text),  # type: ignore[operator]
        Operator.LESS: lambda text: value < low(text),  # type: ignore[operator]
        Operator.LESS_EQUAL: lambda text: value <= high(text),  # type: ignore[operator]
    }
    if tree.operator is Operator.RANGE:
        above = tree.value is None or known[Operator.GREATER_EQUAL](tree.value)
        return above and (tree.until is None or known[Operator.LESS_EQUAL](tree.until))
    return known[tree.operator](tree.value or "")


def first_second(text: str) -> str:
    return (text + "-01-01"[len(text) - 4 :])[:10] + "T00:00:00"


def last_second(text: str) -> str:
    return (text + "-12-31"[len(text) - 4 :])[:10] + "T23:59:59"


def is_in_time(tree: Compare, row: Row) -> bool:
    if row["taken_at_precision"] != "second":
        return False
    minutes = int(row["taken_at"][11:13]) * 60 + int(row["taken_at"][14:16])
    first = {"22": 1320, "08:30": 510, "5": 300}[tree.value or ""]
    last = {"04": 299, "12": 779, None: 1439}[tree.until]
    return first <= minutes <= last if first <= last else minutes >= first or minutes <= last


def is_near(tree: Compare, row: Row) -> bool:
    if row["latitude"] is None:
        return False
    latitude, longitude, radius = (tree.value or "").removesuffix("km").split(",")
    return distance_km(row["latitude"], row["longitude"], float(latitude), float(longitude)) <= float(radius)


def distance_km(*degrees: float) -> float:
    """The distance on the earth, from the angle between two directions in space."""
    latitude, longitude, other_latitude, other_longitude = map(math.radians, degrees)
    cosine = math.sin(latitude) * math.sin(other_latitude)
    cosine += math.cos(latitude) * math.cos(other_latitude) * math.cos(longitude - other_longitude)
    return 6371.0088 * math.acos(max(-1.0, min(1.0, cosine)))


def shown_camera(row: Row) -> str:
    make, model = row["camera_make"] or "", row["camera_model"] or ""
    return model if model.lower().split()[:1] == make.lower().split()[:1] else f"{make} {model}"


def shows_person(tree: Compare, row: Row) -> bool:
    value = str(tree.value)
    named = [one for one in row["people"] if one.name is not None]
    if tree.operator is Operator.REGEX:
        return any(re.search(value, one.name, re.IGNORECASE) for one in named)
    if value.isdigit():
        return any(one.id == int(value) for one in row["people"])
    if "*" in value:
        return any(value.strip("*") in plain(one.name) for one in named)
    return any(plain(one.name) == plain(value) for one in named)


SIZES = {"5MB": 5_000_000, "20MB": 20_000_000, "40MiB": 40 * 1024 * 1024}
KINDS = {"raw": ("raw",), "video": ("video",), "photo": ("image", "raw")}
TEXT_COLUMNS = ("name", "folder", "camera", "keywords", "title", "description", "place")
MEANINGS: dict[str, Callable[[Compare, Row], bool]] = {
    "date": lambda tree, row: within(tree, row["taken_at"], first_second, last_second),
    "iso": lambda tree, row: within(tree, row["iso"], int, int),
    "rating": lambda tree, row: within(tree, row["rating"], int, int),
    "id": lambda tree, row: within(tree, row["id"], int, int),
    "size": lambda tree, row: within(tree, row["size_bytes"], SIZES.__getitem__, SIZES.__getitem__),
    "type": lambda tree, row: (
        row["kind"] in KINDS.get(str(tree.value), ())
        or row["format"] == tree.value
        or {"raw": "raw", "live": "movie"}.get(str(tree.value)) in row["roles"]
    ),
    "camera": lambda tree, row: (
        re.search(str(tree.value), shown_camera(row), re.IGNORECASE) is not None
        if tree.operator is Operator.REGEX
        else plain(str(tree.value)) in plain(f"{row['camera_make']} {row['camera_model']}")
    ),
    "time": is_in_time,
    "person": shows_person,
    "faces": lambda tree, row: within(tree, len(row["people"]), int, int),
    "near": is_near,
    "place": lambda tree, row: (
        plain(str(tree.value)) in (row["words"] or "").split()
        or plain(str(tree.value)) in (row["alternates"] or "").split("\n")
    ),
    "has": lambda tree, row: {
        "gps": row["latitude"] is not None, "sidecar": row["has_sidecar"],
        "raw": row["kind"] == "raw" or "raw" in row["roles"],
    }[str(tree.value)],
    "title": lambda tree, row: plain(str(tree.value)) in plain(row["title"] or ""),
    "is": lambda tree, row: {
        "missing": is_missing(row), "duplicate": row["is_copied"], "paired": bool(row["roles"]),
        "burst": row["burst"] is not None, "alone": len(row["people"]) == 1,
        "unnamed": any(one.name is None for one in row["people"]),
        "unreviewed": any(one.name is not None and one.how == "cluster" for one in row["people"]),
    }[str(tree.value)],
}  # fmt: skip
