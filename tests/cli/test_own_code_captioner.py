"""Captioners that bring their own Python code: refused without consent, and run from the installed files alone with it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.command_line import CommandResult, run
from tests.own_code_captioner import MODELLING, with_caption, write_own_code_captioner

pytest.importorskip("torch")
pytest.importorskip("transformers")
SETTING = "PHOTOINDEX_CAPTION__TRUST_REMOTE_CODE"
COLOURS = {"red": (200, 30, 30), "green": (30, 160, 40), "blue": (30, 40, 200)}


class House:
    """A library with a red, a green and a blue photo, and a home that no model may write to."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[bytes]) -> None:
        self.folder = folder
        self._capture = capture

    def run(self, *words: str | Path) -> CommandResult:
        return run(self._capture, *words)

    def install(self, model: Path) -> CommandResult:
        return self.run("models", "install", model, "--id", "moondream2")

    def caption(self) -> CommandResult:
        return self.run("caption", "--progress", "none")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> House:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, colour in COLOURS.items():
        Image.new("RGB", (320, 240), colour).save(photos / f"{name}.jpg")
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "library"))
    house = House(tmp_path, capsysbinary)
    assert house.run("scan", photos, "--progress", "none").code == 0
    return house


@pytest.fixture
def consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "true")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Refuse every connection of this process to another host, and return what was tried."""
    tried: list[Any] = []
    before = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            tried.append(address)
            raise OSError("there is no network")
        before(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def mark(folder: Path) -> str:
    """Return code that leaves a mark when it runs."""
    return f"open({str(folder / 'ran')!r}, 'w').close()\n"


def test_without_consent_the_code_of_a_model_is_neither_installed_nor_run(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_own_code_captioner(house.folder / "model", before=mark(house.folder))
    refused = house.install(model)
    assert refused.code == 7
    assert b"would run Python code that came with it: modeling_colours.py, words.py" in refused.err
    assert b"caption.trust_remote_code = true" in refused.err
    assert not (house.folder / "ran").exists()
    assert b'"state": "by a server"' in house.run("models", "show", "moondream2", "--json").out
    monkeypatch.setenv(SETTING, "true")
    assert house.install(model).code == 0
    (house.folder / "ran").unlink()
    monkeypatch.delenv(SETTING)
    refused = house.caption()
    assert (refused.code, b"caption.trust_remote_code = true" in refused.err) == (7, True)
    assert not (house.folder / "ran").exists()


@pytest.mark.usefixtures("consent")
def test_with_consent_its_own_code_describes_photos_from_the_installed_files_alone(
    house: House, monkeypatch: pytest.MonkeyPatch, no_network: list[Any]
) -> None:
    home = house.folder / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    where = f"import os, socket\nopen({str(house.folder / 'where')!r}, 'a').write(__file__ + chr(10))\n"
    model = write_own_code_captioner(house.folder / "model", before=where)
    assert house.install(model).code == 0
    for file in model.iterdir():
        file.unlink()
    done = house.caption()
    assert done.code == 0, done.err
    assert b"captions: 3 pictures described with moondream2 (untested, by its own code) in " in done.err
    for name in COLOURS:
        (found,) = house.run("search", f"caption:{name}").out.splitlines()
        assert Path(os.fsdecode(found)).stem == name
    (listed,) = [one for one in house.run("models", "list", "--json").json if one["id"] == "moondream2"]
    assert (listed["state"], listed["used"]) == ("untested", True)
    (shown,) = house.run("models", "show", "moondream2", "--json").json
    assert {MODELLING, "words.py"} < {one["name"] for one in shown["files"]}
    assert (shown["runs_own_code"], shown["licence"]) == (True, "Apache-2.0")
    assert no_network == []
    assert not any(home.iterdir()), "the cache of transformers is not used"
    loaded = (house.folder / "where").read_text().split()
    assert len(loaded) == 2
    assert not any(Path(one).exists() for one in loaded), "the copies of the code are gone with the processes"


@pytest.mark.usefixtures("consent")
def test_code_that_was_changed_after_the_installation_is_not_run(house: House) -> None:
    assert house.install(write_own_code_captioner(house.folder / "model")).code == 0
    installed = house.folder / "library" / "models" / "moondream2" / MODELLING
    installed.write_text(mark(house.folder) + installed.read_text())
    refused = house.caption()
    assert refused.code == 7
    assert MODELLING.encode() in refused.err
    assert b"models verify moondream2" in refused.err
    assert not (house.folder / "ran").exists()


@pytest.mark.usefixtures("consent")
@pytest.mark.parametrize(
    ("code", "before", "reason"),
    [
        (None, "raise RuntimeError('made for an older library')\n", b"made for an older library"),
        (None, "import a_library_that_is_nowhere\n", b"a_library_that_is_nowhere"),
        (None, "raise SystemExit('gone')\n", b"gone"),
        (with_caption("raise ValueError('no pictures today')"), "", b"no pictures today"),
        (with_caption("return 'a picture'"), "", b'its caption() does not return {"caption": text}'),
        ("def nothing(): pass\n", "", b"ColoursConfig"),
    ],
)
def test_code_that_fails_is_not_installed_and_a_server_is_named_as_the_way_out(
    house: House, code: str | None, before: str, reason: bytes
) -> None:
    more = {} if code is None else {"code": code}
    refused = house.install(write_own_code_captioner(house.folder / "model", before=before, **more))
    assert refused.code == 7
    assert b"the own code of the model 'moondream2' fails: " in refused.err
    assert reason in refused.err
    assert b"caption.endpoint" in refused.err
    assert not (house.folder / "library" / "models" / "moondream2").exists()


@pytest.mark.usefixtures("consent")
def test_a_picture_that_the_code_fails_on_is_left_and_the_others_are_described(house: House) -> None:
    body = "assert image.getpixel((0, 0))[0] < 180, 'too red'\n        return {'caption': 'A picture, not red.'}"
    assert house.install(write_own_code_captioner(house.folder / "model", with_caption(body))).code == 0
    done = house.caption()
    assert b"captions: 2 pictures described" in done.err
    assert b"too red" in house.run("tasks", "--stage", "caption").out


@pytest.mark.usefixtures("consent")
def test_a_bundle_carries_the_code_and_is_installed_where_the_user_trusts_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.install(write_own_code_captioner(house.folder / "model")).code == 0
    bundle = house.folder / "moondream.tar"
    assert house.run("models", "bundle", "moondream2", bundle).code == 0
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(house.folder / "other"))
    assert b"--trust-remote-code" in house.run("models", "install", bundle).err
    monkeypatch.setenv(SETTING, "false")
    refused = house.run("models", "install", bundle, "--trust-remote-code")
    assert (refused.code, b"caption.trust_remote_code" in refused.err) == (7, True)
    monkeypatch.setenv(SETTING, "true")
    assert house.run("models", "install", bundle, "--trust-remote-code").code == 0
