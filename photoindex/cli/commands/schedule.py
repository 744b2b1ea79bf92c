"""`photoindex schedule`: timers that scan, run, back up and verify."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import LibraryOption, opened
from photoindex.cli.output.progress_text import amount
from photoindex.errors import UsageError
from photoindex.paths import shell_word

if TYPE_CHECKING:
    from photoindex.library.handle import Library
    from photoindex.library.night.schedule import Kind, Schedule


class By(StrEnum):
    """What calls the commands."""

    AUTO = "auto"
    SYSTEMD = "systemd"
    CRON = "cron"


ByOption = Annotated[
    By, typer.Option("--by", metavar="HOW", help="systemd, cron or auto: the user's systemd where it runs, else cron.")
]
UntilOption = Annotated[str, typer.Option("--until", metavar="TIME", help="When the nightly run ends.")]
BackupOption = Annotated[
    Path | None,
    typer.Option("--backup-to", metavar="DEST", help="Also keep a snapshot a day there.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command `schedule`."""
    group = typer.Typer(
        name="schedule",
        no_args_is_help=True,
        help="Scan every hour, run at night, back up every day and verify every week, by systemd or cron.",
    )
    group.command("show")(_show)
    group.command("install")(_install)
    group.command("remove")(_remove)
    app.add_typer(group)


def _show(
    by: ByOption = By.AUTO, until: UntilOption = "06:00", backup_to: BackupOption = None, library: LibraryOption = None
) -> None:
    """Print the lines of a crontab, or the units of systemd, that `schedule install` writes; nothing is changed."""
    from photoindex.library.night.schedule import cron_lines, unit_files

    with opened(library, reading=True) as found:
        schedule, kind = _chosen(found, by, until, backup_to)
    if kind == "cron":
        print("\n".join(cron_lines(schedule)))
        return
    for name, text in unit_files(schedule).items():
        print(f"# {name}\n{text}")


def _install(
    by: ByOption = By.AUTO, until: UntilOption = "06:00", backup_to: BackupOption = None, library: LibraryOption = None
) -> None:
    """Write the timers, in place of earlier ones of this library; other lines of the crontab stay as they are."""
    from photoindex.library.night.schedule import install

    with opened(library, reading=True) as found:
        schedule, kind = _chosen(found, by, until, backup_to)
        if backup_to is not None:
            _check_backups_work(found, backup_to)
    for line in install(schedule, kind):
        print(line)
    if backup_to is None:
        print("no backups are made: no destination was given", file=sys.stderr)
    print("installed; to see it: photoindex schedule show; to remove it: photoindex schedule remove", file=sys.stderr)


def _remove(by: ByOption = By.AUTO, library: LibraryOption = None) -> None:
    """Remove the timers of this library."""
    from photoindex.library.night.schedule import remove

    with opened(library, reading=True) as found:
        schedule, kind = _chosen(found, by, "06:00", None)
    number = remove(schedule, kind)
    print(
        f"removed {amount(number, 'timers')}" if number else "no timers of this library are installed", file=sys.stderr
    )


def _chosen(library: Library, by: By, until: str, backup_to: Path | None) -> tuple[Schedule, Kind]:
    from photoindex.library.night.run import window_of
    from photoindex.library.night.schedule import schedule_of, usual_kind

    window_of(until, None)  # refuses what is no time of day
    kind: Kind = usual_kind() if by is By.AUTO else "systemd" if by is By.SYSTEMD else "cron"
    return schedule_of(library, until=until, backup_to=backup_to), kind


def _check_backups_work(library: Library, destination: Path) -> None:
    """Raise UsageError for a destination that a backup without a terminal would refuse."""
    from photoindex.library.backup.backup import needs_initialising

    if needs_initialising(library, destination):
        raise UsageError(
            f"{destination} is not a backup destination yet; make a first backup by hand: photoindex backup "
            f"{shell_word(os.fsencode(destination))} --init"
        )
