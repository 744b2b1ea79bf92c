"""What providers share."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from photoindex.providers.base import seconds_to_wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 0.5 ", 0.5), ("-3", 0.0), ("nan", None), ("inf", None), ("soon", None), ("", None), (None, None)],
)
def test_a_service_says_in_seconds_how_long_to_wait(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header) == seconds


def test_a_service_says_as_a_date_how_long_to_wait() -> None:
    assert seconds_to_wait(formatdate(time.time() + 100, usegmt=True)) == pytest.approx(100, abs=5)
    assert seconds_to_wait("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert seconds_to_wait("Someday GMT") is None
