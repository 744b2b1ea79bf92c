"""Contact sheets: the layout of pictures on pages, and captions in any script."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photoindex.library.export.contact_sheet import contact_sheets, encoded
from photoindex.library.export.photo_cards import GallerySection, Item
from photoindex.library.export.text_drawing import TextDrawer
from tests.picture_items import item, jpeg, share_of

MADE_AT = datetime(2026, 11, 21, 14, 52, tzinfo=UTC)
RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 60), (40, 60, 200), (255, 255, 255)


def sheets(*items: Item) -> list[tuple[Image.Image, int]]:
    return list(contact_sheets([GallerySection(list(items))], "beach sunset", made_at=MADE_AT))


def only(*items: Item) -> Image.Image:
    ((sheet, number),) = sheets(*items)
    assert number == len(items)
    return sheet


def middle_of(picture: Image.Image, colour: tuple[int, int, int]) -> tuple[float, float]:
    """The centre (x, y) of the pixels of about this colour."""
    near = np.abs(np.asarray(picture).astype(int) - np.array(colour)).max(axis=2) <= 20
    rows, columns = np.nonzero(near)
    assert len(rows), f"nothing on the sheet is {colour}"
    return float(columns.mean()), float(rows.mean())


def rows_with_ink(picture: Image.Image, left: int, right: int) -> int:
    """The number of pixel rows between two columns that are not all white."""
    return int((np.asarray(picture)[:, left:right].min(axis=(1, 2)) < 128).sum())


def test_pictures_are_in_the_order_of_the_hits(tmp_path: Path) -> None:
    colours = (RED, GREEN, BLUE, (200, 160, 20), (120, 20, 140))
    items = [item(number, jpeg(tmp_path / f"{number}.jpg", colour)) for number, colour in enumerate(colours)]
    sheet = only(*items)
    middles = [middle_of(sheet, colour) for colour in colours]
    assert middles == sorted(middles, key=lambda middle: (round(middle[1], -1), middle[0]))
    assert len({round(middle[1], -1) for middle in middles}) == 2


def test_a_picture_keeps_its_aspect_ratio_and_is_not_cropped(tmp_path: Path) -> None:
    sheet = only(
        item(1, jpeg(tmp_path / "a.jpg", RED, (300, 600)), width=300, height=600),
        item(2, jpeg(tmp_path / "b.jpg", BLUE)),
    )
    near = np.abs(np.asarray(sheet).astype(int) - np.array(RED)).max(axis=2) <= 20
    rows, columns = np.nonzero(near)
    assert (np.ptp(rows) + 1) / (np.ptp(columns) + 1) == pytest.approx(2, abs=0.05)


def test_captions_with_name_date_and_score_are_below_each_picture(tmp_path: Path) -> None:
    picture = jpeg(tmp_path / "a.jpg", RED)
    plain = only(item(1, picture, heading="", taken=""), item(2, picture, heading="", taken=""))
    named = only(
        item(1, picture, heading="Beach at noon", taken="", relevance=None), item(2, picture, heading="", taken="")
    )
    scored = only(item(1, picture, heading="", taken="", relevance=33), item(2, picture, heading="", taken=""))
    dated = only(item(1, picture, heading="", taken="2019-06-14 20:47"), item(2, picture, heading="", taken=""))
    for other in (named, scored, dated):
        changed = np.abs(np.asarray(plain).astype(int) - np.asarray(other).astype(int)).max(axis=2) > 60
        rows, columns = np.nonzero(changed)
        assert len(rows) > 40
        bottom = np.nonzero(np.abs(np.asarray(other).astype(int) - np.array(RED)).max(axis=2) <= 20)[0].max()
        assert rows.min() > bottom
        assert columns.max() < plain.width / 2


def test_many_photos_fill_several_pages_with_about_the_proportions_of_a4(tmp_path: Path) -> None:
    picture = jpeg(tmp_path / "a.jpg", RED)
    pages = sheets(*(item(number, picture) for number in range(130)))
    assert len(pages) > 2
    assert sum(number for _, number in pages) == 130
    for sheet, _ in pages[:-1]:
        assert 1.0 < sheet.height / sheet.width < 1.5
    assert pages[-1][0].height < pages[0][0].height


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7, 12, 30])
def test_all_photos_of_a_short_list_are_on_one_page(number: int, tmp_path: Path) -> None:
    sheet = only(*(item(one, jpeg(tmp_path / "a.jpg", RED), heading="", taken="") for one in range(number)))
    assert 600 < sheet.width < 2400
    assert 0.05 < share_of(sheet, RED) < 0.9


def test_a_photo_without_a_readable_picture_gets_an_empty_frame(tmp_path: Path) -> None:
    whole = jpeg(tmp_path / "a.jpg", RED)
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole.read_bytes()[:300])
    for broken in (None, tmp_path / "gone.jpg", cut):
        sheet = only(item(1, broken, format="cr3"), item(2, whole))
        frame = sheet.crop((0, 0, sheet.width // 2, sheet.height))
        assert share_of(frame, RED) == 0
        assert share_of(frame, (240, 238, 234), 4) > 0.3


def test_a_damaged_preview_is_replaced_by_the_thumbnail(tmp_path: Path) -> None:
    whole, cut = jpeg(tmp_path / "a.jpg", RED), tmp_path / "cut.jpg"
    cut.write_bytes(whole.read_bytes()[:300])
    assert share_of(only(item(1, preview=cut, thumbnail=whole)), RED) > 0.05


def test_a_group_has_a_heading_and_the_one_to_keep_a_green_frame(tmp_path: Path) -> None:
    picture = jpeg(tmp_path / "a.jpg", RED)
    kept = [item(1, picture, keep=True), item(2, picture)]
    ((headed, _),) = contact_sheets(
        [GallerySection(kept, "Same picture", "4 MB"), GallerySection([item(3, picture)], "Other")], "duplicates"
    )
    green = share_of(headed, (23, 105, 58), 10)
    assert green > 0.001
    ((plain, _),) = contact_sheets(
        [
            GallerySection([item(1, picture), item(2, picture)], "Same picture", "4 MB"),
            GallerySection([item(3, picture)], "Other"),
        ],
        "duplicates",
    )
    assert share_of(plain, (23, 105, 58), 10) == 0
    assert middle_of(headed, (23, 105, 58))[0] < headed.width / 2


def test_a_heading_is_never_the_last_thing_on_a_page(tmp_path: Path) -> None:
    picture = jpeg(tmp_path / "a.jpg", RED)
    groups = [GallerySection([item(1, picture), item(2, picture)], f"Group {number}") for number in range(30)]
    pages = list(contact_sheets(groups, "duplicates", made_at=MADE_AT))
    assert len(pages) > 2
    for sheet, number in pages:
        assert number % 2 == 0
        bottom = sheet.crop((0, sheet.height - 400, sheet.width, sheet.height))
        assert share_of(bottom, RED) > 0.02


def test_no_photos_make_one_page_that_says_so() -> None:
    ((sheet, number),) = contact_sheets([], "beach", made_at=MADE_AT)
    assert number == 0
    assert rows_with_ink(sheet, 0, sheet.width) > 10


@pytest.mark.parametrize(("form", "start"), [("JPEG", b"\xff\xd8\xff"), ("PNG", b"\x89PNG")])
def test_a_sheet_is_written_as_jpeg_or_png(form: str, start: bytes, tmp_path: Path) -> None:
    sheet = only(item(1, jpeg(tmp_path / "a.jpg", RED)))
    data = encoded(sheet, form)
    assert data.startswith(start)
    assert Image.open(io.BytesIO(data)).size == sheet.size


@pytest.mark.parametrize(
    "text",
    [
        "Été à Nice",
        "Łódź",
        "京都の秋",
        "Москва",
        "ירושלים",
        "서울 2019",
        "🌸 \u0301 x",
        "\\x1b[31m",
        "a" * 5000,
        "",
        " ",
    ],
)
def test_a_text_of_any_script_is_drawn_within_its_width(text: str) -> None:
    drawer = TextDrawer()
    assert drawer.width(drawer.fitted(text, 24, 300), 24) <= 300


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    shown = TextDrawer().fitted(
        "a very long name of a photo that was made in the holidays 2019-06-14 12.30.55.jpg", 24, 300
    )
    assert shown.startswith("a very")
    assert "…" in shown
    assert shown.endswith(".jpg")


def test_a_letter_missing_from_pillows_font_is_drawn_with_a_system_font(tmp_path: Path) -> None:
    import PIL

    drawer = TextDrawer()
    unknown = drawer.width("\U000fffff", 24)
    other = [face for face in (drawer._face_for(letter) for letter in "Ж京א") if face.file is not None]
    for face in other:
        assert face.covers(next(letter for letter in "Ж京א" if face.covers(letter)))
    if not other:
        pytest.skip(
            f"this system has no font with Cyrillic, Chinese or Hebrew letters (Pillow {PIL.__version__}: {unknown})"
        )
