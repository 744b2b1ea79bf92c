"""A group whose first word is a command or, where it is none, belongs to a default one: `bursts apply FILE`, `bursts date:2019`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

_HELP = ("-h", "--help")


class GroupWithDefault(TyperGroup):
    """A group with a command `list` that runs unless another one is named."""

    default = "list"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words, after the default command was put before them where it is meant."""
        return super().parse_args(ctx, self.with_default(args))

    def with_default(self, args: Sequence[str]) -> list[str]:
        """Return the words, beginning with a command; those that ask for help stay as they are."""
        named = bool(args) and (args[0] in self.commands or args[0] in _HELP)
        return list(args) if named else [self.default, *args]
