"""Entry point of the command line: the list of commands, global options, error handling."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photoindex import __version__, errors
from photoindex.cli.arguments.path_completion import shell
from photoindex.cli.arguments.query_words import is_command, query_behind_dashes
from photoindex.cli.arguments.shell_words import join_values_of_options, words_before_cursor
from photoindex.cli.output.help import with_plain_help
from photoindex.cli.terminal.signals import recorded_interrupts, report_interrupt
from photoindex.permissions import limited_to

if TYPE_CHECKING:
    from typer.core import TyperGroup

COMMANDS: tuple[str, ...] = (
    "scan",
    "watch",
    "embed",
    "faces",
    "ocr",
    "cluster",
    "run",
    "schedule",
    "spaces",
    "index",
    "search",
    "saved",
    "stats",
    "open",
    "duplicates",
    "bursts",
    "show",
    "facts",
    "why",
    "people",
    "tag",
    "album",
    "rate",
    "favourite",
    "caption",
    "events",
    "time",
    "pair",
    "status",
    "costs",
    "tasks",
    "retry",
    "redo",
    "prune",
    "verify",
    "doctor",
    "metrics",
    "log",
    "undo",
    "models",
    "backup",
    "restore",
    "sql",
    "config",
)
"""Every command, in the order of `photoindex --help`: `photoindex/cli/commands/<name>.py` with a function `register(app)`."""

QUERY_COMMANDS = (
    "search",
    "stats",
    "open",
    "duplicates",
    "bursts",
    "tag",
    "album",
    "rate",
    "favourite",
    "caption",
    "events",
    "time",
    "pair",
    "redo",
)
"""Commands that take a query or paths, with words such as `-person:Bob` that Typer must not read as options."""

_MEANT = {
    "search": "find ls list dir query grep look gallery export copy cp",
    "--help": "help commands usage",
    "--version": "version",
    "scan": "add import ingest sync update init index-all reindex watch-once",
    "duplicates": "dedupe dedup dupes duplicate",
    "embed": "embeddings",
    "faces": "face",
    "people": "person persons name",
    "tag": "tags keyword keywords",
    "album": "albums",
    "models": "model install download",
    "status": "info stat",
    "show": "view cat exif metadata",
    "config": "settings set",
    "backup": "backups",
    "prune": "rm remove delete clean",
    "time": "date dates shift",
}
"""Command -> words by which other programs call what it does."""
_BROKEN_PIPE_EXIT = 141


def build_app(only: str | None = None) -> typer.Typer:
    """Return the Typer application with all commands, or with one, because registering all slows down a short command."""
    app = typer.Typer(
        name="photoindex",
        help="Index, search and back up a photo library from the shell.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def _global_options(
        context: typer.Context,
        library: Annotated[
            Path | None,
            typer.Option("--library", metavar="FOLDER", help="The library folder [env: PHOTOINDEX_LIBRARY]."),
        ] = None,
        version: Annotated[  # noqa: ARG001 - its callback does the work
            bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
        ] = False,
    ) -> None:
        if library is not None:
            context.default_map = _library_of_all(context.command, library)

    for name in (only,) if only in COMMANDS else COMMANDS:
        importlib.import_module(f"photoindex.cli.commands.{name}").register(app)
    return app


def _library_of_all(command: Any, library: Path) -> dict[str, Any]:
    """Return Click's default map: the global option as the default of each command's own `--library`."""
    commands = getattr(command, "commands", {})
    # A group has both: `photoindex saved` is a command, and `saved remove` another.
    return {"library": str(library)} | {name: _library_of_all(one, library) for name, one in commands.items()}


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"photoindex {__version__}")
        raise typer.Exit


def _command_of(argv: list[str]) -> str | None:
    return next((word for index, word in enumerate(argv) if is_command(argv, index)), None)


def _line_to_complete() -> list[str]:
    """Return the words of the line that a shell completes, up to the cursor; [] if none does."""
    if not shell():
        return []
    join_values_of_options()
    return words_before_cursor()


def _check_known(command: str | None) -> None:
    """Raise UsageError, with the command that was meant, for a word that is none."""
    if command is None or command in COMMANDS:
        return
    from difflib import get_close_matches

    meant = [name for name, words in _MEANT.items() if command in words.split()]
    hint = " or ".join(f"photoindex {name}" for name in meant or get_close_matches(command, COMMANDS, n=2))
    advice = f"did you mean {hint}?" if hint else f"the commands are {', '.join(COMMANDS)}"
    raise errors.UsageError(f"there is no command '{command}'; {advice}")


def _rearranged(argv: list[str], app: TyperGroup) -> list[str]:
    """Return the command line in the order that Typer needs; `app` knows the options of its command."""
    command = _command_of(argv)
    if command in QUERY_COMMANDS:
        return query_behind_dashes(argv, app)
    if command == "backup":
        from photoindex.cli.commands.backup import rearrange

        return rearrange(argv, app)
    return argv


def main(argv: list[str]) -> int:
    """Run one command line and return its exit code; all user-facing errors are handled here."""
    with recorded_interrupts() as was_interrupted:
        try:
            try:
                _check_known(_command_of(argv))
                app: Any = with_plain_help(typer.main.get_command(build_app(_command_of(argv or _line_to_complete()))))
                with limited_to("private"):
                    app(args=_rearranged(argv, app), prog_name="photoindex")
            finally:
                sys.stdout.flush()
        except SystemExit as end:
            if was_interrupted():  # Typer makes an exit of it
                return report_interrupt()
            reader_left = isinstance(end.__context__, BrokenPipeError)
            code = end.code if isinstance(end.code, int) else errors.EXIT_DONE
            return _quiet_broken_pipe() if reader_left else code
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - raised again in _report
            # Extensions in C report an interruption as an error of their own: "initialization failed".
            if was_interrupted():
                return report_interrupt()
            return _report(error)
    return errors.EXIT_DONE


def _report(error: BaseException) -> int:
    """Print an error for the user and return its exit code; raise one that is a bug of ours."""
    if isinstance(error, errors.PhotoIndexError):
        from photoindex.cli.output.render import visible_lines

        # The message may contain text from a file, an archive or a server.
        print(f"photoindex: {visible_lines(str(error))}", file=sys.stderr)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):  # raised by SQLite, not by a signal
        return report_interrupt()
    if isinstance(error, BrokenPipeError):
        return _quiet_broken_pipe()
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        print(f"photoindex: cannot write the output: {error.strerror}", file=sys.stderr)
        _discard_stdout()
        return errors.StorageFull.exit_code
    raise error


def _quiet_broken_pipe() -> int:
    """Handle a closed pipe (`| head`) silently, like other tools, also when the interpreter flushes stdout at exit."""
    _discard_stdout()
    return _BROKEN_PIPE_EXIT


def _discard_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
