"""Names of people."""

from __future__ import annotations

import pytest

from photoindex.domain.people.names import checked_name


@pytest.mark.parametrize("written", ["", " ", "\u00af", "\u200d"])
def test_a_name_of_which_nothing_is_left_without_accents_and_invisible_signs_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        checked_name(written)
