"""The protocol of providers: services that look at one picture at a time and may cost money."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol

from photoindex.types import Result


@dataclass(frozen=True, slots=True)
class Price:
    """What a service takes, in its own units.

    micros_per_1000: price of 1,000 units in millionths of the currency. free: units of each feature a month that cost
    nothing. currency: ISO 4217.
    """

    micros_per_1000: int = 0
    free: int = 0
    currency: str = "USD"

    def of(self, units: int) -> int:
        """Return the price of a month's units of one feature, in millionths, rounded up."""
        return -(-max(0, units - self.free) * self.micros_per_1000 // 1000)


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a service. seconds: for one answer. url: another server that answers like the service. region: of AWS."""

    seconds: float
    url: str | None = None
    region: str | None = None


class CallFailed(Exception):
    """The service did not answer; the message is the middle of a sentence that begins with its name.

    may_be_billed: whether the service may have looked at the picture all the same. retry: whether it may answer the same
    call later. retry_after: seconds that it asks to wait, None if it does not say.
    """

    def __init__(
        self, message: str, *, may_be_billed: bool, retry: bool = True, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.may_be_billed = may_be_billed
        self.retry = retry
        self.retry_after = retry_after


class PictureRefused(Exception):
    """The service answered that it cannot look at this picture; the message is the middle of a sentence about it."""


class OpenProvider(Protocol):
    """A provider that is ready to be asked, by several threads at a time. runs_on: where it is, for users."""

    runs_on: str

    def ask(self, jpeg: bytes, stage: str) -> tuple[Result, ...]:
        """Return what the service sees in a picture, as results of a stage. One call is one unit of each of its features.

        jpeg: without metadata. Raises CallFailed, PictureRefused, and ProviderFailed where no picture would be looked at.
        """
        ...


class Provider(Protocol):
    """A service that may be named in a list of providers.

    name: in the settings. sends: whether it sends pictures to another computer. code_version: part of the variant; raise it when
    results change for the same answers. features: stage -> what the service bills for one picture; a stage that is not among
    them is not served. price: what it takes where the settings do not say otherwise.
    """

    name: str
    sends: bool
    code_version: int
    features: Mapping[str, Collection[str]]
    price: Price

    def open(self, connection: Connection) -> OpenProvider:
        """Return it ready to be asked. Raises ProviderFailed where a key or package is missing, UsageError for a bad URL."""
        ...


NOT_BILLED = (408, 425, 429, 503)
"""Statuses of HTTP of a service that may answer the same call later, and has not looked at the picture."""


def is_busy(status: int) -> bool:
    """Return whether a status of HTTP says that the service may answer the same call later."""
    return status in NOT_BILLED or 500 <= status <= 599


def seconds_to_wait(header: str | None) -> float | None:
    """Return the seconds that a header Retry-After says, as a number or a date (RFC 9110, 10.2.3); None if it says nothing."""
    text = (header or "").strip()
    try:
        seconds = float(text) if not text.endswith("GMT") else parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def caption_of(names: Collection[str]) -> str:
    """Return labels as one line: `beach, dog, sunset`."""
    return ", ".join(names)
