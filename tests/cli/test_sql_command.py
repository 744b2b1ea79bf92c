"""`photoindex sql`: output for people and programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.store.schema.views import VIEWS
from tests.command_line import run, run_on_terminal
from tests.rows import VolumeRows, library_in


@pytest.fixture
def volume_rows(library_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VolumeRows]:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    with library_in(library_folder) as library:
        made = VolumeRows(library, tmp_path / "originals")
        made.add_whole_photo("a.jpg", title='Say "hi",\nyou')
        made.add_whole_photo("b.jpg", rating=4)
        yield made


SQL = "SELECT id, title, rating FROM v_photo ORDER BY id"


def test_in_a_pipe_it_prints_json_lines_and_an_array_if_asked(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = run(capsysbinary, "sql", SQL)
    assert (ran.code, ran.err) == (0, b"")
    assert ran.json == [
        {"id": 1, "title": 'Say "hi",\nyou', "rating": None},
        {"id": 2, "title": None, "rating": 4},
    ]
    assert run(capsysbinary, "sql", "--nl", SQL).out == ran.out
    assert json.loads(run(capsysbinary, "sql", "--json", SQL).out) == ran.json
    assert run(capsysbinary, "sql", "SELECT 1 WHERE 0").out == b""


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--nl", b'{"id": 1, "title": "Say \\"hi\\",\\nyou", "rating": null}\n{"id": 2, "title": null, "rating": 4}\n'),
        ("--csv", b'id,title,rating\n1,"Say ""hi"",\nyou",\n2,,4\n'),
        ("--tsv", b'id\ttitle\trating\n1\t"Say ""hi"",\nyou"\t\n2\t\t4\n'),
        ("--table", b'id title rating\n---- -------------- --------\n1 Say "hi",\\nyou\n2 4\n'),
    ],
)
def test_every_format_has_the_same_rows(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes], option: str, expected: bytes
) -> None:
    ran = run(capsysbinary, "sql", option, SQL)
    assert [line.split() for line in ran.out.splitlines()] == [line.split() for line in expected.splitlines()]


def test_headers_can_be_omitted(volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(capsysbinary, "sql", "--csv", "--no-headers", "SELECT id FROM v_photo").out == b"1\n2\n"
    assert run(capsysbinary, "sql", "--table", "--no-headers", "SELECT id FROM v_photo").out.split()[1:3] == [
        b"1",
        b"2",
    ]


def test_parameters_are_names_and_values(volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    sql = "SELECT :a || :b AS x"
    assert run(capsysbinary, "sql", "--csv", sql, "-p", "a", "1=2", "--param", "b", "-3").out == b"x\n1=2-3\n"
    missing = run(capsysbinary, "sql", sql, "-p", "a")
    assert (missing.code, b"-p needs a name and a value" in missing.err) == (2, True)


@pytest.mark.parametrize(
    "words",
    [("DELETE FROM photo",), ("SELECT nope",), ("SELECT 1", "--csv", "--tsv"), (), ("SELECT 1; DROP TABLE photo",)],
)
def test_mistakes_and_writes_exit_2_with_one_line(
    volume_rows: VolumeRows, capsysbinary: pytest.CaptureFixture[bytes], words: tuple[str, ...]
) -> None:
    ran = run(capsysbinary, "sql", *words)
    assert (ran.code, ran.out) == (2, b"")
    assert len(ran.err.splitlines()) == 1
    assert run(capsysbinary, "sql", "SELECT count(*) AS n FROM photo").json == [{"n": 2}]


def test_the_views_are_listed_with_what_each_column_means(
    library_folder: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lines = run(capsysbinary, "sql", "--views").out.decode().splitlines()
    assert len(lines) == sum(len(view.columns) for view in VIEWS)
    assert lines[0].split("\t") == ["v_photo", "id", VIEWS[0].columns["id"]]
    first = run(capsysbinary, "sql", "--views", "--json").json[0]
    assert (first["view"], first["column"]) == ("v_photo", "id")


def test_on_a_terminal_it_is_a_table_with_escaped_names(volume_rows: VolumeRows) -> None:
    volume_rows.add_file(b"evil\x1b[2J\xff.jpg", create=False)
    ran = run_on_terminal("sql", "SELECT path FROM v_file WHERE path LIKE '%evil%'")
    assert b"\x1b[2J" not in ran.out
    assert rb"evil\x1b[2J" in ran.out


def test_ctrl_c_ends_an_endless_query(volume_rows: VolumeRows) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    # Shells start background jobs, such as these tests, with SIGINT ignored.
    ready = (
        "import signal, photoindex.__main__ as m; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "print('ready', flush=True); m.run()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", ready, "sql", endless], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            continue
    _, err = process.communicate(timeout=10)
    assert process.returncode in (130, -signal.SIGINT)
    assert b"InternalError" not in err
