"""The usual terms of a query as options: `--camera canon` is `camera:canon`, `--not-camera canon` is `-camera:canon`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Annotated, Any, Literal

import typer

from photoindex.cli.arguments.person_completion import complete_people
from photoindex.cli.arguments.value_completion import complete_values
from photoindex.query.syntax import OptionTerm
from photoindex.query.vocabulary import CHOICES, OF_LIBRARY

PANEL = "Terms as options: a repeated one is OR, different ones must all match"


@dataclass(frozen=True, slots=True)
class QueryOption:
    """One option. field: of the query language. bound: it is one end of a range. negates: it filters out."""

    name: str
    field: str
    metavar: str
    help: str
    bound: Literal["from", "to"] | None = None
    negates: bool = False

    @property
    def parameter(self) -> str:
        """The name of the command's parameter."""
        return "term_" + self.name.removeprefix("--").replace("-", "_")


_TERMS: tuple[QueryOption, ...] = (
    QueryOption("--place", "place", "PLACE", "Taken in this city, region or country."),
    QueryOption("--near", "near", "PLACE", "Taken around a place or position: Lisbon,30km or 38.7,-9.1,30km."),
    QueryOption("--camera", "camera", "CAMERA", "Maker or model contains this."),
    QueryOption("--lens", "lens", "LENS", "The lens contains this."),
    QueryOption("--type", "type", "TYPE", "photo, image, raw, video, live, motion or a format such as heic."),
    QueryOption("--keyword", "keyword", "KEYWORD", "Has this keyword; * stands for anything."),
    QueryOption("--title", "title", "WORDS", "The title contains this."),
    QueryOption("--description", "description", "WORDS", "The description contains this."),
    QueryOption("--name", "name", "NAME", "A file's name contains this."),
    QueryOption("--path", "path", "PATH", "A file lies at or below this path."),
    QueryOption("--person", "person", "PERSON", "Shows this person, by whole name or number; * stands for anything."),
    QueryOption("--has", "has", "FACT", "gps, place, date, title, keywords, sidecar, raw, faces and so on"),
    QueryOption("--is", "is", "STATE", "missing, duplicate, paired, edited, burst, alone, unnamed and so on"),
    QueryOption("--event", "event", "EVENT", "Taken during an event of this key or with these words."),
)
_BOUNDS: tuple[QueryOption, ...] = (
    QueryOption("--from-date", "date", "DATE", "Taken on this date or later: 2019, 2019-06-15, last-30d.", "from"),
    QueryOption("--to-date", "date", "DATE", "Taken on this date or earlier.", "to"),
    QueryOption("--from-time", "time", "TIME", "Taken at this time of day or later: 18, 18:30.", "from"),
    QueryOption("--to-time", "time", "TIME", "Taken at this time of day or earlier.", "to"),
    QueryOption("--min-rating", "rating", "STARS", "At least so many stars.", "from"),
    QueryOption("--rating", "rating", "STARS", "So many stars: 5, 3..4, >=4."),
    QueryOption("--min-size", "size", "SIZE", "The original has at least this size: 20MB.", "from"),
    QueryOption("--max-size", "size", "SIZE", "The original has at most this size.", "to"),
)


def _negated(option: QueryOption) -> QueryOption:
    return replace(option, name=f"--not-{option.name[2:]}", help=f"Without what {option.name} finds.", negates=True)


OPTIONS: tuple[QueryOption, ...] = (*_BOUNDS, *_TERMS, *map(_negated, _TERMS))
"""Every option that is a term."""


def with_query_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with all options of OPTIONS, which it receives as a list of OptionTerm in `terms`."""
    own = inspect.signature(command, eval_str=True)
    kept = [parameter for parameter in own.parameters.values() if parameter.name != "terms"]
    added = [
        inspect.Parameter(
            option.parameter, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(option)
        )
        for option in OPTIONS
    ]

    @wraps(command)
    def with_terms(**values: Any) -> None:
        given = {option: values.pop(option.parameter) for option in OPTIONS}
        command(**values, terms=list(_terms(given)))

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in kept] + added
    # Typer reads a command's options from its signature and its annotations, and from nothing else.
    with_terms.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_terms.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del with_terms.__wrapped__
    return with_terms


def _annotation(option: QueryOption) -> Any:
    declared = typer.Option(
        option.name, metavar=option.metavar, help=option.help, show_default=False, rich_help_panel=PANEL,
        autocompletion=_completion(option.field),
    )  # fmt: skip
    return Annotated[list[str] | None, declared]


def _completion(field: str) -> Callable[..., list[str]] | None:
    if field == "person":
        return complete_people
    return complete_values(field) if field in (*CHOICES, *OF_LIBRARY) else None


def _terms(given: Mapping[QueryOption, list[str] | None]) -> Iterator[OptionTerm]:
    for option, values in given.items():
        if values:
            yield OptionTerm(option.name, option.field, tuple(values), option.bound, option.negates)
