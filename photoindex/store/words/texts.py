"""Texts of contents that models wrote or read: captions and text in pictures, by several models side by side."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from photoindex.store.engine.statements import numbers
from photoindex.store.journal.journal import Change, Row, rows_as_changes, untyped
from photoindex.store.schema.tables import asset_text, task, variant
from photoindex.store.words import documents
from photoindex.types import Result, Text, TextLine

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class TextWriter:
    """Stores the texts of one kind that one variant of a stage gives; see `Writer`.

    parser: version of what made the text of the model's answer, None if the answer is the text. replaces: variants of the
    same stage whose texts of these contents are removed, with their finished tasks: the same model with other settings.
    stands_for: variants whose texts are removed, while their tasks stay: the same model, from another picture of the photo.
    """

    kind: str
    variant_id: int
    parser: int | None = None
    replaces: tuple[int, ...] = ()
    stands_for: tuple[int, ...] = ()

    def put(self, connection: Connection, results: Mapping[int, Sequence[Result]]) -> None:
        """Write the texts among the results (asset id -> results), replacing earlier ones of these contents.

        A content without a text, or with an empty one that has no lines either, keeps none of this variant. The documents of full-text search are
        written too.
        """
        rows = [
            self._row(asset_id, one)
            for asset_id, found in results.items()
            for one in found
            if isinstance(one, Text) and one.kind == self.kind and (one.text or one.lines)
        ]
        self._remove(connection, list(results))
        if rows:
            connection.execute(insert(asset_text), rows)
        documents.refresh_assets(connection, results)

    def _row(self, asset_id: int, one: Text) -> dict[str, Any]:
        return {
            "asset_id": asset_id, "kind": self.kind, "variant_id": self.variant_id, "text": one.text,
            "language": one.language, "raw": one.raw, "parser": self.parser,
            "lines": [asdict(line) for line in one.lines] or None, "at": time.time(),
        }  # fmt: skip

    def _remove(self, connection: Connection, asset_ids: Sequence[int]) -> None:
        chosen = numbers(asset_ids)
        variants = (self.variant_id, *self.replaces, *self.stands_for)
        connection.execute(
            delete(asset_text).where(
                asset_text.c.asset_id.in_(chosen), asset_text.c.kind == self.kind, asset_text.c.variant_id.in_(variants)
            )
        )
        if self.replaces:
            connection.execute(
                delete(task).where(
                    task.c.subject_kind == "asset", task.c.subject_id.in_(chosen), task.c.variant_id.in_(self.replaces)
                )
            )


@dataclass(frozen=True, slots=True)
class TextRow:
    """One text of a content. variant: what its model was asked and how, as the stage's `variant` says. at: seconds since 1970.

    lines: of text in the picture.
    """

    asset_id: int
    variant_id: int
    variant: Mapping[str, Any]
    text: str
    language: str | None
    raw: str | None
    at: float
    lines: tuple[TextLine, ...] = ()

    @property
    def model(self) -> str:
        """The model that gave it."""
        return str(self.variant.get("model", ""))


def of_assets(connection: Connection, asset_ids: Collection[int], kind: str) -> dict[int, list[TextRow]]:
    """Return the texts of one kind of each content that has any, newest first."""
    statement = (
        select(asset_text, variant.c.key)
        .join(variant, variant.c.id == asset_text.c.variant_id)
        .where(asset_text.c.asset_id.in_(numbers(sorted(asset_ids))), asset_text.c.kind == kind)
        .order_by(asset_text.c.asset_id, asset_text.c.at.desc(), asset_text.c.variant_id.desc())
    )
    found: dict[int, list[TextRow]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.asset_id, []).append(
            TextRow(
                row.asset_id, row.variant_id, json.loads(row.key), text=row.text, language=row.language, raw=row.raw,
                at=row.at, lines=tuple(_line(one) for one in row.lines or ()),
            )
        )  # fmt: skip
    return found


def _line(stored: Mapping[str, Any]) -> TextLine:
    return TextLine(stored["text"], tuple((x, y) for x, y in stored["corners"]), stored["score"])


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's whole answer about a content, and the language in which it was asked to answer."""

    asset_id: int
    variant_id: int
    raw: str
    language: str | None


def parsed_before(connection: Connection, kind: str, parser: int, after: Answer | None = None) -> list[Answer]:
    """Return some of the answers whose texts were made by an earlier version of the parser; none when all are done.

    after: the last one that was returned before. Without it all earlier rows would be looked at again each time.
    """
    statement = (
        select(asset_text.c.asset_id, asset_text.c.variant_id, asset_text.c.raw, asset_text.c.language)
        .where(asset_text.c.kind == kind, asset_text.c.parser < parser, asset_text.c.raw.is_not(None))
        .order_by(asset_text.c.asset_id, asset_text.c.variant_id)
        .limit(_CHUNK)
    )
    if after is not None:
        later = or_(asset_text.c.asset_id > after.asset_id, asset_text.c.variant_id > after.variant_id)
        statement = statement.where(asset_text.c.asset_id >= after.asset_id, later)
    return [Answer(*row) for row in connection.execute(statement)]


def reparse(connection: Connection, kind: str, texts: Sequence[tuple[Answer, str]], *, parser: int) -> None:
    """Write the texts that a new version of the parser makes of answers; an empty text removes the row."""
    kept = [
        {"of_asset": answer.asset_id, "of_variant": answer.variant_id, "new": text} for answer, text in texts if text
    ]
    of_row = (
        asset_text.c.asset_id == bindparam("of_asset"),
        asset_text.c.variant_id == bindparam("of_variant"),
        asset_text.c.kind == kind,
    )
    if kept:
        connection.execute(update(asset_text).where(*of_row).values(text=bindparam("new"), parser=parser), kept)
    gone = [{"of_asset": answer.asset_id, "of_variant": answer.variant_id} for answer, text in texts if not text]
    if gone:
        connection.execute(delete(asset_text).where(*of_row), gone)
    documents.refresh_assets(connection, {answer.asset_id for answer, _ in texts})


def copy_texts(connection: Connection, kind: str, *, source: int, target: int) -> Iterator[Change]:
    """Copy the texts of one kind of a content to another one that has none; yields the changes for the journal."""
    of_kind = select(asset_text).where(asset_text.c.kind == kind)
    if connection.execute(of_kind.where(asset_text.c.asset_id == target)).first() is not None:
        return
    found = list(rows_as_changes(connection, asset_text, of_kind.where(asset_text.c.asset_id == source)))
    for one in found:
        row: Row = {**(one.before or {}), "asset_id": target}
        connection.execute(untyped(asset_text).insert(), row)
        yield Change(asset_text.name, {**one.key, "asset_id": target}, before=None, after=row)
