"""The errors that end a command, one class per exit code.

A bad photo is not one of these. It is data: a `Failure` (see `photoindex.types`) stored in the task table. The errors
here stop the run: a full disk, a locked library, a query that cannot be parsed.
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
    """Base class of all user-facing errors; the message says what failed and how to fix it.

    `exit_code` is the exit status of the process, `meaning` its line in docs/exit-codes.md.
    """

    exit_code: ClassVar[int] = EXIT_BUG
    meaning: ClassVar[str] = ""


class UsageError(PhotoIndexError):
    """The command line is wrong: an unknown option, a bad value, a missing path."""

    exit_code = EXIT_USAGE
    meaning = "usage: an unknown option, a path that does not exist, a query that cannot be parsed"


class QuerySyntaxError(UsageError):
    """A query that cannot be parsed; `position` is the 0-based index of the character where parsing stopped."""

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
    """A model's licence restricts its use and has not been accepted; `terms` says what it restricts."""

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
    """A setting is unknown, invalid, or not supported by this version."""

    exit_code = 3
    meaning = "configuration: an unknown key, a bad value, a profile that this version does not support"


class LibraryNotFound(PhotoIndexError):
    """There is no library where one was expected."""

    exit_code = 4
    meaning = "there is no library here yet; `photoindex scan PATH` creates one"


class LibraryLocked(PhotoIndexError):
    """Another command is changing the library; `since` (UTC seconds) when, where that is known."""

    exit_code = 5
    meaning = "another photoindex command is changing this library"

    def __init__(self, message: str, *, since: float | None = None) -> None:
        super().__init__(message)
        self.since = since


class SchemaTooNew(PhotoIndexError):
    """The database was written by a newer program."""

    exit_code = 6
    meaning = "the library was written by a newer version of photoindex"


class ModelUnavailable(PhotoIndexError):
    """A model that the command needs is not installed, incomplete, or changed since it was installed."""

    exit_code = 7
    meaning = "a model is not installed, cannot be used, or its files have changed since; see `photoindex models list`"


class DeviceFailed(PhotoIndexError):
    """The device for models does not exist, or was lost repeatedly."""

    exit_code = 8
    meaning = "the device for models does not exist or was lost repeatedly; finished work is kept"


class StorageFull(PhotoIndexError):
    """The library's disk is full; finished work is kept."""

    exit_code = 9
    meaning = "the disk that holds the library is full"


class ProviderFailed(PhotoIndexError):
    """A server that runs models refuses, cannot be reached, or does not do what it should; finished work is kept."""

    exit_code = 10
    meaning = "a server that runs models refused or cannot be reached; finished work is kept"


class NothingFound(PhotoIndexError):
    """Nothing matched, and the caller asked to fail in that case."""

    exit_code = 11
    meaning = "nothing was found (`--fail-if-empty`, or a PATH or ID that the library does not know)"


class VolumeOffline(PhotoIndexError):
    """Originals are unavailable (unmounted, emptied, too many missing at once); no file was marked as missing."""

    exit_code = 12
    meaning = "originals are unavailable (not mounted, emptied, or too many missing at once); no file was marked"


class SnapshotDamaged(PhotoIndexError):
    """A snapshot does not match its manifest."""

    exit_code = 13
    meaning = "a backup snapshot is damaged or incomplete"


class UnsuitableLocation(PhotoIndexError):
    """The library cannot be stored there: a network mount, or a folder that cannot be created."""

    exit_code = 14
    meaning = "the library cannot be stored there (a network mount, or a folder that cannot be created)"


class DatabaseFailed(PhotoIndexError):
    """SQLite could not read or write the database."""

    exit_code = 15
    meaning = "the database cannot be read or written (damaged, or no permission)"


class FetchFailed(PhotoIndexError):
    """A model could not be downloaded."""

    exit_code = 17
    meaning = "a model could not be downloaded; run `photoindex models pull MODEL` again to resume"


class WorkersLost(PhotoIndexError):
    """The worker processes were killed repeatedly from outside; no photo is to blame."""

    exit_code = 16
    meaning = "the worker processes were killed from outside or could not be started; finished work is kept"


class ChecksFailed(PhotoIndexError):
    """`doctor` found something that does not work."""

    exit_code = 18
    meaning = "`photoindex doctor` found something that does not work; each line names its remedy"


class LinesRefused(PhotoIndexError):
    """Some lines of a plan could not be applied; the others were."""

    exit_code = 19
    meaning = "some lines of a plan could not be applied; each was named with the reason, and the others were applied"


FAMILIES: tuple[type[PhotoIndexError], ...] = (
    UsageError,
    ConfigError,
    LibraryNotFound,
    LibraryLocked,
    SchemaTooNew,
    ModelUnavailable,
    DeviceFailed,
    StorageFull,
    ProviderFailed,
    NothingFound,
    VolumeOffline,
    SnapshotDamaged,
    UnsuitableLocation,
    DatabaseFailed,
    WorkersLost,
    FetchFailed,
    ChecksFailed,
    LinesRefused,
)
"""The error classes with an exit code of their own, in the order of docs/exit-codes.md."""
