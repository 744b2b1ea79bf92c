"""`photoindex stats`: numbers for people and programs, the page and the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from photoindex.library.statistics.charts import Mark, bars, columns
from photoindex.library.statistics.count import DIMENSIONS
from tests.command_line import run, run_on_terminal
from tests.rows import VolumeRows, library_in

Capture = pytest.CaptureFixture[bytes]
HOSTILE = 'Lens <b>"x"</b>\x1b[31m\x1f& co'
SECOND = {"taken_at_precision": "second"}


@pytest.fixture(autouse=True)
def volume_rows(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VolumeRows]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        rows = VolumeRows(library, tmp_path / "originals")
        canon = {"camera_make": "Canon", "camera_model": "Canon EOS R5", "iso": 100, "focal_length_mm": 50.0}
        rows.add_whole_photo("a.jpg", taken_at="2019-06-01T08:10:00", place="Lisbon, Portugal", **canon, **SECOND)
        rows.add_whole_photo("b.jpg", taken_at="2019-06-02T08:20:00", lens=HOSTILE, **(canon | {"iso": 3200}), **SECOND)
        rows.add_whole_photo("c.jpg", taken_at="2021-03-03T23:59:59", camera_make="Sony", camera_model="A7", **SECOND)
        rows.add_whole_photo("d.jpg", taken_at="2021-03-01T00:00:00", taken_at_precision="month", camera_model="A7")
        rows.add_whole_photo("e.jpg", focal_length_mm=4.25)
        rows.add_whole_photo("gone.jpg", state="missing", taken_at="2001-01-01T00:00:00", **canon, **SECOND)
        yield rows


def numbers(capture: Capture, *words: str) -> dict[str, dict[object, int]]:
    found: dict[str, dict[object, int]] = {}
    for line in run(capture, "stats", "--json", *words).json:
        found.setdefault(line["by"], {})[line["value"]] = line["photos"]
    return found


def test_photos_are_counted_by_everything(capsysbinary: Capture) -> None:
    assert numbers(capsysbinary) == {
        "year": {"2019": 2, "2021": 2, None: 1},
        "month": {"2019-06": 2, "2021-03": 2, None: 1},
        "weekday": {3: 1, 6: 1, 7: 1, None: 2},
        "hour": {8: 2, 23: 1, None: 2},
        "camera": {"Canon EOS R5": 2, "A7": 1, "Sony A7": 1, None: 1},
        "lens": {HOSTILE.replace("\x1f", " "): 1, None: 4},
        "focal": {4.25: 1, 50.0: 2, None: 2},
        "iso": {100: 1, 3200: 1, None: 3},
        "place": {"Lisbon, Portugal": 1, None: 4},
    }


@pytest.mark.parametrize(
    "query", [[], ["camera:canon"], ["date:2021"], ["is:missing"], ["iso:>100", "OR", "place:lisbon"]]
)
def test_each_part_has_as_many_photos_as_search_counts(query: list[str], capsysbinary: Capture) -> None:
    total = int(run(capsysbinary, "search", "--count", *query).out)
    assert total > 0
    assert {by: sum(one.values()) for by, one in numbers(capsysbinary, *query).items()} == dict.fromkeys(
        DIMENSIONS, total
    )


def test_by_chooses_the_parts_and_their_order(capsysbinary: Capture) -> None:
    assert list(numbers(capsysbinary, "--by", "iso,year,iso")) == ["iso", "year"]
    ran = run(capsysbinary, "stats", "--by", "yaer")
    assert (ran.code, ran.err) == (2, b"photoindex: --by: photos are not counted by 'yaer'; did you mean year?\n")
    assert b"choose of year, month, weekday" in run(capsysbinary, "stats", "--by", "zzz").err
    assert b"--by needs a name" in run(capsysbinary, "stats", "--by", ",").err


def test_in_a_pipe_a_line_is_a_value(capsysbinary: Capture) -> None:
    ran = run(capsysbinary, "stats", "--by", "weekday,camera", "-n", "1")
    lines = ["weekday\tWednesday\t1", "weekday\tSaturday\t1", "weekday\tSunday\t1", "weekday\t\t2"]
    assert ran.out.decode().splitlines() == [*lines, "camera\tCanon EOS R5\t2", "camera\t\t1"]
    assert run(capsysbinary, "stats", "--by", "iso", "--csv").out.decode().splitlines()[:2] == [
        "by,value,label,photos,share",
        "iso,100,100,1,0.2",
    ]


def test_nothing_is_counted_where_nothing_matches(capsysbinary: Capture) -> None:
    ran = run(capsysbinary, "stats", "camera:leica", "--json")
    assert (ran.code, ran.out) == (0, b"")
    assert b"0 photos" in run_on_terminal("stats", "camera:leica").out


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_terminal_gets_bars_that_fit_and_escaped_names(columns: int) -> None:
    out = run_on_terminal("stats", columns=columns).out.decode()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out).replace("\r", "").split("\n")
    assert lines[0] == "5 photos"
    assert max(map(len, lines)) <= columns
    (lens,) = (line for line in lines if "Lens" in line and "<b>" in line)
    assert lens.endswith("█")
    assert "\x1b[31m" not in out
    year = lines.index("Year")
    assert [line.split()[:2] for line in lines[year + 1 : year + 4]] == [["2019", "2"], ["2021", "2"], ["unknown", "1"]]


def test_times_of_files_are_no_dates_and_said(volume_rows: VolumeRows, tmp_path: Path, capsysbinary: Capture) -> None:
    volume_rows.add_whole_photo("copied.jpg", taken_at="2022-01-01T12:00:00", taken_at_source="mtime", **SECOND)
    said = "6 photos; for 1 of them only the time of the file is known"
    assert run_on_terminal("stats", "--by", "year").out.decode().startswith(said)
    assert run_on_terminal("stats", "--by", "iso").out.decode().startswith("6 photos\r")
    assert numbers(capsysbinary, "--by", "year,hour") == {
        "year": {"2019": 2, "2021": 2, None: 2}, "hour": {8: 2, 23: 1, None: 3}
    }  # fmt: skip
    run(capsysbinary, "stats", "--page", tmp_path / "p.html")
    assert said in (tmp_path / "p.html").read_text("utf-8")


def test_the_latest_months_and_the_most_frequent_values_stay(volume_rows: VolumeRows) -> None:
    for number in range(20):
        volume_rows.add_whole_photo(
            f"m{number}.jpg", taken_at=f"20{number + 30}-01-01T00:00:00", iso=1000 + number, **SECOND
        )
    out = re.sub(r"\x1b\[[0-9;]*m", "", run_on_terminal("stats", "--by", "month,iso", "-n", "3").out.decode())
    lines = [line.split() for line in out.replace("\r", "").split("\n")]
    start = lines.index(["Month"])
    assert [line[0] for line in lines[start + 1 : start + 4]] == ["2047-01", "2048-01", "2049-01"]
    assert ["19", "earlier", "21"] in lines
    assert ["19", "others", "19"] in lines


def test_sentences_are_understood_as_in_search_and_empty_answers_say_what_there_is(capsysbinary: Capture) -> None:
    ran = run(capsysbinary, "stats", "photos", "from", "2019", "--by", "year", "--json")
    assert [(line["value"], line["photos"]) for line in ran.json] == [("2019", 2)]
    assert b"understood as: date:2019 (--literal: as written)" in ran.err
    assert run(capsysbinary, "stats", "photos", "from", "2019", "--literal", "--json").out == b""
    assert b"did you mean camera:canon?" in run(capsysbinary, "stats", "camera:cannon").err


def test_a_picture_of_ours_is_replaced_and_nothing_else(tmp_path: Path, capsysbinary: Capture) -> None:
    target, other = tmp_path / "plots.svg", tmp_path / "drawing.svg"
    other.write_text('<svg xmlns="http://www.w3.org/2000/svg"></svg>')
    for _ in range(2):
        assert run(capsysbinary, "stats", "--svg", target).code == 0
    refused = run(capsysbinary, "stats", "--svg", other)
    assert (refused.code, b"was not made by photoindex" in refused.err) == (2, True)
    assert other.read_text() == '<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def test_the_page_stands_alone_and_shows_names_as_text(tmp_path: Path, capsysbinary: Capture) -> None:
    target = tmp_path / "numbers.html"
    ran = run(capsysbinary, "stats", '-name:"<script>"', "--page", target)
    assert (ran.code, ran.out) == (0, b"")
    page = target.read_text("utf-8")
    assert "default-src 'none'; style-src 'sha256-" in page
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert "\x1b" not in page
    assert not re.search(r"<script|https?://|url\(| style=", page)
    assert page.count("<figure>") == len(DIMENSIONS)


def test_the_picture_is_well_formed_and_has_a_bar_for_each_value(tmp_path: Path, capsysbinary: Capture) -> None:
    target = tmp_path / "numbers.svg"
    assert run(capsysbinary, "stats", "--svg", target, "--by", "lens,year").code == 0
    tree = ET.fromstring(target.read_text("utf-8"))
    names = [one.text for one in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert names == [r'Lens <b>"x"</b>\x1b[31m & co: 1 photo', "2019: 2 photos", "2021: 2 photos"]


def test_a_page_can_go_to_stdout_alone(capsysbinary: Capture) -> None:
    assert run(capsysbinary, "stats", "--page", "-").out.startswith(b"<!doctype html>")
    assert run(capsysbinary, "stats", "--page", "-", "--svg", "-").code == 2
    assert run(capsysbinary, "stats", "--page", "-", "--json").code == 2


def test_a_page_is_never_written_among_originals(
    capsysbinary: Capture, tmp_path: Path, volume_rows: VolumeRows
) -> None:
    ran = run(capsysbinary, "stats", "--page", tmp_path / "originals" / "a.jpg")
    assert ran.code == 2
    assert (tmp_path / "originals" / "a.jpg").read_bytes() == b"content"


def test_an_axis_shows_years_without_photos_and_leaves_out_those_of_wrong_clocks(
    volume_rows: VolumeRows, tmp_path: Path, capsysbinary: Capture
) -> None:
    volume_rows.add_whole_photo("old.jpg", taken_at="0001-01-01T00:00:00", **SECOND)
    run(capsysbinary, "stats", "--page", tmp_path / "p.html", "--by", "year,month")
    page = (tmp_path / "p.html").read_text("utf-8")
    assert ">2020</text>" in page
    assert page.count("1 earlier with 1 photo") == 2
    assert len(page) < 60_000


def test_columns_reach_the_lines_of_their_numbers() -> None:
    body = columns([Mark("a", 0, "a"), Mark("b", 30, "b"), Mark("c", 15, "c")]).body
    (full, half) = (float(height) for height in re.findall(r'class="bar"[^>]* height="([\d.]+)"', body))
    assert full == pytest.approx(2 * half)
    assert [int(one) for one in re.findall(r'class="number"[^>]*>(\d+)<', body)] == [0, 10, 20, 30]


def test_long_and_wide_names_are_cut_to_the_width_of_the_plot() -> None:
    body = bars([Mark("写" * 100, 1234), Mark("x" * 100, 1)]).body
    names = re.findall(r'class="name"[^>]*>([^<]*)<', body)
    assert [name[-1] for name in names] == ["…", "…"]
    assert len(names[0]) < 30 < len(names[1]) < 60
