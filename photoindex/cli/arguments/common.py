"""Options that many commands share, and the way from them to an opened library."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photoindex.cli.output.render import visible

if TYPE_CHECKING:
    from photoindex.config.schema import Config, Setting
    from photoindex.library.handle import Library

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library", metavar="FOLDER", help="The library folder [env: PHOTOINDEX_LIBRARY].", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def settings(library: Path | None, **flags: Any) -> Config:
    """Return the settings with the command line's flags over all else; flags that are None were not given."""
    return _settings(library, flags)[0]


def _settings(library: Path | None, flags: Mapping[str, Any]) -> tuple[Config, list[Setting]]:
    from photoindex.config.load import load_with_redirections

    given: dict[str, object] = {name: value for name, value in flags.items() if value is not None}
    if library is not None:
        given["library"] = library
    return load_with_redirections(given)


@contextmanager
def opened(
    library: Path | None, *, create: bool = False, on_trial: bool = False, reading: bool = False, **flags: Any
) -> Iterator[Library]:
    """Open the library that the options name.

    on_trial: whatever has to be created is created in a temporary folder. reading: the command answers from a library that
    cannot be written, too, and says so in one line.
    """
    from photoindex.app import open_library

    config, redirections = _settings(library, flags)
    if redirections:
        # Whoever unpacks an archive and works in its folder should see that it has a say in where the library is.
        set_there = ", ".join(f"{one.name} to {visible(str(one.shown()))} ({one.origin})" for one in redirections)
        print(f"photoindex: the .env of this folder sets {set_there}", file=sys.stderr)
    with open_library(config, create=create, on_trial=on_trial, reading=reading) as found:
        if found.unwritable:
            print(f"photoindex: {visible(found.unwritable)}: only reading, nothing is saved", file=sys.stderr)
        yield found
