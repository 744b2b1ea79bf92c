"""Downloading models from a hub: a real HTTP server on loopback."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.errors import ConfigError, FetchFailed, LicenceNotAccepted, ModelUnavailable, StorageFull
from photoindex.library.models.install import InstallResult, PullRequest, pull
from photoindex.library.models.installed import remove
from photoindex.models.weights import ModelStore
from tests.harness import LibraryRunner
from tests.hub_server import Hub, running_hub
from tests.model_folders import TINY_CLIP, repository_of, write_catalog

WEIGHTS = "open_clip_model.safetensors"


@pytest.fixture
def model() -> Path:
    return TINY_CLIP


@pytest.fixture
def hub(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub(someone__tiny=repository_of(model)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        # The library writes downloads in chunks of this size; the files here are smaller than its default.
        monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 4096)
        monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
        yield running


@pytest.fixture
def runner(library_folder: Path) -> LibraryRunner:
    write_catalog(library_folder / "models")
    return LibraryRunner(library_folder)


def pulled(runner: LibraryRunner, **request: bool) -> InstallResult:
    with runner.open() as library:
        return pull(library, PullRequest("tiny", **request), runner.events.append)


def installed(runner: LibraryRunner) -> list[str]:
    return [one.id for one in ModelStore(runner.folder / "models").installed()]


def test_a_pulled_model_is_pinned_to_its_commit_and_the_checksums_of_its_files(
    hub: Hub, runner: LibraryRunner, model: Path
) -> None:
    result = pulled(runner)
    one = ModelStore(runner.folder / "models").get("tiny")
    assert result.changed
    assert one.revision == hub.repositories["someone/tiny"].commit
    assert one.description.source == "someone/tiny"
    assert one.description.dim == 64
    assert {name for name in one.files if not name.startswith("onnx/")} == {
        "open_clip_config.json", "bpe_simple_vocab.txt.gz", WEIGHTS,
    }  # fmt: skip
    for path in one.checked():
        assert path.read_bytes() == (model / path.relative_to(one.folder)).read_bytes()
    assert not list((runner.folder / "models").glob(".*/*"))


def test_every_file_is_requested_at_the_commit_that_was_resolved_first(hub: Hub, runner: LibraryRunner) -> None:
    pulled(runner)
    commit = hub.repositories["someone/tiny"].commit
    asked = [one.path for one in hub.requests if "/resolve/" in one.path]
    assert asked
    assert all(f"/resolve/{commit}/" in path for path in asked)


def test_a_second_pull_fetches_nothing(hub: Hub, runner: LibraryRunner) -> None:
    pulled(runner)
    hub.requests.clear()
    assert not pulled(runner).changed
    assert hub.requests == []
    assert not pulled(runner, update=True).changed
    assert [one.path for one in hub.requests if "/api/" not in one.path] == []


def test_an_interrupted_download_is_resumed(hub: Hub, runner: LibraryRunner) -> None:
    hub.cuts[WEIGHTS] = [100_000, 50_000]
    assert pulled(runner).changed
    starts = [one.start for one in hub.fetched(WEIGHTS) if one.path.startswith("/cdn/")]
    assert starts[0] is None
    assert 0 < (starts[1] or 0) <= 100_000 < (starts[2] or 0) <= 150_000


def test_a_partial_download_is_kept_and_resumed_by_the_next_pull(hub: Hub, runner: LibraryRunner) -> None:
    hub.cuts[WEIGHTS] = [100_000, 0, 0, 0, 0, 0, 0]
    with pytest.raises(FetchFailed, match="run it again to resume"):
        pulled(runner)
    assert installed(runner) == []
    hub.cuts.clear()
    hub.requests.clear()
    assert pulled(runner).changed
    (begun,) = (one.start for one in hub.fetched(WEIGHTS) if one.path.startswith("/cdn/"))
    assert 90_000 < (begun or 0) <= 100_000
    assert not hub.fetched("open_clip_config.json")


def test_without_range_requests_a_download_restarts_from_the_beginning(hub: Hub, runner: LibraryRunner) -> None:
    hub.cuts[WEIGHTS] = [100_000]
    hub.ranges = False
    pulled(runner)
    assert len(ModelStore(runner.folder / "models").get("tiny").checked()) == 7


@pytest.mark.parametrize("name", [WEIGHTS, "open_clip_config.json"])
def test_a_file_with_the_wrong_checksum_is_refused(hub: Hub, runner: LibraryRunner, name: str) -> None:
    repository = hub.repositories["someone/tiny"]
    data = repository.files[name]
    repository.sent[name] = data[:-1] + bytes([data[-1] ^ 1])
    with pytest.raises(FetchFailed, match=f"{name} of someone/tiny arrived with"):
        pulled(runner)
    assert installed(runner) == []
    assert not (runner.folder / "models" / "tiny").exists()
    repository.sent.clear()
    assert pulled(runner).changed


def test_a_file_longer_than_announced_is_refused_and_not_resumed(hub: Hub, runner: LibraryRunner) -> None:
    repository = hub.repositories["someone/tiny"]
    repository.sent[WEIGHTS] = repository.files[WEIGHTS] + b"more"
    with pytest.raises(FetchFailed, match="more of"):
        pulled(runner)
    repository.sent.clear()
    assert pulled(runner).changed


def test_a_damaged_file_is_fetched_again_and_the_others_are_not(hub: Hub, runner: LibraryRunner) -> None:
    damaged = pulled(runner).installed.folder / "onnx" / "text.onnx"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    hub.requests.clear()
    result = pulled(runner)
    assert result.changed
    assert result.replaced
    assert {one.path for one in hub.requests if one.path.startswith("/cdn/")} == {"/cdn/someone/tiny/onnx/text.onnx"}
    assert len(result.installed.checked()) == 7


def test_an_installed_model_stays_at_its_commit_until_an_update_is_requested(
    hub: Hub, runner: LibraryRunner, model: Path
) -> None:
    first = pulled(runner).installed
    old = hub.repositories["someone/tiny"]
    new = repository_of(model)
    new.files["bpe_simple_vocab.txt.gz"] += b"\0"
    new.__post_init__()
    new.commit = "b" * 40
    hub.repositories["someone/tiny"] = new
    assert not pulled(runner).changed
    (runner.folder / "models" / "tiny" / "onnx" / "text.onnx").unlink()
    with pytest.raises(FetchFailed, match="use --update for the current one"):
        pulled(runner)
    assert ModelStore(runner.folder / "models").get("tiny").revision == old.commit
    updated = pulled(runner, update=True)
    assert updated.replaced
    assert updated.installed.revision == "b" * 40
    assert updated.installed.digest != first.digest


def test_code_of_a_repository_is_downloaded_only_with_trust(hub: Hub, runner: LibraryRunner) -> None:
    write_catalog(runner.folder / "models", wanted=("*",))
    files = hub.repositories["someone/tiny"].files
    files |= {"modeling.py": b"raise SystemExit", "weights.pkl": b"\x80\x04."}
    plain = pulled(runner).installed
    assert not {"modeling.py", "weights.pkl"} & set(plain.files)
    assert not plain.locked.trust_remote_code
    trusting = pulled(runner, trust_remote_code=True).installed
    assert "modeling.py" in trusting.files
    assert "weights.pkl" not in trusting.files
    assert trusting.locked.trust_remote_code


def test_weights_of_an_unsafe_kind_are_refused(hub: Hub, runner: LibraryRunner) -> None:
    catalog = runner.folder / "models" / "catalog.toml"
    catalog.write_text(catalog.read_text().replace(WEIGHTS, "model.pkl"))
    hub.repositories["someone/tiny"].files["model.pkl"] = b"\x80\x04."
    with pytest.raises(FetchFailed, match=r"model\.pkl of someone/tiny is not a kind of weights that is safe to read"):
        pulled(runner)
    assert not hub.fetched("model.pkl")


def test_names_outside_the_folder_are_never_downloaded(hub: Hub, runner: LibraryRunner) -> None:
    write_catalog(runner.folder / "models", wanted=("*",))
    hub.repositories["someone/tiny"].files |= {
        "../../escaped.json": b"{}",
        "/etc/escaped.json": b"{}",
        "a\nb.json": b"",
    }
    one = pulled(runner).installed
    assert not [name for name in one.files if "escaped" in name or "\n" in name]
    assert not list(runner.folder.parent.rglob("escaped*"))


def test_a_required_file_missing_from_the_repository_is_named(hub: Hub, runner: LibraryRunner) -> None:
    del hub.repositories["someone/tiny"].files["open_clip_config.json"]
    with pytest.raises(FetchFailed, match=r"someone/tiny has no open_clip_config\.json at commit"):
        pulled(runner)


def test_the_error_for_a_missing_or_private_repository_says_how_to_log_in(hub: Hub, runner: LibraryRunner) -> None:
    hub.repositories.clear()
    with pytest.raises(FetchFailed, match="HF_TOKEN"):
        pulled(runner)


def test_the_error_for_a_gated_repository_says_where_to_accept_its_terms(hub: Hub, runner: LibraryRunner) -> None:
    hub.repositories["someone/tiny"].gated = True
    with pytest.raises(FetchFailed, match="accepting its terms at http://127"):
        pulled(runner)


def test_a_server_error_is_reported_with_its_answer(hub: Hub, runner: LibraryRunner) -> None:
    hub.failing[WEIGHTS] = 503
    with pytest.raises(FetchFailed, match=f"answered 503 for {WEIGHTS}"):
        pulled(runner)
    assert installed(runner) == []


def test_a_hub_that_cannot_be_reached_is_named(runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as result:
        # Bound but not listening: connections are refused, and no other process can use the port.
        result.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{result.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(FetchFailed, match=f"could not be downloaded from {address}"):
            pulled(runner)


@pytest.mark.parametrize("address", ["ftp://example.invalid", "huggingface.co", "http://"])
def test_an_invalid_endpoint_is_a_configuration_error(
    runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(ConfigError, match="HF_ENDPOINT"):
        pulled(runner)


def test_the_users_token_is_sent_to_the_hub(hub: Hub, runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_something")
    pulled(runner)
    assert {one.authorization for one in hub.requests if "/api/" in one.path} == {"Bearer hf_something"}
    lock = (runner.folder / "models" / "lock.json").read_text()
    assert "hf_something" not in lock


def test_the_users_offline_setting_is_respected(
    hub: Hub, runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(FetchFailed, match="HF_HUB_OFFLINE is set"):
        pulled(runner)
    assert hub.requests == []


def test_a_restricted_licence_is_accepted_once(hub: Hub, runner: LibraryRunner) -> None:
    write_catalog(runner.folder / "models", restricted=True, terms="Not for people who sell things.")
    with pytest.raises(LicenceNotAccepted, match="Not for people who sell things"):
        pulled(runner)
    assert hub.requests == []
    assert pulled(runner, accept_licence=True).installed.locked.licence_accepted_at
    with runner.open() as library:
        remove(library, "tiny")
    assert pulled(runner).installed.locked.licence_accepted_at
    write_catalog(runner.folder / "models", restricted=True, terms="Other terms.")
    with pytest.raises(LicenceNotAccepted, match="Other terms"):
        pulled(runner)


def test_a_model_that_does_not_match_the_catalogue_is_not_installed(hub: Hub, runner: LibraryRunner) -> None:
    write_catalog(runner.folder / "models", dim=512)
    with pytest.raises(ModelUnavailable, match="the files give vectors of dimension 64, but 'tiny' has 512"):
        pulled(runner)
    assert installed(runner) == []


def test_the_error_for_an_unknown_model_says_where_the_known_ones_are(runner: LibraryRunner) -> None:
    with runner.open() as library, pytest.raises(ModelUnavailable, match="photoindex models list"):
        pull(library, PullRequest("nothing"))


def test_a_model_too_large_for_the_disk_is_refused_before_downloading(
    hub: Hub, runner: LibraryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("photoindex.models.sources.pull.shutil.disk_usage", lambda path: usage)
    with pytest.raises(StorageFull, match="nothing was downloaded"):
        pulled(runner)
    assert not hub.fetched(WEIGHTS)


def test_a_hub_response_without_commit_is_refused(hub: Hub, runner: LibraryRunner) -> None:
    hub.repositories["someone/tiny"].commit = "../../../escaped"
    with pytest.raises(FetchFailed, match="returned no commit"):
        pulled(runner)


@pytest.mark.slow
def test_weights_without_onnx_files_are_exported_when_they_are_pulled(hub: Hub, runner: LibraryRunner) -> None:
    write_catalog(runner.folder / "models", wanted=("*.txt.gz",))
    one = pulled(runner).installed
    assert {"onnx/text.onnx", "onnx/visual.onnx", "onnx/model.json", "onnx/tokenizer.json"} <= set(one.files)
    assert not hub.fetched("onnx")
    assert json.loads((one.folder / "onnx" / "model.json").read_text())["dim"] == 64
