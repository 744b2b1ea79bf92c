"""Applies a file of answers about tags: all of them, or none; JSON lines, described in docs/auto-tags.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.errors import NothingFound, UsageError
from photoindex.library.answer_lines import SCHEMA, AnswersRefused, NotAnAnswer, Problem, read_lines
from photoindex.library.handle import Library
from photoindex.library.words.change import WordsChanged, Work, change
from photoindex.library.words.tags import find_tag
from photoindex.library.words.verdicts import Decided, verdict_work
from photoindex.store.search.targets import known_photos

ACCEPT, REJECT = "accept", "reject"


@dataclass(frozen=True, slots=True)
class _Answer:
    line: int
    do: str
    tag: str
    photos: Sequence[int]


@dataclass(frozen=True, slots=True)
class Applied:
    """The result. answers: verdicts in the file."""

    changed: WordsChanged
    answers: int


def apply_answers(library: Library, data: bytes, name: str, *, dry_run: bool = False) -> Applied:
    """Apply the answers in one transaction, with one entry in the journal; `name` is the file's, for messages.

    Answers that already hold change nothing. Raises AnswersRefused, which lists every line that is no answer or does not
    apply to the library as it is now.
    """
    answers, wrong = read_lines(data, _answer)
    lines = len(answers) + len(wrong)
    problems = {one.line: one.reason for one in wrong}

    def begin(connection: Connection) -> Work:
        decided = _decided(connection, answers, problems)
        if problems:
            raise AnswersRefused(name, [Problem(*one) for one in sorted(problems.items())], lines, unit="lines")
        accepted, rejected = (sum(map(len, one.values())) for one in (decided.accepted, decided.rejected))
        return verdict_work(connection, decided, f"{accepted:,} tags accepted and {rejected:,} rejected")

    changed = change(library, "tag apply", begin, dry_run=dry_run)
    return Applied(changed, sum(len(one.photos) for one in answers))


def _decided(connection: Connection, answers: Sequence[_Answer], problems: dict[int, str]) -> Decided:
    """Return the verdicts by tag; adds to `problems` the lines that do not apply."""
    said: dict[tuple[int, int], tuple[str, int]] = {}
    for one in answers:
        try:
            tag = find_tag(connection, one.tag)
        except (NothingFound, UsageError) as error:
            problems[one.line] = str(error)
            continue
        unknown = sorted(set(one.photos) - known_photos(connection, one.photos))
        if unknown:
            problems[one.line] = f"there is no photo {unknown[0]}"
            continue
        for photo_id in one.photos:
            before, line = said.setdefault((tag.id, photo_id), (one.do, one.line))
            if before != one.do:
                problems[one.line] = f"line {line} says {before} of {tag.name} in photo {photo_id}"
    accepted: defaultdict[int, list[int]] = defaultdict(list)
    rejected: defaultdict[int, list[int]] = defaultdict(list)
    for (tag_id, photo_id), (do, _) in said.items():
        (accepted if do == ACCEPT else rejected)[tag_id].append(photo_id)
    return Decided(accepted, rejected)


def _answer(number: int, found: object) -> _Answer:
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise NotAnAnswer(
            'it is no answer, such as {"schema": 1, "do": "accept", "tag": "animals/dog", "photos": [12]}'
        )
    unknown = sorted(set(found) - {"schema", "do", "tag", "photos"})
    if unknown:
        raise NotAnAnswer(f'"{unknown[0]}" is no part of an answer')
    if found.get("do") not in (ACCEPT, REJECT):
        raise NotAnAnswer(f'"do" must be {ACCEPT} or {REJECT}')
    if not isinstance(found.get("tag"), str):
        raise NotAnAnswer('"tag" must be the name of a tag')
    photos = found.get("photos")
    if not isinstance(photos, list) or not all(type(one) is int and 0 < one < 2**63 for one in photos) or not photos:
        raise NotAnAnswer('"photos" must be a list of numbers of photos, such as [12, 13]')
    return _Answer(number, found["do"], found["tag"], list(dict.fromkeys(photos)))
