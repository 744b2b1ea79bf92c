"""The model's process as its parent sees it: started, spoken to, noticed when it dies or hangs, ended."""

from __future__ import annotations

import contextlib
import signal
import time
from multiprocessing import connection as connections

from photoindex.pipeline.embed.messages import FromWorker, Opened, ToWorker, WorkerSettings

_JOIN_SECONDS = 20.0
_TAIL_BYTES = 2000
_OPENING_SECONDS = 600.0
"""A large model on a slow disk is hashed and loaded for minutes."""


class WorkerLost(Exception):
    """The process ended or hung; what it was given is not done. The message says what is known."""


class EmbedProcess:
    """One process with a model. It ends with its parent, however that ends."""

    def __init__(self, settings: WorkerSettings, *, hang_seconds: float) -> None:
        import multiprocessing

        from photoindex.pipeline.embed.worker import work

        self._settings = settings
        self._hang_seconds = hang_seconds
        self._patience = max(hang_seconds, _OPENING_SECONDS)
        # A new interpreter: a GPU's runtime does not survive a fork.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, settings), name="photoindex-embed", daemon=True)
        # What is blocked now stays so in the process: Ctrl-C is the parent's business from its first moment on.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self._heard = time.monotonic()

    def send(self, message: ToWorker) -> None:
        """Give the process a message. Raises WorkerLost."""
        try:
            self._connection.send(message)
        except OSError as error:
            raise self._lost() from error

    def expect(self) -> None:
        """Count the time within which something must be heard from now on."""
        self._heard = time.monotonic()

    def receive(self, seconds: float) -> FromWorker | None:
        """Return the next message, None where none came within `seconds`. Raises WorkerLost."""
        if not connections.wait([self._connection], timeout=seconds):
            if time.monotonic() - self._heard > self._patience:
                self.kill()
                raise WorkerLost(f"nothing was heard of it for {self._patience:g} s")
            return None
        try:
            message: FromWorker = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        self._heard = time.monotonic()
        if isinstance(message, Opened):
            self._patience = self._hang_seconds
        return message

    def close(self) -> None:
        """Let the process end; one that does not is killed."""
        self._connection.close()
        self._process.join(_JOIN_SECONDS)
        if self._process.is_alive():
            self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()

    def printed(self) -> str:
        """Return the end of what libraries printed in the process."""
        with contextlib.suppress(OSError):
            return self._settings.stderr.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")
        return ""

    def _lost(self) -> WorkerLost:
        self._process.join(_JOIN_SECONDS)
        code = self._process.exitcode
        if code is None:
            self.kill()
            return WorkerLost("it closed its connection")
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            return WorkerLost(f"it was ended by signal {name}")
        return WorkerLost(f"it ended with exit code {code}")
