"""The contents whose preview shows text, and which were not read from their originals yet."""

from __future__ import annotations

from sqlalchemy import Connection, and_, select

from photoindex.store.files.originals import contents_to_read, longest_px
from photoindex.store.schema.tables import asset, asset_text
from photoindex.store.tasks.asset_tasks import StageVariant
from photoindex.store.words.documents import OCR


def contents_with_text(
    connection: Connection, *, preview_px: int, found_by: StageVariant, without_task: StageVariant
) -> list[tuple[int, int | None]]:
    """Return content and volume of each present file of contents with text in their previews; see `contents_to_read`.

    preview_px: longer side of the previews; smaller originals show no more than their previews do.
    """
    rows = select(asset_text.c.asset_id).where(
        asset_text.c.asset_id == asset.c.id,
        asset_text.c.kind == OCR,
        asset_text.c.variant_id == found_by.variant_id,
    )
    wanted = and_(longest_px() > preview_px, rows.correlate(asset).exists())
    return contents_to_read(connection, wanted, found_by=found_by, without_task=without_task)
