"""Installing models from this computer: folders, checkpoints and archives, valid and hostile ones."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from photoindex.errors import LicenceNotAccepted, ModelUnavailable, PhotoIndexError, StorageFull, UsageError
from photoindex.library.models.install import InstallRequest, InstallResult, install
from photoindex.library.models.installed import bundle
from photoindex.models.sources.bundle import MANIFEST_NAME
from photoindex.models.weights import ModelStore
from tests.harness import LibraryRunner
from tests.model_folders import TINY_CLIP, copy_of, write_catalog

WEIGHTS = "open_clip_model.safetensors"


@pytest.fixture
def model() -> Path:
    return TINY_CLIP


@pytest.fixture
def source(model: Path, tmp_path: Path) -> Path:
    """A copy of the model that a test may damage."""
    return copy_of(model, tmp_path / "source")


@pytest.fixture
def runner(library_folder: Path) -> LibraryRunner:
    return LibraryRunner(library_folder)


def installed(runner: LibraryRunner, path: Path, model_id: str | None = "tiny", **request: object) -> InstallResult:
    with runner.open() as library:
        return install(library, InstallRequest(path, model_id, **request), runner.events.append)  # type: ignore[arg-type]


def nothing_was_installed(runner: LibraryRunner) -> bool:
    folder = runner.folder / "models"
    return ModelStore(folder).installed() == [] and not [path for path in folder.glob("*") if path.is_dir()]


@pytest.fixture
def archive(runner: LibraryRunner, source: Path, tmp_path: Path) -> Path:
    """An archive of the model, made from another library."""
    maker = LibraryRunner(tmp_path / "maker")
    installed(maker, source)
    with maker.open() as library:
        return bundle(library, "tiny", tmp_path / "tiny.tar").path


def test_a_folder_is_copied_and_independent_of_its_source(runner: LibraryRunner, source: Path) -> None:
    result = installed(runner, source)
    shutil.rmtree(source)
    assert result.changed
    assert result.installed.revision is None
    assert len(result.installed.checked()) == 7
    assert result.installed.description.source == str(source)


def test_a_folder_with_onnx_files_alone_is_a_model(runner: LibraryRunner, source: Path) -> None:
    for path in source.iterdir():
        if path.is_file():
            path.unlink()
    assert {Path(name).parent.name for name in installed(runner, source).installed.files} == {"onnx"}


def test_only_files_that_a_model_needs_are_copied(runner: LibraryRunner, source: Path) -> None:
    (source / "modeling.py").write_text("raise SystemExit")
    (source / "README.md").write_text("hello")
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("")
    (source / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    names = set(installed(runner, source).installed.files)
    assert names == {path.relative_to(source).as_posix() for path in exported_files(source)}


def exported_files(source: Path) -> list[Path]:
    return [
        *(path for path in (source / "onnx").iterdir()),
        *(source / name for name in ("open_clip_config.json", WEIGHTS, "bpe_simple_vocab.txt.gz")),
    ]


def test_a_second_installation_replaces_the_first(runner: LibraryRunner, source: Path) -> None:
    first = installed(runner, source).installed
    (source / "tokenizer_config.json").write_text("{}")
    second = installed(runner, source)
    assert second.replaced
    assert second.installed.digest != first.digest
    assert [one.id for one in ModelStore(runner.folder / "models").installed()] == ["tiny"]
    assert not list((runner.folder / "models").glob(".*"))


def test_leftovers_of_a_killed_installation_are_removed(runner: LibraryRunner, source: Path) -> None:
    left = runner.folder / "models" / ".installing-abc"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"half")
    installed(runner, source)
    assert not left.exists()


def test_a_full_disk_at_the_end_of_an_installation_keeps_the_old_model(
    runner: LibraryRunner, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = installed(runner, source).installed

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (source / "tokenizer_config.json").write_text("{}")
    with monkeypatch.context() as patched:
        patched.setattr("photoindex.models.sources.install.write_lock", full)
        with pytest.raises(StorageFull):
            installed(runner, source)
    after = ModelStore(runner.folder / "models").get("tiny")
    assert after.digest == before.digest
    assert len(after.checked()) == 7
    assert not list((runner.folder / "models").glob(".installing-*"))


@pytest.mark.parametrize("new_one_exists", [False, True])
def test_a_model_set_aside_by_a_killed_installation_is_restored(
    runner: LibraryRunner, source: Path, tmp_path: Path, new_one_exists: bool
) -> None:
    installed(runner, source)
    models = runner.folder / "models"
    aside = models / ".installing-abc"
    aside.mkdir()
    (models / "tiny").rename(aside / "tiny")
    if new_one_exists:
        (models / "tiny").mkdir()
        (models / "tiny" / "open_clip_config.json").write_text("{}")
    other = copy_of(TINY_CLIP, tmp_path / "other")
    installed(runner, other, "other")
    assert len(ModelStore(models).get("tiny").checked()) == 7
    assert not list(models.glob(".installing-*"))


def test_a_set_aside_model_that_differs_from_the_lock_is_not_restored(runner: LibraryRunner, source: Path) -> None:
    installed(runner, source)
    models = runner.folder / "models"
    aside = models / ".installing-abc" / "tiny"
    aside.mkdir(parents=True)
    (aside / "open_clip_config.json").write_text("{}")
    installed(runner, source, "other")
    assert len(ModelStore(models).get("tiny").checked()) == 7


def test_an_installation_needs_a_name(runner: LibraryRunner, source: Path) -> None:
    with pytest.raises(UsageError, match="--id NAME"):
        installed(runner, source, None)


@pytest.mark.parametrize("name", ["../x", "X", "a b", "-x", "lock.json", "x" * 65, ".x", "é"])
def test_an_invalid_id_is_refused(runner: LibraryRunner, source: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid model id"):
        installed(runner, source, name)


def test_a_folder_with_the_id_of_a_catalogue_model_must_match_it(runner: LibraryRunner, source: Path) -> None:
    with pytest.raises(ModelUnavailable, match="'clip-vit-b-32' has 512"):
        installed(runner, source, "clip-vit-b-32")
    assert nothing_was_installed(runner)


def test_the_licence_of_a_restricted_model_must_be_accepted_here_too(runner: LibraryRunner, source: Path) -> None:
    write_catalog(runner.folder / "models", restricted=True)
    with pytest.raises(LicenceNotAccepted):
        installed(runner, source)
    assert installed(runner, source, accept_licence=True).installed.description.licence == "CC0-1.0"


def test_a_snapshot_in_the_cache_of_the_hub_is_read_through_its_links(
    runner: LibraryRunner, source: Path, tmp_path: Path
) -> None:
    blobs, snapshot = tmp_path / "models--a--b" / "blobs", tmp_path / "models--a--b" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    shutil.copytree(source, snapshot)
    (snapshot / WEIGHTS).rename(blobs / "0123")
    (snapshot / WEIGHTS).symlink_to("../../blobs/0123")
    one = installed(runner, snapshot).installed
    assert not (one.folder / WEIGHTS).is_symlink()
    assert len(one.checked()) == 7


def link_out(source: Path) -> None:
    outside = source.parent / "private"
    outside.write_text("{}")
    (source / "open_clip_config.json").unlink()
    (source / "open_clip_config.json").symlink_to(outside)


def link_folder_out(source: Path) -> None:
    (source / "onnx").rename(source.parent / "outside")
    (source / "onnx").symlink_to(source.parent / "outside")


def link_round(source: Path) -> None:
    (source / WEIGHTS).unlink()
    (source / WEIGHTS).symlink_to(WEIGHTS)


def make_pipe(source: Path) -> None:
    (source / WEIGHTS).unlink()
    os.mkfifo(source / WEIGHTS)


def make_huge(source: Path) -> None:
    with (source / "tokenizer_config.json").open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (link_out, "points outside the folder"),
        (link_folder_out, "points outside the folder"),
        (link_round, "cannot be read"),
        (make_pipe, "is not a file"),
        (make_huge, "too many for such a file"),
        (lambda source: (source / WEIGHTS).write_bytes(b"<html>not found</html>"), "not a safetensors file"),
        (lambda source: (source / WEIGHTS).write_bytes(b""), "not a safetensors file"),
        (lambda source: os.truncate(source / WEIGHTS, 100), "not a safetensors file"),
        (lambda source: (source / "onnx" / "text.onnx").unlink(), r"no onnx/text\.onnx; it is incomplete"),
        (lambda source: (source / "onnx" / "text.onnx").write_bytes(b"no onnx"), r"text\.onnx"),
        (lambda source: (source / "onnx" / "tokenizer.json").write_bytes(b"{}"), "tokenizer"),
        (lambda source: (source / "onnx" / "model.json").write_bytes(b"[]"), r"model\.json cannot be used"),
        (lambda source: (source / "onnx" / "model.json").write_bytes(b"\xff" * 100), r"model\.json cannot be used"),
        (lambda source: shutil.copy(source / "onnx" / "visual.onnx", source / "onnx" / "text.onnx"), "does not run"),
        (shutil.rmtree, "does not exist"),
        (lambda source: [path.unlink() for path in source.rglob("*") if path.is_file()], "is not a model"),
    ],
)
def test_a_hostile_or_broken_folder_is_refused_and_leaves_nothing(
    runner: LibraryRunner, source: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(source)
    with pytest.raises((UsageError, ModelUnavailable), match=message):
        installed(runner, source)
    assert nothing_was_installed(runner)


def test_a_failed_installation_keeps_the_old_model(runner: LibraryRunner, source: Path) -> None:
    before = installed(runner, source).installed
    (source / "onnx" / "text.onnx").write_bytes(b"no onnx")
    with pytest.raises(ModelUnavailable):
        installed(runner, source)
    after = ModelStore(runner.folder / "models").get("tiny")
    assert after.digest == before.digest
    assert len(after.checked()) == 7


def test_without_torch_the_error_for_weights_to_export_says_what_to_install(
    runner: LibraryRunner, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(source / "onnx")
    monkeypatch.setattr("photoindex.models.sources.install.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'photoindex\[ml\]'"):
        installed(runner, source)
    assert nothing_was_installed(runner)


def test_a_full_disk_is_detected_before_anything_is_copied(
    runner: LibraryRunner, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("photoindex.models.sources.local.shutil.disk_usage", lambda path: usage)
    with pytest.raises(StorageFull):
        installed(runner, source)
    assert nothing_was_installed(runner)


def test_a_checkpoint_needs_an_architecture_or_configuration(runner: LibraryRunner, source: Path) -> None:
    with pytest.raises(UsageError, match="--architecture NAME"):
        installed(runner, source / WEIGHTS)
    with pytest.raises(UsageError, match="--architecture NAME"):
        installed(runner, source / WEIGHTS, architecture="ViT-B-32", config=source / "open_clip_config.json")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.pkl", b"\x80\x04.", "not a weights file"),
        ("model.onnx", b"\x08\x08", "not a weights file"),
        ("model.pt", b"#!/bin/sh", "not a weights file written by torch"),
        ("model.safetensors", b"PK\x03\x04 and more", "not a safetensors file"),
    ],
)
def test_a_checkpoint_of_another_kind_is_refused(
    runner: LibraryRunner, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        installed(runner, tmp_path / name, architecture="ViT-B-32")


@pytest.mark.slow
def test_a_checkpoint_that_would_run_code_when_it_is_read_is_refused_and_its_code_is_not_run(
    runner: LibraryRunner, source: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the extra `ml` is not installed")
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.mkdir, (str(tmp_path / "was-run"),))

    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"state_dict": Evil()}, protocol=2))
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        installed(runner, tmp_path / "evil.pt", config=source / "open_clip_config.json")
    assert not (tmp_path / "was-run").exists()
    assert nothing_was_installed(runner)


@pytest.mark.parametrize("name", ["tiny.tar", "tiny.tar.zst"])
def test_an_archive_installs_a_model_in_another_library(
    runner: LibraryRunner, source: Path, tmp_path: Path, name: str
) -> None:
    maker = LibraryRunner(tmp_path / "maker")
    first = installed(maker, source).installed
    with maker.open() as library:
        made = bundle(library, "tiny", tmp_path / name)
    assert made.size_bytes == (tmp_path / name).stat().st_size
    second = installed(runner, tmp_path / name, None).installed
    assert second.id == "tiny"
    assert second.digest == first.digest
    assert second.files == first.files
    assert len(second.checked()) == 7


def test_an_archive_never_overwrites_a_file(runner: LibraryRunner, source: Path, tmp_path: Path) -> None:
    installed(runner, source)
    (tmp_path / "there.tar").write_bytes(b"precious")
    with runner.open() as library:
        with pytest.raises(UsageError, match="exists already"):
            bundle(library, "tiny", tmp_path / "there.tar")
        with pytest.raises(UsageError, match="there is no folder"):
            bundle(library, "tiny", tmp_path / "nowhere" / "x.tar")
        with pytest.raises(ModelUnavailable, match="photoindex models pull clip-vit-b-32"):
            bundle(library, "clip-vit-b-32", tmp_path / "x.tar")
    assert (tmp_path / "there.tar").read_bytes() == b"precious"


def test_a_changed_model_is_not_bundled(runner: LibraryRunner, source: Path, tmp_path: Path) -> None:
    path = installed(runner, source).installed.folder / "onnx" / "text.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with runner.open() as library, pytest.raises(ModelUnavailable, match="photoindex models verify tiny"):
        bundle(library, "tiny", tmp_path / "tiny.tar")
    assert not list(tmp_path.glob("*tiny.tar*"))


def test_an_archive_with_a_restricted_licence_asks_on_each_computer(
    runner: LibraryRunner, source: Path, tmp_path: Path
) -> None:
    maker = LibraryRunner(tmp_path / "maker")
    write_catalog(maker.folder / "models", restricted=True)
    installed(maker, source, accept_licence=True)
    with maker.open() as library:
        archive = bundle(library, "tiny", tmp_path / "tiny.tar").path
    with pytest.raises(LicenceNotAccepted):
        installed(runner, archive, None)
    assert installed(runner, archive, None, accept_licence=True).changed


Members = list[tuple[tarfile.TarInfo, bytes]]


def rewritten(archive: Path, change: Callable[[Members], Members]) -> Path:
    """Rewrite an archive with changed members."""
    with tarfile.open(archive) as opened:
        members = [(member, opened.extractfile(member).read()) for member in opened]  # type: ignore[union-attr]
    with tarfile.open(archive, "w") as opened:
        for member, data in change(members):
            opened.addfile(member, io.BytesIO(data))
    return archive


def renamed(member: tarfile.TarInfo, name: str) -> tarfile.TarInfo:
    return member.replace(name=name, deep=False)


def with_link(members: Members) -> Members:
    link = tarfile.TarInfo(members[1][0].name)
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return [members[0], (link, b""), *members[2:]]


def other_content(members: Members) -> Members:
    member, data = members[-1]
    return [*members[:-1], (member, data[:-1] + bytes([data[-1] ^ 1]))]


def other_manifest(**change: object) -> Callable[[Members], Members]:
    def write(members: Members) -> Members:
        content = json.loads(members[0][1]) | change
        data = json.dumps(content).encode()
        member = tarfile.TarInfo(MANIFEST_NAME)
        member.size = len(data)
        return [(member, data), *members[1:]]

    return write


def extra(name: str) -> Callable[[Members], Members]:
    def add(members: Members) -> Members:
        member = tarfile.TarInfo(name)
        member.size = 4
        return [*members, (member, b"evil")]

    return add


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda members: [members[0], (renamed(members[1][0], "../../evil"), members[1][1]), *members[2:]],
            "unexpected file",
        ),
        (
            lambda members: [members[0], (renamed(members[1][0], "/tmp/evil"), members[1][1]), *members[2:]],
            "unexpected file",
        ),
        (extra("evil.py"), "unexpected file"),
        (extra("../evil"), "unexpected file"),
        (with_link, "unexpected file"),
        (lambda members: [*members, members[-1]], "unexpected file"),
        (other_content, "SHA-256"),
        (lambda members: members[:-1], "is missing"),
        (lambda members: members[1:], "is not a model archive"),
        (other_manifest(schema=2), "schema"),
        (other_manifest(id="../evil"), "id"),
        (other_manifest(model={}), "model"),
    ],
)
def test_a_hostile_or_damaged_archive_is_refused_and_leaves_nothing(
    runner: LibraryRunner, archive: Path, change: Callable[[Members], Members], message: str
) -> None:
    rewritten(archive, change)
    with pytest.raises(UsageError, match=message):
        installed(runner, archive, None)
    assert nothing_was_installed(runner)
    assert not list(archive.parent.glob("evil*"))


def test_an_archive_with_paths_outside_its_folder_is_refused(runner: LibraryRunner, archive: Path) -> None:
    def change(members: Members) -> Members:
        content = json.loads(members[0][1])
        files = content["model"]["files"]
        files["../../evil"] = files.pop(members[1][0].name)
        changed = other_manifest(**content)(members)
        return [changed[0], (renamed(members[1][0], "../../evil"), members[1][1]), *members[2:]]

    with pytest.raises(UsageError, match="not a plain file name"):
        installed(runner, rewritten(archive, change), None)


def with_files(*names: str) -> Callable[[dict[str, object]], dict[str, object]]:
    lock = {"sha256": "0" * 64, "size_bytes": 4}
    return lambda model: model | {"files": {**model["files"], **dict.fromkeys(names, lock)}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_files(".x"), "not a plain file name"),
        (with_files(".x/y"), "not a plain file name"),
        (with_files("a/.y"), "not a plain file name"),
        (with_files("a", "a/b"), "'a' cannot be both a file and the folder of 'a/b'"),
        (lambda model: model | {"title": "\x1b[31mred"}, "not printable"),
        (lambda model: model | {"terms": "one\ntwo\x1b]0;title\x07"}, "not printable"),
        (lambda model: model | {"licence": "MIT\u202egpj"}, "not printable"),
        (lambda model: model | {"revision": "\x1b[32mrevision"}, "model.revision"),
        (lambda model: model | {"also": {"\x1b[33mx": "0" * 40}}, "model.also"),
    ],
)
def test_an_archive_with_ambiguous_or_hostile_names_is_refused(
    runner: LibraryRunner, archive: Path, change: Callable[[dict[str, object]], dict[str, object]], message: str
) -> None:
    def write(members: Members) -> Members:
        return other_manifest(model=change(json.loads(members[0][1])["model"]))(members)

    with pytest.raises(UsageError, match=message):
        installed(runner, rewritten(archive, write), None)
    assert nothing_was_installed(runner)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9])
@pytest.mark.parametrize("zstd", [False, True])
def test_a_truncated_archive_is_refused(runner: LibraryRunner, archive: Path, share: float, zstd: bool) -> None:
    data = archive.read_bytes()
    if zstd:
        data = zstandard.ZstdCompressor().compress(data)
    archive.write_bytes(data[: int(len(data) * share)])
    with pytest.raises((UsageError, PhotoIndexError)) as raised:
        installed(runner, archive, None)
    assert raised.value.exit_code == 2
    assert nothing_was_installed(runner)


def test_an_archive_that_unpacks_to_more_than_it_states_is_stopped(runner: LibraryRunner, tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 4 << 30
    bomb = tmp_path / "bomb.tar.zst"
    with bomb.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as writer:
        writer.write(header.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(64):
            writer.write(bytes(1 << 20))
    with pytest.raises(UsageError, match="is not a model archive"):
        installed(runner, bomb, None)


def test_an_archive_with_code_needs_the_users_trust(runner: LibraryRunner, archive: Path) -> None:
    def change(members: Members) -> Members:
        content = json.loads(members[0][1])
        content["model"]["files"]["evil.py"] = {"sha256": "0" * 64, "size_bytes": 4}
        return other_manifest(**content)(members)

    with pytest.raises(UsageError, match=r"contains code, evil\.py, that its manifest does not declare"):
        installed(runner, rewritten(archive, change), None)


@pytest.mark.parametrize("trust", [False, True])
def test_trust_in_an_archives_manifest_is_not_the_users_consent(
    runner: LibraryRunner, archive: Path, trust: bool
) -> None:
    def change(members: Members) -> Members:
        content = json.loads(members[0][1])
        content["model"]["trust_remote_code"] = True
        return other_manifest(**content)(members)

    result = installed(runner, rewritten(archive, change), None, trust_remote_code=trust)
    assert result.installed.locked.trust_remote_code is trust
