"""A captioner on a server: what it is asked, and what becomes of servers that stall, break off, redirect and lie."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from photoindex.domain.words.captions import NotACaption, caption_of
from photoindex.errors import ProviderFailed, UsageError
from photoindex.providers import endpoint
from photoindex.providers.endpoint import KEY_VARIABLE, EndpointCaptioner, Service
from tests.caption_server import CaptionServer, Handler, Request, caption_server, colour_of

RED = np.full((40, 60, 3), (200, 20, 20), np.uint8)
BLUE = np.full((60, 40, 3), (20, 20, 200), np.uint8)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_WAIT_SECONDS", 0.001)


@pytest.fixture
def server() -> Iterator[CaptionServer]:
    with caption_server() as made:
        yield made


def opened(
    server: CaptionServer, *, seconds: float = 20.0, allowed: tuple[str, ...] = (), url: str = ""
) -> EndpointCaptioner:
    return EndpointCaptioner(
        Service(url or server.url, "moondream", "Describe.", 50, seconds=seconds, at_once=3, allowed=allowed)
    )


def said(captioner: EndpointCaptioner, *pictures: np.ndarray) -> list[str]:
    return [one.text or one.problem for one in captioner.caption([captioner.prepare(one) for one in pictures])]


def test_pictures_are_described_in_order_and_the_model_is_asked_to_be_deterministic(server: CaptionServer) -> None:
    captioner = opened(server)
    assert len(server.requests) == 2, "two test pictures"
    assert said(captioner, RED, BLUE, RED, BLUE) == [
        f"A picture that is mostly {one}." for one in ("red", "blue", "red", "blue")
    ]
    message = server.requests[-1].message
    assert (message["model"], message["temperature"], message["max_tokens"], message["stream"]) == (
        "moondream",
        0,
        50,
        False,
    )
    assert message["messages"][0]["content"][0] == {"type": "text", "text": "Describe."}
    assert server.requests[-1].path == "/v1/chat/completions"


def test_a_key_comes_from_the_environment(server: CaptionServer, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(server)
    assert "Authorization" not in server.requests[-1].headers
    monkeypatch.setenv(KEY_VARIABLE, "sesame")
    opened(server)
    assert server.requests[-1].headers["Authorization"] == "Bearer sesame"


def test_a_key_with_the_end_of_its_line_is_sent_without_it(
    server: CaptionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sesame\r\n")
    opened(server)
    assert server.requests[-1].headers["Authorization"] == "Bearer sesame"


@pytest.mark.parametrize("key", ["open\rsesame", "open\nsesame: yes", "sésame"])
def test_what_is_no_key_is_refused_without_telling_it(
    server: CaptionServer, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(UsageError, match=KEY_VARIABLE) as refused:
        opened(server)
    assert "same" not in str(refused.value)
    assert not server.requests


def test_a_server_that_listens_on_one_address_of_its_name_is_found(
    server: CaptionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = socket.getaddrinfo

    def both(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        names = ("::1", "127.0.0.1") if host == "localhost" else (host,)
        return [found for name in names for found in asked(name, port, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    captioner = opened(server, url=server.url.replace("127.0.0.1", "localhost"))
    assert said(captioner, RED) == ["A picture that is mostly red."]


def test_a_model_that_does_not_see_pictures_is_refused_before_the_first_photo(server: CaptionServer) -> None:
    server.behave = lambda handler, _request: handler.say("A lovely day at the beach.")
    with pytest.raises(ProviderFailed, match="does not see pictures"):
        opened(server)


@pytest.mark.parametrize(
    ("answer", "more", "reason"),
    [
        ("", {"reasoning_content": "The user wants a caption."}, "thoughts; turn thinking off"),
        ("A picture that is most", {"finish": "length"}, r"cut off .*; raise the setting caption\.max_tokens"),
        ("I cannot see pictures.", {}, "does not describe this picture: .*; choose another model"),
    ],
)
def test_a_model_whose_answers_are_no_captions_is_refused_before_the_first_photo(
    server: CaptionServer, answer: str, more: dict[str, str], reason: str
) -> None:
    def differently(handler: Handler, request: Request) -> None:
        handler.say(answer and f"{answer} {colour_of(request)}", **more)

    server.behave = differently
    with pytest.raises(ProviderFailed, match=f"'moondream' of .* does not describe a test picture: .*{reason}"):
        opened(server)


def test_half_a_character_in_an_answer_is_left_out(server: CaptionServer) -> None:
    captioner = opened(server)
    server.behave = lambda handler, _request: handler.say("A dog \ud83d\ude00 on\ud83d grass")
    assert said(captioner, RED) == ["A dog 😀 on grass"]


def test_an_answer_that_reached_the_maximum_length_is_told_from_a_whole_one(server: CaptionServer) -> None:
    captioner = opened(server)
    server.behave = lambda handler, request: handler.say(colour_of(request), finish="length")
    (one,) = captioner.caption([captioner.prepare(RED)])
    assert not one.whole


def test_thoughts_instead_of_an_answer_are_no_caption(server: CaptionServer) -> None:
    captioner = opened(server)
    server.behave = lambda handler, _request: handler.say("", reasoning_content="The user wants a caption.")
    (one,) = said(captioner, RED)
    with pytest.raises(NotACaption, match="thoughts"):
        caption_of(one)


def test_a_busy_server_is_asked_again(server: CaptionServer) -> None:
    captioner = opened(server)
    refused: list[Request] = []

    def busy_once(handler: Handler, request: Request) -> None:
        if not refused:
            refused.append(request)
            handler.reply(503, b'{"error": {"message": "loading"}}', Retry_After="0.01")
        else:
            handler.say(colour_of(request))

    server.behave = busy_once
    assert said(captioner, RED) == ["A picture that is mostly red."]
    assert len(refused) == 1


def test_a_picture_that_the_server_cannot_take_fails_alone(server: CaptionServer) -> None:
    captioner = opened(server)

    def no_blue(handler: Handler, request: Request) -> None:
        if request.picture[2] > 150 and request.picture[1] < 100:
            handler.reply(400, b'{"error": {"message": "no \\u0007 blue, please"}}')
        else:
            handler.say(colour_of(request))

    server.behave = no_blue
    assert said(captioner, RED, BLUE) == [
        "A picture that is mostly red.",
        "the server refused (400): no blue, please for this picture, and answers for others",
    ]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (lambda handler, _: handler.cut_off(), "broke off"),
        (lambda handler, _: handler.reply(200, b"<html>welcome"), "not of the chat API"),
        (lambda handler, _: handler.reply(200, b'{"choices": []}'), "not of the chat API"),
        (
            lambda handler, _: handler.reply(200, b'{"choices": [{"message": {"content": ["?"]}}]}'),
            "not of the chat API",
        ),
        (lambda handler, _: handler.reply(404, b'{"error": {"message": "model not found"}}'), "model not found"),
        (lambda handler, _: handler.reply(500, b"out of memory"), "out of memory"),
        (lambda handler, _: handler.reply(200, b" " * 5_000_000), "more than 4 MB"),
    ],
)
def test_a_server_that_does_not_answer_as_it_should_ends_the_run(
    server: CaptionServer, behaviour: object, reason: str
) -> None:
    captioner = opened(server)
    server.behave = behaviour  # type: ignore[assignment]
    with pytest.raises(ProviderFailed, match=reason):
        said(captioner, RED)


@pytest.fixture
def _asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "TRIES", 1)


@pytest.mark.usefixtures("_asked_once")
def test_a_server_that_stalls_is_not_waited_for_longer_than_allowed(server: CaptionServer) -> None:
    captioner = opened(server, seconds=1.0)
    ended = threading.Event()

    def stall(_handler: Handler, _request: Request) -> None:
        ended.wait(30)

    server.behave = stall
    with pytest.raises(ProviderFailed, match="did not answer within 1 s"):
        said(captioner, RED)
    ended.set()


@pytest.mark.usefixtures("_asked_once")
def test_a_server_that_sends_drop_by_drop_is_not_waited_for_longer_either(server: CaptionServer) -> None:
    captioner = opened(server, seconds=1.0)
    ended = threading.Event()

    def drip(handler: Handler, _request: Request) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not ended.wait(0.05):
            try:
                handler.wfile.write(b" ")
            except OSError:
                return

    server.behave = drip
    with pytest.raises(ProviderFailed, match="did not answer within 1 s"):
        said(captioner, RED)
    ended.set()


@pytest.mark.usefixtures("_asked_once")
@pytest.mark.parametrize("length", [b"Content-Length: 100000\r\n", b""])
def test_a_server_that_sends_its_headers_drop_by_drop_is_not_waited_for_longer_either(
    server: CaptionServer, length: bytes
) -> None:
    captioner = opened(server, seconds=1.0)
    ended = threading.Event()

    def drip(handler: Handler, _request: Request) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n" + length + b"X-Slow: ")
        while not ended.wait(0.05):
            try:
                handler.wfile.write(b"z")
            except OSError:
                return

    server.behave = drip
    with pytest.raises(ProviderFailed, match="did not answer within 1 s"):
        said(captioner, RED)
    ended.set()


def test_a_server_that_has_gone_away_ends_the_run() -> None:
    with caption_server() as server:
        captioner = opened(server)
    with pytest.raises(ProviderFailed, match="cannot be reached"):
        said(captioner, RED)


def test_a_redirect_to_this_computer_is_followed_and_the_key_stays(
    server: CaptionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "sesame")
    with caption_server() as other:
        server.behave = lambda handler, _: handler.reply(307, b"", Location=f"{other.url}/chat/completions")
        captioner = opened(server)
        assert said(captioner, RED) == ["A picture that is mostly red."]
        assert {one.headers["Authorization"] for one in server.requests} == {"Bearer sesame"}
        assert not any("Authorization" in one.headers for one in other.requests)


@pytest.mark.parametrize(
    ("status", "location", "reason"),
    [
        (307, "http://192.0.2.1/v1/chat/completions", "192.0.2.1 is another"),
        (308, "http://192.0.2.1:80/", "192.0.2.1 is another"),
        (302, "http://192.0.2.1/", "redirects to another address"),
        (307, "file:///etc/passwd", "is not the URL of a server"),
        (307, "/v1/chat/completions", "redirects more than 3 times"),
        (307, "http://[bad/v1", "redirects to .*Invalid IPv6"),
        (307, "/v\xe91", "redirects to .*characters that a URL cannot have"),
    ],
)
def test_a_redirect_outside_is_not_followed(server: CaptionServer, status: int, location: str, reason: str) -> None:
    server.behave = lambda handler, _: handler.reply(status, b"", Location=location)
    with pytest.raises((ProviderFailed, UsageError), match=reason):
        opened(server)


@pytest.mark.parametrize("url", ["http://192.0.2.1/v1", "https://192.0.2.1", "http://[2001:db8::1]:80/v1"])
def test_another_computer_is_asked_only_if_it_is_named(server: CaptionServer, url: str) -> None:
    with pytest.raises(ProviderFailed, match=r"caption\.allow_network"):
        opened(server, url=url)


def test_a_host_that_is_named_is_connected_to(server: CaptionServer) -> None:
    # 0.0.0.0 reaches this computer, but is not an address of it alone.
    url = server.url.replace("127.0.0.1", "0.0.0.0")
    with pytest.raises(ProviderFailed, match=r"caption\.allow_network"):
        opened(server, url=url)
    assert said(opened(server, url=url, allowed=("0.0.0.0",)), RED) == ["A picture that is mostly red."]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:11434",
        "ftp://localhost/",
        "http://",
        "http://localhost:x/",
        "http://a:b@localhost/",
        "http://localhost/é",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(server: CaptionServer, url: str) -> None:
    with pytest.raises(UsageError):
        EndpointCaptioner(Service(url, "moondream", "Describe.", 50, seconds=1, at_once=1))
