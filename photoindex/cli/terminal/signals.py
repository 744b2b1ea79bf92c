"""Ctrl-C and SIGTERM: the first asks a long command to finish its running batch, the second ends it at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from photoindex.errors import EXIT_INTERRUPTED, EXIT_TERMINATED


class StopRequest:
    """Asked between files whether to stop; `exit_code` is what the shell gets then."""

    def __init__(self) -> None:
        self._signal: int | None = None

    def __call__(self) -> bool:
        """Tell whether a stop was asked for."""
        return self._signal is not None

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal: the first is a request, a second one of the same command interrupts."""
        if self._signal is not None:
            raise KeyboardInterrupt
        self._signal = number

    @property
    def exit_code(self) -> int | None:
        """130 after SIGINT, 143 after SIGTERM, None where nobody asked to stop."""
        if self._signal is None:
            return None
        return EXIT_TERMINATED if self._signal == signal.SIGTERM else EXIT_INTERRUPTED


@contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Give a request that SIGINT and SIGTERM set while the block runs."""
    request = StopRequest()
    before = {number: signal.signal(number, request.receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
