"""`photoindex search`: arguments, output bytes and exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from photoindex.cli.commands.search import COLUMNS, HELP
from photoindex.cli.main import _rearranged, build_app, main
from photoindex.errors import UsageError
from photoindex.store.search.compile import SORT_KEYS
from photoindex.store.search.fields import FIELDS
from tests.queries import parse
from tests.rows import VolumeRows, library_in

HOSTILE = b"2021/\x1b[31mcaf\xe9\nx.jpg"
Run = Callable[..., tuple[int, bytes, str]]


@pytest.fixture
def originals(library_folder: Path, tmp_path: Path) -> bytes:
    """The folder with the photos of a small library."""
    folder = tmp_path / "originals"
    with library_in(library_folder) as library:
        volume_rows = VolumeRows(library, folder)
        volume_rows.add_whole_photo(
            "2019/beach.jpg", taken_at="2019-06-15T10:30:00+02:00", camera_make="Canon", camera_model="EOS 5D", rating=4,
            title="A \x1b[31mred\n title", keywords=["a", "b"], size_bytes=20_000_000,
        )  # fmt: skip
        volume_rows.add_whole_photo("2020/lake.cr3", taken_at="2020-01-01T00:00:00", kind="raw", format="cr3")
        volume_rows.add_file(HOSTILE, asset_id=volume_rows.asset_of(volume_rows.add_photo()), create=False)
        volume_rows.add_whole_photo("2018/gone.jpg", state="missing", taken_at="2018-01-01T00:00:00")
    return os.fsencode(folder)


@pytest.fixture
def run(library_folder: Path, originals: bytes, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `photoindex search`; return its exit code, stdout and stderr."""

    def run(*words: str) -> tuple[int, bytes, str]:
        code = main(["--library", str(library_folder), "search", *words])
        captured = capsysbinary.readouterr()
        return code, captured.out, captured.err.decode()

    return run


def in_a_process(library_folder: Path, *words: str | bytes, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-W", "error", "-m", "photoindex", "search", "--library", str(library_folder), *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, **options)


def on_a_terminal(library_folder: Path, *words: str, **environment: str) -> str:
    """Return the output on a terminal of 100 columns."""
    controller, terminal = pty.openpty()
    known = {**os.environ, "COLUMNS": "100", "TERM": "xterm-256color", **environment}
    process = in_a_process(library_folder, *words, stdout=terminal, env=known)
    os.close(terminal)
    parts = []
    try:
        while part := os.read(controller, 65536):
            parts.append(part)
    except OSError:
        pass  # Linux reports the end of a terminal's output as EIO.
    os.close(controller)
    _, problems = process.communicate()
    assert process.returncode == 0, problems
    return b"".join(parts).decode()


def test_a_pipe_gets_one_path_per_line_newest_first_in_its_original_bytes(run: Run, originals: bytes) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert out == b"".join(originals + b"/" + name + b"\n" for name in (b"2020/lake.cr3", b"2019/beach.jpg", HOSTILE))


def test_null_ends_each_path_with_nul(run: Run, originals: bytes) -> None:
    for option in ("-0", "--null"):
        assert run(option, "-date:2019")[1] == originals + b"/2020/lake.cr3\0" + originals + b"/" + HOSTILE + b"\0"


def test_json_lines_have_every_column_and_paths_that_round_trip(run: Run, originals: bytes) -> None:
    lines = [json.loads(line) for line in run("--json", "--sort", "id")[1].splitlines()]
    assert [line["id"] for line in lines] == [1, 2, 3]
    assert list(lines[0]) == ["schema", *(column.name for column in COLUMNS)]
    assert lines[0]["schema"] == 1
    assert (lines[0]["camera"], lines[0]["size"], lines[0]["keywords"]) == ("Canon EOS 5D", 20_000_000, ["a", "b"])
    assert lines[0]["taken_at"] == "2019-06-15T10:30:00+02:00"
    assert lines[0]["added_at"] == "2023-11-14T22:13:20.000Z"
    assert lines[1]["camera"] is None
    assert os.fsencode(lines[2]["path"]) == originals + b"/" + HOSTILE


def test_a_hit_has_its_name_and_the_precision_of_its_time(run: Run, library_folder: Path, tmp_path: Path) -> None:
    with library_in(library_folder) as library:
        VolumeRows(library, tmp_path / "originals").add_whole_photo(
            "1969/old.jpg", taken_at="1969-12-31T23:00:00-01:00", taken_at_precision="second", taken_at_utc=-0.5,
            utc_offset_minutes=-60, zone="Atlantic/Azores",
        )  # fmt: skip
    names = ("name", "taken_at_precision", "taken_at_utc", "utc_offset_minutes", "zone")
    known = ["old.jpg", "second", "1969-12-31T23:59:59.500Z", -60, "Atlantic/Azores"]
    line = json.loads(run("--json", "name:old")[1])
    assert [line[name] for name in names] == known
    (row,) = csv.DictReader(io.StringIO(run("--csv", "name:old")[1].decode()))
    assert [row[name] for name in names] == list(map(str, known))
    assert run("--format", "{name} {utc_offset_minutes:+d}", "name:old")[1] == b"old.jpg -60\n"
    bare = json.loads(run("--json", "name:lake")[1])
    assert [bare[name] for name in names] == ["lake.cr3", None, None, None, None]
    assert os.fsencode(json.loads(run("--json", "path:2021")[1])["name"]) == os.path.basename(HOSTILE)


def test_csv_has_a_header_and_can_be_read_back(run: Run, originals: bytes) -> None:
    out = run("--csv", "--sort", "id")[1]
    first, _, last = csv.DictReader(io.StringIO(out.decode("utf-8", "surrogateescape")))
    assert (first["id"], first["rating"], first["keywords"]) == ("1", "4", "a; b")
    assert first["title"] == "A \x1b[31mred\n title"
    assert os.fsencode(last["path"]) == originals + b"/" + HOSTILE


def test_a_template_prints_its_fields_and_escapes(run: Run, originals: bytes) -> None:
    template = r"{id:>3}|{taken_at:%d.%m.%Y}|{rating:d}\t{camera!}".replace("!", "")
    out = run("--format", template, "--sort", "id")[1]
    assert out == b"  1|15.06.2019|4\tCanon EOS 5D\n  2|01.01.2020|\t\n  3||\t\n"
    assert run("--format={path}" + r"\0", "date:2019")[1] == originals + b"/2019/beach.jpg\0"


def test_an_invalid_template_is_a_usage_error_that_suggests_a_similar_field(run: Run) -> None:
    code, out, err = run("--format", "{taken}")
    assert (code, out) == (2, b"")
    assert "did you mean {taken_at}" in err


def test_count_prints_one_number_whatever_the_limit(run: Run) -> None:
    assert run("--count")[:2] == (0, b"3\n")
    assert run("--count", "-n", "1", "type:raw,jpeg")[1] == b"3\n"
    assert json.loads(run("--count", "--json", "date:2019")[1]) == {"schema": 1, "count": 1}
    assert run("--count", "--csv")[0] == 2


def test_a_hint_explains_that_a_value_with_spaces_is_one_value(run: Run, originals: bytes) -> None:
    said = "hint: 'camera:canon beach' was read as one value, camera:\"canon beach\"; for two terms write two arguments, or "
    assert run("camera:canon beach") == (0, b"", said + "'camera:canon AND beach'\n")
    assert run("camera:canon beach", "--count")[1:] == (b"0\n", said + "'camera:canon AND beach'\n")
    beach = originals + b"/2019/beach.jpg\n"
    assert (
        run("camera:canon eos")
        == run("camera:canon AND name:beach")
        == run("camera:canon", "name:beach")
        == (0, beach, "")
    )


def test_a_hint_names_an_unknown_event_if_nothing_is_found(run: Run) -> None:
    assert run("event:nosuch") == (
        0,
        b"",
        "hint: no event has the key or words 'nosuch'; photoindex events lists them\n",
    )
    assert run("-event:nosuch", "date:2019")[2] == ""


def test_fail_if_empty_exits_with_eleven(run: Run) -> None:
    assert run("--fail-if-empty", "date:2019")[0] == 0
    code, out, err = run("nowhere")
    assert (code, out) == (0, b"")
    assert err.startswith("searching by words alone: no photos are embedded yet; run: photoindex models pull ")
    code, out, err = run("nowhere", "--fail-if-empty")
    assert (code, out) == (11, b"")
    assert err.endswith("\nphotoindex: no photo matches\n")
    assert run("nowhere", "--fail-if-empty", "--count")[:2] == (11, b"0\n")


def test_limit_and_sort(run: Run, originals: bytes) -> None:
    assert run("-n", "1", "--sort", "date")[1] == originals + b"/2019/beach.jpg\n"
    assert run("--limit=1", "--sort=-size")[1] == originals + b"/2019/beach.jpg\n"
    code, _, err = run("--sort", "dat")
    assert code == 2
    assert "did you mean date?" in err


def test_a_term_with_a_dash_excludes_photos_in_any_position(run: Run, originals: bytes) -> None:
    only_lake = originals + b"/2020/lake.cr3\n"
    assert run("-date:2019", "type:raw,jpeg", "-path:2021")[1] == only_lake
    assert run("path:originals", "-n", "5", "-date:2019", "-path:2021", "--sort", "id")[1] == only_lake
    assert run("-n", "5", "--", "-date:2019", "-path:2021")[1] == only_lake


def test_an_unknown_field_is_shown_at_its_character(run: Run) -> None:
    code, out, err = run("beach", "-nobody:Bob")
    assert (code, out) == (2, b"")
    message, query, mark = err.splitlines()
    assert "there is no field 'nobody:'" in message
    assert query[mark.index("^") :] == "nobody:Bob"


def test_a_term_about_a_person_survives_the_command_line(run: Run) -> None:
    code, out, err = run("beach", "-person:Bob", "--count")
    assert (code, out) == (2, b"")
    message, query, mark = err.splitlines()
    assert message == "photoindex: person: there is no person 'Bob'; see: photoindex people list"
    assert query[mark.index("^") :] == "Bob"


def test_missing_photos_are_found_if_the_query_asks_for_them(run: Run, originals: bytes) -> None:
    assert run("is:missing")[1] == originals + b"/2018/gone.jpg\n"
    assert run("path:2018")[1] == b""
    assert run("id:4", "--format", "{state}")[1] == b"missing\n"


def test_output_options_exclude_each_other(run: Run) -> None:
    code, _, err = run("--json", "-0")
    assert code == 2
    assert "--json and -0 exclude each other" in err


def test_without_a_library_the_error_names_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--library", str(tmp_path / "none"), "beach"]) == 4
    assert "photoindex scan PATH" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "arranged"),
    [
        ([], []),
        (["beach"], ["--", "beach"]),
        (["beach", "-person:Bob"], ["--", "beach", "-person:Bob"]),
        (["beach", "-n", "5", "-date:2019", "--json"], ["-n", "5", "--json", "--", "beach", "-date:2019"]),
        (["--sort", "-size", "x"], ["--sort", "-size", "--", "x"]),
        (["--sort=-size", "x"], ["--sort=-size", "--", "x"]),
        (["-n5", "-0", "-1", "-nature"], ["-n", "5", "-0", "--", "-1", "-nature"]),
        (["-n", "5", "--", "-0", "--json", "--"], ["-n", "5", "--", "-0", "--json", "--"]),
        (["a", "--", "--count", "-b"], ["--", "a", "--count", "-b"]),
        (["--library", "search", "x"], ["--library", "search", "--", "x"]),
        (["-h"], ["-h"]),
    ],
)
def test_the_words_of_a_query_are_moved_after_the_double_dash(words: list[str], arranged: list[str]) -> None:
    app: Any = typer.main.get_command(build_app("search"))
    assert _rearranged(["search", *words], app) == ["search", *arranged]
    start = ["--library", "search", "search"]
    assert _rearranged([*start, *words], app) == [*start, *arranged]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--formaat", "x"], "there is no option --formaat; did you mean --format or"),
        (["--formaat=x"], "there is no option --formaat; did you mean --format or"),
        (["--qqqqq"], "there is no option --qqqqq; see: photoindex search --help"),
        (["--count=3"], "--count takes no value"),
        (["beach", "-n"], "-n needs a value"),
        (["beach", "--sort", "--", "x"], "--sort needs a value"),
    ],
)
def test_a_misspelled_option_is_not_a_term(words: list[str], said: str) -> None:
    app: Any = typer.main.get_command(build_app("search"))
    with pytest.raises(UsageError) as caught:
        _rearranged(["search", *words], app)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("words", "arranged"),
    [
        (["search", "--camera", "canon", "-x", "--preview"], ["search", "--camera", "canon", "--preview", "--", "-x"]),
        (["duplicates", "-n", "3", "-x", "--exact"], ["duplicates", "-n", "3", "--exact", "--", "-x"]),
        (["events", "-x", "--gap", "2d"], ["events", "--gap", "2d", "--", "-x"]),
        (["redo", "embed", "-x", "--dry-run"], ["redo", "--dry-run", "--", "embed", "-x"]),
        (["time", "shift", "-x", "--by", "-1h", "-y"], ["time", "shift", "--by", "-1h", "-y", "--", "-x"]),
        (["pair", "split", "-x", "--yes"], ["pair", "split", "--yes", "--", "-x"]),
        (["pair", "-h"], ["pair", "-h"]),
        (["pair", "nothing", "-x"], ["pair", "nothing", "-x"]),
        (["status", "-x"], ["status", "-x"]),
    ],
)
def test_each_command_that_takes_a_query_recognises_its_own_options(words: list[str], arranged: list[str]) -> None:
    app: Any = typer.main.get_command(build_app())
    assert _rearranged(words, app) == arranged


def test_an_option_of_another_command_in_the_group_is_not_a_term() -> None:
    app: Any = typer.main.get_command(build_app("time"))
    with pytest.raises(UsageError, match="there is no option --by; "):
        _rearranged(["time", "set", "--by", "1h", "x"], app)


def test_the_help_names_every_field_and_sort_key_and_its_queries_parse() -> None:
    for field in FIELDS:
        assert f"{field.name}:" in HELP
    command: Any = typer.main.get_command(build_app())
    (sort,) = (one for one in command.commands["search"].params if one.name == "sort")
    assert all(key in sort.help for key in SORT_KEYS)
    fields = HELP.partition("FIELDS: ")[2].partition("\n\n")[0]
    parse(fields)


def test_a_terminal_gets_a_table_without_control_characters(library_folder: Path, originals: bytes) -> None:
    shown = on_a_terminal(library_folder, "--sort", "id", TERM="dumb")
    lines = shown.splitlines()
    assert lines[0].split() == ["ID", "Taken", "Type", "Size", "Camera", "Path"]
    assert lines[1].split()[:6] == ["1", "2019-06-15", "10:30", "jpeg", "20", "MB"]
    assert "\\x1b[31mcaf\\xe9\\nx.jpg" in "".join(line.split()[-1] for line in lines)
    assert "\x1b[31m" not in shown


def test_a_table_marks_times_of_files_and_other_forms_name_the_source(
    run: Run, library_folder: Path, originals: bytes
) -> None:
    with library_in(library_folder) as library:
        rows = VolumeRows(library, Path(os.fsdecode(originals)))
        rows.add_whole_photo("c/copy.jpg", taken_at="2024-06-01T10:00:00+00:00", taken_at_source="mtime")
        rows.add_whole_photo("d/slide.jpg", taken_at="1974-01-01T00:00:00", taken_at_precision="year")
    shown = [line.split()[1:3] for line in on_a_terminal(library_folder, "--sort", "date", TERM="dumb").splitlines()]
    assert ["~2024-06-01", "10:00"] in shown
    assert ["1974", "jpeg"] in shown
    _, out, _ = run("name:copy", "--format", "{taken_at} {taken_at_source}")
    assert out == b"2024-06-01T10:00:00+00:00 mtime\n"
    assert json.loads(run("name:copy", "--json")[1])["taken_at"] == "2024-06-01T10:00:00+00:00"


def test_a_terminal_gets_colours_unless_disabled(library_folder: Path, originals: bytes) -> None:
    assert "\x1b[36m" in on_a_terminal(library_folder)
    assert "\x1b[3" not in on_a_terminal(library_folder, NO_COLOR="1")


def test_words_that_are_not_utf8_can_be_searched(library_folder: Path, originals: bytes) -> None:
    process = in_a_process(library_folder, b"name:caf\xe9", stdout=subprocess.PIPE)
    out, problems = process.communicate()
    assert (process.returncode, out, problems) == (0, originals + b"/" + HOSTILE + b"\n", b"")
    process = in_a_process(library_folder, b"caf\xe9:x", stdout=subprocess.PIPE)
    _, problems = process.communicate()
    assert process.returncode == 2
    assert problems.startswith(b"photoindex: ")


def test_a_closed_output_pipe_is_not_an_error(tmp_path: Path) -> None:
    from tests.synthetic import make_library

    process = in_a_process(make_library(tmp_path / "many", photos=3000), stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_a_search_in_a_pipe_imports_only_what_it_needs(library_folder: Path, originals: bytes) -> None:
    program = (
        "import sys; from photoindex.cli.main import main; main(sys.argv[1:]);"
        "print(sorted({'rich', 'numpy', 'alembic', 'sqlite_utils', 'PIL'} & set(sys.modules)))"
    )
    command = [
        sys.executable,
        "-c",
        program,
        "search",
        "--library",
        str(library_folder),
        "beach",
        "camera:canon",
        "-date:2020",
    ]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"[]\n"


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("camera:cannon", "nothing has camera:cannon; did you mean camera:canon?"),
        ("place:lisbn", "nothing has place:lisbn; did you mean place:Lisbon?"),
        ("keyword:bb", ""),
        ("keyword:holidy", "nothing has keyword:holidy; did you mean keyword:holiday?"),
        ("keyword:lisbon", 'nothing has keyword:lisbon; did you mean keyword:"Lisbon Trip"?'),
        ("keyword:trip", 'nothing has keyword:trip; did you mean keyword:"Lisbon Trip"?'),
        ("tag:holidy", "nothing has tag:holidy; did you mean tag:holiday?"),
        ("lens:sigmma", "nothing has lens:sigmma; did you mean lens:Sigma?"),
    ],
)
def test_a_value_that_nothing_has_gets_what_there_is(run: Run, library_folder: Path, query: str, hint: str) -> None:
    with library_in(library_folder) as library, library.database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO place (id, city, region, country, country_code, latitude, longitude, population, words, alternates) "
            "VALUES (1, 'Lisbon', 'Lisbon', 'Portugal', 'PT', 38.7, -9.1, 1, ' lisbon lisbon portugal ', char(10))"
        )
        connection.exec_driver_sql("UPDATE photo SET place_id = 1, lens = 'Sigma 35mm'")
        connection.exec_driver_sql(
            "INSERT INTO tag (id, name, name_key, created_at) VALUES (1001, 'holiday', 'holiday', 0), (1002, 'Lisbon Trip', 'lisbon trip', 0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO photo_keyword (photo_id, tag_id) SELECT photo.id, tag.id FROM photo, tag WHERE tag.id > 1000"
        )
    code, out, said = run(query)
    assert (code, out) == (0, b"")
    assert (hint in said) if hint else ("did you mean" not in said)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["beach", "or", "lake"], "'or' is a word here; in capitals it means either of the two: beach OR lake"),
        (["camera=canon", "beach"], "'camera=canon' is a word here; a field has a colon: camera:canon"),
        (["iso>=100", "beach"], "a field has a colon: iso:>=100"),
        (["katze", "oder", "hund"], "'oder' is a word here; OR means either of the two: katze OR hund"),
        (["photo", "of", "a", "dog"], "have to be in a photo's texts; those that say something: dog"),
        (["dog", "cat"], ""),
        (["2019"], "'2019' was searched as a word; did you mean date:2019?"),
        (["videos"], "'videos' was searched as a word; did you mean type:video?"),
        (["beach"], ""),
        (["beach", "OR", "lake"], ""),
        (["beach", "2019", "or", "2020"], ""),
    ],
)
def test_operators_and_fields_in_another_spelling_get_a_hint(run: Run, words: list[str], hint: str) -> None:
    said = run(*words)[2]
    assert hint in said if hint else "hint" not in said


def test_bare_words_that_are_a_date_become_one_and_the_query_says_so(run: Run, originals: bytes) -> None:
    code, out, said = run("photos", "from", "2019")
    assert (code, out) == (0, originals + b"/2019/beach.jpg\n")
    assert "understood as: date:2019 (--literal: as written)" in said
    assert run("photos", "from", "2019", "--literal")[1] == b""
    assert "understood" not in run("2019")[2]
    assert run("camera:canon", "in", "june")[1] == originals + b"/2019/beach.jpg\n"


@pytest.mark.parametrize(
    ("query", "found"),
    [("month:6", 1), ("date:december", 0), ("weekday:saturday", 1), ("day:01-01", 1), ("month:12..6", 2)],
)
def test_days_of_any_year_are_found(run: Run, query: str, found: int) -> None:
    assert run(query, "--count")[1] == b"%d\n" % found


@pytest.mark.parametrize(
    ("word", "meant"), [("find", "search"), ("ls", "search"), ("add", "scan"), ("import", "scan"), ("serch", "search")]
)
def test_a_command_that_is_none_names_the_one_that_is_meant(
    capsysbinary: pytest.CaptureFixture[bytes], word: str, meant: str
) -> None:
    assert main([word, "x"]) == UsageError.exit_code
    assert f"there is no command '{word}'; did you mean photoindex {meant}" in capsysbinary.readouterr().err.decode()
