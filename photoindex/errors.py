"""The errors that end a command: one class a family, each with its exit code.

A bad photo is not an error of this kind. It is data: a `Failure` in `photoindex.types` that becomes a row of the
task table. What stands here stops the run: a full disk, a locked library, a query that cannot be read.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_DONE = 0
EXIT_BUG = 1
EXIT_USAGE = 2
EXIT_WINDOW_ENDED = 75
EXIT_SOME_QUARANTINED = 100
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class PhotoIndexError(Exception):
    """Base of every error that a user can meet; the message names the thing and the remedy.

    `exit_code` is what the shell sees, `meaning` is its line in docs/exit-codes.md.
    """

    exit_code: ClassVar[int] = EXIT_BUG
    meaning: ClassVar[str] = ""


class UsageError(PhotoIndexError):
    """The command line asks for something that makes no sense."""

    exit_code = EXIT_USAGE
    meaning = "usage: an unknown option, a path that does not exist, a query that cannot be read"


class QuerySyntaxError(UsageError):
    """A query that cannot be parsed; `position` is the 0-based character where reading stopped."""

    meaning = ""

    def __init__(self, message: str, *, query: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.query = query
        self.position = position

    def __str__(self) -> str:
        shown = self.query.replace("\n", " ").replace("\t", " ")
        start = max(0, self.position - 60)
        return f"{self.message}\n  {shown[start : start + 120]}\n  {' ' * (self.position - start)}^"


class LicenceNotAccepted(UsageError):
    """A model's licence restricts what it may be used for, and nobody has accepted it; `terms` says what it restricts."""

    meaning = ""

    def __init__(self, model_id: str, *, licence: str, terms: str) -> None:
        super().__init__(
            f"the licence of '{model_id}' restricts its use and must be accepted first, with --accept-licence: {licence}. "
            f"{terms}"
        )
        self.model_id = model_id
        self.licence = licence
        self.terms = terms


class ConfigError(PhotoIndexError):
    """A setting is unknown, malformed, or not available in this version."""

    exit_code = 3
    meaning = "configuration: an unknown key, a bad value, a profile that this version cannot serve"


class LibraryNotFound(PhotoIndexError):
    """There is no library where one was expected."""

    exit_code = 4
    meaning = "there is no library here yet; `photoindex scan PATH` makes one"


class LibraryLocked(PhotoIndexError):
    """Another command is changing the library."""

    exit_code = 5
    meaning = "another photoindex command is changing this library"


class SchemaTooNew(PhotoIndexError):
    """The database was written by a newer program."""

    exit_code = 6
    meaning = "the library was written by a newer version of photoindex"


class ModelUnavailable(PhotoIndexError):
    """A model that the command needs is not installed, incomplete, or not what was installed."""

    exit_code = 7
    meaning = "a model is not installed, or its files are not what was installed; `photoindex models list`"


class DeviceFailed(PhotoIndexError):
    """The device that models are to run on is not there, or was lost again and again."""

    exit_code = 8
    meaning = "the device that models are to run on is not there, or was lost again and again; finished work is kept"


class StorageFull(PhotoIndexError):
    """The disk of the library is full; finished work is kept."""

    exit_code = 9
    meaning = "the disk that holds the library is full"


class NothingFound(PhotoIndexError):
    """Nothing matched where the caller asked for a failure in that case."""

    exit_code = 11
    meaning = "nothing was found (`--fail-if-empty`, or a PATH or ID that the library does not know)"


class VolumeOffline(PhotoIndexError):
    """Originals are away (unmounted, emptied, too many gone at once); nothing was marked."""

    exit_code = 12
    meaning = "originals are not there (not mounted, emptied, or too many gone at once); nothing was marked"


class SnapshotDamaged(PhotoIndexError):
    """A backup does not hold what its manifest says."""

    exit_code = 13
    meaning = "a backup snapshot is damaged or incomplete"


class UnsuitableLocation(PhotoIndexError):
    """The library cannot live there: a network mount, or a folder that cannot be made."""

    exit_code = 14
    meaning = "the library cannot live there (a network mount, or a folder that cannot be made)"


class DatabaseFailed(PhotoIndexError):
    """SQLite could not read or write the database."""

    exit_code = 15
    meaning = "the database cannot be read or written (damaged, or no permission)"


class FetchFailed(PhotoIndexError):
    """A model could not be fetched over the network."""

    exit_code = 17
    meaning = "a model could not be fetched; what had arrived is kept, and `photoindex models pull` goes on there"


class WorkersLost(PhotoIndexError):
    """The worker processes were ended from outside, again and again; no photo is to blame."""

    exit_code = 16
    meaning = "the worker processes were ended from outside or could not be started; finished work is kept"


FAMILIES: tuple[type[PhotoIndexError], ...] = (
    UsageError,
    ConfigError,
    LibraryNotFound,
    LibraryLocked,
    SchemaTooNew,
    ModelUnavailable,
    DeviceFailed,
    StorageFull,
    NothingFound,
    VolumeOffline,
    SnapshotDamaged,
    UnsuitableLocation,
    DatabaseFailed,
    WorkersLost,
    FetchFailed,
)
"""Every family with an exit code of its own, in the order of docs/exit-codes.md."""
