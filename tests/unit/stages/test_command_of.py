"""Messages name the command that runs a stage."""

from __future__ import annotations

import pytest

from photoindex.stages import STAGES, command_of
from tests.reference import app


@pytest.mark.parametrize("stage", [one.name for one in STAGES])
def test_the_command_of_each_stage_exists(stage: str) -> None:
    first, *rest = command_of(stage).split()
    command = app().commands[first]
    if rest:
        assert rest[0] in command.commands
