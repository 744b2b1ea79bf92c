"""The kinds of regions and individuals, and how a region got its individual."""

from __future__ import annotations

from enum import StrEnum

FACE = "face"
"""The kind of a region that shows a face."""
PERSON = "person"
"""The kind of an individual with faces."""


class How(StrEnum):
    """How a region got its individual; the values are stored.

    CLUSTER: grouped by the program, which may change it. METADATA: named in a file or sidecar; a later change of that
    file changes it. CONFIRMED: by a person's command; the program never changes it.
    """

    CLUSTER = "cluster"
    METADATA = "metadata"
    CONFIRMED = "confirmed"


FIXED = (How.METADATA, How.CONFIRMED)
"""A person's word, which grouping never changes."""
