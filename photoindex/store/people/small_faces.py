"""The contents whose preview shows small faces, and where their originals are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, select

from photoindex.domain.people.values import FACE
from photoindex.store.files.originals import contents_to_read, longest_px
from photoindex.store.schema.tables import asset, region
from photoindex.store.tasks.asset_tasks import StageVariant


@dataclass(frozen=True, slots=True)
class SmallFaces:
    """Which faces are small: those with a shorter side below `small_px` in a preview with a longest side of `preview_px`."""

    small_px: int
    preview_px: int


def contents_with(
    connection: Connection, wanted: SmallFaces, *, found_by: StageVariant, without_task: StageVariant
) -> list[tuple[int, int | None]]:
    """Return content and volume of each present file of the contents that show small faces; see `contents_to_read`."""
    return contents_to_read(connection, _has_small_face(wanted), found_by=found_by, without_task=without_task)


def _has_small_face(wanted: SmallFaces) -> ColumnElement[bool]:
    # In the preview, a side of the original is `preview_px / longest_px` of its length.
    least = longest_px() * wanted.small_px / (1.0 * wanted.preview_px)
    found = (region.c.asset_id == asset.c.id, region.c.kind == FACE, region.c.space_id.is_not(None))
    small = select(region.c.id).where(*found, region.c.size_px < least).correlate(asset).exists()
    return and_(longest_px() > wanted.preview_px, small)
