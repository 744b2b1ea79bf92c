"""The renderer shared by all commands that print lists, and its templates."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from photoindex.cli.commands import index, models, spaces
from photoindex.cli.output.render import Column, Form, Output, Row, choose_output, render
from photoindex.cli.output.template import Template
from photoindex.errors import UsageError

COLUMNS = (
    Column("name", "Name", plain=True),
    Column("state", "State", plain=True),
    Column("size", "Size", justify="right", show=lambda value: f"{value} B"),
    Column("path", "Path", wide=True),
    Column("parts", structured=True),
    Column("ratio"),
)
ROWS: list[Row] = [
    {
        "name": "a\tb\\",
        "state": None,
        "size": 5,
        "path": b"/x/\xff",
        "parts": [{"path": b"\xfe"}],
        "ratio": float("nan"),
    },
    {"name": "tw\u00f6\n", "state": True, "size": None, "path": b"/\x1b[2J", "parts": [], "ratio": 0.5},
]


def rendered(form: Form, rows: list[Row] = ROWS, *, columns: tuple[Column, ...] = COLUMNS, **options: object) -> bytes:
    stream = io.BytesIO()
    output = Output(form, stream, **options)  # type: ignore[arg-type]
    assert render(iter(rows), columns, output) == len(rows)
    return stream.getvalue()


def test_columns_of_plain_lines_stay_separate_whatever_the_text() -> None:
    assert rendered(Form.PLAIN) == b"a\\tb\\\\\\\\\t\ntw\xc3\xb6\\n\ttrue\n".replace(b"\\\\\\\\", b"\\\\")
    assert rendered(Form.NUL).count(b"\0") == 2


def test_paths_in_plain_lines_keep_their_bytes() -> None:
    columns = (Column("path", "Path", plain=True),)
    assert rendered(Form.PLAIN, columns=columns) == b"/x/\xff\n/\x1b[2J\n"
    assert rendered(Form.NUL, columns=columns) == b"/x/\xff\0/\x1b[2J\0"


def test_without_a_plain_column_a_pipe_gets_the_tables_columns() -> None:
    columns = (Column("name", "Name"), Column("size", "Size"), Column("ratio"))
    assert rendered(Form.PLAIN, ROWS[1:], columns=columns) == b"tw\xc3\xb6\\n\t\n"


def test_json_is_ascii_and_has_every_column_in_order() -> None:
    first, second = rendered(Form.JSON).decode("ascii").splitlines()
    assert json.loads(first) == {
        "schema": 1, "name": "a\tb\\", "state": None, "size": 5, "path": "/x/\udcff", "parts": [{"path": "\udcfe"}],
        "ratio": None,
    }  # fmt: skip
    assert list(json.loads(second)) == ["schema", "name", "state", "size", "path", "parts", "ratio"]


def test_csv_omits_nested_values_and_keeps_the_bytes_of_paths() -> None:
    lines = rendered(Form.CSV).split(b"\n")
    assert lines[0] == b"name,state,size,path,ratio"
    assert lines[1] == b"a\tb\\,,5,/x/\xff,nan"
    assert lines[2:4] == [b'"tw\xc3\xb6', b'",true,,/\x1b[2J,0.5']


def test_a_terminal_gets_escaped_names_in_every_form_except_nul() -> None:
    assert b"\x1b" not in rendered(Form.CSV, terminal=True)
    assert rendered(Form.TEMPLATE, terminal=True, template="{path}") == b"/x/\\xff\n/\\x1b[2J\n"
    assert b"\x1b" in rendered(Form.NUL, columns=(Column("path", plain=True),), terminal=True)


def test_a_table_shows_columns_with_headings_within_the_terminals_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    lines = rendered(Form.TABLE).decode().splitlines()
    assert lines[0].split() == ["Name", "State", "Size", "Path"]
    assert lines[1].split() == ["a\\tb\\", "5", "B", "/x/\\xff"]
    assert lines[2].split() == ["tw\u00f6\\n", "true", "/\\x1b[2J"]
    assert all(len(line) <= 60 for line in lines)


def test_all_chunks_of_a_long_table_have_aligned_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    rows: list[Row] = [{"name": "n" * (1 + number % 7), "path": b"/p"} for number in range(450)]
    lines = rendered(Form.TABLE, rows).decode().splitlines()
    assert len(lines) == 451
    assert {line.index("/p") for line in lines[1:]} == {lines[0].index("Path")}


def test_a_narrow_terminal_wraps_long_values_without_losing_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    row = {"name": "n" * 30, "path": b"/" + b"p" * 50, "state": "s" * 12}
    shown = rendered(Form.TABLE, [row]).decode()
    assert (shown.count("n"), shown.count("p")) == (30, 50)
    assert all(len(line) <= 40 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("available", "headings"),
    [
        (63, "Id State Size Way Note"),
        (62, "Id State Way Note"),
        (56, "Id State Note"),
        (30, "Id State"),
    ],
)
def test_a_narrow_terminal_drops_optional_columns_before_wrapping_others(
    monkeypatch: pytest.MonkeyPatch, available: int, headings: str
) -> None:
    columns = (
        Column("id", "Id"),
        Column("state", "State"),
        Column("size", "Size", spare=1),
        Column("way", "Way", spare=2),
        Column("note", "Note", wide=True, spare=1),
    )
    rows: list[Row] = [{"id": "a-model-of-mine", "state": "current", "way": "w" * 9, "note": "n" * 20}]
    monkeypatch.setenv("COLUMNS", str(available))
    monkeypatch.setenv("TERM", "dumb")
    lines = rendered(Form.TABLE, rows, columns=columns).decode().splitlines()
    assert lines[0].split() == headings.split()
    assert lines[1].split()[:2] == ["a-model-of-mine", "current"]
    assert len(lines) == 2
    assert json.loads(rendered(Form.JSON, rows, columns=columns))["note"] == "n" * 20


NUMBERS = dict.fromkeys(("vectors", "merged", "unmerged", "gone", "lacking", "given_up"), 1_234_567)
SIZES = {"bytes": 3_000_000_000, "size_bytes": 3_000_000_000, "index_bytes": 3_000_000_000, "approximate_mb": 12_345}
NAMES = dict.fromkeys(("id", "space", "name", "model"), "clip-xlm-roberta-b-32-2")
OTHERS = {"state": "available", "dim": 1152, "input_px": 384, "languages": "English", "licence": "Apache-2.0"}
OTHERS |= {"title": "t" * 50, "generation": "gen-000012", "installed": True, "in_use": True, "used": True}


@pytest.mark.parametrize("columns", [models._MODELS, index._STATUS, spaces._COLUMNS])
def test_models_indices_and_spaces_fit_on_one_line_each_in_80_columns(
    monkeypatch: pytest.MonkeyPatch, columns: tuple[Column, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    shown = rendered(Form.TABLE, [NUMBERS | SIZES | NAMES | OTHERS], columns=columns).decode()
    assert len(shown.splitlines()) == 2
    assert "clip-xlm-roberta-b-32-2" in shown


def test_rows_are_printed_as_they_arrive() -> None:
    stream = io.BytesIO()

    def rows() -> Iterator[Row]:
        yield ROWS[0]
        assert stream.getvalue()
        yield ROWS[1]

    assert render(rows(), COLUMNS, Output(Form.JSON, stream)) == 2


def test_two_formats_at_once_are_refused_and_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="--csv and --format exclude each other"):
        choose_output(csv=True, template="")
    assert choose_output().form is Form.PLAIN
    assert choose_output(template="x").form is Form.TEMPLATE


def filled(template: str, row: Row) -> str:
    return Template(template, ["id", "taken_at", "path", "size"]).fill(
        row, lambda value: "" if value is None else str(value)
    )


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{id}", "7\n"),
        (r"{id}\t{size}\\n", "7\t\\n\n"),
        (r"{id}\n", "7\n"),
        (r"{id}\0", "7\0"),
        (r"{id}\x\q" + "\\", "7\\x\\q\\\n"),
        ("{{{id}}}", "{7}\n"),
        ("{id:>4}|{id:04d}|{id:.1f}|{id:<4}|", "   7|0007|7.0|7   |\n"),
        ("{size:>4}|{size:,d}|{size:08.3f}|", "    ||        |\n"),
        ("{taken_at:%Y/%m}", "2019/06\n"),
        ("{path:.3}", "/a/\n"),
        ("", "\n"),
    ],
)
def test_a_template_is_filled(template: str, line: str) -> None:
    assert filled(template, {"id": 7, "taken_at": "2019-06-15T10:30:00+02:00", "path": "/a/b", "size": None}) == line


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{idd}", "did you mean {id}?"),
        ("{qqqq}", "fields: id, taken_at, path, size"),
        ("{}", "there is no field {}"),
        ("{0}", "there is no field {0}"),
        ("{id.real}", "there is no field {id.real}"),
        ("{path.__class__}", "there is no field"),
        ("{id[0]}", "there is no field"),
        ("{id!r}", "without '!'"),
        ("{id:{size}}", "without fields inside"),
        ("{id", "in '{id'"),
        ("id}", "in 'id}'"),
        ("{id:9999999}", "wider than 999"),
        ("{path:d}", "does not fit the value"),
        ("{path:%Y}", "does not fit the value"),
        ("{id:zz}", "does not fit the value"),
    ],
)
def test_an_invalid_template_is_refused_with_a_reason(template: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        filled(template, {"id": 7, "taken_at": None, "path": "/a/b"})
    assert message in str(caught.value)
