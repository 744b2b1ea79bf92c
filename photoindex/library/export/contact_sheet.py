"""Draws contact sheets: pages of captioned thumbnails."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from photoindex.library.export.output_files import SHEET_MARK
from photoindex.library.export.photo_cards import GallerySection, Item, one_line, picture_of
from photoindex.library.export.text_drawing import TextDrawer

_MARGIN_PX = 64
_GAP_PX = 28
_SHEET_PX = 2000
"""Total width of the columns, without margins; a sheet with few photos is narrower."""
_BOX_PX = (300, 640)
"""Minimum and maximum width of one photo."""
_HEIGHT_PX = 2900
"""Maximum height of the rows on a page, so that a full page has about the proportions of A4."""
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
    """The layout of a sheet in pixels: columns of boxes, each with one photo and its caption below."""

    columns: int
    box_width: int
    box_height: int
    caption_height: int

    @property
    def width(self) -> int:
        return 2 * _MARGIN_PX + self.columns * self.box_width + (self.columns - 1) * _GAP_PX

    def picture_height(self, items: Sequence[Item]) -> int:
        """Return the height of the pictures of a row, so that a row of landscape pictures has no gap above."""
        if not all(item.width and item.height for item in items):
            return self.box_height
        return min(self.box_height, max(round(self.box_width * item.height / item.width) for item in items))

    def row_of(self, items: Sequence[Item]) -> _Row:
        """Return a row of photos with its height."""
        picture_height = max(_LEAST_HEIGHT_PX, self.picture_height(items))
        return _Row(picture_height + self.caption_height + _GAP_PX, items, picture_height=picture_height)


@dataclass(frozen=True, slots=True)
class _Row:
    """A section's heading, or photos side by side; a heading is on the same page as the row below it."""

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
    sections: Sequence[GallerySection], title: str, *, total: int | None = None, made_at: datetime | None = None
) -> Iterator[tuple[Image.Image, int]]:
    """Yield one RGB picture per page, with the number of photos on it; one empty page if there are no photos.

    title: the query, drawn at the top. total: the number of matching photos, if the sheets show fewer. made_at: local time,
    default now. A photo without a readable picture gets an empty frame with a note.
    """
    shown = sum(len(section.items) for section in sections)
    grid = _grid(sections, shown)
    pages = _pages(sections, grid)
    counted = f"{shown:,} of {total:,} photos" if total not in (None, shown) else f"{shown:,} photo{'s' * (shown != 1)}"
    under = f"{counted} · {(made_at or datetime.now().astimezone()):%Y-%m-%d %H:%M}"
    drawer = TextDrawer()
    for number, page in enumerate(pages, 1):
        paged = f"{under} · page {number} of {len(pages)}" if len(pages) > 1 else under
        sheet = Image.new("RGB", (grid.width, _top_height() + page.height + _MARGIN_PX - _GAP_PX), _PAPER)
        drawing = _Drawing(sheet, ImageDraw.Draw(sheet), drawer, grid)
        drawing.draw_top(one_line(title) or "All photos", paged)
        drawing.draw_rows(page.rows)
        yield sheet, sum(len(row.items) for row in page.rows)


def encoded(sheet: Image.Image, form: str) -> bytes:
    """Return a sheet as the bytes of a file; form: JPEG (quality 90, no chroma subsampling, for sharp text) or PNG."""
    buffer = io.BytesIO()
    if form == "JPEG":
        sheet.save(buffer, form, quality=90, subsampling=0, optimize=True, dpi=(300, 300), comment=SHEET_MARK)
    else:
        known = PngInfo()
        known.add_text("Comment", SHEET_MARK)
        sheet.save(buffer, form, dpi=(300, 300), pnginfo=known)
    return buffer.getvalue()


def _grid(sections: Sequence[GallerySection], photos: int) -> _Grid:
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


def _pages(sections: Sequence[GallerySection], grid: _Grid) -> list[_Page]:
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
    """Draws one page."""

    sheet: Image.Image
    draw: ImageDraw.ImageDraw
    drawer: TextDrawer
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
            # A thin outline, so that a white picture has an edge on white paper.
            edge = (left, above, left + picture.width - 1, above + picture.height - 1)
            self.draw.rectangle(edge, outline=_LINE)
            if item.keep:
                box = (left - 6, above - 6, left + picture.width + 5, above + picture.height + 5)
                self.draw.rectangle(box, outline=_KEEP, width=6)
        self._draw_caption(left, top + height + 14, item)

    def _draw_frame(self, box: tuple[int, int, int, int], item: Item) -> None:
        self.draw.rectangle(box, fill=_MAT, outline=_LINE, width=2)
        words = self.drawer.fitted(f"{item.format.upper()}, no picture", _SMALL_PX, self.grid.box_width - 20)
        indent = (self.grid.box_width - self.drawer.width(words, _SMALL_PX)) / 2
        self.drawer.draw(self.draw, (box[0] + indent, (box[1] + box[3]) / 2 + 8), words, _SMALL_PX, _DIM)

    def _draw_caption(self, left: int, top: int, item: Item) -> None:
        width = self.grid.box_width
        self._text(left, top + 24, item.heading, _NAME_PX, _INK, width)
        side, colour = ("keep", _KEEP) if item.keep else ("", _ACCENT)
        if item.relevance is not None:
            side = f"{side}  {item.relevance}".strip()
        side_width = self.drawer.width(side, _SMALL_PX)
        self._text(left, top + 54, item.taken, _SMALL_PX, _DIM, width - side_width - 12)
        self._text(left + width - side_width, top + 54, side, _SMALL_PX, colour, width)
        self._text(left, top + 86, item.note, _SMALL_PX, _DIM, width)

    def _text(self, left: float, base: float, text: str, size_px: int, fill: str, width: float) -> None:
        self.drawer.draw(self.draw, (left, base), self.drawer.fitted(text, size_px, width), size_px, fill)
