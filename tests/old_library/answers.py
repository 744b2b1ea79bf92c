"""The old program's answers to a list of commands, in a form that can be compared with a newer program's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "old-library"
DATABASE, ANSWERS, MODEL_LOCK, DERIVED = "library.sql", "answers.json", "model-lock.json", "derived"
MODEL_ID = "tiny-clip"

MASKED = frozenset({
    # sentences, whose wording may improve
    "because", "error", "keep_reason", "reason", "remedy", "why", "next", "pair_reason",
    # specific to this computer and moment
    "at", "created_at", "dismissed_at", "last_seen_at", "missing_since", "saved_at", "scanned_at", "updated_at",
    "verified_at", "decode_threads", "files_per_minute", "images_per_second", "seconds", "decode_seconds",
    "infer_seconds", "read_seconds", "runs_on", "wait_seconds", "write_seconds", "disk", "identity", "label", "mount_point", "volume",
    "file_system", "program_version",
    # numbers that other versions of vector and image libraries may round differently
    "fused", "likeness", "score", "share", "words_score",
    # a later schema may rewrite a saved query
    "query",
})  # fmt: skip
"""JSON keys whose values are not compared; only their presence and type are."""
ADDED = frozenset({"relevance"})
"""JSON keys that came with this version: those who read the others are not disturbed."""
LEFT_OUT = ("score", "second_score")
"""JSON keys of a photo found that this version leaves out on purpose: only `--explain` shows cosines."""


@dataclass(frozen=True)
class Question:
    """A command line with the placeholders {PHOTOS}, {BACKUPS} and {SNAPSHOT} for folders.

    held: a lock file, relative to the library, held by another process meanwhile. masked: additional keys not to compare.
    """

    argv: tuple[str, ...]
    held: str | None = None
    masked: tuple[str, ...] = ()

    @classmethod
    def of(cls, line: str, *more: str, held: str | None = None, masked: tuple[str, ...] = ()) -> Question:
        return cls((*line.split(), *more), held, masked)


QUESTIONS: dict[str, tuple[Question, ...]] = {
    "looking": (
        Question.of("status --json"),
        Question.of("scan --json"),
        Question.of("embed --json"),
        Question.of("log --json"),
        Question.of("log --changes --json -n 6", masked=("camera",)),  # folded for the index since
        Question.of("tasks --json"),
        Question.of("tasks --state quarantined --stage ingest --json"),
        Question.of("tasks --error-class not_media --json"),
        Question.of("saved --json"),
        Question.of("spaces list --json"),
        Question.of("models verify --json"),
        Question.of("events --json"),
        Question.of("why --json", "{PHOTOS}/2022/broken.png", "{PHOTOS}/2022/notes.txt", "{PHOTOS}/2022/gone.png"),
    ),
    "searching": (
        Question.of("search --json date:2021 --sort date"),
        Question.of("search --json holiday camera:old"),
        Question.of("search --json @sea"),
        Question.of("search --json place:france rating:4"),
        Question.of("search --json three red circles -n 1"),
        Question.of("search --json like:{PHOTOS}/2022/hills.png -n 1"),
        Question.of("duplicates --json"),
    ),
    "showing": (
        Question.of("show --json", "{PHOTOS}/2021/Nice/IMG_0002.png"),
        Question.of("show --json", "{PHOTOS}/2021/raw/IMG_0004.dng"),
        Question.of("show --json", "{PHOTOS}/2021/raw/IMG_0003.dng"),
        Question.of("pair explain --json", "{PHOTOS}/2021/raw/IMG_0003.dng"),
        *(
            Question.of("sql --json", f"SELECT * FROM {view} ORDER BY 1, 2 LIMIT 5")
            for view in ("v_photo", "v_file", "v_content", "v_sidecar", "v_task", "v_volume", "v_journal")
        ),
    ),
    "backups": (
        Question.of("backup make {BACKUPS} --json", masked=("bytes", "path")),
        Question.of("backup list {BACKUPS} --json", masked=("bytes", "path")),
        Question.of("backup verify {SNAPSHOT} --json", masked=("bytes", "path")),
    ),
    "failing": (
        Question.of("search --json name:nothing.png --fail-if-empty"),
        Question.of("search date:("),
        Question.of("show --json", "{PHOTOS}/2022/unknown.png"),
        Question.of("scan", "{PHOTOS}/unknown"),
        Question.of("embed --model unknown"),
        Question.of("undo 999"),
        Question.of("backup verify", "{PHOTOS}"),
        Question.of("scan", held="photoindex.lock"),
        Question.of("embed", held="embed.lock"),
        Question.of("spaces drop --yes", MODEL_ID, held="embed.lock"),
        Question.of("index rebuild", held="index.lock"),
        Question.of("backup make {BACKUPS}", held="backup.lock"),
        Question.of("models remove", MODEL_ID, held="models/models.lock"),
    ),
    "undoing": (
        Question.of("undo 2 --json"),
        Question.of("search --json date:2021-07-28 --sort date"),
        Question.of("undo 3 --json"),
        Question.of("pair explain --json", "{PHOTOS}/2021/raw/IMG_0003.dng"),
        Question.of("undo 10 --json"),
        Question.of("undo 12 --json"),
        Question.of("status --json"),
        Question.of("log --json", masked=("summary",)),
    ),
    "changing": (
        Question.of("time shift --by -2d --json", "{PHOTOS}/2021/Nice"),
        Question.of("time set --to 2022-03-06T10:00 --json", "{PHOTOS}/2022/hills.png"),
        Question.of("time reset --json", "{PHOTOS}/2021/Nice/IMG_0002.png"),
        Question.of("pair split --json", "{PHOTOS}/2021/raw/IMG_0004.dng"),
        Question.of("pair join --json", "{PHOTOS}/2022/hills.png", "{PHOTOS}/2022/hills small.png"),
        Question.of("search rating:4 --saved rated --json"),
        Question.of("saved remove rated"),
        Question.of("retry --dismiss", "{PHOTOS}/2022/empty.jpg"),
        Question.of("prune --yes --json"),
        Question.of("undo --json"),
        Question.of("log --json -n 9", masked=("summary",)),
        Question.of("log --changes --json -n 9", masked=("camera",)),  # folded for the index since
    ),
    "retrying": (
        Question.of("retry --dry-run --error-class undecodable"),
        Question.of("retry"),
        Question.of("scan --json", masked=("bytes",)),
        Question.of("tasks --state quarantined --json"),
    ),
}
"""The commands, in chapters; each chapter starts with a fresh copy of the library."""

Run = Callable[[Sequence[str]], tuple[int, bytes]]
"""Runs a command line and returns its exit code and standard output."""


def ask(chapter: str, run: Run, *, library: Path, photos: Path, backups: Path) -> list[dict[str, Any]]:
    """Run the commands of a chapter in order; return the parts of their answers to compare."""
    # What a person does once with `backup --init`; the version before knew no such marker and ignores it.
    backups.mkdir()
    (backups / "photoindex-backups.json").write_text("{}")
    answers = []
    for question in QUESTIONS[chapter]:
        snapshot = next(iter(sorted(backups.glob("photoindex-*"))), backups)
        folders = {"{PHOTOS}": photos, "{BACKUPS}": backups, "{SNAPSHOT}": snapshot}
        argv = list(question.argv)
        for name, folder in folders.items():
            argv = [word.replace(name, str(folder)) for word in argv]
        with _held(library, question.held):
            code, out = run(argv)
        printed = out.decode().replace(str(photos), "{PHOTOS}").replace(str(library), "{LIBRARY}")
        value = _masked(_parsed(printed), MASKED | set(question.masked)) if "--json" in question.argv else None
        answers.append({"argv": list(question.argv), "held": question.held, "code": code, "json": value})
    return answers


def expected_now(value: Any) -> Any:
    """Return recorded JSON without the keys that this version leaves out on purpose."""
    if isinstance(value, dict):
        left_out = LEFT_OUT if "score_rank" in value else ()
        return {name: expected_now(each) for name, each in value.items() if name not in left_out}
    return [expected_now(each) for each in value] if isinstance(value, list) else value


def to_json(answers: dict[str, list[dict[str, Any]]]) -> str:
    """Return the answers as JSON, one per line."""
    chapters = []
    for chapter, found in answers.items():
        lines = ",\n".join(json.dumps(answer, separators=(",", ":")) for answer in found)
        chapters.append(f"{json.dumps(chapter)}: [\n{lines}\n]")
    return "{\n" + ",\n".join(chapters) + "\n}\n"


def _held(library: Path, name: str | None) -> AbstractContextManager[object]:
    return nullcontext() if name is None else FileLock(library / name)


def _parsed(printed: str) -> list[Any]:
    """Return the values of JSON lines, or the rows of the single array that `sql` prints."""
    if printed.startswith("["):
        rows: list[Any] = json.loads(printed)
        return rows
    return [json.loads(line) for line in printed.splitlines()]


def _masked(value: Any, keys: frozenset[str], *, key: str = "") -> Any:
    if key in keys and value is not None:
        return {str: "text", list: "list", dict: "object", bool: "truth"}.get(type(value), "number")
    if isinstance(value, dict):
        return {name: _masked(each, keys, key=name) for name, each in value.items() if name not in ADDED}
    if isinstance(value, list):
        return [_masked(each, keys) for each in value]
    return value
