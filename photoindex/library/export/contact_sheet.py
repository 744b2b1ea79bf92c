"""Sheets of captioned thumbnails, to print or to send."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from PIL import Image, ImageDraw

from photoindex.library.export.photo_cards import Item, Section, one_line, picture_of
from photoindex.library.export.text_drawing import Lettering

_MARGIN_PX = 64
_GAP_PX = 28
_SHEET_PX = 2000
"""The width that the columns share, without margins; few photos get a narrower sheet."""
_BOX_PX = (300, 640)
"""The least and largest width of one photo."""
_HEIGHT_PX = 2900
"""Rows that would go below this are on the next page, so that a full page has about the form of A4."""
_COLUMNS_MAX = 6
_LEAST_HEIGHT_PX = 120

_PAPER, _INK, _DIM, _LINE, _MAT, _ACCENT, _KEEP = (
    "#ffffff",
    "#1e1d1b",
    "#65625c",
    "#d9d6cf",
    "#f0eeea",
    "#0a5fc4",
    "#17693a",
)
_TITLE_PX, _HEADING_PX, _NAME_PX, _SMALL_PX = 42, 32, 24, 21


@dataclass(frozen=True, slots=True)
class _Grid:
    """The sheet's measures in pixels: columns of boxes; each photo is drawn into its box, with its caption below."""

    columns: int
    box_width: int
    box_height: int
    caption_height: int

    @property
    def width(self) -> int:
        return 2 * _MARGIN_PX + self.columns * self.box_width + (self.columns - 1) * _GAP_PX

    def picture_height(self, items: Sequence[Item]) -> int:
        """Return how high the pictures of a row are, so that a row of landscapes leaves no gap above."""
        if not all(item.width and item.height for item in items):
            return self.box_height
        return min(self.box_height, max(round(self.box_width * item.height / item.width) for item in items))

    def row_of(self, items: Sequence[Item]) -> _Row:
        """Return a row of photos with its height."""
        picture_height = max(_LEAST_HEIGHT_PX, self.picture_height(items))
        return _Row(picture_height + self.caption_height + _GAP_PX, items, picture_height=picture_height)


@dataclass(frozen=True, slots=True)
class _Row:
    """A section's heading, or photos side by side; a heading goes to the same page as the row below it."""

    height: int
    items: Sequence[Item] = ()
    heading: str = ""
    note: str = ""
    picture_height: int = 0


@dataclass(slots=True)
class _Page:
    rows: list[_Row] = field(default_factory=list)
    height: int = 0


def contact_sheets(
    sections: Sequence[Section], title: str, *, total: int | None = None, made_at: datetime | None = None
) -> Iterator[tuple[Image.Image, int]]:
    """Yield RGB pictures, one a page, each with the number of photos on it; one page without photos where there are none.

    title: what was asked for, drawn at the top. total: how many photos that found, where the sheets show fewer. made_at:
    local time; None: now. A photo without a picture, or with a damaged one, gets an empty frame that says so.
    """
    shown = sum(len(section.items) for section in sections)
    grid = _grid(sections, shown)
    pages = _pages(sections, grid)
    counted = f"{shown:,} of {total:,} photos" if total not in (None, shown) else f"{shown:,} photo{'s' * (shown != 1)}"
    under = f"{counted} · {(made_at or datetime.now().astimezone()):%Y-%m-%d %H:%M}"
    lettering = Lettering()
    for number, page in enumerate(pages, 1):
        paged = f"{under} · page {number} of {len(pages)}" if len(pages) > 1 else under
        sheet = Image.new("RGB", (grid.width, _top_height() + page.height + _MARGIN_PX - _GAP_PX), _PAPER)
        drawing = _Drawing(sheet, ImageDraw.Draw(sheet), lettering, grid)
        drawing.draw_top(one_line(title) or "All photos", paged)
        drawing.draw_rows(page.rows)
        yield sheet, sum(len(row.items) for row in page.rows)


def encoded(sheet: Image.Image, form: str) -> bytes:
    """Return a sheet as a file; form: JPEG (quality 90, colours at full resolution, for the letters' sake) or PNG."""
    buffer = io.BytesIO()
    if form == "JPEG":
        sheet.save(buffer, form, quality=90, subsampling=0, optimize=True, dpi=(300, 300))
    else:
        sheet.save(buffer, form, dpi=(300, 300))
    return buffer.getvalue()


def _grid(sections: Sequence[Section], photos: int) -> _Grid:
    if len(sections) > 1 or any(section.heading for section in sections):
        columns = min(_COLUMNS_MAX, max(4, max((len(section.items) for section in sections), default=1)))
    else:
        columns = photos if photos <= 3 else math.ceil(math.sqrt(photos))
    columns = min(_COLUMNS_MAX, max(2, columns))
    least, largest = _BOX_PX
    width = max(least, min(largest, (_SHEET_PX - (columns - 1) * _GAP_PX) // columns))
    noted = any(item.note for section in sections for item in section.items)
    lines = 2 + noted
    return _Grid(columns, width, round(width * 0.78), 14 + lines * 32)


def _top_height() -> int:
    return _MARGIN_PX + _TITLE_PX + _SMALL_PX + 64


def _pages(sections: Sequence[Section], grid: _Grid) -> list[_Page]:
    pages = [_Page()]
    room = _HEIGHT_PX - _top_height()
    for section in sections:
        heading: list[_Row] = []
        if section.heading:
            heading = [_Row(_HEADING_PX + 26 + (32 if section.note else 0), (), section.heading, section.note)]
        for start in range(0, len(section.items), grid.columns):
            together = [*heading, grid.row_of(section.items[start : start + grid.columns])]
            heading = []
            height = sum(row.height for row in together)
            if pages[-1].rows and pages[-1].height + height > room:
                pages.append(_Page())
            pages[-1].rows += together
            pages[-1].height += height
    return pages


@dataclass(frozen=True, slots=True)
class _Drawing:
    """One page while it is drawn."""

    sheet: Image.Image
    draw: ImageDraw.ImageDraw
    lettering: Lettering
    grid: _Grid

    def draw_top(self, title: str, under: str) -> None:
        width = self.sheet.width - 2 * _MARGIN_PX
        base = _MARGIN_PX + _TITLE_PX - 8
        self._text(_MARGIN_PX, base, title, _TITLE_PX, _INK, width)
        self._text(_MARGIN_PX, base + _SMALL_PX + 18, under, _SMALL_PX, _DIM, width)
        line = base + _SMALL_PX + 42
        self.draw.line([(_MARGIN_PX, line), (self.sheet.width - _MARGIN_PX, line)], fill=_LINE, width=2)

    def draw_rows(self, rows: Sequence[_Row]) -> None:
        top = _top_height()
        for row in rows:
            if row.heading:
                width = self.sheet.width - 2 * _MARGIN_PX
                self._text(_MARGIN_PX, top + _HEADING_PX - 4, row.heading, _HEADING_PX, _INK, width)
                self._text(_MARGIN_PX, top + _HEADING_PX + 26, row.note, _SMALL_PX, _DIM, width)
            for column, item in enumerate(row.items):
                left = _MARGIN_PX + column * (self.grid.box_width + _GAP_PX)
                self._draw_item((left, top), row.picture_height, item)
            top += row.height

    def _draw_item(self, at: tuple[int, int], height: int, item: Item) -> None:
        left, top = at
        picture = picture_of(item, (self.grid.box_width, height))
        if picture is None:
            self._draw_frame((left, top, left + self.grid.box_width - 1, top + height - 1), item)
        else:
            above = top + height - picture.height
            self.sheet.paste(picture, (left, above))
            # A fine line, so that a white picture ends somewhere on white paper.
            edge = (left, above, left + picture.width - 1, above + picture.height - 1)
            self.draw.rectangle(edge, outline=_LINE)
            if item.keep:
                box = (left - 6, above - 6, left + picture.width + 5, above + picture.height + 5)
                self.draw.rectangle(box, outline=_KEEP, width=6)
        self._draw_caption(left, top + height + 14, item)

    def _draw_frame(self, box: tuple[int, int, int, int], item: Item) -> None:
        self.draw.rectangle(box, fill=_MAT, outline=_LINE, width=2)
        words = self.lettering.fitted(f"{item.format.upper()}, no picture", _SMALL_PX, self.grid.box_width - 20)
        indent = (self.grid.box_width - self.lettering.width(words, _SMALL_PX)) / 2
        self.lettering.draw(self.draw, (box[0] + indent, (box[1] + box[3]) / 2 + 8), words, _SMALL_PX, _DIM)

    def _draw_caption(self, left: int, top: int, item: Item) -> None:
        width = self.grid.box_width
        self._text(left, top + 24, item.heading, _NAME_PX, _INK, width)
        side, colour = ("keep", _KEEP) if item.keep else ("", _ACCENT)
        if item.score is not None:
            side = f"{side}  {item.score:#.3g}".strip()
        side_width = self.lettering.width(side, _SMALL_PX)
        self._text(left, top + 54, item.taken, _SMALL_PX, _DIM, width - side_width - 12)
        self._text(left + width - side_width, top + 54, side, _SMALL_PX, colour, width)
        self._text(left, top + 86, item.note, _SMALL_PX, _DIM, width)

    def _text(self, left: float, base: float, text: str, size_px: int, fill: str, width: float) -> None:
        self.lettering.draw(self.draw, (left, base), self.lettering.fitted(text, size_px, width), size_px, fill)
