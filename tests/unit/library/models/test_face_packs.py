"""Installing face packs: folders, ZIP archives, pulls, bundles; their licences and what is wrong with them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.errors import LicenceNotAccepted, ModelUnavailable, UsageError
from photoindex.library.models.install import InstallRequest, InstallResult, PullRequest, install, pull
from photoindex.library.models.installed import bundle, list_models, remove, verify_models
from photoindex.models.faces.description import read_face_pack
from photoindex.models.faces.pack import open_face_pack
from photoindex.models.weights import ModelStore
from tests.face_networks import write_embedder, write_insightface_pack, write_scrfd
from tests.harness import LibraryRunner
from tests.hub_server import Hub, running_hub
from tests.model_folders import repository_of
from tests.tiny_faces import DIM, write_tiny_faces

pytest.importorskip("onnx")

LICENCE = "For research only.\nDo not sell faces.\n"

CATALOG = """
[[model]]
id = "pack"
title = "A pack"
task = "faces"
dim = {dim}
input_px = 112
licence = "Own"
terms = "Ask first."
restricted = {restricted}
{more}
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face pack with a description; do not modify."""
    return write_tiny_faces(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def buffalo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack in insightface's layout; do not modify."""
    return write_insightface_pack(tmp_path_factory.mktemp("buffalo"))


@pytest.fixture
def runner(library_folder: Path) -> LibraryRunner:
    return LibraryRunner(library_folder)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield running


def write_catalog(runner: LibraryRunner, more: str, *, dim: int = 64, restricted: bool = False) -> None:
    folder = runner.folder / "models"
    folder.mkdir(parents=True, exist_ok=True)
    text = CATALOG.format(dim=dim, restricted=str(restricted).lower(), more=more)
    (folder / "catalog.toml").write_text(text)


def installed(runner: LibraryRunner, path: Path, model_id: str | None = "pack", **request: bool) -> InstallResult:
    with runner.open() as library:
        return install(library, InstallRequest(path, model_id, **request), runner.events.append)


def pulled(runner: LibraryRunner, **request: bool) -> InstallResult:
    with runner.open() as library:
        return pull(library, PullRequest("pack", **request), runner.events.append)


def nothing_was_installed(runner: LibraryRunner) -> bool:
    folder = runner.folder / "models"
    return ModelStore(folder).installed() == [] and not [path for path in folder.glob("*") if path.is_dir()]


def zipped(folder: Path, path: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for one in sorted(folder.rglob("*")):
            archive.write(one, prefix + one.relative_to(folder).as_posix())
    return path


def test_a_folder_with_a_description_is_installed_listed_verified_and_removed(
    runner: LibraryRunner, tiny: Path
) -> None:
    one = installed(runner, tiny).installed
    assert sorted(one.files) == ["detector.onnx", "embedder.onnx", "face_pack.toml"]
    assert (one.description.task, one.description.dim, one.description.input_px) == ("faces", DIM, 112)
    assert open_face_pack(one, device="cpu").dim == DIM
    with runner.open() as library:
        assert {model.id: model.dim for model in list_models(library)}["pack"] == DIM
        assert [check.problem for check in verify_models(library, "pack")] == [None, None, None]
        remove(library, "pack")
    assert nothing_was_installed(runner)


def test_a_lock_file_keeps_a_face_pack_and_an_image_and_text_model(runner: LibraryRunner, tiny: Path) -> None:
    from tests.model_folders import TINY_CLIP

    installed(runner, TINY_CLIP, "clip")
    installed(runner, tiny)
    store = ModelStore(runner.folder / "models")
    assert [(one.id, one.description.task) for one in store.installed()] == [("clip", "image-text"), ("pack", "faces")]
    assert store.get("clip").encoders.context_length == 20
    assert store.get("pack").face_pack.layout == "yunet"
    lock = json.loads((runner.folder / "models" / "lock.json").read_text())
    assert lock["schema"] == 1


def test_a_bundle_of_a_face_pack_can_be_installed(runner: LibraryRunner, tiny: Path, tmp_path: Path) -> None:
    installed(runner, tiny)
    with runner.open() as library:
        archive = bundle(library, "pack", tmp_path / "pack.tar").path
    other = LibraryRunner(tmp_path / "other")
    result = installed(other, archive, None)
    assert (result.installed.id, result.installed.description.task) == ("pack", "faces")


@pytest.mark.parametrize("prefix", ["", "antelopev2/"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_files_of_an_insightface_pack_are_recognised(
    runner: LibraryRunner, buffalo: Path, tmp_path: Path, prefix: str, packed: bool
) -> None:
    path = zipped(buffalo, tmp_path / "buffalo_l.zip", prefix) if packed else buffalo
    one = installed(runner, path).installed
    described = read_face_pack(one.folder)
    assert (described.kind, described.detector.file, described.detector.layout) == (
        "insightface", "det_10g.onnx", "scrfd",
    )  # fmt: skip
    assert described.detector.mean == (127.5,) * 3
    assert described.detector.standard_deviation == (128.0,) * 3
    assert (described.embedder.file, described.embedder.dim) == ("w600k_r50.onnx", 64)
    assert described.embedder.standard_deviation == (127.5,) * 3
    assert "face_pack.toml" in one.files


def test_an_embedder_that_normalises_its_input_itself_gets_plain_pixels(runner: LibraryRunner, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    write_scrfd(folder / "det.onnx")
    write_embedder(folder / "r100.onnx", normalises_itself=True)
    described = read_face_pack(installed(runner, folder).installed.folder)
    assert (described.embedder.mean, described.embedder.standard_deviation) == ((0.0,) * 3, (1.0,) * 3)


def test_a_pack_without_an_embedder_says_so(runner: LibraryRunner, tmp_path: Path) -> None:
    write_scrfd(tmp_path / "pack" / "det.onnx")
    with pytest.raises(ModelUnavailable, match=r"pack is no face pack: no \.onnx file in it is the embedder"):
        installed(runner, tmp_path / "pack")
    assert not ModelStore(runner.folder / "models").installed()


def test_a_description_that_names_a_missing_file_says_which(runner: LibraryRunner, tmp_path: Path) -> None:
    folder = write_tiny_faces(tmp_path / "pack")
    (folder / "embedder.onnx").unlink()
    with pytest.raises(UsageError, match=r"face_pack\.toml names embedder\.onnx, which is not in"):
        installed(runner, folder)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (f"dim = {DIM}", "dim = 64", r"embedder\.onnx gives vectors of dimension 48, but embedder.dim in face_pack\.toml says 64"),
        ('layout = "yunet"', 'layout = "scrfd"', r"detector\.onnx is not a detector of the layout scrfd: it has 12 outputs"),
        ('layout = "yunet"', 'layout = "retinaface"', r"detector\.onnx is not a detector of the layout retinaface"),
        ('layout = "yunet"', 'layout = "mtcnn"', r"face_pack\.toml cannot be used: detector\.layout"),
        ('file = "embedder.onnx"', 'file = "../x.onnx"', r"face_pack\.toml cannot be used: embedder\.file"),
        ('file = "embedder.onnx"', 'file = "detector.onnx"', r"face_pack\.toml cannot be used: .*is both"),
        ("version = 1", "version = 1\nversion = 2", r"face_pack\.toml cannot be used: Cannot overwrite"),
        (f"dim = {DIM}", f"dim = {DIM}\ninput_px = 128", r"embedder\.onnx takes 112 x 112 pixels, but embedder.input_px in face_pack\.toml says 128"),
        ("longest_px = 1024", "longest_px = 1000", r"face_pack\.toml cannot be used: detector\.longest_px"),
    ],
)  # fmt: skip
def test_a_description_that_does_not_fit_names_the_file(
    runner: LibraryRunner, tmp_path: Path, before: str, after: str, message: str
) -> None:
    folder = write_tiny_faces(tmp_path / "pack")
    text = (folder / "face_pack.toml").read_text()
    assert before in text
    (folder / "face_pack.toml").write_text(text.replace(before, after, 1))
    with pytest.raises(ModelUnavailable, match=message) as refused:
        installed(runner, folder)
    assert str(refused.value).startswith(f"{folder}/")
    assert nothing_was_installed(runner)


def test_an_archive_that_is_none_or_names_files_outside_is_refused(
    runner: LibraryRunner, buffalo: Path, tmp_path: Path
) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(UsageError, match=r"pack\.zip cannot be read: File is not a zip file"):
        installed(runner, path)
    for name in ("../outside.onnx", "/outside.onnx", "a/.hidden.onnx", "a\\..\\b.onnx"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, b"x")
        with pytest.raises(UsageError, match=r"pack\.zip is not a face pack: .* is not a plain file name"):
            installed(runner, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", b"x")
    with pytest.raises(UsageError, match=r"it has no \.onnx file"):
        installed(runner, path)
    damaged = bytearray(zipped(buffalo, path).read_bytes())
    damaged[2000:2100] = bytes(100)
    path.write_bytes(damaged)
    with pytest.raises(UsageError, match=r"pack\.zip cannot be read: .*nothing was installed"):
        installed(runner, path)
    assert nothing_was_installed(runner)


def test_a_pull_writes_the_description_that_the_catalogue_knows(hub: Hub, runner: LibraryRunner, tiny: Path) -> None:
    files = repository_of(tiny).files
    hub.repositories["someone/detector"] = _repository({"net.onnx": files["detector.onnx"], "LICENSE": b"MIT"})
    hub.repositories["someone/embedder"] = _repository({"net.onnx": files["embedder.onnx"], "LICENSE": b"Apache"})
    write_catalog(
        runner,
        """
[model.face_pack.detector]
layout = "yunet"
file = "detector/net.onnx"
colours = "BGR"
[model.face_pack.embedder]
file = "embedder/net.onnx"
dim = 48
[[model.sources]]
repository = "someone/detector"
folder = "detector"
needed = ["net.onnx"]
wanted = ["LICENSE"]
[[model.sources]]
repository = "someone/embedder"
folder = "embedder"
needed = ["net.onnx"]
wanted = ["LICENSE"]
""",
        dim=DIM,
    )
    one = pulled(runner).installed
    assert sorted(one.files) == [
        "detector/LICENSE", "detector/net.onnx", "embedder/LICENSE", "embedder/net.onnx", "face_pack.toml",
    ]  # fmt: skip
    assert read_face_pack(one.folder).detector.colours == "BGR"
    assert open_face_pack(one, device="cpu").dim == DIM
    assert not pulled(runner).changed
    assert not pulled(runner, update=True).changed


def test_a_pulled_insightface_pack_may_lie_in_folders(hub: Hub, runner: LibraryRunner, buffalo: Path) -> None:
    files = {f"models/buffalo_l/{name}": data for name, data in repository_of(buffalo).files.items()}
    hub.repositories["someone/packs"] = _repository(files)
    write_catalog(
        runner,
        """
[[model.sources]]
repository = "someone/packs"
needed = ["models/buffalo_l/det_10g.onnx", "models/buffalo_l/w600k_r50.onnx"]
""",
    )
    one = pulled(runner).installed
    assert sorted(one.files) == [
        "face_pack.toml", "models/buffalo_l/det_10g.onnx", "models/buffalo_l/w600k_r50.onnx",
    ]  # fmt: skip
    assert open_face_pack(one, device="cpu").dim == 64


def test_the_packs_own_licence_is_shown_and_accepted_once_at_a_pull(
    hub: Hub, runner: LibraryRunner, buffalo: Path
) -> None:
    files = {**repository_of(buffalo).files, "LICENSE": LICENCE.encode()}
    hub.repositories["someone/pack"] = _repository(files)
    write_catalog(
        runner,
        '[[model.sources]]\nrepository = "someone/pack"\nneeded = ["det_10g.onnx", "w600k_r50.onnx"]\nwanted = ["LICENSE"]',
        restricted=True,
    )
    with pytest.raises(LicenceNotAccepted) as raised:
        pulled(runner)
    assert raised.value.terms == "Ask first.\n\nFor research only.\nDo not sell faces."
    assert not hub.fetched(".onnx")
    one = pulled(runner, accept_licence=True).installed
    assert one.locked.licence_accepted_at
    with runner.open() as library:
        remove(library, "pack")
    assert pulled(runner).changed
    assert not pulled(runner, update=True).changed


def test_a_changed_licence_is_asked_for_again(hub: Hub, runner: LibraryRunner, buffalo: Path, tmp_path: Path) -> None:
    write_catalog(runner, '[[model.sources]]\nrepository = "someone/pack"', restricted=True)
    path = zipped(buffalo, tmp_path / "a.zip", "pack/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("pack/LICENSE.txt", LICENCE)
    with pytest.raises(LicenceNotAccepted, match="Do not sell faces"):
        installed(runner, path)
    assert installed(runner, path, accept_licence=True).installed.files["LICENSE.txt"]
    assert installed(runner, path).replaced
    other = zipped(buffalo, tmp_path / "b.zip")
    with zipfile.ZipFile(other, "a") as archive:
        archive.writestr("LICENSE.txt", "Pay \x1b[2J first.")
    with pytest.raises(LicenceNotAccepted, match=r"Pay .*first") as raised:
        installed(runner, other)
    assert "\x1b" not in str(raised.value)


def _repository(files: dict[str, bytes]):
    from tests.hub_server import Repository

    return Repository(files)
