"""Running a function over untrusted bytes in a process of its own, where a crash costs no more than its answer."""

from __future__ import annotations

import json
import os
import signal
import warnings
from collections.abc import Callable
from typing import Any

_SECONDS = 10
_ANSWER_BYTES = 1 << 20


class NoAnswer(Exception):
    """The function crashed, took too long, or raised; the message says which."""


def run_apart(function: Callable[[bytes], Any], data: bytes) -> Any:
    """Return what `function(data)` returns, after its way through JSON. Raises NoAnswer.

    For optional readers in compiled code: a crash in the worker itself would cost the whole photo. Import what the function needs
    before, or every call imports it anew.
    """
    receiving, sending = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads that the child lacks; it runs nothing but the function.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(receiving)  # else closing it in the parent would not end a child whose answer is too long
        _answer(function, data, sending)
    os.close(sending)
    with os.fdopen(receiving, "rb") as stream:
        answer = stream.read(_ANSWER_BYTES)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        raise NoAnswer("it took too long" if code == -signal.SIGALRM else f"it crashed ({code})")
    said = json.loads(answer)
    if "error" in said:
        raise NoAnswer(said["error"])
    return said["answer"]


def _answer(function: Callable[[bytes], Any], data: bytes, sending: int) -> None:
    """Send the answer and end this process, in every case."""
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_SECONDS)
        try:
            said = {"answer": function(data)}
        except Exception as error:  # noqa: BLE001  # libraries can raise anything on hostile bytes
            said = {"error": f"{type(error).__name__}: {error}"}
        with os.fdopen(sending, "wb") as stream:
            stream.write(json.dumps(said).encode())
        code = 0
    finally:
        os._exit(code)
