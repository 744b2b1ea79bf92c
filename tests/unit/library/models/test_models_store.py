"""The catalogue, the lock file, and installed models whose files are checked when they are loaded."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from photoindex.errors import ConfigError, ModelUnavailable
from photoindex.library.models.install import InstallRequest, install
from photoindex.library.models.installed import list_models, model_named, remove, verify_models
from photoindex.models.catalog import load_catalog
from photoindex.models.lock import FileLock, read_lock
from photoindex.models.names import plain_name
from photoindex.models.weights import ModelStore, digest_of
from tests.harness import LibraryRunner
from tests.model_folders import TINY_CLIP, TINY_CLIP_SIZE_PX, write_catalog


@pytest.fixture
def model() -> Path:
    return TINY_CLIP


@pytest.fixture
def runner(library_folder: Path, model: Path) -> LibraryRunner:
    one = LibraryRunner(library_folder)
    with one.open() as library:
        install(library, InstallRequest(model, "tiny"))
    return one


def store(runner: LibraryRunner) -> ModelStore:
    return ModelStore(runner.folder / "models")


def test_the_shipped_catalogue_pins_no_commits() -> None:
    catalog = load_catalog()
    assert list(catalog) == [
        "clip-vit-b-32",
        "clip-vit-b-32-256",
        "clip-vit-l-14",
        "pe-core-vit-b-16",
        "mobileclip2-s2",
        "siglip2-vit-b-32-256",
        "siglip2-vit-b-16-256",
        "clip-xlm-roberta-b-32",
        "jina-clip-v2",
        "yunet-sface",
        "auraface",
        "buffalo_l",
        "antelopev2",
        "blip-image-captioning-base",
        "blip2-opt-2-7b",
        "florence-2-base",
        "florence-2-large",
        "smolvlm2-500m",
        "qwen3-vl-2b",
        "qwen3-vl-4b",
        "gemma-3n-e2b",
        "gemma-4-e2b",
        "gemma-4-e4b",
        "moondream2",
    ]
    assert [entry.id for entry in catalog.values() if entry.restricted] == [
        "mobileclip2-s2",
        "jina-clip-v2",
        "buffalo_l",
        "antelopev2",
        "blip2-opt-2-7b",
        "gemma-3n-e2b",
    ]
    assert [entry.task for entry in catalog.values()] == ["image-text"] * 9 + ["faces"] * 4 + ["captions"] * 11
    for entry in catalog.values():
        assert {source.revision for source in entry.sources} == (set() if entry.served_as else {"main"})
        assert all(
            name.endswith((".safetensors", ".bin", ".index.json"))
            for source in entry.sources
            for name in source.weights
        )


@pytest.mark.slow
def test_the_catalogue_agrees_with_open_clip() -> None:
    open_clip = pytest.importorskip("open_clip", reason="the extra `ml` is not installed")
    for entry in load_catalog().values():
        if entry.task != "image-text" or entry.architecture is None:
            continue
        config = open_clip.get_model_config(entry.architecture)
        assert config["embed_dim"] == entry.dim
        assert config["vision_cfg"]["image_size"] == entry.input_px
        tags = open_clip.list_pretrained_tags_by_model(entry.architecture)
        sources = {open_clip.get_pretrained_cfg(entry.architecture, tag).get("hf_hub", "").rstrip("/") for tag in tags}
        assert entry.sources[0].repository in sources


def test_a_users_entry_is_added_and_may_replace_a_shipped_one(tmp_path: Path) -> None:
    write_catalog(tmp_path)
    text = (tmp_path / "catalog.toml").read_text()
    (tmp_path / "catalog.toml").write_text(text + text.replace('"tiny"', '"clip-vit-b-32"'))
    catalog = load_catalog(tmp_path)
    assert len(catalog) == len(load_catalog()) + 1
    assert catalog["clip-vit-b-32"].title == "A tiny model"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dim = 64", "dim = 0", "dim"),
        ("dim = 64", "dim = 64\ndims = 64", "dims"),
        ('id = "tiny"', 'id = "../tiny"', "id"),
        ('"open_clip_config.json"', '"../../passwd"', "not a plain file name"),
        ('"someone/tiny"', '"https://example.invalid/x"', "repository"),
        ("[[model]]", "[[model", "cannot be read"),
    ],
)
def test_a_mistake_in_the_users_catalogue_is_reported_with_its_position(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    write_catalog(tmp_path)
    path = tmp_path / "catalog.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=message) as raised:
        load_catalog(tmp_path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("name", ["", ".", "..", "a/../b", "/a", "a//b", "a/", "a\\b", "a\nb", "a\0b", "é" * 200])
def test_a_name_that_could_lead_out_of_a_models_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a plain file name"):
        plain_name(name)


def test_a_model_that_is_not_installed_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="run: photoindex models pull clip-vit-b-32") as raised:
        ModelStore(tmp_path).get("clip-vit-b-32")
    assert raised.value.exit_code == 7
    with pytest.raises(ModelUnavailable, match="from your own files: photoindex models install PATH --id nothing"):
        ModelStore(tmp_path).get("nothing")


def test_an_installed_model_has_its_properties_and_the_digest_of_every_file(runner: LibraryRunner) -> None:
    one = store(runner).get("tiny")
    assert one.description.dim == 64
    assert one.encoders.context_length == 20
    assert one.encoders.preprocessing.size_px == TINY_CLIP_SIZE_PX
    assert one.encoders.preprocessing.resize == "shortest"
    assert one.encoders.tokenizer
    for name, lock in one.files.items():
        data = (one.folder / name).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (lock.sha256, lock.size_bytes)
    assert [path.name for path in one.checked("onnx/text.onnx", "onnx/model.json")] == ["text.onnx", "model.json"]


def test_the_digest_of_the_weights_does_not_depend_on_the_exporter() -> None:
    first = {
        "weights": FileLock(sha256="a" * 64, size_bytes=1),
        "onnx/text.onnx": FileLock(sha256="b" * 64, size_bytes=1),
    }
    other = {**first, "onnx/text.onnx": FileLock(sha256="c" * 64, size_bytes=1)}
    alone = {"onnx/text.onnx": first["onnx/text.onnx"]}
    assert digest_of(first) == digest_of(other)
    assert digest_of(first) != digest_of({**first, "weights": FileLock(sha256="d" * 64, size_bytes=1)})
    assert digest_of(alone) != digest_of({"onnx/text.onnx": other["onnx/text.onnx"]})


def changed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def linked(path: Path) -> None:
    elsewhere = path.parent.parent.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (changed, "has changed since"),
        (lambda path: path.write_bytes(b"short"), "has changed in size since"),
        (lambda path: path.unlink(), "has disappeared since"),
        (linked, "is no longer a regular file since"),
    ],
)
def test_a_changed_file_is_refused_when_it_is_loaded(runner: LibraryRunner, damage: Any, message: str) -> None:
    one = store(runner).get("tiny")
    damage(one.folder / "onnx" / "text.onnx")
    with pytest.raises(ModelUnavailable, match=message) as raised:
        one.checked("onnx/text.onnx")
    assert "photoindex models verify tiny" in str(raised.value)
    assert one.checked("onnx/visual.onnx")


def test_a_changed_file_explains_the_error_that_loading_it_gave(runner: LibraryRunner) -> None:
    one = store(runner).get("tiny")
    changed(one.folder / "onnx" / "text.onnx")
    with pytest.raises(ModelUnavailable, match=r"text\.onnx has changed"), one.checking("onnx/text.onnx"):
        raise RuntimeError("protobuf parsing failed")


def test_an_error_while_loading_intact_files_is_not_changed(runner: LibraryRunner) -> None:
    one = store(runner).get("tiny")
    with pytest.raises(RuntimeError, match="out of memory"), one.checking("onnx/text.onnx"):
        raise RuntimeError("out of memory")


def test_a_file_changed_while_loading_is_refused_at_the_end(runner: LibraryRunner) -> None:
    one = store(runner).get("tiny")
    changed(one.folder / "onnx" / "text.onnx")
    loaded = []
    with pytest.raises(ModelUnavailable), one.checking("onnx/text.onnx"):
        loaded.append("the block ran while the file was hashed")
    assert loaded


def test_a_file_that_is_not_part_of_the_model_is_an_error(runner: LibraryRunner) -> None:
    (runner.folder / "models" / "tiny" / "planted.bin").write_bytes(b"x")
    with pytest.raises(ModelUnavailable, match=r"has no file planted\.bin"):
        store(runner).get("tiny").checked("planted.bin")


def test_verify_reports_the_state_of_every_file(runner: LibraryRunner) -> None:
    changed(runner.folder / "models" / "tiny" / "open_clip_model.safetensors")
    with runner.open() as library:
        checks = verify_models(library)
    assert len(checks) == 7
    assert {one.name: one.problem for one in checks if one.problem} == {"open_clip_model.safetensors": "has changed"}


def test_a_removed_folder_is_detected(runner: LibraryRunner) -> None:
    shutil.rmtree(runner.folder / "models" / "tiny")
    with pytest.raises(ModelUnavailable, match="is missing; run: photoindex models install PATH --id tiny"):
        store(runner).get("tiny")


def damaged_lock(content: dict[str, Any]) -> dict[str, Any]:
    content["models"]["tiny"]["files"] |= {"../../../etc/passwd": {"sha256": "0" * 64, "size_bytes": 1}}
    return content


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[" * 100_000,
        lambda text: json.dumps({**json.loads(text), "schema": 2}),
        lambda text: json.dumps(damaged_lock(json.loads(text))),
        lambda text: text.replace('"tiny"', '"../tiny"'),
    ],
)
def test_a_damaged_lock_file_is_an_error_that_names_it(runner: LibraryRunner, damage: Any) -> None:
    path = runner.folder / "models" / "lock.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(ModelUnavailable, match=r"lock\.json"):
        store(runner).installed()
    with pytest.raises(ModelUnavailable, match=r"lock\.json"):
        store(runner).get("tiny")


def test_removing_a_model_removes_only_its_files(runner: LibraryRunner, model: Path) -> None:
    with runner.open() as library:
        install(library, InstallRequest(model, "other"))
        gone = remove(library, "tiny")
        assert [one.id for one in list_models(library) if one.installed] == ["other"]
        with pytest.raises(ModelUnavailable, match="not installed"):
            remove(library, "tiny")
    assert gone.size_bytes > 0
    assert not (runner.folder / "models" / "tiny").exists()
    assert list(read_lock(runner.folder / "models").models) == ["other"]


@pytest.mark.parametrize("model_id", ["../library", ".", "", "lock.json", "/etc"])
def test_removing_an_unknown_model_changes_nothing(runner: LibraryRunner, model_id: str) -> None:
    before = sorted(runner.folder.rglob("*"))
    with runner.open() as library, pytest.raises(ModelUnavailable):
        remove(library, model_id)
    assert set(before) <= set(runner.folder.rglob("*"))


def test_the_models_that_embed_and_faces_use_are_marked(runner: LibraryRunner) -> None:
    runner.settings["embed.model"] = "tiny"
    with runner.open() as library:
        assert [one.id for one in list_models(library) if one.used] == [
            "yunet-sface",
            "blip-image-captioning-base",
            "tiny",
        ]
        assert model_named(library, "tiny").dim == 64
        with pytest.raises(ModelUnavailable, match="no model 'none'"):
            model_named(library, "none")
