"""Completion of the values of options: from a list, or from what the library has."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from photoindex.cli.arguments.shell_words import completions
from photoindex.query.vocabulary import SORT_KEYS

if TYPE_CHECKING:
    from photoindex.config.schema import Config

Complete = Callable[..., list[str]]
Find = Callable[[Path, str], list[str]]
"""Returns what a database has that begins with a text."""

STAGES = ("ingest", "hash", "embed", "faces", "tags", "objects", "labels", "sensitive", "ocr", "caption")
STEPS = (
    "scan", "hash", "embed", "faces", "cluster", "sensitive", "caption", "tags", "objects", "labels", "ocr", "duplicates", "index",
)  # fmt: skip
"""The stages of `run`."""
TAGGING = ("tags", "objects", "labels", "sensitive")
"""The stages of `tag auto`."""
STATES = ("pending", "running", "done", "failed", "quarantined", "dismissed")
"""The states of tasks."""
COUNTED_BY = ("year", "month", "weekday", "hour", "camera", "lens", "focal", "iso", "place")
"""What `stats` counts by."""
ALBUM_KINDS = ("own", "takeout", "apple", "folder", "smart")
_BOTH_WAYS = (*SORT_KEYS, *(f"-{key}" for key in SORT_KEYS if key != "relevance"))


def complete_from(*values: str, listed: bool = False) -> Complete:
    """Return a completion of a fixed list; listed: the option takes several with commas."""

    def complete(incomplete: str) -> list[str]:
        kept, typed = last_of_list(incomplete) if listed else ("", incomplete)
        return completions(kept, typed, _starting(values, typed))

    return complete


complete_sort = complete_from(*_BOTH_WAYS)
complete_album_sort = complete_from(*(key for key in _BOTH_WAYS if key != "relevance"))


def complete_from_library(find: Find, *, listed: bool = False) -> Complete:
    """Return a completion of what the library has; listed: the option takes several with commas."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        kept, typed = last_of_list(incomplete) if listed else ("", incomplete)
        return completions(kept, typed, found_in_library(ctx, find, typed))

    return complete


def complete_values(field: str) -> Complete:
    """Return a completion of the values of a field, for an option that is a term: `--camera`."""

    def find(database: Path, typed: str) -> list[str]:
        from photoindex.library.search.completion import values_beginning

        return values_beginning(database, typed, field)

    return complete_from_library(find, listed=True)


def complete_names(subject: str) -> Complete:
    """Return a completion of the names of saved queries (`saved`), spaces (`space`) or classes of errors (`error`)."""

    def find(database: Path, typed: str) -> list[str]:
        from photoindex.library.search.completion import names_of

        return names_of(database, typed, subject)

    return complete_from_library(find)


def complete_model(task: str | None = None) -> Complete:
    """Return a completion of installed models; task: `image-text`, `faces` or `captions`, None for any."""

    def find(models_folder: Path) -> list[str]:
        from photoindex.library.models.completion import installed_models

        return installed_models(models_folder, task)

    return _from_models(find)


def complete_model_to_pull(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the models of the catalogue that begin with what was typed."""

    def find(models_folder: Path) -> list[str]:
        from photoindex.library.models.completion import models_to_pull

        return models_to_pull(models_folder)

    return _from_models(find)(ctx, incomplete)


def complete_columns(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the fields of a template of `--format` that may follow a `{`: the columns of the command."""
    module = importlib.import_module(f"photoindex.cli.commands.{ctx.command.name}")
    return _in_braces([column.name for column in module.COLUMNS], incomplete)


def complete_layout(incomplete: str) -> list[str]:
    """Return the fields of `--layout` that may follow a `{`."""
    from photoindex.library.export.layout import FIELDS

    return _in_braces(list(FIELDS), incomplete)


def found_in_library(ctx: typer.Context, find: Find, typed: str) -> list[str]:
    """Return what `find` returns for the library of a command; nothing if it cannot be read now."""
    from photoindex.app import database_path

    try:
        return find(database_path(_config(ctx)), typed)
    except Exception:  # noqa: BLE001 - whatever is wrong, a shell that completes a word is not the place to say it
        return []


def last_of_list(typed: str) -> tuple[str, str]:
    """Return what stays of a list, with its comma, and its last part."""
    first, comma, last = typed.rpartition(",")
    return first + comma, last


def _config(ctx: typer.Context) -> Config:
    from photoindex.cli.arguments.common import settings

    given = next((one.params["library"] for one in (ctx, ctx.parent) if one and one.params.get("library")), None)
    return settings(given and Path(given))


def _from_models(find: Callable[[Path], list[str]]) -> Complete:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        from photoindex.app import models_folder

        try:
            known = find(models_folder(_config(ctx)))
        except Exception:  # noqa: BLE001 - as above
            known = []
        return completions("", incomplete, _starting(known, incomplete))

    return complete


def _in_braces(fields: Sequence[str], incomplete: str) -> list[str]:
    before, brace, typed = incomplete.rpartition("{")
    if "}" in typed:
        before, brace, typed = incomplete + "{", "", ""
    return completions(before + (brace or "{" * (not before)), typed, [f"{one}}}" for one in _starting(fields, typed)])


def _starting(values: Sequence[str], typed: str) -> list[str]:
    return [one for one in values if one.startswith(typed.lower())]
