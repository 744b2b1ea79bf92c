"""Libraries for the scenarios of promised commands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.cli.promises.house import House, Prepared
from tests.hub_server import Hub, running_hub
from tests.model_folders import TINY_CLIP, repository_of, write_catalog
from tests.tiny_model import MODEL_ID, install_tiny


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The prepared libraries of this process."""
    return Prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def house(
    prepared: Prepared,
    request: pytest.FixtureRequest,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[House]:
    """An empty house; at its end every message of the scenario has to be seen."""
    folder = prepared.base / "home"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    house = House(folder, capsysbinary)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(house.library))
    monkeypatch.setenv("PHOTOINDEX_SCAN__JOBS", "1")
    monkeypatch.setenv("PHOTOINDEX_EMBED__DEVICE", "cpu")
    monkeypatch.chdir(folder)
    yield house
    promised = set(getattr(request.function, "promises", ()))
    assert promised <= house.seen, f"never seen: {promised - house.seen}"


@pytest.fixture
def scanned(house: House, prepared: Prepared) -> House:
    """A library of three scanned photos."""
    prepared.put("scanned", house, _scan)
    return house


@pytest.fixture
def embedded(house: House, prepared: Prepared) -> House:
    """A library of three photos, embedded with the tiny model."""
    prepared.put("embedded", house, _embed)
    return house


@pytest.fixture
def installed(house: House, prepared: Prepared) -> House:
    """A library of three scanned photos, not embedded, with the tiny model installed."""
    prepared.put("installed", house, _install)
    return house


@pytest.fixture
def two_spaces(house: House, prepared: Prepared) -> House:
    """A library of three photos in two spaces: of the tiny model, which search uses, and of its copy `second`."""
    prepared.put("two spaces", house, _embed_twice)
    return house


@pytest.fixture
def hub(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the model `tiny`, which the catalogue of the house's library has."""
    write_catalog(house.library / "models")
    with running_hub(someone__tiny=repository_of(TINY_CLIP)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def _scan(house: House) -> None:
    house.write_photos("a 0.jpg", "a 1.jpg", "a 2.jpg")
    house.run("scan", house.photos)


def _install(house: House) -> None:
    _scan(house)
    install_tiny(house.library)


def _embed(house: House) -> None:
    _install(house)
    house.run("embed", "--model", MODEL_ID)


def _embed_twice(house: House) -> None:
    _embed(house)
    install_tiny(house.library, model_id="second")
    house.run("embed", "--model", "second")
