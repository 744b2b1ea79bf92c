"""What messages promise about describing photos."""

from __future__ import annotations

import pytest

from tests.caption_server import caption_server, colour_of
from tests.cli.promises.house import House, promises
from tests.small_captioners import write_small_captioner

CAPTIONS = "SELECT count(*) FROM asset_text"
ENGLISH = "the model '{}' describes photos in English alone; omit the setting caption.language, or choose another: photoindex models list"

RETRY = "; {}, then: photoindex retry --stage caption"


@promises("photoindex caption")
def test_describing_photos_goes_on_with_the_model_and_the_server_that_were_named(scanned: House) -> None:
    with caption_server() as server:
        said = scanned.run("caption", "--endpoint", server.url, "--model", "moon dream", "--limit", "1")
        (command,) = (
            line.partition("continue with: photoindex ")[2] for line in said.splitlines() if "continue" in line
        )
        assert command == f"caption --endpoint {server.url} --model 'moon dream'"
        assert scanned.rows.value(CAPTIONS) == 1
        scanned.excerpt("photoindex caption", said)
        scanned.run("caption", "--endpoint", server.url, "--model", "moon dream")
        assert scanned.rows.value("SELECT count(*) FROM task WHERE stage = 'caption' AND state = 'pending'") == 0


@promises(ENGLISH)
def test_a_model_that_knows_english_alone_says_where_to_find_another(
    scanned: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    scanned.run("models", "install", write_small_captioner(scanned.folder / "blip", "blip"), "--id", "small-blip")
    monkeypatch.setenv("PHOTOINDEX_CAPTION__LANGUAGE", "de")
    refused = scanned.run("caption", code=2)
    assert "small-blip" in scanned.follow(ENGLISH, refused)


@promises(RETRY)
def test_answers_that_a_setting_mends_say_how_their_photos_are_described_afterwards(
    scanned: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caption_server() as server:
        server.behave = lambda handler, request: handler.say(
            colour_of(request), finish="length" if len(server.requests) > 2 else "stop"
        )
        for name, value in (("ENDPOINT", server.url), ("MODEL", "moondream"), ("MAX_TOKENS", "8")):
            monkeypatch.setenv(f"PHOTOINDEX_CAPTION__{name}", value)
        scanned.run("caption", code=100)
        listed = scanned.run("tasks", "--stage", "caption")
        server.behave = None
        monkeypatch.setenv("PHOTOINDEX_CAPTION__MAX_TOKENS", "60")
        scanned.run("caption")
        assert scanned.rows.value(CAPTIONS) == 0, "given up until they are asked for again"
        scanned.follow(RETRY, listed)
        scanned.run("caption")
        assert scanned.rows.value(CAPTIONS) > 0
