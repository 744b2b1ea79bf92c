"""Regions of contents: writing what a model found, and keeping what a person said about what it found before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from photoindex.domain.people.boxes import Box, matched
from photoindex.domain.people.same_face import Face, matched_after_edit
from photoindex.domain.people.values import FACE, FIXED, How
from photoindex.store.engine.chunks import chunks
from photoindex.store.engine.statements import numbers, upsert
from photoindex.store.people import counts, marks
from photoindex.store.people.spaces import RegionSpace
from photoindex.store.schema.tables import asset, assignment, photo, region, region_vector, rejection
from photoindex.store.tasks import asset_tasks
from photoindex.store.words.people import ChangedFaces, people_changed
from photoindex.types import DetectedRegion, Result

STORED = np.dtype("<f2")
"""How a vector is stored."""
_FIRST_TURNED = 5
"""EXIF orientations from this one on swap width and height."""
_LANDMARKS = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One region of a content.

    space_id: None if no model found it. variant_id: what found it; None for a region taken over from the content before an
    edit. schema: what marked it in metadata, None if nothing did. individual_id, how: the individual it shows. rejected: a person said
    whom it does not show.
    """

    id: int
    asset_id: int
    box: Box
    space_id: int | None
    variant_id: int | None
    schema: str | None
    individual_id: int | None
    how: str | None
    rejected: bool

    @property
    def is_decided(self) -> bool:
        """Whether a person, or a file, said anything about it."""
        return self.how in FIXED or self.rejected or self.schema is not None

    @property
    def is_taken_over(self) -> bool:
        """Whether it was copied from the content before an edit, and no model has looked for it in this content yet."""
        return self.variant_id is None and self.space_id is not None


_is_rejected = select(rejection.c.region_id).where(rejection.c.region_id == region.c.id).correlate(region).exists()
_rows = select(
    region.c.id, region.c.asset_id, region.c.x, region.c.y, region.c.width, region.c.height, region.c.space_id,
    region.c.variant_id, region.c.schema, assignment.c.individual_id, assignment.c.how,
    _is_rejected.label("rejected"),
).outerjoin(assignment, assignment.c.region_id == region.c.id)  # fmt: skip


def of_assets(connection: Connection, asset_ids: Sequence[int], *, kind: str = FACE) -> dict[int, list[RegionRow]]:
    """Return the regions of each content that has any, by id."""
    chosen = _rows.where(region.c.asset_id.in_(numbers(asset_ids)), region.c.kind == kind).order_by(region.c.id)
    found: dict[int, list[RegionRow]] = {}
    for row in connection.execute(chosen):
        box = Box(row.x, row.y, row.width, row.height)
        found.setdefault(row.asset_id, []).append(
            RegionRow(
                row.id, row.asset_id, box, row.space_id, row.variant_id, row.schema, row.individual_id, row.how,
                bool(row.rejected),
            )
        )  # fmt: skip
    return found


def vectors_of(connection: Connection, region_ids: Sequence[int]) -> dict[int, NDArray[np.float16]]:
    """Return region id -> vector, float16 [dim]; regions without one are omitted."""
    chosen = select(region_vector).where(region_vector.c.region_id.in_(numbers(region_ids)))
    return {row.region_id: np.frombuffer(row.data, STORED) for row in connection.execute(chosen)}


def faces_to_match(connection: Connection, rows: Sequence[RegionRow]) -> list[Face]:
    """Return regions with what is needed to find them in another content."""
    vectors = vectors_of(connection, [row.id for row in rows])
    return [Face(row.box, row.space_id, vectors.get(row.id)) for row in rows]


@dataclass(frozen=True, slots=True)
class RegionWriter:
    """Stores what one variant of a stage found: the regions of contents, with vectors of one space.

    adds_to: a variant whose results stay valid beside these, and so do the regions that are not found again. The finished
    tasks of all other variants are removed, because their results are replaced.
    """

    space: RegionSpace
    variant_id: int
    adds_to: int | None = None

    def put(self, connection: Connection, results: Mapping[int, Sequence[Result]]) -> None:
        """Write the regions among the results (asset id -> results), replacing earlier ones of these contents.

        A region in the place of an earlier one is the same region: it keeps its id, and with it its individual and all that
        a person decided. Earlier regions that are not found any more are removed unless a person, or a file, said
        something about them.
        """
        asset_ids = list(results)
        before = of_assets(connection, asset_ids, kind=self.space.kind)
        merged = _Merged()
        for asset_id, found in results.items():
            regions = [one for one in found if isinstance(one, DetectedRegion)]
            self._merge(connection, asset_id, before.get(asset_id, []), regions, merged)
        self._write(connection, merged)
        valid = [one for one in (self.variant_id, self.adds_to) if one is not None]
        asset_tasks.forget_other_variants(connection, counts.STAGE, asset_ids, kept=valid)
        marks.reconcile(connection, asset_ids)
        people_changed(connection, merged.individuals, ChangedFaces(assets=set(asset_ids)))
        counts.refresh(connection, asset_ids, looked_through=True)

    def _merge(
        self,
        connection: Connection,
        asset_id: int,
        before: Sequence[RegionRow],
        found: Sequence[DetectedRegion],
        merged: _Merged,
    ) -> None:
        """Add to `merged` what becomes of the earlier and the new regions of one content."""
        taken_over = [row for row in before if row.is_taken_over]
        own = [row for row in before if not row.is_taken_over]
        pairs = self._match_taken_over(connection, taken_over, found)
        free = sorted(set(range(len(found))) - {new for _, new in pairs})
        in_place = matched([row.box for row in own], [box_of(found[new]) for new in free])
        pairs += [(own[old], free[new]) for old, new in in_place]
        merged.updated += [(row.id, asset_id, found[new]) for row, new in pairs]
        kept_ids = {row.id for row, _ in pairs}
        merged.removed += [row.id for row in before if row.id not in kept_ids and self._is_obsolete(row)]
        new_ones = set(range(len(found))) - {new for _, new in pairs}
        merged.added += [(asset_id, found[new]) for new in sorted(new_ones)]
        merged.individuals.update(row.individual_id for row in before if row.individual_id is not None)

    def _match_taken_over(
        self, connection: Connection, rows: Sequence[RegionRow], found: Sequence[DetectedRegion]
    ) -> list[tuple[RegionRow, int]]:
        if not rows:
            return []
        new = [Face(box_of(one), self.space.id, one.vector) for one in found]
        pairs = matched_after_edit(faces_to_match(connection, rows), new)
        return [(rows[old], number) for old, number in pairs]

    def _is_obsolete(self, row: RegionRow) -> bool:
        """Whether a region that was not found again is removed."""
        if row.is_taken_over and row.space_id == self.space.id:
            return True  # the edit removed it from the picture: its vector would have been recognised
        is_valid = row.variant_id is not None and row.variant_id == self.adds_to
        return not (row.is_decided or is_valid)

    def _write(self, connection: Connection, merged: _Merged) -> None:
        sizes = _sizes(connection, {asset_id for _, asset_id, _ in merged.updated} | {one for one, _ in merged.added})
        for some in chunks(merged.removed, _KEYS):
            connection.execute(delete(region).where(region.c.id.in_(some)))
        vectors = []
        if merged.updated:
            rows = [
                {"wanted": region_id} | self._values(one, sizes[asset_id])
                for region_id, asset_id, one in merged.updated
            ]
            connection.execute(_update, rows)
            vectors += [(region_id, one) for region_id, _asset_id, one in merged.updated]
        if merged.added:
            rows = [{"asset_id": asset_id} | self._values(one, sizes[asset_id]) for asset_id, one in merged.added]
            made = connection.execute(_insert, rows).scalars()
            vectors += [(region_id, one) for region_id, (_, one) in zip(made, merged.added, strict=True)]
        put_vectors(connection, ((region_id, one.vector) for region_id, one in vectors if one.vector is not None))

    def _values(self, one: DetectedRegion, size: tuple[int, int] | None) -> dict[str, Any]:
        landmarks = None if one.landmarks is None else one.landmarks.astype(_LANDMARKS).tobytes()
        return {
            "kind": one.kind, "frame": one.frame, "seconds": one.seconds, "x": one.x, "y": one.y, "width": one.width,
            "height": one.height, "space_id": self.space.id, "variant_id": self.variant_id, "score": one.score,
            "size_px": None if size is None else min(one.width * size[0], one.height * size[1]),
            "sharpness": one.sharpness, "yaw": one.yaw, "roll": one.roll, "landmarks": landmarks,
        }  # fmt: skip


_KEYS = 500
_columns = (
    "kind", "frame", "seconds", "x", "y", "width", "height", "space_id", "variant_id", "score", "size_px", "sharpness",
    "yaw", "roll", "landmarks",
)  # fmt: skip
_update = update(region).where(region.c.id == bindparam("wanted")).values({name: bindparam(name) for name in _columns})
_insert = insert(region).returning(region.c.id, sort_by_parameter_order=True)
_put_vector = upsert(region_vector)
_put_vector = _put_vector.on_conflict_do_update(index_elements=["region_id"], set_={"data": _put_vector.excluded.data})


@dataclass(slots=True)
class _Merged:
    """What becomes of the regions of a batch: (region id, asset id, new values), new ones, and ids of removed ones."""

    updated: list[tuple[int, int, DetectedRegion]] = field(default_factory=list)
    added: list[tuple[int, DetectedRegion]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    individuals: set[int] = field(default_factory=set)


def box_of(one: DetectedRegion) -> Box:
    """Return where a region is."""
    return Box(one.x, one.y, one.width, one.height)


def put_vectors(connection: Connection, vectors: Iterable[tuple[int, NDArray[np.float16]]]) -> None:
    """Store the vectors of regions (region id, vector), replacing earlier ones."""
    rows = [{"region_id": region_id, "data": vector.astype(STORED).tobytes()} for region_id, vector in vectors]
    if rows:
        connection.execute(_put_vector, rows)


def _sizes(connection: Connection, asset_ids: Iterable[int]) -> dict[int, tuple[int, int] | None]:
    """Return the width and height of each content in pixels, None if unknown."""
    chosen = select(asset.c.id, asset.c.width, asset.c.height).where(asset.c.id.in_(numbers(sorted(asset_ids))))
    return {row.id: (row.width, row.height) if row.width and row.height else None for row in connection.execute(chosen)}


def primary_contents(connection: Connection, photo_ids: Sequence[int]) -> dict[int, int]:
    """Return photo -> the content that represents it, whose faces people see."""
    chosen = select(photo.c.id, photo.c.primary_asset_id).where(photo.c.id.in_(numbers(photo_ids)))
    return {row.id: row.primary_asset_id for row in connection.execute(chosen) if row.primary_asset_id is not None}


def confirmed_in(connection: Connection, asset_id: int) -> set[int]:
    """Return the individuals whose faces in a content a person confirmed."""
    chosen = select(assignment.c.individual_id).join(region, region.c.id == assignment.c.region_id)
    confirmed = chosen.where(region.c.asset_id == asset_id, assignment.c.how == How.CONFIRMED.value)
    return set(connection.execute(confirmed).scalars())


def have_one_shape(connection: Connection, one: int, other: int, *, within: float) -> bool:
    """Tell whether the sides of two upright pictures have the same ratio, to a share."""
    chosen = select(asset.c.width, asset.c.height, asset.c.orientation).where(asset.c.id.in_([one, other]))
    ratios = []
    for row in connection.execute(chosen):
        if not row.width or not row.height:
            return False
        turned = (row.orientation or 1) >= _FIRST_TURNED
        ratios.append(row.height / row.width if turned else row.width / row.height)
    return len(ratios) > 1 and abs(ratios[0] / ratios[1] - 1) <= within
