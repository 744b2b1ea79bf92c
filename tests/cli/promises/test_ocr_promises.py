"""What messages promise about reading text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.promises.house import House, Prepared, promises
from tests.tiny_ocr import install_fake_tesseract, install_tiny_ocr, write_lines

PENDING = "SELECT count(*) FROM task WHERE state = 'pending'"
TEXTS = "SELECT count(*) FROM asset_text"


@pytest.fixture
def with_text(house: House, prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A library of two scanned photos with text, and networks that read it."""
    prepared.put("with text", house, _with_text)
    install_tiny_ocr(tmp_path / "packages", monkeypatch)
    return house


def _with_text(house: House) -> None:
    write_lines(house.photos / "it's a page.jpg", {(400, 400, 120): "ABBA"}, size_px=(4096, 3072))
    write_lines(house.photos / "ticket.jpg", {(100, 100, 24): "BAD"})
    house.run("scan", house.photos)


LEFT = "{} of pictures that show text not read yet; run: {}"


@promises("photoindex ocr")
def test_reading_goes_on_with_previews_and_then_with_originals(with_text: House) -> None:
    assert with_text.run(*with_text.commands("photoindex ocr", with_text.run("status"))[0], "--limit", "1")
    assert with_text.commands("photoindex ocr", with_text.run("status"))[0] == ["ocr"]
    with_text.follow(LEFT, with_text.run("ocr", "--previews-only"))
    assert with_text.rows.value("SELECT count(*) FROM task WHERE stage = 'ocr' AND state = 'done'") == 3
    with_text.follow("photoindex ocr", with_text.run("redo", "ocr"))
    assert with_text.rows.value(PENDING) == 0


@promises("photoindex ocr --language {}")
def test_reading_goes_on_in_the_languages_that_were_named(
    with_text: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_fake_tesseract(tmp_path / "bin", monkeypatch)
    said = with_text.run("ocr", "--language", "rus+eng", "--limit", "1")
    (command,) = with_text.commands("photoindex ocr --language {}", said)
    assert command == ["ocr", "--language", "rus+eng"]
    assert command in with_text.commands("photoindex ocr --language {}", with_text.run("status"))
    with_text.run(*command)
    assert with_text.rows.value(PENDING) == 0
    assert with_text.rows.value("SELECT text FROM asset_text LIMIT 1") == 'лыжи "нити'
    monkeypatch.setenv("PHOTOINDEX_OCR__LANGUAGE", "rus+eng")
    with_text.run("ocr", "--language", "auto", "--limit", "1")
    assert ["ocr", "--language", "auto"] in with_text.commands("photoindex ocr --language {}", with_text.run("status"))


@promises("or read with Tesseract: --language eng")
def test_without_the_package_tesseract_reads(with_text: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photoindex.models.ocr import rapidocr_models

    monkeypatch.setattr(rapidocr_models, "find_spec", lambda _name: None)
    install_fake_tesseract(tmp_path / "bin", monkeypatch)
    with_text.excerpt("or read with Tesseract: --language eng", with_text.run("ocr", code=7))
    with_text.run("ocr", "--language", "eng")
    assert with_text.rows.value(TEXTS) == 2
