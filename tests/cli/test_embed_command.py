"""`photoindex embed`: output, exit codes, and what other commands print about its tasks."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

import pytest

from photoindex.library.embed import embed
from tests.command_line import CommandResult, run
from tests.fault import faulty_encoder
from tests.harness import LibraryRunner
from tests.originals import write_photos

PHOTOS = 6


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryRunner:
    """A library of PHOTOS scanned photos and an installed made-up model, which `embed` runs."""
    write_photos(tmp_path / "photos", PHOTOS)
    runner = LibraryRunner(tmp_path / "library")
    runner.scan(tmp_path / "photos")
    faulty_encoder.install(runner.folder / "models")
    request = functools.partial(embed.EmbedRequest, open=faulty_encoder.OPENER)
    monkeypatch.setattr(embed, "EmbedRequest", request)
    monkeypatch.setenv("PHOTOINDEX_LIBRARY", str(runner.folder))
    monkeypatch.setenv("PHOTOINDEX_EMBED__MODEL", faulty_encoder.MODEL)
    return runner


def embedded(capture: pytest.CaptureFixture[bytes], *options: str) -> CommandResult:
    return run(capture, "embed", "--progress", "none", *options)


def test_embed_prints_counts_and_speed_and_with_verbose_the_time_of_each_step(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = embedded(capsysbinary, "--batch-size", "4", "--limit", "2")
    assert (ran.code, ran.out) == (0, b"")
    assert len(ran.err.splitlines()) == 2
    ran = embedded(capsysbinary, "--batch-size", "4", "--verbose")
    first, second, last = ran.err.decode().splitlines()
    assert last == "next: photoindex search WORDS (finds photos by what they show)"
    assert first.startswith("embedded: 4 pictures with made-up in ")
    assert first.endswith(" per second after the model was loaded")
    for part in ("read ", "decode ", "infer ", "on a made-up device", "write ", "the model waited", "busiest: "):
        assert part in second
    again = embedded(capsysbinary)
    assert again.err == b"nothing to embed: every preview has a vector in the space made-up\n"


def test_json_is_one_documented_object(runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (summary,) = embedded(capsysbinary, "--json", "--limit", "4", "--batch-size", "2").json
    assert summary["schema"] == 1
    assert (summary["embedded"], summary["pending"], summary["batches"]) == (4, 2, 2)
    assert (summary["model"], summary["space"], summary["active"]) == ("made-up", "made-up", True)
    assert set(summary) >= {
        "read_seconds", "decode_seconds", "infer_seconds", "write_seconds", "wait_seconds", "bottleneck",
        "images_per_second", "quarantined", "failed", "restarts", "smallest_batch", "stopped", "window_ended", "dry_run",
    }  # fmt: skip


def test_a_dry_run_prints_how_many_pictures_are_pending(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = embedded(capsysbinary, "--dry-run")
    assert (ran.code, ran.err) == (0, b"would embed 6 pictures with made-up\n")
    assert runner.value("SELECT count(*) FROM task WHERE stage = 'embed'") == 0


def test_a_time_window_that_ends_with_work_left_has_its_own_exit_code(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = embedded(capsysbinary, "--for", "1ms")
    assert ran.code == 75
    assert b"time is up: 6 pictures left; the next photoindex embed continues" in ran.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--for", "soon"), b"--for: 'soon' is not a length of time"),
        (("--device", "tpu"), b"embed.device = tpu (command line): expected one of auto, cpu, cuda, cuda:N"),
        (("--limit", "0"), b"--limit"),
    ],
)
def test_invalid_options_are_refused(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], options: tuple[str, ...], message: bytes
) -> None:
    ran = embedded(capsysbinary, *options)
    assert ran.code in (2, 3)
    assert message in ran.err


def test_a_model_that_is_not_installed_has_its_own_exit_code_and_a_one_line_error(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    ran = embedded(capsysbinary, "--model", "clip-vit-b-32")
    assert (ran.code, ran.out) == (7, b"")
    assert ran.err == (
        b"photoindex: the model 'clip-vit-b-32' is not installed; run: photoindex models pull clip-vit-b-32; "
        b"installed: made-up\n"
    )


def test_the_only_installed_model_is_used_if_the_default_is_missing_and_the_installation_says_so(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PHOTOINDEX_EMBED__MODEL")
    unseen = run(capsysbinary, "search", "brown", "dog")
    assert (unseen.code, unseen.out) == (0, b"")
    assert unseen.err == b"searching by words alone: no photos are embedded yet; run: photoindex embed\n"
    listed = run(capsysbinary, "models", "list", "--json").json
    assert [one["id"] for one in listed if one["used"] and one["task"] == "image-text"] == ["made-up"]
    (summary,) = embedded(capsysbinary, "--json", "--limit", "2").json
    assert (summary["model"], summary["embedded"]) == ("made-up", 2)


def test_several_installed_models_are_listed_if_the_default_is_not_among_them(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PHOTOINDEX_EMBED__MODEL")
    faulty_encoder.install(runner.folder / "models", "another")
    said = run(capsysbinary, "search", "a", "dog").err
    assert b"run: photoindex embed --model another (installed: another, made-up)" in said
    assert b"installed: another, made-up" in embedded(capsysbinary).err


def test_a_device_that_is_lost_repeatedly_has_its_own_exit_code(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    faulty_encoder.install(runner.folder / "models", lose_at=[1, 2, 3, 4])
    ran = embedded(capsysbinary)
    assert ran.code == 8
    assert b"Traceback" not in ran.err
    assert b"finished work is kept" in ran.err


def test_embed_tasks_why_and_status_report_a_quarantined_picture_and_retry_requeues_it(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    preview = next((runner.folder / "derived").rglob("*.preview.jpg"))
    preview.write_bytes(b"broken")
    ran = embedded(capsysbinary)
    assert ran.code == 100
    assert b"1 given up; to see why: photoindex tasks --stage embed --state quarantined" in ran.err
    listed = run(capsysbinary, "tasks", "--stage", "embed", "--state", "quarantined", "--json")
    (task,) = listed.json
    assert (task["error_class"], task["stage"]) == ("preview_damaged", "embed")
    assert "the next photoindex scan makes a new one" in task["error"]
    message = run(capsysbinary, "why", task["path"], "--json")
    (why,) = message.json
    assert why["answer"] == "done"
    assert "semantic search does not find it: embedding failed after 1 attempt: preview_damaged" in why["because"]
    assert "photoindex retry --stage embed" in why["remedy"]
    put_back = run(capsysbinary, "retry", "--stage", "embed")
    assert put_back.out == b"1 task queued again; process with: photoindex embed\n"
    whole = next(path for path in (runner.folder / "derived").rglob("*.preview.jpg") if path != preview).read_bytes()
    preview.write_bytes(whole)
    assert embedded(capsysbinary).code == 0


def test_redo_names_embed_as_the_command_for_its_tasks(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    embedded(capsysbinary)
    ran = run(capsysbinary, "redo", "embed", "id:1")
    assert ran.out == b"1 task queued again; process with: photoindex embed\n"
    assert embedded(capsysbinary).err.startswith(b"embedded: 1 picture ")


def test_status_names_embed_as_the_next_step_for_pictures_that_are_not_embedded(
    runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def steps() -> dict[str, str]:
        (found,) = run(capsysbinary, "status", "--json").json
        return {step["command"]: step["why"] for step in found["next"]}

    assert steps()["photoindex embed"].startswith("6 pictures are not embedded")
    embedded(capsysbinary, "--limit", "5")
    after = steps()
    assert after["photoindex embed"].startswith("1 picture is not embedded")
    assert "photoindex scan" not in after
    embedded(capsysbinary)
    assert "photoindex embed" not in steps()
    monkeypatch.setenv("PHOTOINDEX_MODELS_PATH", os.fspath(runner.folder / "elsewhere"))
    assert "photoindex embed" not in steps()


def test_progress_as_json_counts_pictures(runner: LibraryRunner, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    ran = run(capsysbinary, "embed", "--progress", "json")
    lines = [json.loads(line) for line in ran.err.splitlines() if line.startswith(b"{")]
    assert any(line.get("phase") == "embedding" and line.get("done") == PHOTOS for line in lines)
