"""Labels of contents: the tags and objects that models gave them, how sure they are, and whether they are shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, false, func, select, update

from photoindex.store.engine.statements import insert_rows, numbers
from photoindex.store.schema.tables import journal, label
from photoindex.store.tasks import asset_tasks, queue
from photoindex.store.words import documents, tags
from photoindex.types import Label, Result

_CHUNK = 20_000
_NO_BOX = (None,) * 4


@dataclass(slots=True)
class _KnownTags:
    """The tags of names, looked up once; again where a person changed anything since, such as the name of a tag."""

    newest_change: int = -1
    by_name: dict[str, int] = field(default_factory=dict)

    def of(self, connection: Connection, names: Collection[str]) -> Mapping[str, int]:
        """Return name -> tag; create those that are missing. Call it in a write transaction."""
        newest = connection.execute(select(func.coalesce(func.max(journal.c.id), 0))).scalar_one()
        if newest != self.newest_change:
            self.newest_change, self.by_name = newest, {}
        new = [name for name in names if name not in self.by_name]
        if new:
            self.by_name |= tags.ensure(connection, new)
        return self.by_name


@dataclass(frozen=True, slots=True)
class LabelWriter:
    """Stores the labels that one variant of a stage gives contents.

    threshold: least confidence of a label that is shown. replaced: variants whose labels of these contents are removed,
    with their tasks, as these take their place.
    """

    stage: str
    variant_id: int
    threshold: float
    replaced: tuple[int, ...] = ()
    _known: _KnownTags = field(default_factory=_KnownTags)

    def put(self, connection: Connection, results: Mapping[int, Sequence[Result]]) -> None:
        """Write the labels among the results (asset id -> results), replacing earlier ones of these contents.

        A label goes to the tag that has its name now, or had it before a person renamed or merged it.
        """
        asset_ids = list(results)
        given = {asset_id: [one for one in found if isinstance(one, Label)] for asset_id, found in results.items()}
        given_tags = self._known.of(connection, {one.name for found in given.values() for one in found})
        variants = (self.variant_id, *self.replaced)
        of_contents = label.c.asset_id.in_(numbers(asset_ids))
        connection.execute(delete(label).where(of_contents, label.c.variant_id.in_(variants)))
        rows = [row for asset_id, found in given.items() for row in self._rows(asset_id, found, given_tags)]
        insert_rows(connection, label, rows)
        if self.replaced:
            kept = [one for one in queue.variants(connection, self.stage) if one not in self.replaced]
            asset_tasks.forget_other_variants(connection, self.stage, asset_ids, kept=kept)
        documents.refresh_assets(connection, asset_ids)

    def _rows(self, asset_id: int, found: Sequence[Label], tag_ids: Mapping[str, int]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of `label` of one content."""
        parts: dict[tuple[int, int], Label] = {}
        for one in sorted(found, key=attrgetter("confidence"), reverse=True):
            tag_id = tag_ids[one.name]
            # Names that were merged are one tag; of a whole picture the surest counts, objects are counted.
            part = 0 if one.box is None else sum(known == tag_id for known, _ in parts)
            parts.setdefault((tag_id, part), one)
        for (tag_id, part), one in parts.items():
            shown = one.confidence >= self.threshold
            box = one.box or _NO_BOX
            yield asset_id, self.variant_id, tag_id, part, one.raw, one.confidence, shown, one.calibrated, *box


def wrongly_marked(connection: Connection, threshold: float, *, after_id: int) -> list[int]:
    """Return contents, by id above `after_id`, with a label that is shown or hidden against the threshold."""
    wrong = label.c.shown != (label.c.confidence >= threshold)
    statement = select(label.c.asset_id).distinct().where(wrong, label.c.asset_id > after_id)
    return list(connection.execute(statement.order_by(label.c.asset_id).limit(_CHUNK)).scalars())


def mark_shown(connection: Connection, asset_ids: Sequence[int], threshold: float) -> None:
    """Show the labels of contents that are at least as sure as the threshold, and no others."""
    is_sure = label.c.confidence >= threshold
    of_contents = label.c.asset_id.in_(numbers(asset_ids))
    connection.execute(update(label).where(of_contents, label.c.shown != is_sure).values(shown=is_sure))
    documents.refresh_assets(connection, asset_ids)


def surest_is_calibrated() -> ColumnElement[bool]:
    """Return whether the highest confidence among grouped labels was measured on a person's verdicts."""
    return func.coalesce(
        func.max(case((label.c.calibrated, label.c.confidence))) >= func.max(label.c.confidence), false()
    )
