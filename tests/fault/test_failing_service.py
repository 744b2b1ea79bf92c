"""A service that fails: tries, waits, the circuit breaker, attempts of tasks, and money, against a server on loopback."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from photoindex.errors import ProviderFailed
from photoindex.library.providers.chain import Chain, ChainRequest, Local
from photoindex.library.providers.service_run import ServiceSummary
from photoindex.pipeline.run.services import Patience
from photoindex.stages import caption, tags
from photoindex.stages.base import Stage
from tests.service_rows import Album, album_in
from tests.vision_server import KEY, Call, Handler, VisionServer, answer, colour_of, vision_server

QUICK = Patience(tries=3, wait_seconds=0.01, longest_seconds=0.2, breaker=6)
PRICE = 1_500


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[VisionServer]:
    with vision_server() as server:
        monkeypatch.setenv("PHOTOINDEX_GOOGLE_VISION_KEY", KEY)
        yield server


@pytest.fixture
def album(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], server: VisionServer
) -> Album:
    """Twelve photos that may be sent."""
    return made(tmp_path, monkeypatch, capsysbinary, server, 12)


def made(tmp_path: Path, monkeypatch: Any, capture: Any, server: VisionServer, photos: int) -> Album:
    album = album_in(tmp_path, monkeypatch, capture, photos=photos)
    album.settings |= {
        "allow_network": True, "providers.allowed": "google_vision", "google_vision.url": server.url,
        "tags.providers": "google_vision", "caption.providers": "google_vision", "google_vision.free_per_month": 1000,
    }  # fmt: skip
    album.looked_at("faces", "sensitive")
    return album


def ask(album: Album, stage: Stage = tags.STAGE, patience: Patience = QUICK, **request: Any) -> ServiceSummary:
    def no_local() -> Local[Any]:
        raise AssertionError("nothing runs on this computer")

    with album.open() as library:
        chain = Chain(library, stage, ChainRequest(patience=patience, **request), album.events.append)
        (summary,) = chain.run(no_local, lambda: False)
    assert isinstance(summary, ServiceSummary)
    return summary


def states(album: Album, stage: str = "tags") -> Counter[tuple[str, int]]:
    return Counter((state, attempts) for _, state, attempts in album.tasks(stage, "google_vision"))


@pytest.mark.parametrize(
    "body",
    [
        b"<html>a page</html>", b"", b"[]", b"\xff\xfe{", b"[" * 100_000, b'{"responses": [null]}', b'{"responses": [{"error": "boom"}]}',
        b'{"responses": [{"labelAnnotations": [{"description": "x", "score": 1' + b"0" * 400 + b"}]}]}",
        b'{"responses": [{"labelAnnotations": 7}]}', b'{"responses": [' + b" " * 5_000_000 + b"{}]}",
    ],
)  # fmt: skip
def test_an_answer_that_is_none_leaves_the_picture_pending(album: Album, server: VisionServer, body: bytes) -> None:
    def nonsense(handler: Handler, _call: Call) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        with suppress(OSError):  # nobody reads the whole of 5 MB
            handler.wfile.write(body)

    server.behave = nonsense
    summary = ask(album, limit=1)
    assert (summary.pictures, summary.unanswered, summary.calls) == (0, 1, QUICK.tries)
    assert states(album) == {("pending", 0): 12}


def test_calls_are_made_two_at_a_time(album: Album, server: VisionServer) -> None:
    both = threading.Barrier(2)

    def only_together(handler: Handler, call: Call) -> None:
        both.wait(10)
        answer(handler, call)

    server.behave = only_together
    assert ask(album).pictures == 12
    assert server.most_at_once == 2


def test_a_service_that_is_busy_is_asked_again_and_takes_no_attempt(album: Album, server: VisionServer) -> None:
    def busy_at_first(handler: Handler, call: Call) -> None:
        if len(server.calls) <= 2:
            handler.refuse(503)
        else:
            answer(handler, call)

    server.behave = busy_at_first
    summary = ask(album)
    assert (summary.pictures, summary.pending, summary.refused) == (12, 0, "")
    assert states(album) == {("done", 1): 12}
    assert summary.calls == server.billed["LABEL_DETECTION"] == 12


def test_a_service_that_asks_for_quiet_gets_it_for_all_pictures(album: Album, server: VisionServer) -> None:
    told: list[float] = []
    early: list[float] = []

    def once(handler: Handler, call: Call) -> None:
        if not told:
            told.append(time.monotonic())
            handler.refuse(429, Retry_After="1")
            return
        # The call of the other thread may be on its way already.
        if time.monotonic() < told[0] + 0.9:
            early.append(time.monotonic())
            # Its answer comes late, so that its thread asks no more before the refusal was read on a busy machine.
            time.sleep(0.4)
        answer(handler, call)

    server.behave = once
    assert ask(album, patience=Patience(tries=3, wait_seconds=0.01, longest_seconds=5.0)).pictures == 12
    assert len(early) <= 1


def test_a_service_that_is_down_is_left_alone_after_a_few_calls_and_costs_nothing(
    album: Album, server: VisionServer
) -> None:
    server.behave = lambda handler, _call: handler.refuse(503, "maintenance")
    summary = ask(album)
    assert "google_vision failed 6 times in a row" in summary.refused
    assert "maintenance" in summary.refused
    assert 6 <= len(server.calls) <= 7  # one may be under way in the other thread
    assert (summary.pictures, summary.pending, summary.micros) == (0, 12, 0)
    assert states(album) == {("pending", 0): 12}
    assert album.value("SELECT count(*) FROM ledger") == 0
    server.behave = None
    assert ask(album).pictures == 12


def test_a_server_that_nobody_listens_on_costs_nothing(album: Album) -> None:
    album.settings["google_vision.url"] = "http://127.0.0.1:9"
    summary = ask(album)
    assert "cannot be reached" in summary.refused
    assert states(album) == {("pending", 0): 12}
    assert album.value("SELECT count(*) FROM ledger") == 0


def test_a_call_that_hangs_is_given_up_and_counts_as_billed(album: Album, server: VisionServer) -> None:
    album.settings["providers.timeout_seconds"] = 0.3
    hung = threading.Event()

    def first_hangs(handler: Handler, call: Call) -> None:
        if len(server.calls) == 1:
            handler.made.bill(call)
            hung.wait(20)
        else:
            answer(handler, call)

    server.behave = first_hangs
    try:
        summary = ask(album)
    finally:
        hung.set()
    assert (summary.pictures, summary.calls) == (12, 13)
    assert server.billed["LABEL_DETECTION"] == 13


def test_a_picture_without_an_answer_stays_pending_while_the_others_are_answered(
    album: Album, server: VisionServer
) -> None:
    broken: list[bytes] = []

    def never_this_one(handler: Handler, call: Call) -> None:
        if not broken:
            broken.append(call.jpeg)
        if call.jpeg == broken[0]:
            handler.refuse(503)
        else:
            answer(handler, call)

    server.behave = never_this_one
    summary = ask(album)
    assert (summary.pictures, summary.unanswered, summary.pending, summary.refused) == (11, 1, 1, "")
    assert states(album) == {("done", 1): 11, ("pending", 0): 1}
    assert [call.jpeg for call in server.calls].count(broken[0]) == 3


def test_a_picture_that_the_service_cannot_read_is_given_up(album: Album, server: VisionServer) -> None:
    def reads_no_red(handler: Handler, call: Call) -> None:
        if colour_of(call.jpeg) == "red":
            handler.reply(200, {"responses": [{"error": {"code": 3, "message": "Bad image data."}}]})
        else:
            answer(handler, call)

    server.behave = reads_no_red
    summary = ask(album)
    assert (summary.pictures, summary.quarantined, summary.refused) == (8, 4, "")
    assert album.rows("SELECT DISTINCT error_class, error FROM task WHERE state = 'quarantined'") == [
        ("picture_refused", "google_vision cannot read the preview: Bad image data.")
    ]


def test_a_key_that_is_refused_ends_the_run_at_once_and_is_never_shown(album: Album, server: VisionServer) -> None:
    server.behave = lambda handler, _call: handler.refuse(403, "API key not valid.")
    summary = ask(album)
    assert "API key not valid." in summary.refused
    assert KEY not in summary.refused
    assert len(server.calls) <= 2
    assert states(album) == {("pending", 0): 12}
    assert KEY not in "".join(path.read_text() for path in (album.folder / "logs").iterdir() if path.is_file())


def test_nonsense_is_no_answer(album: Album, server: VisionServer) -> None:
    nonsense: list[Any] = [
        {"responses": []}, {"responses": [{}, {}]}, [], "x", {"responses": [None]}, {},
        {"responses": [{"labelAnnotations": [{"description": "x", "score": "high"}]}]}, {"responses": [{"labelAnnotations": 7}]},
    ]  # fmt: skip

    seen: set[bytes] = set()

    def nonsense_at_first(handler: Handler, call: Call) -> None:
        if call.jpeg not in seen and nonsense:
            handler.reply(200, nonsense.pop())
        else:
            answer(handler, call)
        seen.add(call.jpeg)

    server.behave = nonsense_at_first
    summary = ask(album, patience=replace(QUICK, breaker=20))
    assert not nonsense
    assert summary.pictures == 12
    assert summary.calls == 20  # an answer, though it is none, may have been billed


def test_the_budget_ends_a_run_without_an_attempt(album: Album, server: VisionServer) -> None:
    album.settings |= {"google_vision.free_per_month": 0, "google_vision.monthly_budget": 5 * PRICE / 1e6}
    summary = ask(album)
    assert "the budget of this month is spent" in summary.refused
    assert (summary.pictures, summary.pending, summary.micros) == (5, 7, 5 * PRICE)
    assert server.billed == {"LABEL_DETECTION": 5}
    assert states(album) == {("done", 1): 5, ("pending", 0): 7}
    assert ask(album, caption.STAGE).pictures == 0
    assert server.billed == {"LABEL_DETECTION": 5}


def test_without_a_budget_only_free_units_are_used(album: Album, server: VisionServer) -> None:
    album.settings["google_vision.free_per_month"] = 4
    assert ask(album).pictures == 4
    assert server.billed == {"LABEL_DETECTION": 4}


def test_a_limit_and_a_time_window_hold_for_services_too(album: Album, server: VisionServer) -> None:
    assert ask(album, limit=5).pictures == 5
    assert len(server.calls) == 5
    ended = ask(album, window_seconds=0.0)
    assert (ended.window_ended, ended.pictures, ended.refused) == (True, 0, "")


def test_without_a_key_nothing_is_planned(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOINDEX_GOOGLE_VISION_KEY")
    with pytest.raises(ProviderFailed, match="PHOTOINDEX_GOOGLE_VISION_KEY"):
        ask(album)
    assert album.tasks("tags", "google_vision") == []


def fails_at_random(chance: random.Random, over: threading.Event) -> Callable[[Handler, Call], None]:
    """Answer half of the calls; fail the others in every way, some billed and some not. over: lets calls go that hang."""
    lock = threading.Lock()

    def behave(handler: Handler, call: Call) -> None:
        with lock:
            luck, billed = chance.random(), chance.random() < 0.5
        if luck < 0.55:
            answer(handler, call)
        elif luck < 0.75:
            handler.refuse(429 if luck < 0.65 else 503, Retry_After="0")
        elif luck < 0.85:
            # It has looked at the picture, or has not, and nobody can tell.
            if billed:
                handler.made.bill(call)
            handler.refuse(500)
        elif luck < 0.95:
            handler.made.bill(call)
            handler.cut_off()
        else:
            if billed:
                handler.made.bill(call)
            over.wait(20)

    return behave


def test_nights_with_a_provider_that_fails_at_random_stay_under_its_budget_to_the_cent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], server: VisionServer
) -> None:
    album = made(tmp_path, monkeypatch, capsysbinary, server, 60)
    free, budget = 20, 0.07
    album.settings |= {
        "google_vision.free_per_month": free, "google_vision.monthly_budget": budget, "providers.timeout_seconds": 0.4,
    }  # fmt: skip
    over = threading.Event()
    server.behave = fails_at_random(random.Random(20_261_130), over)
    nights: list[ServiceSummary] = []
    try:
        for _ in range(12):
            nights += [ask(album, stage) for stage in (tags.STAGE, caption.STAGE)]
            if all("budget" in night.refused for night in nights[-2:]):
                break
    finally:
        over.set()
    assert all("budget" in night.refused for night in nights[-2:])
    in_service = server.billed["LABEL_DETECTION"]
    units, micros = album.rows("SELECT sum(units), sum(micros) FROM ledger")[0]
    assert max(0, in_service - free) * PRICE <= micros <= budget * 1e6
    assert micros == (units - free) * PRICE
    assert micros + PRICE > budget * 1e6, "the budget is used to the last call that it pays for"
    assert in_service <= units
    assert album.value("SELECT count(*) FROM ledger WHERE state = 'reserved'") == 0
    assert sum(night.calls for night in nights) == units
    done = sum(night.pictures for night in nights)
    for stage in ("tags", "caption"):
        assert {attempts for (state, attempts) in states(album, stage) if state == "done"} <= {1}
        assert {key for key in states(album, stage) if key[0] != "done"} <= {("pending", 0)}
    assert (
        0 < done == sum(n for stage in ("tags", "caption") for (s, _), n in states(album, stage).items() if s == "done")
    )


def test_what_a_killed_run_had_reserved_stays_spent_and_the_next_run_keeps_to_the_budget(
    album: Album, server: VisionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    def hangs_from_the_third_on(handler: Handler, call: Call) -> None:
        handler.made.bill(call)
        if len(server.calls) > 2:
            let_go.wait(60)
        handler.reply(200, {"responses": [{}]})

    server.behave = hangs_from_the_third_on
    for name, value in {
        "ALLOW_NETWORK": "true", "PROVIDERS__ALLOWED": "google_vision", "GOOGLE_VISION__URL": server.url,
        "TAGS__PROVIDERS": "google_vision", "GOOGLE_VISION__FREE_PER_MONTH": "20",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"PHOTOINDEX_{name}", value)
    command = [sys.executable, "-m", "photoindex", "tag", "auto", "--only", "tags", "--progress", "none"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while len(server.calls) < 4:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    let_go.set()
    reserved = album.value("SELECT sum(units) FROM ledger WHERE state = 'reserved'")
    assert reserved == 12  # two batches: of eight, and of what was left
    server.behave = None
    album.settings["google_vision.free_per_month"] = 20
    summary = ask(album)
    assert (summary.pictures, "budget" in summary.refused) == (8, True)
    assert server.billed["LABEL_DETECTION"] == 4 + 8
