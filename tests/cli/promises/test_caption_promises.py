"""What messages promise about describing photos."""

from __future__ import annotations

import pytest

from tests.caption_server import caption_server, colour_of, says_always
from tests.cli.promises.house import House, promises
from tests.own_code_captioner import write_own_code_captioner
from tests.small_captioners import write_small_captioner

CAPTIONS = "SELECT count(*) FROM asset_text"
SAME = "look at them with: photoindex caption list {}; then set another caption.prompt, or choose another model: photoindex models list"
SERVED = "is run by a server, such as Ollama: let it load {}, then run: photoindex caption --endpoint URL --model {}"
OWN_FILES = "; from your own files: photoindex models install PATH --id {}"
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


@promises(SAME)
def test_a_model_that_says_the_same_of_all_pictures_says_where_they_are_and_what_to_do(house: House) -> None:
    house.write_photos(*(f"{number}.jpg" for number in range(20)))
    house.run("scan", house.photos)
    with caption_server() as server:
        says_always(server, 'It isn\'t "clear" what this picture shows to me, sorry.')
        said = house.run("caption", "--endpoint", server.url, "--model", "blind")
    listing, _ = house.commands(SAME, said)
    assert house.run(*listing).count('It isn\'t "clear"') == 20
    house.follow(SAME, said)


@promises(SERVED)
def test_a_model_of_the_catalogue_that_servers_run_says_how_it_describes_photos(scanned: House) -> None:
    assert '"state": "by a server"' in scanned.run("models", "list", "--json")
    refused = scanned.run("models", "pull", "moondream2", code=7)
    with caption_server() as server:
        scanned.follow(SERVED, refused, URL=server.url)
        assert {request.message["model"] for request in server.requests} == {"moondream"}
    assert scanned.rows.value(CAPTIONS) == 3


@promises(OWN_FILES)
def test_a_model_that_cannot_be_pulled_says_how_its_own_files_are_installed(
    scanned: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    refused = scanned.run("models", "pull", "moondream2", code=7)
    monkeypatch.setenv("PHOTOINDEX_CAPTION__TRUST_REMOTE_CODE", "true")
    installed = scanned.follow(OWN_FILES, refused, PATH=write_own_code_captioner(scanned.folder / "moondream"))
    assert "next: photoindex caption" in installed
    scanned.run("caption")
    assert scanned.rows.value(CAPTIONS) == 3


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
