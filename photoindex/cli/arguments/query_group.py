"""A group of commands whose own words are a query: `duplicates date:2019`, beside `duplicates apply FILE`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

from photoindex.cli.arguments.person_completion import complete_query_word


class QueryGroup(TyperGroup):
    """Takes its first word for a command if it is the name of one, and for a word of the query behind `--`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of a query as the group's own; those of a command are left to it."""
        if not args or args[0] not in self.commands:
            return super().parse_args(ctx, args)
        super().parse_args(ctx, [])
        ctx._protected_args, ctx.args = args[:1], args[1:]  # noqa: SLF001 - as TyperGroup does
        return args[1:]

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the completions of a word of the query, or the names of the commands."""
        return complete_query_word(self, ctx, incomplete) or super().shell_complete(ctx, incomplete)
