"""`photoindex events [QUERY…]`: the days and trips of a library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.arguments.durations import running_time
from photoindex.cli.arguments.person_completion import QueryCommand, complete_term
from photoindex.cli.arguments.value_completion import complete_columns, complete_names
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Form, Row, choose_output, render
from photoindex.errors import UsageError

if TYPE_CHECKING:
    from photoindex.library.photos.events import Event, FoundEvents

# Lines of 76 characters: Typer keeps the line breaks and wraps longer lines once more.
HELP = r"""List days and trips, newest first, with the places where they were.

An event is what was photographed in one go: it ends where no photo follows
for longer than --gap, or where the next one is more than 50 km away after a
pause of more than an hour. What begins on one day in one town is one event,
unless --gap is shorter than six hours. Times are local wall times. Photos
with only a day belong to that day; those with only a month or a year belong
to no event. Nor do those that have no time but their file's, often that of
a copy: --mtime includes them, and marks the times of their events with ~.

A trip is a run of events more than 50 km from home over at least one night,
with less than 48 hours between them. Home is where photos were taken in most
weeks of the months around. A trip's days are listed below it.

Each event has a key, such as 2019-06-01-lisbon or 2019-06-01-trip-portugal;
in a pipe only the keys are printed. event:KEY finds the photos that were
taken between its first and its last one: photoindex search event:KEY

With a QUERY, or another --gap, the events of these photos are found and kept
beside the others, in place of those with the same key. `photoindex events`
alone keeps what it finds and what a saved query names, nothing else. Where
the library is locked or can only be read, they are listed and not kept.
"""


def register(app: typer.Typer) -> None:
    """Add the command `events`."""
    app.command("events", cls=QueryCommand, help=HELP)(events)


def events(
    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY",
            autocompletion=complete_term,
            help="Only photos that match, as in `search`; words are searched in texts only.",
        ),
    ] = None,
    gap: Annotated[
        str,
        typer.Option("--gap", metavar="DURATION", help="A longer time without a photo ends an event: 90min, 6h, 2d."),
    ] = "6h",
    min_photos: Annotated[
        int, typer.Option("--min-photos", metavar="N", min=1, help="Only events with so many photos or more.")
    ] = 1,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            metavar="N",
            min=0,
            help="Only the newest N; a trip with its days counts as one.",
            show_default=False,
        ),
    ] = None,
    mtime: Annotated[
        bool, typer.Option("--mtime", help="Also photos that have no time but the modification time of their file.")
    ] = False,
    save: Annotated[
        str | None,
        typer.Option(
            "--save",
            metavar="KEY=NAME",
            autocompletion=complete_names("event"),
            help="Save the query event:KEY, to be used as @NAME, or without =NAME as the event's key; list nothing.",
            show_default=False,
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="TEMPLATE",
            autocompletion=complete_columns,
            help="Print each row with a template: '{key}\\t{title}'.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    library: LibraryOption = None,
) -> None:
    """List days and trips."""
    from photoindex.library.photos.events import EventQuery
    from photoindex.library.photos.events import events as find_events

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe, template=template)
    if save is not None:
        if query or json or csv or csv_safe or template is not None:
            raise UsageError("--save KEY=NAME lists nothing: it takes no QUERY and no form of output")
        _save(save, library)
        return
    gap_seconds = max(1, round(running_time(gap, "--gap")))
    wanted = EventQuery(words=query or (), gap_seconds=gap_seconds, min_photos=min_photos, limit=limit, of_file=mtime)
    with opened(library, reading=True) as found_library:
        found = find_events(found_library, wanted)
    render(map(_row, found.events), _TABLE if output.form is Form.TABLE else COLUMNS, output)
    if found.not_kept is not None:
        print(f"event: does not find what is new here, as it could not be kept: {found.not_kept}", file=sys.stderr)
    if output.terminal:
        _print_left_out(found)


def _save(key_and_name: str, library: Path | None) -> None:
    from photoindex.library.photos.events import save

    key, equals, name = key_and_name.partition("=")
    if not key or (equals and not name):
        raise UsageError("--save needs KEY or KEY=NAME, such as 2019-06-01-lisbon=honeymoon")
    with opened(library) as found:
        saved_as, query = save(found, key, name or None)
    print(f"saved {query} as @{saved_as}; use it with: photoindex search @{saved_as}")


def _row(event: Event) -> Row:
    inside = "  " if event.parent is not None else ""
    return {
        "key": event.key,
        "kind": event.kind,
        "title": event.title,
        "first_at": event.first_at,
        "last_at": event.last_at,
        "days": event.days,
        "photos": event.photos,
        "places": [{name: getattr(place, name) for name in place.__slots__} for place in event.places],
        "latitude": event.latitude,
        "longitude": event.longitude,
        "parent": event.parent,
        "when": inside
        + ("~" if event.of_file else "")
        + _when(event.first_at, event.last_at, trip=event.kind == "trip"),
        "what": inside + event.title,
    }


def _when(first_at: str, last_at: str, *, trip: bool) -> str:
    """Return the days of a trip, the hours of a day; what both ends share is said once."""
    first, last = first_at[:16].replace("T", " "), last_at[:16].replace("T", " ")
    if trip:
        return f"{first[:10]} to {last[:10]}"
    if (first_at[11:], last_at[11:]) == ("00:00:00", "23:59:59"):
        return first[:10] if first[:10] == last[:10] else f"{first[:10]} to {last[:10]}"
    if first == last:
        return first
    return f"{first} to {last[11:] if first[:10] == last[:10] else last}"


def _print_left_out(found: FoundEvents) -> None:
    """Say on stderr what the table cannot show."""
    if not found.events:
        print("no event was found", file=sys.stderr)
    parts = [
        (found.without_day, "only the month or year is known"),
        (found.of_file, "only the time of the file is known; --mtime includes it"),
        (found.undated, "no time is known"),
    ]
    for count, why in parts:
        if count:
            print(f"{count:,} {'photo belongs' if count == 1 else 'photos belong'} to no event: {why}", file=sys.stderr)


COLUMNS: tuple[Column, ...] = (
    Column("key", plain=True),
    *(Column(name) for name in ("kind", "title", "first_at", "last_at", "days", "photos")),
    Column("places", structured=True),
    *(Column(name) for name in ("latitude", "longitude", "parent")),
)
"""What is known of an event, in JSON, CSV and templates; in a pipe the key."""

_TABLE: tuple[Column, ...] = (
    Column("when", "When"),
    Column("days", "Days", justify="right"),
    Column("photos", "Photos", justify="right"),
    Column("what", "Where", wide=True),
    Column("key", "Key", style="cyan"),
)
