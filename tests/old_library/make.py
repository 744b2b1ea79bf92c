"""Creates the old library's fixture: python -m tests.old_library.make [COMMIT]

The program at that commit is extracted into a temporary folder and run there with this Python's libraries. The result is
written to tests/fixtures/old-library.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tests.old_library import answers, pictures

COMMIT = "d0ec601"
REPOSITORY = Path(__file__).resolve().parent.parent.parent
TOTAL_BYTES_MAX = 200_000
SEARCHED = "three red circles"

ACTIONS: tuple[tuple[int, str], ...] = (
    (0, "models install {CODE}/tests/fixtures/tiny-clip --id tiny-clip"),
    (0, "embed"),
    (0, "time shift {PHOTOS}/2021/Nice --by +1h30m"),
    (0, "undo"),
    (0, "pair split {PHOTOS}/2021/raw/IMG_0003.dng"),
    (0, "pair join {PHOTOS}/2021/Nice/IMG_0002.png {PHOTOS}/2022/hills.png"),
    (0, "undo"),
    (0, "search date:last-6m --saved recent"),
    (0, "search holiday format:png --saved sea"),
    (0, "search rating:4 --saved rated"),
    (0, "saved remove rated"),
    (0, "retry --dismiss {PHOTOS}/2022/words.png"),
    (0, "prune --yes"),
    (0, "undo"),
    (0, "embed"),
    (0, f"search {SEARCHED}"),
    (0, "events"),
    (100, "scan"),
)
"""Commands that a person ran after the first scan, with their exit codes."""


def main(commit: str) -> None:
    """Create the library with the program at `commit` and write the fixture."""
    with tempfile.TemporaryDirectory(prefix="old-library-") as made:
        work = Path(os.path.realpath(made))
        code, photos, library = work / "code", work / "photos", work / "library"
        _extract(commit, code)
        pictures.draw(photos)
        run = _runner(code, work, library)
        _run_actions(run, code, photos)
        answers.FIXTURE.mkdir(parents=True, exist_ok=True)
        _write_library(library, photos, work)
        results = {}
        for chapter in answers.QUESTIONS:
            copy = work / f"library-{chapter}"
            shutil.copytree(library, copy)
            backups = work / f"backups-{chapter}"
            results[chapter] = answers.ask(
                chapter, _runner(code, work, copy), library=copy, photos=photos, backups=backups
            )
        text = answers.to_json(results)
        _check_no_paths(text, work)
        (answers.FIXTURE / answers.ANSWERS).write_text(text)
    size = sum(path.stat().st_size for path in answers.FIXTURE.rglob("*") if path.is_file())
    if size > TOTAL_BYTES_MAX:
        sys.exit(f"the fixture has {size} bytes, more than {TOTAL_BYTES_MAX}")
    print(f"{size} bytes in {answers.FIXTURE}")


def _extract(commit: str, folder: Path) -> None:
    folder.mkdir()
    archive = subprocess.run(["git", "-C", REPOSITORY, "archive", commit], check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)


def _runner(code: Path, work: Path, library: Path) -> answers.Run:
    environment = {
        "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "HOME": str(work / "home"), "PYTHONPATH": str(code),
        "XDG_CACHE_HOME": str(work / "cache"), "XDG_CONFIG_HOME": str(work / "settings"), "PHOTOINDEX_LIBRARY": str(library),
    }  # fmt: skip

    def run(argv: Sequence[str]) -> tuple[int, bytes]:
        command = [sys.executable, "-m", "photoindex", *argv]
        ran = subprocess.run(command, cwd=code, env=environment, stdout=subprocess.PIPE, check=False)
        return ran.returncode, ran.stdout

    return run


def _run_actions(run: answers.Run, code: Path, photos: Path) -> None:
    def do(expected: int, line: str) -> None:
        argv = [word.replace("{CODE}", str(code)).replace("{PHOTOS}", str(photos)) for word in line.split()]
        found, _ = run(argv)
        if found != expected:
            sys.exit(f"photoindex {line}: exit code {found}, expected {expected}")

    do(100, "scan {PHOTOS}")
    os.unlink(os.path.join(os.fsencode(photos), pictures.MISSING))
    do(100, "scan")
    for expected, line in ACTIONS:
        do(expected, line)


def _write_library(library: Path, photos: Path, work: Path) -> None:
    copy = work / "copy.db"
    with closing(sqlite3.connect(library / "photoindex.db")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    with closing(sqlite3.connect(copy)) as connection:
        _make_portable(connection, photos)
        text = "\n".join(dump(connection)) + "\n"
    _check_no_paths(text, work)
    (answers.FIXTURE / answers.DATABASE).write_text(text)
    lock = (library / "models" / "lock.json").read_text().replace(str(work), "/old-library")
    (answers.FIXTURE / answers.MODEL_LOCK).write_text(lock)
    shutil.rmtree(answers.FIXTURE / answers.DERIVED, ignore_errors=True)
    shutil.copytree(library / "derived", answers.FIXTURE / answers.DERIVED, ignore=shutil.ignore_patterns("unfinished"))


def _make_portable(connection: sqlite3.Connection, photos: Path) -> None:
    """Make the photos' folder the top of a placeholder volume; `restore` fills in the real one."""
    ((mount_point,),) = connection.execute("SELECT mount_point FROM volume")
    above = os.path.relpath(photos.parent, mount_point) + "/"
    for table in ("folder", "root"):
        connection.execute(
            f"UPDATE {table} SET path = substr(path, ?) WHERE path LIKE ?", (len(above) + 1, above + "%")
        )
    connection.execute(
        "UPDATE volume SET identity = 'old-library', label = 'old-library', mount_point = '/old-library', file_system = 'ext4'"
    )
    # The vectors of calibration's texts are a cache, and half of the dump.
    connection.execute("DELETE FROM query_vector WHERE text <> ?", (SEARCHED,))
    connection.commit()


def _check_no_paths(text: str, work: Path) -> None:
    if work.name in text:
        sys.exit(f"the temporary folder {work} is in the fixture")


def dump(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the statements that recreate the database; the text index is rebuilt from its table."""
    for pragma in ("application_id", "user_version"):
        ((value,),) = connection.execute(f"PRAGMA {pragma}")
        yield f"PRAGMA {pragma} = {value};"
    yield "BEGIN;"
    objects = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    virtual = [name for _, name, sql in objects if sql.startswith("CREATE VIRTUAL TABLE")]
    shadows = tuple(f"{name}_" for name in virtual)
    tables = [
        (name, sql)
        for kind, name, sql in objects
        if kind == "table" and name not in virtual and not name.startswith(("sqlite_", *shadows))
    ]
    yield from (f"{sql};" for _, sql in tables)
    for name, _ in [*tables, ("sqlite_sequence", "")]:
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
        quoted = " || ',' || ".join(f'quote("{column}")' for column in columns)
        for (row,) in connection.execute(f'SELECT {quoted} FROM "{name}" ORDER BY rowid'):
            yield f'INSERT INTO "{name}" VALUES ({row});'
    for _, name, sql in objects:
        if name in virtual:
            yield f"{sql};"
            yield f"INSERT INTO {name} ({name}) VALUES ('rebuild');"
    yield from (f"{sql};" for kind, _, sql in objects if kind != "table")
    yield "COMMIT;"


if __name__ == "__main__":
    main(*(sys.argv[1:] or [COMMIT]))
