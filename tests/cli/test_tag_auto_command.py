"""`photoindex tag auto`: output, options, exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from photoindex.library.words.tagging.auto import WORKS
from tests.command_line import CommandResult, run
from tests.tiny_clip.scenes import Scene
from tests.tiny_model import SemanticRunner, write_scenes


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SemanticRunner:
    """Two embedded pictures, one of a red circle on grass, and a vocabulary of three terms."""
    terms = tmp_path / "tags.txt"
    terms.write_text("shapes/circle\nground/grass\ndog\n")
    runner = SemanticRunner(tmp_path / "library", settings={"tags.vocabulary": str(terms)})
    scenes = [Scene("red", "circle", 1, "grass", "middle"), Scene("blue", "star", 3, "sand", "left")]
    write_scenes(tmp_path / "photos", scenes)
    runner.scan(tmp_path / "photos")
    runner.install()
    runner.embed()
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    monkeypatch.setenv("PHOTOINDEX_TAGS__VOCABULARY", str(terms))
    return runner


def tag_auto(capture: pytest.CaptureFixture[bytes], *words: str) -> CommandResult:
    return run(capture, "tag", "auto", "--only", "tags", "--progress", "none", *words)


def test_it_says_how_many_labels_how_many_pictures_got(
    runner: SemanticRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    dry = tag_auto(capsysbinary, "--dry-run")
    assert (dry.code, dry.err) == (0, b"tags: would look at 2 pictures with tiny-clip\n")
    assert runner.value("SELECT count(*) FROM task WHERE stage = 'tags'") == 0
    ran = tag_auto(capsysbinary)
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err.startswith(b"tags: 2 labels in 2 pictures with tiny-clip in ")
    assert tag_auto(capsysbinary).err == b"tags: nothing to do: tiny-clip has labelled every picture that it can\n"


def test_stages_without_a_model_are_named_before_the_others_run_and_at_the_end(
    runner: SemanticRunner, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WORKS, "sensitive", lambda _library: [])  # which is installed with its extra alone
    lines = run(capsysbinary, "tag", "auto").err.decode().splitlines()
    assert [line.partition(" no model")[0] for line in lines[:2]] == [
        "objects: will not run:",
        "labels: will not run:",
    ]
    assert 'name the TOML file of one of the kind "objects" in the setting tags.models' in lines[0]
    assert "loading tiny-clip ..." in lines[2:]
    assert [line.partition(" no model")[0] for line in lines[-2:]] == ["objects: not run:", "labels: not run:"]
    runner_without_vectors = run(capsysbinary, "spaces", "drop", "tiny-clip", "--yes")
    assert runner_without_vectors.code == 0
    refused = tag_auto(capsysbinary)
    assert (refused.code, b"found in their vectors; run: photoindex embed" in refused.err) == (7, True)


def test_json_is_one_documented_object(runner: SemanticRunner, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (found,) = tag_auto(capsysbinary, "--json").json
    (stage,) = found["runs"]
    assert (found["schema"], found["missing"], found["remarked"]) == (1, {}, 0)
    assert (stage["stage"], stage["model"], stage["pictures"], stage["labels"]) == ("tags", "tiny-clip", 2, 2)
    assert set(stage) >= {"hidden", "without", "threshold", "pending", "quarantined", "images_per_second", "seconds"}


def test_the_threshold_is_a_setting_with_a_plain_name_in_the_environment(
    runner: SemanticRunner, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    tag_auto(capsysbinary)
    monkeypatch.setenv("AI_CONFIDENCE_THRESHOLD", "100")
    assert b"marked again by the threshold: 1 picture\n" in tag_auto(capsysbinary).err


def test_a_time_window_that_ends_has_its_own_exit_code(
    runner: SemanticRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = tag_auto(capsysbinary, "--for", "1ms")
    assert ran.code == 75
    assert b"time is up: 2 pictures left; the next photoindex tag auto --only tags continues" in ran.err


def test_a_vocabulary_that_cannot_be_used_is_an_error_of_configuration(
    runner: SemanticRunner, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "tags.txt").write_text("dog\ncat, mouse\n")
    ran = tag_auto(capsysbinary)
    assert ran.code == 3
    assert ran.err.decode().splitlines()[-1] == "  line 2: 'cat, mouse' has a comma; write one term a line"
