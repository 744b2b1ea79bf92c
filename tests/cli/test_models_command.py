"""`photoindex models`: output, exit codes, and licences on a terminal."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from photoindex.errors import UsageError
from tests.command_line import CommandResult, run, run_on_terminal
from tests.harness import LibraryRunner
from tests.hub_server import Hub, running_hub
from tests.model_folders import TINY_CLIP, repository_of, write_catalog

Capture = pytest.CaptureFixture[bytes]


@pytest.fixture
def model() -> Path:
    return TINY_CLIP


@pytest.fixture(autouse=True)
def folder(library_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(library_folder))
    return library_folder


@pytest.fixture
def hub(model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    write_catalog(folder / "models")
    with running_hub(someone__tiny=repository_of(model)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def models(capture: Capture, *argv: str | Path) -> CommandResult:
    return run(capture, "models", *argv)


def test_the_list_needs_no_library_and_creates_none(capsysbinary: Capture, folder: Path) -> None:
    ran = models(capsysbinary, "list")
    assert (ran.code, ran.err) == (0, b"")
    assert ran.out.decode().split() == [
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
    assert not folder.exists()


def test_the_list_as_json_shows_what_is_installed_and_what_embed_and_faces_use(
    capsysbinary: Capture, model: Path
) -> None:
    assert models(capsysbinary, "install", model, "--id", "tiny").code == 0
    lines = models(capsysbinary, "list", "--json").json
    assert {line["schema"] for line in lines} == {1}
    assert [line["id"] for line in lines if line["state"] == "installed"] == ["tiny"]
    assert {line["id"] for line in lines if line["used"]} == {"tiny", "yunet-sface", "blip-image-captioning-base"}
    default = lines[0]
    assert (default["id"], default["dim"], default["size_bytes"]) == ("clip-vit-b-32", 512, None)


@pytest.mark.parametrize(
    ("locale", "model_id", "said"),
    [
        ("C", "clip-vit-b-32", b""),
        ("en_GB.UTF-8", "clip-vit-b-32", b""),
        ("de_DE.UTF-8", "siglip2-vit-b-32-256", b"for texts in German: photoindex models pull siglip2-vit-b-32-256\n"),
        ("nb_NO", "siglip2-vit-b-32-256", b"for texts in Norwegian: photoindex models pull siglip2-vit-b-32-256\n"),
        ("is_IS", "clip-xlm-roberta-b-32", b"for texts in is: photoindex models pull clip-xlm-roberta-b-32\n"),
    ],
)
def test_the_list_recommends_a_model_for_the_language_of_the_locale(
    capsysbinary: Capture, folder: Path, monkeypatch: pytest.MonkeyPatch, locale: str, model_id: str, said: bytes
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    ran = models(capsysbinary, "list", "--json")
    assert [line["id"] for line in ran.json if line["recommended"]] == [model_id]
    assert ran.err == said


def test_the_catalogue_tells_languages_and_restricted_licences(capsysbinary: Capture, folder: Path) -> None:
    lines = {line["id"]: line for line in models(capsysbinary, "list", "--json").json}
    assert {lines[name]["languages"] for name in ("clip-vit-b-32", "pe-core-vit-b-16")} == {"English"}
    assert lines["siglip2-vit-b-32-256"]["languages"] == "36 languages"
    assert lines["clip-xlm-roberta-b-32"]["languages"] == "many"
    restricted = {name for name, line in lines.items() if line["restricted"]}
    assert restricted == {"mobileclip2-s2", "jina-clip-v2", "buffalo_l", "antelopev2", "blip2-opt-2-7b", "gemma-3n-e2b"}
    assert {name for name, line in lines.items() if line["state"] == "available, untested"} == {"jina-clip-v2"}
    (shown,) = models(capsysbinary, "show", "siglip2-vit-b-32-256", "--json").json
    assert {"de", "ja", "zh"} < set(shown["language_codes"])


def test_an_installation_prints_the_command_to_embed_with_the_model(capsysbinary: Capture, model: Path) -> None:
    assert models(capsysbinary, "install", model, "--id", "tiny").err.endswith(b"; next: photoindex embed\n")
    second = models(capsysbinary, "install", model, "--id", "second")
    assert second.err.endswith(b"; next: photoindex embed --model second\n")


def test_show_prints_the_terms_and_the_checksum_of_every_file(capsysbinary: Capture, model: Path) -> None:
    models(capsysbinary, "install", model, "--id", "tiny")
    shown = models(capsysbinary, "show", "tiny")
    assert shown.code == 0
    (line,) = models(capsysbinary, "show", "tiny", "--json").json
    assert len(line["files"]) == 7
    assert all(one["sha256"].encode() in shown.out for one in line["files"])
    assert b"Free for any use" in models(capsysbinary, "show", "clip-vit-b-32").out
    assert models(capsysbinary, "show", "nothing").code == 7


def test_pull_installs_and_prints_the_next_command(capsysbinary: Capture, hub: Hub) -> None:
    ran = models(capsysbinary, "pull", "tiny", "--json")
    assert ran.code == 0
    (line,) = ran.json
    assert line["revision"] == hub.repositories["someone/tiny"].commit
    assert line["changed"]
    assert b"next: photoindex embed" in ran.err
    again = models(capsysbinary, "pull", "tiny", "--json")
    assert not again.json[0]["changed"]
    assert b"already installed" in again.err


def test_a_failed_pull_has_its_own_exit_code_and_a_one_line_error(capsysbinary: Capture, hub: Hub) -> None:
    hub.failing["safetensors"] = 500
    ran = models(capsysbinary, "pull", "tiny", "--progress", "none")
    assert (ran.code, ran.out) == (17, b"")
    assert ran.err.count(b"\n") == 1
    assert b"Traceback" not in ran.err


def test_a_missing_model_has_its_own_exit_code_and_says_what_to_run(capsysbinary: Capture, model: Path) -> None:
    models(capsysbinary, "install", model, "--id", "tiny")
    for argv in (["verify", "clip-vit-b-32"], ["bundle", "clip-vit-b-32", "x.tar"]):
        ran = models(capsysbinary, *argv)
        assert ran.code == 7
        assert b"photoindex models pull clip-vit-b-32" in ran.err
    assert models(capsysbinary, "remove", "clip-vit-b-32").code == 7


def test_verify_lists_every_file_and_fails_if_one_has_changed(capsysbinary: Capture, model: Path, folder: Path) -> None:
    models(capsysbinary, "install", model, "--id", "tiny")
    sound = models(capsysbinary, "verify", "--json")
    assert sound.code == 0
    assert len(sound.json) == 7
    assert all(line["ok"] for line in sound.json)
    (folder / "models" / "tiny" / "onnx" / "text.onnx").write_bytes(b"other")
    spoilt = models(capsysbinary, "verify", "tiny", "--json")
    assert spoilt.code == 7
    assert [(line["file"], line["state"]) for line in spoilt.json if not line["ok"]] == [
        ("onnx/text.onnx", "has changed in size")
    ]
    assert b"1 of 7 files have changed, of: tiny; reinstall with: photoindex models install PATH --id tiny" in (
        spoilt.err
    )


@pytest.mark.parametrize("how", ["shorter", "gone", "link"])
def test_the_list_marks_a_damaged_model(capsysbinary: Capture, model: Path, folder: Path, how: str) -> None:
    models(capsysbinary, "install", model, "--id", "tiny")
    changed = folder / "models" / "tiny" / "onnx" / "text.onnx"
    if how == "shorter":
        changed.write_bytes(b"other")
    elif how == "gone":
        changed.unlink()
    else:
        changed.rename(folder / "text.onnx")
        changed.symlink_to(folder / "text.onnx")
    ran = models(capsysbinary, "list", "--json")
    assert [line["id"] for line in ran.json if line["state"] == "damaged"] == ["tiny"]
    assert ran.err == (b"photoindex: damaged: tiny; see: photoindex models verify\n")


def test_an_archive_must_have_a_known_suffix(capsysbinary: Capture, model: Path, tmp_path: Path) -> None:
    models(capsysbinary, "install", model, "--id", "tiny")
    ran = models(capsysbinary, "bundle", "tiny", tmp_path / "tiny.zip")
    assert ran.code == 2
    assert b"name it " + bytes(tmp_path / "tiny.tar") + b", or " + bytes(tmp_path / "tiny.tar.zst") in ran.err
    assert not list(tmp_path.glob("tiny.*"))


def test_a_bundle_is_installed_without_a_library(
    capsysbinary: Capture, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models(capsysbinary, "install", model, "--id", "tiny")
    made = models(capsysbinary, "bundle", "tiny", tmp_path / "tiny.tar.zst")
    assert made.out == bytes(tmp_path / "tiny.tar.zst") + b"\n"
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(tmp_path / "other"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert models(capsysbinary, "install", tmp_path / "tiny.tar.zst").code == 0
    assert models(capsysbinary, "verify").code == 0


def test_a_bundle_is_never_written_among_the_originals(
    capsysbinary: Capture, model: Path, folder: Path, tmp_path: Path
) -> None:
    originals = tmp_path / "originals"
    originals.mkdir()
    (originals / "note.txt").write_text("no photo")
    LibraryRunner(folder).scan(originals)
    (tmp_path / "way").symlink_to(originals)
    models(capsysbinary, "install", model, "--id", "tiny")
    for target in (originals / "tiny.tar", tmp_path / "way" / "tiny.tar"):
        ran = models(capsysbinary, "bundle", "tiny", target)
        assert ran.code == 2
        assert b"among the originals" in ran.err
    assert [path.name for path in originals.iterdir()] == ["note.txt"]


def test_removing_a_model_names_the_space_that_is_kept(capsysbinary: Capture, model: Path) -> None:
    models(capsysbinary, "install", model, "--id", "tiny")
    ran = models(capsysbinary, "remove", "tiny", "--json")
    assert ran.code == 0
    (line,) = ran.json
    assert (line["id"], line["spaces_kept"]) == ("tiny", [])
    assert b"removed tiny" in ran.err


def test_a_restrictive_licence_must_be_accepted_explicitly(capsysbinary: Capture, model: Path, folder: Path) -> None:
    write_catalog(folder / "models", restricted=True, terms="Not for people who sell things.")
    ran = models(capsysbinary, "install", model, "--id", "tiny")
    assert ran.code == 2
    assert b"Not for people who sell things." in ran.err
    assert b"--accept-licence" in ran.err
    assert models(capsysbinary, "install", model, "--id", "tiny", "--accept-licence").code == 0
    (line,) = models(capsysbinary, "show", "tiny", "--json").json
    assert line["licence_accepted_at"]


@pytest.mark.parametrize(("answer", "code", "there"), [(b"n\n", 2, False), (b"y\n", 0, True)])
def test_a_licence_is_shown_for_acceptance_on_a_terminal(
    model: Path, folder: Path, answer: bytes, code: int, there: bool
) -> None:
    write_catalog(folder / "models", restricted=True, terms="Not for people who sell things.")
    ran = run_on_terminal("models", "install", model, "--id", "tiny", answer=answer)
    assert ran.code == code, ran.out
    assert b"Not for people who sell things." in ran.out
    assert b"Accept this licence?" in ran.out
    assert (folder / "models" / "tiny").exists() == there


def test_the_list_on_a_terminal_is_a_table() -> None:
    ran = run_on_terminal("models", "list")
    assert b"clip-vit-b-32" in ran.out
    assert b"licence" in ran.out
    assert b"~600 MB" in ran.out


def test_hostile_text_in_a_lock_file_is_escaped(capsysbinary: Capture, model: Path, folder: Path) -> None:
    models(capsysbinary, "install", model, "--id", "tiny")
    path = folder / "models" / "lock.json"
    lock = json.loads(path.read_text())
    lock["models"]["tiny"]["title"] = "\x1b[2Jgone"
    path.write_text(json.dumps(lock))
    assert b"\x1b[2J" not in models(capsysbinary, "show", "tiny").out
    assert b"\x1b[2J" not in run_on_terminal("models", "list").out


def test_hostile_text_in_an_archive_is_escaped(capsysbinary: Capture, model: Path, tmp_path: Path) -> None:
    models(capsysbinary, "install", model, "--id", "tiny")
    assert models(capsysbinary, "bundle", "tiny", tmp_path / "tiny.tar").code == 0
    with tarfile.open(tmp_path / "tiny.tar") as archive:
        manifest = json.loads(archive.extractfile("photoindex-model.json").read())  # type: ignore[union-attr]
    manifest["model"]["files"] = {"\x1b]0;title\x07": {"sha256": "0" * 64, "size_bytes": 1}}
    data = json.dumps(manifest).encode()
    with tarfile.open(tmp_path / "hostile.tar", "w") as archive:
        member = tarfile.TarInfo("photoindex-model.json")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    ran = models(capsysbinary, "install", tmp_path / "hostile.tar")
    assert ran.code == 2
    assert b"\\x1b]0;title\\x07" in ran.err
    assert b"\x1b" not in ran.err


def test_a_multi_line_error_keeps_its_line_breaks_and_loses_other_control_characters(
    capsysbinary: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UsageError("one\ntwo \x1b[31m\r\udce9")

    monkeypatch.setattr("photoindex.library.models.installed.list_models", fail)
    assert models(capsysbinary, "list").err == b"photoindex: one\ntwo \\x1b[31m\\r\\xe9\n"
