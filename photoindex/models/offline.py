"""Keeps the libraries that could fetch something by themselves from the network."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from photoindex.errors import FetchFailed

_TRUE = ("1", "ON", "YES", "TRUE")
_SWITCHES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_BY_US = "on"
"""The value that this module sets; any other true value is the user's own wish, which `online` respects."""


def offline() -> None:
    """Put the hub's libraries into offline mode, for this process and those that it starts; costs no import."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    for switch in _SWITCHES:
        if os.environ.get(switch, "").upper() not in _TRUE:
            os.environ[switch] = _BY_US
    _tell_the_library(wanted=True)


@contextmanager
def online() -> Iterator[None]:
    """Let the hub be reached while the block runs. Raises FetchFailed where the user's environment forbids it."""
    for switch in _SWITCHES:
        value = os.environ.get(switch, "")
        if value.upper() in _TRUE and value != _BY_US:
            raise FetchFailed(f"{switch} is set in the environment, so nothing is fetched; unset it to pull a model")
    for switch in _SWITCHES:
        os.environ.pop(switch, None)
    _tell_the_library(wanted=False)
    try:
        yield
    finally:
        offline()


def _tell_the_library(*, wanted: bool) -> None:
    # It reads its environment once, when it is imported.
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = wanted  # type: ignore[attr-defined]
