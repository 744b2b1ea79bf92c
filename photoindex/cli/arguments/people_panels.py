"""The headings of the help of `photoindex people`."""

from __future__ import annotations

LOOK = "Look"
NAME = "Name"
CORRECT = "Correct"
HIDE = "Leave out"
REVIEW = "Review"
MOVE = "Move to another library"
