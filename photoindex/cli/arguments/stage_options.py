"""Options of the commands that run a stage with a model."""

from __future__ import annotations

from typing import Annotated

import typer

from photoindex.cli.arguments.value_completion import complete_from

DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="DEVICE",
        autocompletion=complete_from("auto", "cpu", "cuda"),
        help="auto (a GPU if there is one), cpu, cuda or cuda:N [default: auto].",
    ),
]
WindowOption = Annotated[
    str | None,
    typer.Option("--for", metavar="DURATION", help="Start no batch after this time: 90s, 30min, 2h, 1h30m."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only print how many pictures are left.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Also print where the time of a batch goes.")]
SummaryJsonOption = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object on stdout.")]
