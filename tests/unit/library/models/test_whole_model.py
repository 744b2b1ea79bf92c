"""Pulling and installing a model that is published as one ONNX file with both towers: jina-clip-v2, here the tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.errors import LicenceNotAccepted, ModelUnavailable, UsageError
from photoindex.library.models.install import InstallRequest, InstallResult, PullRequest, install, pull
from photoindex.library.models.installed import list_models
from photoindex.models.catalog import load_catalog
from photoindex.models.weights import ModelStore
from tests.command_line import run
from tests.hub_server import Hub, running_hub
from tests.model_folders import TINY_CLIP_DIM, copy_of, repository_of
from tests.tiny_clip.scenes import Scene
from tests.tiny_model import SemanticRunner, write_scenes
from tests.whole_model import write_whole_model

pytest.importorskip("open_clip")
pytestmark = pytest.mark.slow

ID = "jina-clip-v2"
SCENES = [Scene(colour, "star", 2, "sand", "middle") for colour in ("red", "blue", "green")]
FILES = {
    "whole/onnx/model.onnx", "whole/onnx/model.onnx_data", "whole/tokenizer.json", "whole/tokenizer_config.json",
    "whole/preprocessor_config.json", "onnx/model.json", "onnx/text.onnx", "onnx/tokenizer.json", "onnx/visual.onnx",
}  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files of the repository; do not modify."""
    return write_whole_model(tmp_path_factory.mktemp("published") / "model")


@pytest.fixture
def hub(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub(**{"jinaai__jina-clip-v2": repository_of(published)}) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield running


@pytest.fixture
def runner(library_folder: Path) -> SemanticRunner:
    """Return a library whose catalogue has the shipped entry, with the size of the tiny model."""
    entry = load_catalog()[ID]
    (source,) = entry.sources
    (library_folder / "models").mkdir(parents=True)
    (library_folder / "models" / "catalog.toml").write_text(
        f'[[model]]\nid = "{ID}"\ntitle = "{entry.title}"\nlicence = "{entry.licence}"\nterms = "{entry.terms}"\n'
        f"restricted = {str(entry.restricted).lower()}\nuntested = true\ndim = {TINY_CLIP_DIM}\n"
        f'[[model.sources]]\nrepository = "{source.repository}"\nfolder = "{source.folder}"\n'
        f"needed = {list(source.needed)}\nwanted = {list(source.wanted)}\n"
    )
    return SemanticRunner(library_folder, settings={"embed.model": ID})


def pulled(runner: SemanticRunner, **request: bool) -> InstallResult:
    with runner.open() as library:
        return pull(library, PullRequest(ID, **request), runner.events.append)


def installed(runner: SemanticRunner, path: Path, **request: bool) -> InstallResult:
    with runner.open() as library:
        return install(library, InstallRequest(path, ID, **request), runner.events.append)


def found_by(
    runner: SemanticRunner, query: str, capture: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> dict[str, float]:
    """Return path -> cosine of what a search finds, best first."""
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    monkeypatch.setenv("PHOTOINDEX_EMBED__MODEL", str(runner.settings["embed.model"]))
    ran = run(capture, "search", *query.split(), "--all", "--explain", "--json")
    assert ran.code == 0, ran.err
    return {hit["path"]: hit["score"] for (whole,) in [ran.json] for hit in whole["by_meaning"]["hits"]}


def test_its_licence_is_accepted_once(hub: Hub, runner: SemanticRunner) -> None:
    with pytest.raises(LicenceNotAccepted, match="CC-BY-NC"):
        pulled(runner)
    assert hub.requests == []
    result = pulled(runner, accept_licence=True)
    assert set(result.installed.files) == FILES
    assert result.installed.revision == hub.repositories["jinaai/jina-clip-v2"].commit
    assert result.installed.locked.licence_accepted_at is not None
    hub.requests.clear()
    assert not pulled(runner).changed
    assert not pulled(runner, update=True).changed
    assert not hub.fetched("model.onnx_data")
    with runner.open() as library:
        (one,) = [one for one in list_models(library) if one.id == ID]
    assert (one.untested, one.runs_own_code) == (True, False)


def test_it_searches_as_the_model_that_it_was_made_of(
    hub: Hub,
    runner: SemanticRunner,
    tmp_path: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pulled(runner, accept_licence=True)
    other = SemanticRunner(tmp_path / "other")
    other.install()
    photos = write_scenes(tmp_path / "photos", SCENES)
    for one in (runner, other):
        assert one.scan_and_embed(tmp_path / "photos").embedded == len(photos)
    for scene, path in photos.items():
        query = f"two {scene.colour} stars"
        found, expected = (found_by(one, query, capsysbinary, monkeypatch) for one in (runner, other))
        assert next(iter(found)) == str(path)
        assert found == pytest.approx(expected, abs=1e-3)


def test_a_folder_of_it_is_installed_without_what_it_does_not_need(
    runner: SemanticRunner, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = {"torch", "open_clip", "transformers"}
    monkeypatch.setattr(
        "photoindex.models.sources.install.find_spec", lambda name: None if name in needed else object()
    )
    monkeypatch.setattr("photoindex.models.export.run.find_spec", lambda name: None if name in needed else object())
    with pytest.raises(LicenceNotAccepted):
        installed(runner, published)
    one = installed(runner, published, accept_licence=True).installed
    assert set(one.files) == FILES
    assert one.digest != installed(runner, other_weights(published, runner.folder.parent / "other")).installed.digest
    assert [found.id for found in ModelStore(runner.folder / "models").installed()] == [ID]


def other_weights(published: Path, destination: Path) -> Path:
    """Return a copy with the last number of the weights changed."""
    data = copy_of(published, destination) / "onnx" / "model.onnx_data"
    data.write_bytes(data.read_bytes()[:-4] + bytes(4))
    return destination


def test_without_the_package_onnx_the_error_says_what_to_install(
    runner: SemanticRunner, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photoindex.models.sources.install.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match=r"needs onnx, onnx_ir; run: pip install 'photoindex\[ml\]'"):
        installed(runner, published, accept_licence=True)


@pytest.mark.parametrize("name", ["tokenizer.json", "preprocessor_config.json"])
def test_an_incomplete_folder_is_refused_by_what_is_missing(
    runner: SemanticRunner, published: Path, tmp_path: Path, name: str
) -> None:
    (copy_of(published, tmp_path / "incomplete") / name).unlink()
    with pytest.raises(UsageError, match=f"has onnx/model.onnx, but no {name}; it is incomplete"):
        installed(runner, tmp_path / "incomplete", accept_licence=True)


def test_an_incomplete_copy_of_the_weights_is_refused(runner: SemanticRunner, published: Path, tmp_path: Path) -> None:
    folder = copy_of(published, tmp_path / "incomplete")
    (folder / "onnx" / "model.onnx_data").unlink()
    with pytest.raises(ModelUnavailable, match=r"needs the file model\.onnx_data beside it") as raised:
        installed(runner, folder, accept_licence=True)
    assert ".installing" not in str(raised.value)
    assert not ModelStore(runner.folder / "models").installed()
