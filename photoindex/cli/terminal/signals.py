"""Handles Ctrl-C and SIGTERM: the first lets a long command finish its batch, the second ends it immediately."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from photoindex.errors import EXIT_INTERRUPTED, EXIT_TERMINATED

_AGAIN_SECONDS = 0.05


class StopRequest:
    """Checked between files; true after a signal. `exit_code` is the exit status in that case."""

    def __init__(self) -> None:
        self._signal: int | None = None

    def __call__(self) -> bool:
        """Tell whether a stop was requested."""
        return self._signal is not None

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal: the first one requests a stop, the second one interrupts."""
        if self._signal is not None:
            raise KeyboardInterrupt
        self._signal = number

    @property
    def exit_code(self) -> int | None:
        """130 after SIGINT, 143 after SIGTERM, None without a stop request."""
        if self._signal is None:
            return None
        return EXIT_TERMINATED if self._signal == signal.SIGTERM else EXIT_INTERRUPTED


@contextmanager
def recorded_interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C came while the block runs; it still raises KeyboardInterrupt."""
    received = []

    def receive(_number: int, _frame: FrameType | None) -> None:
        received.append(True)
        raise KeyboardInterrupt

    def send_again(lost: sys.UnraisableHookArgs) -> None:
        # Python drops what is raised inside a weak reference's callback or a destructor, where the signal may come.
        if issubclass(lost.exc_type, KeyboardInterrupt):
            again = threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), signal.SIGINT))
            again.daemon = True
            again.start()
        else:
            sys.__unraisablehook__(lost)

    before, hook = signal.signal(signal.SIGINT, receive), sys.unraisablehook
    sys.unraisablehook = send_again
    try:
        yield lambda: bool(received)
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, before)


def report_interrupt() -> int:
    """Print the one line of an interrupted command and return its exit code."""
    print("photoindex: interrupted", file=sys.stderr)
    return EXIT_INTERRUPTED


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Yield a stop request that SIGINT and SIGTERM set while the block runs."""
    request = StopRequest()
    before = {number: signal.signal(number, request.receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
