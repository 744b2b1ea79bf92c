"""Imports an export of people from another library: faces are found by the digest of their content and their box."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from photoindex import file_access
from photoindex.domain.people.boxes import Box, matched
from photoindex.domain.people.lifetimes import is_before
from photoindex.domain.people.values import FIXED, How
from photoindex.errors import UsageError
from photoindex.library.handle import Library
from photoindex.library.people.arguments import face_text, person_text
from photoindex.library.people.decisions import decide, rules
from photoindex.library.people.transfer.lines import FaceLine, Parsed, PersonLine, Place, parse
from photoindex.paths import display, from_text
from photoindex.store.people import apart, faces, individuals, transfer
from photoindex.store.people.decisions import Decisions
from photoindex.store.people.faces import FaceRow
from photoindex.store.people.individuals import IndividualRow


@dataclass(frozen=True, slots=True)
class NotImported:
    """A line that was not imported, and why."""

    line: int
    why: str


@dataclass(slots=True)
class Imported:
    """The result. entry_id: in the journal, None if nothing was changed. summary: as there.

    left_out: lines that do not apply here, in order.
    """

    entry_id: int | None = None
    summary: str = ""
    changed: bool = False
    people: int = 0
    faces: int = 0
    rejections: int = 0
    left_out: list[NotImported] = field(default_factory=list)


def import_people(library: Library, file: Path, *, dry_run: bool = False) -> Imported:
    """Import all of an export that applies here, in one transaction and as one entry in the journal.

    A line whose photo or face is not here, or that contradicts a decision in this library, is left out and named; what was
    decided here stays. Raises UsageError for a file that is no export, by line; then nothing is changed.
    """
    shown = display(from_text(str(file)))
    try:
        with file_access.open_file(os.fsencode(file)) as lines:
            parsed = parse(lines, shown)
    except OSError as error:
        raise UsageError(f"cannot read {shown}: {error.strerror}") from error
    with library.database.write() as connection:
        decisions = Decisions(connection)
        done = _Import(decisions, parsed).run()
        counted = ((done.people, "person", "people"), (done.faces, "face", "faces"), (done.rejections, "rejection", ""))
        parts = [f"{count:,} {one if count == 1 else many or one + 's'}" for count, one, many in counted]
        done.changed = decisions.count > 0
        done.summary = f"imported {parts[0]}, {parts[1]} and {parts[2]} from {shown}"
        if dry_run:
            connection.rollback()
        else:
            done.entry_id = decisions.record(command="people import", summary=done.summary)
    done.left_out.sort(key=lambda one: one.line)
    return done


class _Import:
    """One import. A face's holder is the individual that it has now, and how."""

    def __init__(self, decisions: Decisions, parsed: Parsed) -> None:
        self._decisions = decisions
        self._connection = decisions.connection
        self._parsed = parsed
        self._done = Imported()
        self._faces: dict[Place, FaceRow] = {}
        self._of_asset: defaultdict[int, list[FaceRow]] = defaultdict(list)
        self._holder: dict[int, tuple[int, str]] = {}
        self._people: dict[int, IndividualRow] = {}
        self._repeats: set[int] = set()

    def run(self) -> Imported:
        self._allow_repeats()
        self._locate()
        lines: defaultdict[int, list[FaceLine]] = defaultdict(list)
        for one in self._parsed.faces:
            if one.place in self._faces:
                lines[one.number].append(one)
        for person in self._parsed.people.values():
            self._import_person(person, lines[person.number])
        self._keep_apart()
        return self._done

    def _leave_out(self, line: int, why: str) -> None:
        self._done.left_out.append(NotImported(line, why))

    def _allow_repeats(self) -> None:
        assets = transfer.assets_of(self._connection, (one.digest for one in self._parsed.repeats))
        for one in self._parsed.repeats:
            if one.digest not in assets:
                self._leave_out(one.line, "its photo is not in this library")
        self._decisions.allow_repeats(sorted(assets.values()))

    def _locate(self) -> None:
        """Find the faces that the lines mean, by the overlap of their boxes."""
        assets = transfer.assets_of(self._connection, (one.place.digest for one in self._parsed.faces))
        frames = transfer.frames_of(self._connection, assets.values())
        self._repeats = faces.with_repeats(self._connection, assets.values())
        here: defaultdict[tuple[int, int], list[FaceRow]] = defaultdict(list)
        for face in faces.of_assets(self._connection, assets.values()):
            here[face.asset_id, frames[face.id]].append(face)
            self._of_asset[face.asset_id].append(face)
            if face.individual_id is not None and face.how is not None:
                self._holder[face.id] = (face.individual_id, face.how)
        there: defaultdict[tuple[int, int], dict[Place, None]] = defaultdict(dict)
        for one in self._parsed.faces:
            if one.place.digest in assets:
                there[assets[one.place.digest], one.place.frame][one.place] = None
        for key, places in there.items():
            boxes = [Box(face.x, face.y, face.width, face.height) for face in here[key]]
            wanted = list(places)
            for i, j in matched([place.box for place in wanted], boxes):
                self._faces[wanted[i]] = here[key][j]
        for one in self._parsed.faces:
            if one.place.digest not in assets:
                self._leave_out(one.line, "its photo is not in this library")
            elif one.place not in self._faces:
                self._leave_out(one.line, "no face was found at this place of the photo")

    def _import_person(self, line: PersonLine, lines: Sequence[FaceLine]) -> None:
        person = self._person_of(line, lines)
        if person is None:
            return
        self._done.people += 1
        person = self._with_words(person, line)
        self._people[line.number] = person
        rejected = faces.rejected_by(self._connection, person.id)
        confirmed = self._allowed(person, lines, How.CONFIRMED, rejected)
        self._decisions.assign([face.id for face in confirmed], person.id, How.CONFIRMED)
        grouped = self._allowed(person, lines, How.CLUSTER, rejected)
        self._decisions.assign([face.id for face in grouped], person.id, How.CLUSTER)
        self._done.faces += len(confirmed) + len(grouped)
        self._reject(person, [one for one in lines if one.type == "rejection"], rejected)
        decide.remove_emptied(self._decisions, [*confirmed, *grouped], keep=person.id)
        for one in lines:
            face = self._faces[one.place]
            if one.type == "cover" and person.cover_id is None and self._holder.get(face.id, (0, ""))[0] == person.id:
                self._decisions.set_values(person.id, cover_id=face.id)

    def _person_of(self, line: PersonLine, lines: Sequence[FaceLine]) -> IndividualRow | None:
        """Return the person that a line means here, added if necessary; None for a group without any face here."""
        found = None
        if line.name is not None:
            found = individuals.by_name(self._connection, line.name, kind=line.kind)
        else:
            found = self._group_of(line, lines)
            if found is None and not any(one.type != "cover" for one in lines):
                return None
        if found is None:
            added = self._decisions.add_individual(name=line.name, kind=line.kind)
            found = individuals.by_id(self._connection, added)
        return found

    def _group_of(self, line: PersonLine, lines: Sequence[FaceLine]) -> IndividualRow | None:
        """Return the group here with most faces of a group there, confirmed ones before others."""
        votes: Counter[tuple[int, str]] = Counter()
        for one in lines:
            if one.type == "face" and (holder := self._holder.get(self._faces[one.place].id)) is not None:
                votes[holder] += 1
        taken = {person.id for person in self._people.values()}
        order = sorted(votes, key=lambda holder: (holder[1] != How.CONFIRMED, -votes[holder], holder[0]))
        people = individuals.by_ids(self._connection, [one for one, _ in order])
        free = (people[one] for one, _ in order if one not in taken)
        return next((one for one in free if one.name is None and one.kind == line.kind), None)

    def _with_words(self, person: IndividualRow, line: PersonLine) -> IndividualRow:
        """Write what the line says about a person and nothing here contradicts; return the person as it is then."""
        values: dict[str, object] = {}
        for what, said, known in (("born", line.born, person.born), ("died", line.died, person.died)):
            if said is not None and known is None:
                values[what] = said
            elif said is not None and known is not None and (is_before(said, known) or is_before(known, said)):
                self._leave_out(line.line, f"{person_text(person)} {what} {known} in this library, not {said}")
        born, died = values.get("born", person.born), values.get("died", person.died)
        if values and born is not None and died is not None and is_before(str(died), str(born)):
            self._leave_out(line.line, f"{person_text(person)} cannot have died ({died}) before the birth ({born})")
            values = {}
        if line.hidden and not person.hidden:
            values["hidden"] = True
        if line.ignored and not person.ignored and person.name is None:
            values["ignored"] = True
        if values:
            self._decisions.set_values(person.id, **values)
        for name in line.names:
            if apart.individual_of_alias(self._connection, name, line.kind) is None:
                self._decisions.add_alias(name, person.id, kind=line.kind)
        return individuals.by_id(self._connection, person.id) or person

    def _allowed(self, person: IndividualRow, lines: Sequence[FaceLine], how: How, rejected: set[int]) -> list[FaceRow]:
        """Return the faces of lines that the person can be given this way, and name the others."""
        found = []
        for one in lines:
            if one.type != "face" or one.how != how:
                continue
            face = self._faces[one.place]
            holder = self._holder.get(face.id)
            if holder is not None and holder[0] == person.id and (holder[1] == how or how is How.CLUSTER):
                continue
            why = self._objection(person, face, how, rejected)
            if why is not None:
                self._leave_out(one.line, why)
                continue
            for other in self._others(person, face):
                # Only the program gave it to them, so it gives way.
                self._decisions.release([other.id])
                del self._holder[other.id]
            self._holder[face.id] = (person.id, how.value)
            found.append(face)
        return found

    def _objection(self, person: IndividualRow, face: FaceRow, how: How, rejected: set[int]) -> str | None:
        """Return why a face cannot be a person's, None if it can."""
        shown = face_text(face.id)
        holder = self._holder.get(face.id)
        if holder is not None and holder[0] != person.id:
            other = individuals.by_id(self._connection, holder[0])
            is_named = other is not None and other.name is not None
            if holder[1] == How.CONFIRMED or (how is How.CLUSTER and (holder[1] in FIXED or is_named)):
                return f"{shown} is {'somebody else' if other is None else person_text(other)} in this library"
        if face.id in rejected:
            return f"you said that {shown} is not {person_text(person)}"
        outside = rules.outside_life(person, [face])
        if outside:
            return f"{shown} cannot be {person_text(person)}: {outside[face.id]}"
        others = self._others(person, face)
        if any(how is How.CLUSTER or self._holder[one.id][1] in FIXED for one in others):
            return f"{person_text(person)} would be twice in the photo of {shown}"
        return None

    def _others(self, person: IndividualRow, face: FaceRow) -> list[FaceRow]:
        """Return the other faces of a person in the content of a face, where nobody may be twice."""
        if face.asset_id in self._repeats:
            return []
        beside = (one for one in self._of_asset[face.asset_id] if one.id != face.id)
        return [one for one in beside if self._holder.get(one.id, (0, ""))[0] == person.id]

    def _reject(self, person: IndividualRow, lines: Sequence[FaceLine], rejected: set[int]) -> None:
        wanted = []
        for one in lines:
            face = self._faces[one.place]
            if self._holder.get(face.id) == (person.id, How.CONFIRMED.value):
                self._leave_out(one.line, f"{face_text(face.id)} is confirmed as {person_text(person)} in this library")
            elif face.id not in rejected:
                wanted.append(face.id)
                if self._holder.get(face.id, (0, ""))[0] == person.id:
                    del self._holder[face.id]
        self._decisions.reject(wanted, person.id)
        self._done.rejections += len(wanted)

    def _keep_apart(self) -> None:
        for one in self._parsed.apart:
            people = [self._people[number] for number in one.numbers if number in self._people]
            if len(people) < 2:
                self._leave_out(one.line, "one of them has no face in this library")
            elif people[0].id == people[1].id:
                self._leave_out(one.line, f"they are the same person in this library: {person_text(people[0])}")
            else:
                self._decisions.keep_apart(people[0].id, people[1].id)
