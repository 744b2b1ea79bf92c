"""Providers in turn: `dummy`, and Google Cloud Vision on loopback, for `tag auto`, `caption` and `ocr`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.service_rows import Album, album_in
from tests.vision_server import KEY, VisionServer, vision_server


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
    assert album.run("tag", "auto", "--only", "tags", "--progress", "none").err == b"tags by dummy: nothing to send\n"


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
