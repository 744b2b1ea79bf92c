"""`photoindex costs`: what was paid, and what is still to pay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_rows import Album, album_in
from tests.vision_server import KEY, VisionServer, vision_server


@pytest.fixture
def server() -> Iterator[VisionServer]:
    with vision_server() as server:
        yield server


@pytest.fixture
def album(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], server: VisionServer
) -> Album:
    for name, value in {
        "GOOGLE_VISION_KEY": KEY, "GOOGLE_VISION__URL": server.url, "ALLOW_NETWORK": "true", "PROVIDERS__ALLOWED": "google_vision",
        "TAGS__PROVIDERS": "google_vision", "OCR__PROVIDERS": "google_vision", "GOOGLE_VISION__FREE_PER_MONTH": "1",
        "GOOGLE_VISION__MONTHLY_BUDGET": "0.01",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"PHOTOINDEX_{name}", value)
    album = album_in(tmp_path, monkeypatch, capsysbinary, photos=6)
    album.looked_at("faces", "sensitive")
    return album


def test_costs_are_shown_by_provider_month_and_stage_with_what_is_still_to_pay(album: Album) -> None:
    nothing = album.run("costs")
    assert (nothing.code, nothing.out) == (0, b"")
    assert b"no service has cost anything\n" in nothing.err
    assert album.run("tag", "auto", "--only", "tags", "--progress", "none").code == 0
    shown = album.run("costs")
    (row,) = [line.split("\t") for line in shown.out.decode().splitlines()]
    assert re.fullmatch(r"20\d\d-\d\d", row[1])
    assert [row[0], *row[2:]] == ["google_vision", "tags", "LABEL_DETECTION", "6", "0.0075 USD"]
    said = shown.err.decode()
    assert "0.0075 USD of a budget of 0.01 USD\n" in said
    assert "google_vision: 6 pictures wait (ocr 6); all together cost 0.0075 USD\n" in said
    assert (
        "google_vision: the budget is spent after 2 pictures more; at this budget the last one is answered in 20"
        in said
    )
    month = row[1]
    assert album.run("costs", "--month", month).out == shown.out
    assert album.run("costs", "--month", "2019-01").out == b""


def test_the_plan_of_a_run_says_what_services_would_cost_within_their_budget(album: Album) -> None:
    planned = album.run("run", "--plan", "--stage", "tags", "--stage", "ocr")
    assert (
        "money: google_vision: at most 0.01 USD this month, of 0.01 USD that its budget has left\n"
        in planned.out.decode()
    )
    album.run("tag", "auto", "--only", "tags", "--progress", "none")
    planned = album.run("run", "--plan", "--stage", "tags", "--stage", "ocr")
    assert "at most 0.0025 USD this month, of 0.0025 USD" in planned.out.decode()


def test_json_is_one_documented_object_with_millionths(album: Album) -> None:
    album.run("tag", "auto", "--only", "tags", "--progress", "none")
    (found,) = album.run("costs", "--json").json
    assert found["schema"] == 1
    (row,) = found["costs"]
    assert (row["provider"], row["stage"], row["units"], row["reserved"], row["micros"], row["currency"]) == (
        "google_vision", "tags", 6, 0, 7_500, "USD",
    )  # fmt: skip
    (told,) = found["forecast"]
    assert (told["pictures"], told["affordable"], told["micros"]) == ({"tags": 0, "ocr": 6}, 2, 7_500)
    assert found["problems"] == {}


def test_costs_ask_no_service_and_say_why_nothing_can_be_foretold(
    album: Album, server: VisionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PHOTOINDEX_GOOGLE_VISION_KEY")
    monkeypatch.setenv("PHOTOINDEX_ALLOW_NETWORK", "false")
    shown = album.run("costs")
    assert shown.code == 0
    assert b"tags: nothing can be foretold: google_vision would send previews" in shown.err
    assert server.calls == []


def test_a_month_that_is_none_is_refused(album: Album) -> None:
    for month in ("2026-13", "november", "2026-1"):
        assert album.run("costs", "--month", month).code == 2
