"""`photoindex metrics`: figures for monitoring."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.output.details import print_json
from photoindex.cli.output.render import data_stream
from photoindex.errors import UsageError
from photoindex.file_access import as_named


def register(app: typer.Typer) -> None:
    """Add the command `metrics`."""
    app.command("metrics")(metrics)


def metrics(
    textfile: Annotated[
        Path | None,
        typer.Option(
            "--textfile",
            metavar="FILE",
            help="Write them to a file for the textfile collector of node_exporter: DIR/photoindex.prom.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    library: LibraryOption = None,
) -> None:
    r"""Print rates, queues, latencies, failures and costs for monitoring, as OpenMetrics text or JSON.

    Text needs `pip install 'photoindex[metrics]'`.
    """
    from photoindex.library.night import metrics as figures

    if json and textfile is not None:
        raise UsageError("--json and --textfile exclude each other; use only one")
    with opened(library, reading=True) as found:
        measured = figures.metrics(found)
        if textfile is not None:
            figures.write_textfile(found, measured, as_named(textfile))
            return
    if json:
        print_json(
            {
                "schema": 1,
                "metrics": [
                    {
                        "name": one.name,
                        "help": one.help,
                        "samples": [{"labels": sample.labels, "value": sample.value} for sample in one.samples],
                    }
                    for one in measured
                ],
            }
        )
        return
    text = figures.as_text(measured)
    sys.stdout.flush()
    stream = data_stream()
    stream.write(text)
    stream.flush()
