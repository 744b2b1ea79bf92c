"""Providers in turn: `dummy`, and Google Cloud Vision on loopback, for `tag auto`, `caption` and `ocr`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photoindex.library.words.tags import add_tags
from tests.caption_server import Handler as CaptionHandler
from tests.caption_server import Request, caption_server
from tests.caption_server import colour_of as caption_of
from tests.rekognition_server import rekognition_server
from tests.service_rows import Album, album_in
from tests.vision_server import KEY, Call, Handler, VisionServer, answer, colour_of, vision_server


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Album:
    return album_in(tmp_path, monkeypatch, capsysbinary)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[VisionServer]:
    with vision_server() as server:
        monkeypatch.setenv("PHOTOINDEX_GOOGLE_VISION__URL", server.url)
        monkeypatch.setenv("PHOTOINDEX_GOOGLE_VISION_KEY", KEY)
        yield server


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOINDEX_ALLOW_NETWORK", "true")
    monkeypatch.setenv("PHOTOINDEX_PROVIDERS__ALLOWED", "google_vision")


def test_dummy_answers_from_the_pixels_for_every_stage(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAGS__PROVIDERS", "CAPTION__PROVIDERS", "OCR__PROVIDERS"):
        monkeypatch.setenv(f"PHOTOINDEX_{name}", "dummy")
    tagged = album.run("tag", "auto", "--only", "tags", "--progress", "none")
    assert tagged.code == 0, tagged.err
    assert tagged.err.startswith(b"tags by dummy: 3 pictures answered with 3 labels in "), tagged.err
    assert album.run("caption", "--progress", "none").code == 0
    assert album.run("ocr", "--progress", "none").code == 0
    for query in ("tag:colours/green", "caption:green", "ocr:green", "source:tags tag:green"):
        found = album.run("search", query)
        assert Path(found.out.decode().strip()).name == "001.jpg", query
    assert album.rows("SELECT * FROM ledger WHERE micros <> 0") == []
    assert album.run("tag", "auto", "--only", "tags", "--progress", "none").err == b"tags by dummy: nothing to do\n"


def test_google_vision_answers_for_every_stage(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.looked_at("faces", "sensitive")
    for name in ("TAGS__PROVIDERS", "CAPTION__PROVIDERS", "OCR__PROVIDERS"):
        monkeypatch.setenv(f"PHOTOINDEX_{name}", "google_vision")
    tagged = album.run("tag", "auto", "--only", "tags", "--progress", "none")
    assert tagged.code == 0, tagged.err
    assert album.run("caption", "--progress", "none").code == 0
    assert album.run("ocr", "--progress", "none").code == 0
    for query in ("tag:green", 'caption:"green wall"', 'tag:green ocr:"gate b22"'):
        assert Path(album.run("search", query).out.decode().strip()).name == "001.jpg", query
    green = album.run("search", "tag:green", "--format", "{id}").out.decode().strip()
    (shown,) = album.run("show", green, "--json").json
    assert [(one["model"], one["text"]) for one in shown["captions"]] == [("google_vision", "green, wall")]
    assert server.billed == {"LABEL_DETECTION": 6, "TEXT_DETECTION": 3}
    assert dict(album.rows("SELECT feature, sum(units) FROM ledger GROUP BY feature")) == server.billed


def test_a_service_gets_pixels_alone_and_the_key_in_a_header(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.looked_at("faces", "sensitive")
    for preview in (album.folder / "derived").rglob("*.jpg"):
        with Image.open(preview) as picture:
            exif = picture.getexif()
            exif[0x010E] = "a secret description"
            picture.save(preview, exif=exif, comment=b"a secret comment", icc_profile=b"a secret profile")
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "google_vision")
    assert album.run("tag", "auto", "--only", "tags", "--progress", "none").code == 0
    assert len(server.calls) == 3
    for call in server.calls:
        assert b"secret" not in call.jpeg
        with Image.open(io.BytesIO(call.jpeg)) as picture:
            assert not picture.getexif()
            assert not {"exif", "icc_profile", "comment", "xmp"} & set(picture.info)
        assert call.headers["X-Goog-Api-Key"] == KEY
        assert KEY not in call.path


TAGS = ("tag", "auto", "--only", "tags", "--progress", "none")


def first_words(stream: bytes) -> list[str]:
    return stream.decode().splitlines()


@pytest.mark.parametrize(
    ("network", "named", "said"),
    [
        ("false", "", 'set allow_network = true and providers.allowed = ["google_vision"]'),
        ("true", "aws_rekognition", 'set providers.allowed = ["google_vision"]'),
        ("false", "google_vision", "set allow_network = true\n"),
    ],
)
def test_a_service_is_refused_unless_the_network_is_allowed_and_it_is_named(
    album: Album, server: VisionServer, monkeypatch: pytest.MonkeyPatch, network: str, named: str, said: str
) -> None:
    monkeypatch.setenv("PHOTOINDEX_ALLOW_NETWORK", network)
    monkeypatch.setenv("PHOTOINDEX_PROVIDERS__ALLOWED", named)
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "google_vision")
    album.looked_at("faces", "sensitive")
    for options in ((), ("--dry-run",)):
        refused = album.run(*TAGS, *options)
        assert refused.code == 10
        assert said in refused.err.decode()
    assert server.calls == []


@pytest.mark.parametrize(
    ("providers", "said"),
    [
        (
            "gogle_vision",
            "names 'gogle_vision', which is no provider; known are: local, dummy, google_vision, aws_rekognition",
        ),
        ("dummy,local,dummy", "names 'dummy' twice"),
    ],
)
def test_a_list_of_providers_that_makes_no_sense_is_refused_by_name(
    album: Album, monkeypatch: pytest.MonkeyPatch, providers: str, said: str
) -> None:
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", providers)
    refused = album.run(*TAGS)
    assert refused.code == 3
    assert f"the setting tags.providers {said}" in refused.err.decode()


def test_an_unknown_name_among_the_allowed_services_is_refused(
    album: Album, server: VisionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "google_vision")
    monkeypatch.setenv("PHOTOINDEX_PROVIDERS__ALLOWED", "google-vision")
    refused = album.run(*TAGS)
    assert refused.code == 3
    assert b"the setting providers.allowed names 'google-vision', which is no provider" in refused.err


def test_nothing_is_sent_until_faces_and_sensitive_pictures_were_looked_for(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "google_vision")
    for options in (("--dry-run",), ()):
        ran = album.run(*TAGS, *options)
        assert ran.code == 0
        assert "kept back: 3 pictures: not done yet: faces" in first_words(ran.err)
        assert "what waits for faces may be sent once this computer has done it; run: photoindex faces" in first_words(
            ran.err
        )
    album.looked_at("faces")
    (ran_once,) = album.run(*TAGS, "--dry-run", "--json").json
    assert ran_once["runs"][0]["kept_back"] == {"not done yet: sensitive": 3}
    album.looked_at("sensitive", asset_ids=[1, 2])
    assert b"tags by google_vision: would be asked about 2 pictures\n" in album.run(*TAGS, "--dry-run").err
    assert server.calls == []
    assert album.run(*TAGS).code == 0
    assert len(server.calls) == 2
    album.looked_at("sensitive", asset_ids=[3])
    assert album.run(*TAGS).code == 0
    assert len(server.calls) == 3


def test_what_a_service_said_does_not_open_the_door_to_services(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOINDEX_TAGS__SENSITIVE_PROVIDERS", "dummy")
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "google_vision")
    album.looked_at("faces")
    assert album.run("tag", "auto", "--only", "sensitive", "--progress", "none").code == 0
    assert album.value("SELECT count(*) FROM task WHERE stage = 'sensitive' AND state = 'done'") == 3
    assert album.run(*TAGS).code == 0
    assert server.calls == []


def test_sensitive_photos_and_those_of_never_send_are_kept_back_and_counted(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "google_vision")
    monkeypatch.setenv("PHOTOINDEX_PROVIDERS__NEVER_SEND", "person:* or tag:private")
    album.looked_at("faces", "sensitive")
    album.run("tag", "add", "sensitive", "name:000")
    album.run("tag", "add", "private", "name:001", "--yes")
    kept = album.run(*TAGS)
    assert "kept back: 1 picture: not done yet: tags" in first_words(kept.err), kept.err
    remedy = "what waits for tags may be sent once this computer has done it; add 'local' to the setting tags.providers"
    assert remedy in first_words(kept.err)
    album.looked_at("tags")
    kept = album.run(*TAGS)
    assert "kept back: 1 picture: not done yet: cluster" in first_words(kept.err), kept.err
    assert server.calls == []
    monkeypatch.setenv("PHOTOINDEX_PROVIDERS__NEVER_SEND", "tag:private")
    kept = album.run(*TAGS)
    assert {"kept back: 1 picture: is sensitive", "kept back: 1 picture: found by never_send"} < set(
        first_words(kept.err)
    )
    assert [colour_of(call.jpeg) for call in server.calls] == ["blue"]


@pytest.mark.parametrize("query", ["person:nobody", "tag:", "like:1", "tag:private and person:*", "(tag:a"])
def test_a_rule_that_cannot_be_read_sends_nothing(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "google_vision")
    monkeypatch.setenv("PHOTOINDEX_PROVIDERS__NEVER_SEND", query)
    album.looked_at("faces", "sensitive", "tags")
    refused = album.run(*TAGS)
    assert refused.code == 3
    assert b"the setting providers.never_send cannot be used, and nothing is sent: " in refused.err
    assert server.calls == []


def test_a_photo_that_becomes_sensitive_during_a_run_is_not_sent_any_more(
    tmp_path: Path, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any
) -> None:
    album = album_in(tmp_path, monkeypatch, capsysbinary, photos=70)
    album.looked_at("faces", "sensitive")
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "google_vision")
    done = []

    def tag_the_last(handler: Handler, call: Call) -> None:
        if not done:
            done.append(call)
            with album.open() as library:
                add_tags(library, ["sensitive"], [number for (number,) in album.rows(LAST)])
        answer(handler, call)

    server.behave = tag_the_last
    ran = album.run(*TAGS)
    assert "kept back: 3 pictures: is sensitive" in first_words(ran.err), ran.err
    assert len(server.calls) == 67


LAST = "SELECT photo_id FROM asset ORDER BY id DESC LIMIT 3"


def test_the_next_provider_is_asked_where_the_one_before_it_fails_and_both_answers_stand_side_by_side(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.looked_at("faces", "sensitive")
    monkeypatch.setenv("PHOTOINDEX_CAPTION__PROVIDERS", "local,google_vision,dummy")
    monkeypatch.setenv("PHOTOINDEX_CAPTION__MODEL", "moondream")

    def no_green(handler: CaptionHandler, request: Request) -> None:
        # The first two are the pictures with which a server is tested.
        if len(local.requests) > 2 and np.argmax(request.picture) == 1:
            handler.say("I'm sorry, I can't help with that.")
        else:
            handler.say(caption_of(request))

    with caption_server(no_green) as local:
        monkeypatch.setenv("PHOTOINDEX_CAPTION__ENDPOINT", local.url)
        ran = album.run("caption", "--progress", "none")
        assert ran.code == 100, ran.err
        assert [colour_of(call.jpeg) for call in server.calls] == ["green"]
        assert b"caption by google_vision: 1 picture answered with 1 caption in " in ran.err
        assert b"dummy" not in ran.err
        said = {
            Path(one["path"]).stem: [each["model"] for each in one["captions"]]
            for one in album.run("caption", "list", "type:photo", "--json").json
        }
        assert said == {"000": ["moondream"], "001": ["google_vision"], "002": ["moondream"]}
        again = album.run("caption", "--progress", "none")
        assert (again.code, len(server.calls)) == (0, 1), again.err


def test_what_may_not_be_sent_goes_to_the_next_provider(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOINDEX_CAPTION__PROVIDERS", "google_vision,dummy")
    monkeypatch.setenv("PHOTOINDEX_PROVIDERS__NEVER_SEND", "name:000")
    album.looked_at("faces", "sensitive")
    ran = album.run("caption", "--progress", "none")
    assert ran.code == 0, ran.err
    said = {
        Path(one["path"]).stem: [each["model"] for each in one["captions"]]
        for one in album.run("caption", "list", "type:photo", "--json").json
    }
    assert said == {"000": ["dummy"], "001": ["google_vision"], "002": ["google_vision"]}


def test_a_spent_budget_ends_the_command_with_the_code_of_a_refusal_after_its_summary(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.looked_at("faces", "sensitive")
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "google_vision")
    monkeypatch.setenv("PHOTOINDEX_GOOGLE_VISION__FREE_PER_MONTH", "1")
    monkeypatch.setenv("PHOTOINDEX_GOOGLE_VISION__MONTHLY_BUDGET", "0.002")
    ran = album.run(*TAGS)
    assert ran.code == 10
    lines = first_words(ran.err)
    assert lines[0].startswith("tags by google_vision: 2 pictures answered with 2 labels in ")
    assert lines[0].endswith("; 2 calls, 0.0015 USD")
    assert "google_vision this month: 0.0015 USD of a budget of 0.002 USD" in lines
    assert lines[-1] == (
        "photoindex: google_vision may not be asked any more: the budget of this month is spent; finished work is kept, and a "
        "later run continues"
    )


def test_safe_search_is_a_second_opinion_on_what_this_computer_found_harmless(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.looked_at("faces", "sensitive")
    monkeypatch.setenv("PHOTOINDEX_TAGS__SENSITIVE_PROVIDERS", "google_vision")
    assert album.run("tag", "auto", "--only", "sensitive", "--progress", "none").code == 0
    assert server.billed == {"SAFE_SEARCH_DETECTION": 3}
    assert Path(album.run("search", "is:sensitive").out.decode().strip()).name == "000.jpg"


def test_boxes_of_text_are_fractions_of_the_picture(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.looked_at("faces", "sensitive")
    monkeypatch.setenv("PHOTOINDEX_OCR__PROVIDERS", "google_vision")
    assert album.run("ocr", "--progress", "none").code == 0
    (shown,) = album.run("show", "1", "--json").json
    (reading,) = shown["ocr"]
    assert (reading["model"], reading["picture"], reading["text"]) == ("google_vision", "preview", "Gate B22\nBoarding")
    assert reading["lines"] == [
        {"text": "Gate B22", "score": 0.9, "corners": [[0.0, 0.0], [0.45, 0.0], [0.45, 0.1], [0.0, 0.1]]},
        {"text": "Boarding", "score": 0.9, "corners": [[0.0, 0.2], [0.2, 0.2], [0.2, 0.3], [0.0, 0.3]]},
    ]


MINE = """
from photoindex.providers.base import Price
from photoindex.types import Label

class Mine:
    name = "mine"
    sends = True
    code_version = 1
    features = {"tags": ("LOOK",)}
    price = Price(2_000_000, 0, "EUR")

    def open(self, connection):
        self.runs_on = "elsewhere"
        return self

    def ask(self, jpeg, stage):
        return (Label("seen elsewhere", 0.9, 0.9),)

MINE = Mine()
"""


def test_a_service_of_another_package_keeps_to_the_same_rules_and_a_budget_of_its_own(
    album: Album, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine_of_tests.py").write_text(MINE)
    (tmp_path / "mine_of_tests-1.0.dist-info").mkdir()
    (tmp_path / "mine_of_tests-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n"
    )
    (tmp_path / "mine_of_tests-1.0.dist-info" / "entry_points.txt").write_text(
        "[photoindex.providers]\nmine = mine_of_tests:MINE\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PHOTOINDEX_TAGS__PROVIDERS", "mine")
    assert b'providers.allowed = ["mine"]' in album.run(*TAGS).err
    monkeypatch.setenv("PHOTOINDEX_ALLOW_NETWORK", "true")
    monkeypatch.setenv("PHOTOINDEX_PROVIDERS__ALLOWED", "mine")
    assert "kept back: 3 pictures: not done yet: faces" in first_words(album.run(*TAGS).err)
    album.looked_at("faces", "sensitive")
    monkeypatch.setenv("PHOTOINDEX_PROVIDERS__OTHER_BUDGET", "0.005")
    ran = album.run(*TAGS)
    assert ran.code == 10
    assert "mine this month: 0.004 EUR of a budget of 0.005 EUR" in first_words(ran.err)
    assert len(album.run("search", "tag:seen elsewhere").out.splitlines()) == 2


def test_what_a_service_left_is_done_by_the_command_itself(
    album: Album, server: VisionServer, allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    album.looked_at("faces", "sensitive")
    monkeypatch.setenv("PHOTOINDEX_OCR__PROVIDERS", "google_vision")
    left = album.run("ocr", "--limit", "1", "--progress", "none")
    assert b"2 pictures left; continue with: photoindex ocr\n" in left.err
    next_steps = [line for line in album.run("status").out.decode().splitlines() if "not read for text" in line]
    assert [line.split("  ")[1] for line in next_steps] == ["photoindex ocr"]
    assert album.run("ocr", "--progress", "none").code == 0
    assert server.billed == {"TEXT_DETECTION": 3}


def test_rekognition_answers_for_every_stage_and_each_call_is_paid_for(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("boto3")
    album.looked_at("faces", "sensitive")
    with rekognition_server() as server:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret", "PHOTOINDEX_AWS_REKOGNITION__URL": server.url,
            "PHOTOINDEX_AWS_REKOGNITION__REGION": "eu-west-1", "PHOTOINDEX_AWS_REKOGNITION__MONTHLY_BUDGET": "0.01",
            "PHOTOINDEX_ALLOW_NETWORK": "true", "PHOTOINDEX_PROVIDERS__ALLOWED": "aws_rekognition",
            "PHOTOINDEX_TAGS__PROVIDERS": "aws_rekognition", "PHOTOINDEX_CAPTION__PROVIDERS": "aws_rekognition",
            "PHOTOINDEX_OCR__PROVIDERS": "aws_rekognition", "PHOTOINDEX_TAGS__SENSITIVE_PROVIDERS": "aws_rekognition",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        assert album.run(*TAGS).code == 0
        assert album.run("caption", "--progress", "none").code == 0
        assert album.run("ocr", "--progress", "none").code == 0
        assert album.run("tag", "auto", "--only", "sensitive", "--progress", "none").code == 10
        assert len(server.calls) == 10
    assert len(album.run("search", "tag:beach", 'caption:"beach dog"', 'ocr:"gate b22"').out.splitlines()) == 3
    assert len(album.run("search", "is:sensitive").out.splitlines()) == 1
    assert album.value("SELECT sum(micros) FROM ledger") == 10_000
