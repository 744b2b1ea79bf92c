"""Preventing libraries from using the network by themselves."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from photoindex.errors import FetchFailed

_TRUE = ("1", "ON", "YES", "TRUE")
_SWITCHES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_BY_US = "on"
"""The value set by this module; any other true value was set by the user and is respected by `online`."""


def offline() -> None:
    """Put the hub's libraries into offline mode for this process and its children, without importing them."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    for switch in _SWITCHES:
        if os.environ.get(switch, "").upper() not in _TRUE:
            os.environ[switch] = _BY_US
    _set_hub_offline(wanted=True)


@contextmanager
def online() -> Iterator[None]:
    """Allow network access to the hub within the block. Raises FetchFailed if the user's environment forbids it."""
    for switch in _SWITCHES:
        value = os.environ.get(switch, "")
        if value.upper() in _TRUE and value != _BY_US:
            raise FetchFailed(f"{switch} is set in the environment, so nothing is downloaded; unset it to pull a model")
    for switch in _SWITCHES:
        os.environ.pop(switch, None)
    _set_hub_offline(wanted=False)
    try:
        yield
    finally:
        offline()


def _set_hub_offline(*, wanted: bool) -> None:
    # The library reads its environment only once, when it is imported.
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = wanted  # type: ignore[attr-defined]
