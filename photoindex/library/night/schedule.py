"""Timers that call photoindex: lines of a crontab, or timers of the user's systemd."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from photoindex.atomic_files import atomic_file
from photoindex.errors import StorageFull, UsageError
from photoindex.file_access import from_root
from photoindex.library.handle import Library
from photoindex.paths import display

Kind = Literal["systemd", "cron"]
_SECONDS = 30
_NO_CRONTAB = ("no crontab", "no such file")
"""What crontab(1) says where there is none yet: that of Debian and cronie, that of BusyBox."""


@dataclass(frozen=True, slots=True)
class Job:
    """One command and when it runs: as the first five fields of a crontab, and as OnCalendar of systemd.

    fine: exit codes that are no failure for systemd: the window closed, and some files are quarantined. catches_up: whether
    systemd runs it later where the computer was off at that time.
    """

    name: str
    what: str
    arguments: tuple[str, ...]
    cron: str
    calendar: str
    fine: str = "75 100"
    catches_up: bool = True


@dataclass(frozen=True, slots=True)
class Schedule:
    """The jobs of one library. program: how photoindex is called. library: its folder, None: the default one."""

    jobs: Sequence[Job]
    program: tuple[str, ...]
    library: Path | None

    def command(self, job: Job) -> list[str]:
        """Return the words of a job's command."""
        library = () if self.library is None else ("--library", str(self.library))
        return [*self.program, *job.arguments, *library]

    @property
    def key(self) -> str:
        """What tells the timers of this library from those of others."""
        return hashlib.sha256(os.fsencode(self.library or "")).hexdigest()[:8]


def jobs(*, until: str = "06:00", backup_to: Path | None = None) -> list[Job]:
    """Return the jobs: scan every hour, run at night, backup every day where a destination is given, verify every week."""
    found = [
        Job("scan", "find new photos", ("scan", "--quiet"), "17 * * * *", "*-*-* *:17:00"),
        # Not by day in place of the night: it would work until the next morning.
        Job(
            "run", "do what is pending", ("run", "--until", until, "--quiet"), "30 1 * * *", "*-*-* 01:30:00",
            catches_up=False,
        ),
    ]  # fmt: skip
    if backup_to is not None:
        backup = ("backup", str(from_root(backup_to)), "--quiet")
        found.append(Job("backup", "keep a snapshot of the library", backup, "45 6 * * *", "*-*-* 06:45:00"))
    verify = ("verify", "--originals", "--older-than", "30d", "--for", "2h", "--quiet")
    # Of `verify`, 100 means damage.
    found.append(Job("verify", "read originals again", verify, "30 7 * * 0", "Sun *-*-* 07:30:00", fine="75"))
    return found


def schedule_of(library: Library, *, until: str, backup_to: Path | None) -> Schedule:
    """Return the schedule of a library, with the program by its whole path: timers know no PATH. Raises UsageError."""
    for one in (library.folder, backup_to):
        if one is not None and not str(one).isprintable():
            raise UsageError(f"{display(os.fsencode(one))}: a name with control characters cannot stand in a schedule")
    program = shutil.which("photoindex")
    called = (os.path.abspath(program),) if program is not None else (sys.executable, "-m", "photoindex")
    return Schedule(jobs(until=until, backup_to=backup_to), called, library.folder)


def cron_lines(schedule: Schedule) -> list[str]:
    """Return the lines of a crontab."""
    # cron takes a bare % as the end of the line.
    return [f"{one.cron}  {shlex.join(schedule.command(one))}".replace("%", "\\%") for one in schedule.jobs]


def cron_block(schedule: Schedule) -> str:
    """Return the lines with the marks by which they are found again."""
    begin, end = _marks(schedule)
    return "\n".join([begin, *cron_lines(schedule), end]) + "\n"


def unit_files(schedule: Schedule) -> dict[str, str]:
    """Return the name and text of each unit of systemd."""
    found = {}
    for one in schedule.jobs:
        name = f"photoindex-{one.name}-{schedule.key}"
        command = " ".join(map(_systemd_word, schedule.command(one)))
        found[f"{name}.service"] = (
            f"[Unit]\nDescription=photoindex: {one.what}\n\n"
            f"[Service]\nType=oneshot\nExecStart={command}\nSuccessExitStatus={one.fine}\nNice=10\nIOSchedulingClass=idle\n"
        )
        found[f"{name}.timer"] = (
            f"[Unit]\nDescription=photoindex: {one.what}\n\n"
            f"[Timer]\nOnCalendar={one.calendar}\nPersistent={str(one.catches_up).lower()}\n\n[Install]\nWantedBy=timers.target\n"
        )
    return found


def _systemd_word(word: str) -> str:
    """Return a word quoted as systemd.service(5) reads command lines; it expands % and $ in its own way."""
    word = word.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[\w@+=:,./%$-]+", word, re.ASCII):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def usual_kind() -> Kind:
    """Return what this computer calls commands by: the user's systemd where it runs, else cron. Raises UsageError."""
    if shutil.which("systemctl") is not None and _asked_systemd().returncode == 0:
        return "systemd"
    if shutil.which("crontab") is not None:
        return "cron"
    raise UsageError(
        "neither the user's systemd nor crontab is there; to see the lines for another program: photoindex schedule show --by cron"
    )


def install(schedule: Schedule, kind: Kind) -> list[str]:
    """Install the timers in place of earlier ones of this library; return what was written. Raises UsageError, StorageFull."""
    if kind == "systemd" and (asked := _asked_systemd()).returncode:
        raise UsageError(
            f"the user's systemd cannot be reached: {asked.stderr.strip()}; run: photoindex schedule install --by cron"
        )
    if kind == "cron":
        before, _own, after = _parts_of(_crontab(), schedule)
        _write_crontab(before + after + cron_block(schedule))
        return cron_lines(schedule)
    remove(schedule, kind)
    folder = unit_folder()
    units = unit_files(schedule)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in units.items():
            with atomic_file(folder / name) as file:
                file.write(text.encode())
    except OSError as error:
        raise StorageFull(f"the timers cannot be written to {folder}: {error.strerror}") from error
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", *(name for name in units if name.endswith(".timer")))
    return [str(folder / name) for name in units]


def remove(schedule: Schedule, kind: Kind) -> int:
    """Remove the timers of this library; return how many there were. Raises UsageError."""
    if kind == "cron":
        before, own, after = _parts_of(_crontab(), schedule)
        if own:
            _write_crontab(before + after)
        return max(0, len(own.split("\n")) - 3)
    found = [
        one for one in unit_folder().glob(f"photoindex-*-{schedule.key}.*") if one.suffix in (".timer", ".service")
    ]
    timers = [one.name for one in found if one.suffix == ".timer"]
    if timers:
        _systemctl("disable", "--now", *timers)
    for one in found:
        one.unlink(missing_ok=True)
    if found:
        _systemctl("daemon-reload")
    return len(timers)


def unit_folder() -> Path:
    """Return where the user's units lie (systemd.unit(5))."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "systemd" / "user"


def _marks(schedule: Schedule) -> tuple[str, str]:
    return f"# photoindex: begin {schedule.key}", f"# photoindex: end {schedule.key}"


def _parts_of(crontab: str, schedule: Schedule) -> tuple[str, str, str]:
    """Return what stands before this library's lines, these with their marks, and what stands after them.

    Raises UsageError where only one of the marks is left: nobody can tell which lines are whose then.
    """
    begin, end = _marks(schedule)
    # Only a line feed ends a line of a crontab.
    lines = [f"{line}\n" for line in crontab.removesuffix("\n").split("\n")] if crontab else []
    marks = [number for number, line in enumerate(lines) if line.strip() in (begin, end)]
    if not marks:
        return "".join(lines), "", ""
    if [lines[number].strip() for number in marks] != [begin, end]:
        raise UsageError(
            f"the crontab does not have '{begin}' and '{end}' once each, one after the other; call crontab -e and "
            "remove the lines that were installed"
        )
    first, last = marks[0], marks[1] + 1
    return "".join(lines[:first]), "".join(lines[first:last]), "".join(lines[last:])


def _crontab() -> str:
    """Return the user's crontab, "" if there is none.

    Raises UsageError if it cannot be read, because the new crontab is made from the old one.
    """
    found = _call("crontab", "-l")
    if found.returncode and not any(one in found.stderr.lower() for one in _NO_CRONTAB):
        raise UsageError(
            f"the crontab cannot be read, and was left as it is: {found.stderr.strip() or found.returncode}"
        )
    return found.stdout if found.returncode == 0 else ""


def _write_crontab(text: str) -> None:
    done = _call("crontab", "-", given=text)
    if done.returncode:
        raise UsageError(f"crontab refused the new lines: {done.stderr.strip()}")


def _asked_systemd() -> subprocess.CompletedProcess[str]:
    return _call("systemctl", "--user", "show-environment")


def _systemctl(*arguments: str) -> None:
    done = _call("systemctl", "--user", *arguments)
    if done.returncode:
        raise UsageError(f"the user's systemd refused to {arguments[0]} the timers: {done.stderr.strip()}")


def _call(*command: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        # A crontab holds any bytes, and those of others go back as they came.
        done = subprocess.run(
            command,
            input=None if given is None else os.fsencode(given),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env=os.environ | {"LC_ALL": "C"},
        )
        return subprocess.CompletedProcess(command, done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))
