"""`photoindex cluster stats`: how good the groups of faces are, and what to look at."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from photoindex.cli.arguments.common import JsonOption, LibraryOption, opened
from photoindex.cli.output.details import Section, print_details, print_json
from photoindex.cli.output.progress import ProgressMode, ProgressOption, progress_sink
from photoindex.cli.output.progress_text import amount
from photoindex.cli.output.render import Column, CsvOption, CsvSafeOption, Row, choose_output, render

if TYPE_CHECKING:
    from photoindex.library.people.groups.likely import Evidence, Likely
    from photoindex.library.people.groups.stats import ClusterStats, PersonStats

_SHOWN = 20
"""Rows of each section; --json and --csv have all."""

_COLUMNS = tuple(
    Column(name)
    for name in (
        "person", "name", "ignored", "faces", "fixed", "cohesion", "first", "last", "suspicious", "part_faces",
        "other_part_faces", "parts_cosine", "twice",
    )
)  # fmt: skip


def add_to(group: typer.Typer) -> None:
    """Add the command `stats`."""
    group.command("stats")(_stats)


def _stats(
    json: JsonOption = False,
    csv: CsvOption = False,
    csv_safe: CsvSafeOption = False,
    progress: ProgressOption = ProgressMode.AUTO,
    library: LibraryOption = None,
) -> None:
    """Show the sizes of the groups, those that may be several people, and people who may be one; nothing is changed.

    cohesion: the mean cosine of all pairs of faces of a group. A group is suspicious if its faces fall into two parts that
    are no more alike than strangers, or if several of its photos show a second face like it. Likely the same are groups
    that are more alike than by chance, and groups of successive years whose end is like the beginning of the next.
    --json prints one line for the library, one for each person, one for each likely merge; --csv the people.
    """
    from photoindex.library.people.groups.stats import cluster_stats

    output = choose_output(json=json, csv=csv, csv_safe=csv_safe)
    with opened(library, reading=True) as found, progress_sink(progress) as emit:
        stats = cluster_stats(found, emit)
    if json:
        for line in _json_lines(stats):
            print_json(line)
    elif csv or csv_safe:
        render(map(_person, stats.people), _COLUMNS, output)
    else:
        print_details(f"Faces by {stats.model}", list(_sections(stats)))
        _say_what_is_left_out(stats)


def _sections(stats: ClusterStats) -> Iterator[Section]:
    yield Section(
        "Faces",
        [
            ("in photos", f"{stats.faces:,}"),
            ("in groups", f"{stats.faces - stats.waiting:,}"),
            ("waiting", f"{stats.waiting:,}, {stats.poor:,} of them too small, blurry or turned to found a group"),
        ],
    )
    people = [one for one in stats.people if not one.ignored]
    named = [one for one in people if one.name is not None]
    rows = [("people", f"{len(people):,}: {len(named):,} named, {len(people) - len(named):,} unnamed")]
    if len(people) < len(stats.people):
        rows.append(("strangers", f"{len(stats.people) - len(people):,}"))
    if people:
        sizes = [one.faces for one in people]
        rows.append(("faces each", f"{max(sizes):,} at most, {statistics.median(sizes):,.0f} in the middle"))
        middle = statistics.median(one.cohesion for one in people)
        rows.append(("cohesion", f"{middle:.2f} in the middle, {min(one.cohesion for one in people):.2f} at least"))
    yield Section("Groups", rows)
    suspicious = [one for one in people if one.suspicious]
    yield Section("Suspicious", [(*_who(one), _why(one), _look(one)) for one in suspicious[:_SHOWN]])
    names = {one.person: one for one in stats.people}
    yield Section("Likely the same", [tuple(_merge(one, names)) for one in stats.likely[:_SHOWN]])


def _say_what_is_left_out(stats: ClusterStats) -> None:
    suspicious = sum(one.suspicious and not one.ignored for one in stats.people)
    for count, what in ((suspicious, "suspicious groups"), (len(stats.likely), "likely merges")):
        if count > _SHOWN:
            print(f"{count - _SHOWN:,} more {what}; all are in: photoindex cluster stats --json", file=sys.stderr)


def _who(one: PersonStats) -> tuple[str, str]:
    return f"{one.person}{f' {one.name}' if one.name else ''}", amount(one.faces, "faces")


def _why(one: PersonStats) -> str:
    why = []
    if one.mixed is not None:
        first, second = one.mixed.examples
        why.append(
            f"two parts, {one.mixed.faces[0]:,} like f{first} and {one.mixed.faces[1]:,} like f{second}, cosine "
            f"{one.mixed.cosine:.2f}"
        )
    if one.twice:
        why.append(f"a second face like it in {amount(one.twice, 'photos')}")
    return "; ".join(why)


def _look(one: PersonStats) -> str:
    return f"photoindex people show {one.person}"


def _merge(one: Likely, people: dict[int, PersonStats]) -> Iterator[str]:
    yield " + ".join(_who(people[person])[0] for person in one.persons)
    yield f"{100 * one.confidence:.0f} % sure"
    yield "; ".join(map(_evidence, one.evidence))
    yield _merge_command(one)


def _merge_command(one: Likely) -> str:
    into, *others = map(str, one.persons)
    return f"photoindex people merge {into} {' '.join(others)}"


def _evidence(one: Evidence) -> str:
    face, other, cosine = one.nearest[0]
    time = f"{one.until} to {one.since}, " if one.until else ""
    return f"{one.person} and {one.other}: {time}cosine {one.cosine:.2f}, f{face} and f{other} {cosine:.2f}"


def _json_lines(stats: ClusterStats) -> Iterator[dict[str, object]]:
    from dataclasses import asdict

    yield {
        "schema": 1, "what": "library", "model": stats.model, "faces": stats.faces, "waiting": stats.waiting,
        "poor": stats.poor, "thresholds": asdict(stats.thresholds),
    }  # fmt: skip
    for person in stats.people:
        mixed = None if person.mixed is None else asdict(person.mixed)
        values = asdict(person) | {"mixed": mixed, "suspicious": person.suspicious}
        yield {"schema": 1, "what": "person", **values, "command": _look(person) if person.suspicious else None}
    for one in stats.likely:
        yield {"schema": 1, "what": "likely_merge", **asdict(one), "command": _merge_command(one)}


def _person(one: PersonStats) -> Row:
    larger, smaller = (None, None) if one.mixed is None else one.mixed.faces
    return {
        "person": one.person, "name": one.name, "ignored": one.ignored, "faces": one.faces, "fixed": one.fixed,
        "cohesion": round(one.cohesion, 4), "first": one.first, "last": one.last, "suspicious": one.suspicious,
        "part_faces": larger, "other_part_faces": smaller,
        "parts_cosine": None if one.mixed is None else round(one.mixed.cosine, 4), "twice": one.twice,
    }  # fmt: skip
