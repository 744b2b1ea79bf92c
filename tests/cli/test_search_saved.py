"""Saved queries, terms as options and --explain on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from photoindex.cli.arguments.field_options import OPTIONS
from photoindex.store.search.fields import grammar
from tests.command_line import CommandResult
from tests.command_line import run as run_line
from tests.rows import VolumeRows, library_in

Run = Callable[..., CommandResult]


@pytest.fixture
def run(library_folder: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run a command on a library with three photos."""
    with library_in(library_folder) as library:
        volume_rows = VolumeRows(library, tmp_path / "originals")
        for name, make, day, rating in (
            ("canon.jpg", "Canon", "2019-06-15", 5), ("nikon.jpg", "NIKON", "2020-01-01", 3), ("sony.jpg", "SONY", "2021-05-05", 4),
        ):  # fmt: skip
            values = {"camera_make": make, "camera_model": "X", "rating": rating}
            volume_rows.add_whole_photo(name, taken_at=f"{day}T10:00:00", taken_at_precision="second", **values)
    return lambda *words: run_line(capsysbinary, "--library", str(library_folder), *words)


def names(ran: CommandResult) -> list[str]:
    assert ran.code == 0, ran.err
    return sorted(line.decode().rpartition("/")[2].removesuffix(".jpg") for line in ran.out.splitlines())


def test_a_query_is_saved_used_in_others_listed_and_removed(run: Run) -> None:
    saved = run("search", "rating:>=4", "--saved", "Best")
    assert (names(saved), saved.err) == (["canon", "sony"], b"saved as @best\n")
    assert names(run("search", "@best", "-camera:sony")) == ["canon"]
    assert names(run("search", "-@best")) == ["nikon"]
    assert run("saved").out == b"@best\trating:>=4\n"
    (row,) = run("saved", "--json").json
    assert (row["schema"], row["name"], row["query"]) == (1, "@best", "rating:>=4")
    assert run("saved", "remove", "@Best").code == 0
    assert run("saved").out == b""
    gone = run("search", "@best")
    assert gone.code == 2
    assert b"there is no saved query '@best'" in gone.err


def test_saving_and_removing_can_be_undone(run: Run) -> None:
    run("search", "rating:>=4", "--saved", "best")
    assert run("search", "rating:5", "--saved", "best").err == b"saved as @best in place of: rating:>=4\n"
    assert names(run("search", "@best")) == ["canon"]
    assert run("undo").code == 0
    assert names(run("search", "@best")) == ["canon", "sony"]
    run("saved", "remove", "best")
    assert run("undo").code == 0
    assert run("saved").out == b"@best\trating:>=4\n"


def test_a_query_is_saved_as_written_with_its_names_and_options(run: Run) -> None:
    run("search", "rating:>=4", "--saved", "best")
    ran = run("search", "@best", "OR", "beach", "--from-date", "last-1000y", "--not-camera", "a b", "--saved", "two")
    assert names(ran) == ["canon", "sony"]
    saved = {row["name"]: row["query"] for row in run("saved", "--json").json}
    assert saved["@two"] == '(@best OR beach) date:last-1000y.. -camera:"a b"'
    assert names(run("search", "@two")) == ["canon", "sony"]
    run("search", "rating:3", "--saved", "best")
    assert names(run("search", "@two")) == ["nikon"]


def test_removing_names_the_saved_queries_that_used_the_removed_one(run: Run) -> None:
    run("search", "rating:>=4", "--saved", "best")
    run("search", "@best", "-camera:sony", "--saved", "other")
    ran = run("saved", "remove", "best")
    assert ran.code == 0
    assert b"@other no longer works without it" in ran.err
    assert b"did you mean other?" in run("saved", "remove", "othr").err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x", "--saved", "a b"], b"'a b' cannot be the name of a saved query"),
        (["x", "--saved", ""], b"'' cannot be the name"),
        (["--saved", "best"], b"to use a saved one: photoindex search @best"),
        (["rating:many", "--saved", "best"], b"a whole number"),
    ],
)
def test_invalid_queries_and_names_are_not_saved(run: Run, words: list[str], said: bytes) -> None:
    run("search", "rating:5", "--saved", "kept")
    ran = run("search", *words)
    assert (ran.code, ran.out) == (2, b"")
    assert said in ran.err
    assert run("saved").out == b"@kept\trating:5\n"


def test_a_saved_query_cannot_refer_to_itself(run: Run) -> None:
    run("search", "rating:5", "--saved", "one")
    run("search", "@one", "--saved", "two")
    ran = run("search", "@two", "--saved", "one")
    assert ran.code == 2
    assert b"a saved query cannot use itself: @one -> @two -> @one" in ran.err


def test_repeated_options_are_alternatives_and_different_ones_must_all_match(run: Run) -> None:
    assert names(run("search", "--camera", "canon", "--camera", "nikon")) == ["canon", "nikon"]
    assert names(run("search", "--camera", "canon", "--camera", "nikon", "--from-date", "2020")) == ["nikon"]
    assert names(run("search", "--not-camera", "canon", "--not-camera", "nikon")) == ["sony"]
    assert names(run("search", "rating:>=4", "--to-date=2020")) == ["canon"]
    assert names(run("search", "--min-rating", "4", "-camera:sony")) == ["canon"]
    assert names(run("search", "-camera:sony", "--from-time", "09:30", "--to-time", "10")) == ["canon", "nikon"]


def test_an_error_in_an_option_is_shown_with_its_name(run: Run) -> None:
    ran = run("search", "beach", "--from-date", "2019-13")
    assert ran.code == 2
    message, shown, mark = ran.err.decode().splitlines()
    assert "there is no month 13" in message
    assert shown.strip() == "--from-date 2019-13"
    assert shown[mark.index("^") :] == "2019-13"
    assert b"--camera needs a value" in run("search", "--camera").err
    assert b"did you mean --not-camera" in run("search", "--not-camra", "x").err


def test_every_option_is_a_field_and_has_a_unique_name() -> None:
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)
    fields = grammar()
    for option in OPTIONS:
        assert fields[option.field].name == option.field
        assert option.bound is None or fields[option.field].ordered


def test_explain_prints_the_tree_with_numbers_instead_of_the_photos(run: Run) -> None:
    ran = run("search", "rating:>=4", "-(camera:sony OR beach)", "--explain")
    assert ran.code == 0
    assert [line.split() for line in ran.out.decode().splitlines()] == [
        ["alone", "left"],
        ["all", "of", "1"],
        ["rating:>=4", "2", "2"],
        ["not", "2", "1"],
        ["any", "of", "1"],
        ["camera:sony", "1"],
        ["beach", "0"],
        ["1", "of", "3", "photos", "on", "disk"],
    ]


def test_explain_as_json_is_one_object(run: Run) -> None:
    (found,) = run("search", "rating:>=4", "camera:sony", "--explain", "--json").json
    assert (found["schema"], found["total"], found["photos"], found["missing_too"]) == (1, 1, 3, False)
    assert found["tree"] == {
        "kind": "all", "query": "rating:>=4 camera:sony", "alone": 1,
        "parts": [
            {"kind": "field", "query": "rating:>=4", "alone": 2, "left": 2},
            {"kind": "field", "query": "camera:sony", "alone": 1, "left": 1},
        ],
    }  # fmt: skip
    (everything,) = run("search", "--explain", "--json").json
    assert everything["tree"] == {"kind": "all", "query": "", "alone": 3}
    assert b"all photos" in run("search", "--explain").out


def test_explain_prints_no_control_characters(run: Run) -> None:
    assert b"\x1b" not in run("search", "title:\x1b[31mx", "--explain").out


def test_explain_and_lists_exclude_each_other(run: Run) -> None:
    for other in ("--count", "--csv", "-0"):
        ran = run("search", "x", "--explain", other)
        assert ran.code == 2
        assert b"goes with --json alone" in ran.err
    assert json.loads(run("search", "--count", "--json").out)["count"] == 3


@pytest.mark.parametrize("saved", ["Été", "E\u0301te\u0301"])
@pytest.mark.parametrize("used", ["@été", "@e\u0301te\u0301"])
def test_a_saved_query_is_found_however_its_accents_are_typed(run: Run, saved: str, used: str) -> None:
    assert names(run("search", "rating:5", "--saved", saved)) == ["canon"]
    assert names(run("search", used)) == ["canon"]
    assert run("saved", "remove", used).code == 0
    assert run("search", used).code != 0
