"""Applies a file of choices among the frames of bursts: all of them, or none; JSON lines, described in docs/bursts.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from photoindex.library.answer_lines import SCHEMA, AnswersRefused, NotAnAnswer, Problem, read_lines
from photoindex.library.bursts.find import BEST_TAG, OTHER_TAG
from photoindex.library.handle import Library
from photoindex.library.words.change import WordsChanged, Work, change, photos_text
from photoindex.library.words.stale import tags_changed
from photoindex.store.journal.journal import Change
from photoindex.store.photos.bursts import bursts_of_photos
from photoindex.store.search.targets import known_photos
from photoindex.store.words import photo_tags, tags
from photoindex.store.words.photo_tags import TagChange

_EXAMPLE = '{"schema": 1, "best": [12], "other": [11, 13]}'


@dataclass(frozen=True, slots=True)
class _Answer:
    line: int
    best: Sequence[int]
    other: Sequence[int]


def apply_answers(library: Library, data: bytes, name: str, *, dry_run: bool = False) -> WordsChanged:
    """Tag the chosen frames and the others, in one transaction, with one entry in the journal; `name` is the file's.

    Answers that already hold change nothing. Raises AnswersRefused, which lists every line that is no answer or does not
    apply to the library as it is now.
    """
    answers, wrong = read_lines(data, _answer)
    lines = len(answers) + len(wrong)
    problems = {one.line: one.reason for one in wrong}

    def begin(connection: Connection) -> Work:
        problems.update(_unfit(connection, answers))
        if problems:
            raise AnswersRefused(name, [Problem(*one) for one in sorted(problems.items())], lines, unit="lines")
        best = [photo_id for one in answers for photo_id in one.best]
        other = [photo_id for one in answers for photo_id in one.other]
        return _work(connection, best, other)

    return change(library, "bursts apply", begin, dry_run=dry_run)


def _work(connection: Connection, best: Sequence[int], other: Sequence[int]) -> Work:
    ids = tags.ensure(connection, [BEST_TAG, OTHER_TAG])
    done = TagChange()

    def changes() -> Iterator[Change]:
        for photo_ids, given, taken in ((best, BEST_TAG, OTHER_TAG), (other, OTHER_TAG, BEST_TAG)):
            yield from photo_tags.remove(connection, [ids[taken]], photo_ids, done)
            yield from photo_tags.add(connection, [ids[given]], photo_ids, done)

    def outcome() -> tuple[str, int]:
        text = f"{photos_text(len(best))} chosen as best of their bursts, {len(other):,} not"
        return text, len(done.photos)

    return Work(changes(), outcome, finish=lambda after: tags_changed(after, done))


def _unfit(connection: Connection, answers: Sequence[_Answer]) -> Iterator[tuple[int, str]]:
    """Yield the lines that do not apply, and why."""
    listed = [photo_id for one in answers for photo_id in (*one.best, *one.other)]
    known = known_photos(connection, listed)
    bursts = bursts_of_photos(connection, listed)
    said: dict[int, int] = {}
    for one in answers:
        photos = (*one.best, *one.other)
        unknown = sorted(set(photos) - known)
        repeated = next((photo_id for photo_id in photos if photo_id in said), None)
        if unknown:
            yield one.line, f"there is no photo {unknown[0]}"
        elif repeated is not None:
            yield one.line, f"line {said[repeated]} is about photo {repeated}, too"
        elif (apart := _apart(photos, bursts)) is not None:
            yield one.line, apart
        said.update(dict.fromkeys(photos, one.line))


def _apart(photos: Sequence[int], bursts: dict[int, str]) -> str | None:
    """Return why photos are not of one burst, None if they are."""
    for photo_id in photos:
        if photo_id not in bursts:
            return f"photo {photo_id} is in no burst now"
        if bursts[photo_id] != bursts[photos[0]]:
            return f"photos {photos[0]} and {photo_id} are in different bursts"
    return None


def _answer(number: int, found: object) -> _Answer:
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise NotAnAnswer(f"it is no answer, such as {_EXAMPLE}")
    unknown = sorted(set(found) - {"schema", "best", "other"})
    if unknown:
        raise NotAnAnswer(f'"{unknown[0]}" is no part of an answer')
    best, other = (_photos(name, found.get(name, [])) for name in ("best", "other"))
    if not best and not other:
        raise NotAnAnswer(f"it names no photo, as in {_EXAMPLE}")
    if both := sorted(set(best) & set(other)):
        raise NotAnAnswer(f"photo {both[0]} is both best and other")
    return _Answer(number, best, other)


def _photos(name: str, found: object) -> list[int]:
    if not isinstance(found, list) or not all(type(one) is int and 0 < one < 2**63 for one in found):
        raise NotAnAnswer(f'"{name}" must be a list of numbers of photos, such as [12, 13]')
    return list(dict.fromkeys(found))
