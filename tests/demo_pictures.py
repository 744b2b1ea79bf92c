"""Draws the photos of `make demo` and of tests; run with a folder for them and a second one for photos of shapes.

The scenes are drawn here, so there are no rights to respect. They have what cameras and photo programs write: EXIF
dates, zones, positions, cameras and exposures, IPTC and XMP titles and keywords.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from PIL.TiffImagePlugin import IFDRational

from tests.tiny_clip.scenes import Scene, render

SIZE_PX = (1600, 1200)
CARD_SIZE_PX = (1200, 900)
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Camera:
    """What a camera writes about itself; focal length in mm."""

    make: str
    model: str
    lens: str
    focal_length_mm: float
    aperture: float


@dataclass(frozen=True)
class Picture:
    """One photo: its scene and metadata. `taken_at` is local time as in EXIF, `position` is degrees north and east."""

    path: str
    scene: Callable[[np.random.Generator], Image.Image]
    camera: Camera
    taken_at: str
    zone: str
    position: tuple[float, float] | None = None
    altitude_m: float | None = None
    title: str = ""
    keywords: tuple[str, ...] = ()
    rating: int | None = None
    exposure: tuple[int, Fraction] = (100, Fraction(1, 250))


PHONE = Camera("Apple", "iPhone 12", "iPhone 12 back dual wide camera", 4.2, 1.6)
COMPACT = Camera("FUJIFILM", "X100V", "", 23, 5.6)
REFLEX = Camera("Canon", "Canon EOS 6D", "EF24-105mm f/4L IS USM", 35, 8)


def _gradient(top: Colour, bottom: Colour, size: tuple[int, int] = SIZE_PX) -> Image.Image:
    width, height = size
    share = np.linspace(0, 1, height)[:, None, None]
    rows = np.array(top) * (1 - share) + np.array(bottom) * share
    return Image.fromarray(np.broadcast_to(rows, (height, width, 3)).astype(np.uint8))


def _ridge(generator: np.random.Generator, base: float, height: float) -> np.ndarray:
    """Return the upper edge of a range of hills for each column, in pixels from the top."""
    x = np.linspace(0, 2 * np.pi, SIZE_PX[0])
    waves = sum(np.sin(x * 2**octave + generator.uniform(0, 7)) / 1.7**octave for octave in range(7))
    return base - height * (waves - np.min(waves)) / np.ptp(waves)


def _fill_below(picture: Image.Image, edge: np.ndarray, colour: Colour) -> None:
    points = [(0, SIZE_PX[1]), *enumerate(edge), (SIZE_PX[0], SIZE_PX[1])]
    ImageDraw.Draw(picture).polygon(points, fill=colour)


def _grain(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    noise = generator.normal(0, 4, (SIZE_PX[1], SIZE_PX[0], 1))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def sunset(generator: np.random.Generator) -> Image.Image:
    """A low sun over the sea, with its reflection."""
    width, height = SIZE_PX
    horizon = int(height * 0.6)
    picture = _gradient((40, 40, 110), (250, 150, 60))
    sun_x = generator.integers(width // 4, 3 * width // 4)
    glow = Image.new("RGB", SIZE_PX)
    ImageDraw.Draw(glow).circle((sun_x, horizon - 60), 90, fill=(255, 210, 120))
    picture = Image.fromarray(np.maximum(np.asarray(picture), np.asarray(glow.filter(ImageFilter.GaussianBlur(12)))))
    picture.paste(_gradient((190, 110, 70), (20, 30, 70), (width, height - horizon)), (0, horizon))
    draw = ImageDraw.Draw(picture)
    for y in range(horizon, height, 9):
        half = int((y - horizon) * 0.25 + 20 + generator.integers(0, 40))
        draw.line([(sun_x - half, y), (sun_x + half, y)], fill=(255, 200, 120), width=3)
    return picture


def mountains(generator: np.random.Generator) -> Image.Image:
    """Three ranges, paler with distance, the farthest with snow."""
    picture = _gradient((70, 130, 210), (210, 230, 245))
    _fill_below(picture, _ridge(generator, 800, 500), (235, 240, 250))
    _fill_below(picture, _ridge(generator, 900, 260), (120, 140, 160))
    _fill_below(picture, _ridge(generator, 1100, 200), (50, 90, 60))
    return picture


def city_at_night(generator: np.random.Generator) -> Image.Image:
    """Houses with lit windows under a dark sky."""
    picture = _gradient((5, 8, 25), (40, 35, 70))
    draw = ImageDraw.Draw(picture)
    x = 0
    while x < SIZE_PX[0]:
        wide, top = int(generator.integers(90, 180)), int(generator.integers(350, 900))
        shade = int(generator.integers(15, 35))
        draw.rectangle([x, top, x + wide, SIZE_PX[1]], fill=(shade, shade, shade + 8))
        for window_y in range(top + 20, SIZE_PX[1] - 20, 40):
            for window_x in range(x + 12, x + wide - 20, 30):
                if generator.random() < 0.45:
                    draw.rectangle([window_x, window_y, window_x + 14, window_y + 20], fill=(250, 220, 130))
        x += wide + 6
    return picture


def forest(generator: np.random.Generator) -> Image.Image:
    """Rows of firs, darker in front."""
    picture = _gradient((190, 215, 200), (120, 160, 120))
    draw = ImageDraw.Draw(picture)
    for row in range(6):
        green = 120 - 16 * row
        for _tree in range(26 - 3 * row):
            x, base = generator.integers(0, SIZE_PX[0]), 700 + 90 * row
            tall = int(generator.integers(160, 240) * (1 + 0.35 * row))
            for part in range(3):
                top = base - tall * (3 - part) // 3
                half = tall * (part + 2) // 12
                draw.polygon([(x, top), (x - half, top + tall // 2), (x + half, top + tall // 2)], fill=(20, green, 30))
    return picture


def beach(generator: np.random.Generator) -> Image.Image:
    """Sky, sea, sand, and a few umbrellas."""
    picture = _gradient((90, 170, 230), (200, 230, 250))
    picture.paste(_gradient((20, 90, 160), (80, 190, 200), (SIZE_PX[0], 300)), (0, 520))
    _fill_below(picture, 800 + 25 * np.sin(np.linspace(0, 9, SIZE_PX[0])), (235, 215, 170))
    draw = ImageDraw.Draw(picture)
    for _umbrella in range(7):
        x, y = generator.integers(80, SIZE_PX[0] - 80), generator.integers(860, 1100)
        colour = tuple(int(part) for part in generator.integers(80, 255, 3))
        draw.line([(x, y), (x, y + 90)], fill=(90, 70, 50), width=6)
        draw.pieslice([x - 70, y - 50, x + 70, y + 60], 180, 360, fill=colour)
    return picture


PICTURES: tuple[Picture, ...] = (
    Picture("2019/Lisboa/IMG_0412.jpg", sunset, PHONE, "2019:06:14 20:47:10", "+01:00",
            (38.6979, -9.2076), 4, "Sunset at Belém", ("sunset", "Lisbon", "river"), 5),
    Picture("2019/Lisboa/IMG_0413.jpg", city_at_night, PHONE, "2019:06:14 22:31:02", "+01:00",
            (38.7139, -9.1334), 90, "", ("night", "Lisbon"), None, (1600, Fraction(1, 15))),
    Picture("2019/Lisboa/IMG_0431.jpg", beach, PHONE, "2019:06:16 11:05:44", "+01:00",
            (38.6440, -9.2350), 2, "Caparica", ("beach", "family"), 4),
    Picture("2020/Zürich im Schnee/DSCF1022.jpg", mountains, COMPACT, "2020:01:19 10:12:00", "+01:00",
            (47.3490, 8.4920), 870, "View from the Uetliberg", ("mountains", "snow", "Zürich")),
    Picture("2020/Zürich im Schnee/DSCF1023.jpg", forest, COMPACT, "2020:01:19 11:40:21", "+01:00",
            (47.3520, 8.4880), 790, "", ("forest", "snow")),
    Picture("2021/Été à Nice/_MG_7201.jpg", beach, REFLEX, "2021:07:28 15:20:33", "+02:00",
            (43.6940, 7.2650), 3, "Plage des Ponchettes", ("beach", "Nice", "été"), 4),
    Picture("2021/Été à Nice/_MG_7214.jpg", sunset, REFLEX, "2021:07:28 20:58:09", "+02:00",
            (43.6947, 7.2789), 60, "Castle hill", ("sunset", "Nice"), 5),
    Picture("2021/Été à Nice/_MG_7230.heic", mountains, PHONE, "2021:07:30 09:14:55", "+02:00",
            (44.1140, 7.2310), 1940, "", ("mountains", "hiking")),
    Picture("2022/京都/R0001234.jpg", forest, COMPACT, "2022:11:20 09:33:18", "+09:00",
            (35.0170, 135.6710), 55, "Arashiyama", ("forest", "autumn", "京都"), 5),
    Picture("2022/京都/R0001251.jpg", city_at_night, COMPACT, "2022:11:20 19:02:40", "+09:00",
            (35.0037, 135.7750), 45, "Gion", ("night", "京都"), None, (3200, Fraction(1, 30))),
    Picture("2023/Ísland/IMG_5120.jpg", mountains, PHONE, "2023:09:02 13:45:00", "+00:00",
            (64.0159, -16.9740), 110, "Skaftafell", ("mountains", "glacier"), 4),
    Picture("2023/Ísland/IMG_5144.jpg", sunset, PHONE, "2023:09:03 20:21:36", "+00:00",
            (63.4040, -19.0450), 5, "Reynisfjara", ("sunset", "beach", "black sand")),
    Picture("2024/no position/IMG_6001.jpg", forest, REFLEX, "2024:05:09 17:00:00", "+02:00"),
)  # fmt: skip


def make_library(folder: Path) -> int:
    """Fill `folder` and return the number of files, including broken ones and ones that are not photos."""
    for number, picture in enumerate(PICTURES):
        path = folder / picture.path
        path.parent.mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng(number)
        save(_grain(picture.scene(generator), generator), picture, path)
    first = folder / PICTURES[0].path
    copies = folder / "for the printer"
    copies.mkdir(exist_ok=True)
    shutil.copyfile(first, copies / "sunset (1).jpg")
    whole = (folder / PICTURES[5].path).read_bytes()
    (folder / "2021" / "Été à Nice" / "_MG_7299.jpg").write_bytes(whole[: len(whole) // 3])
    drawing = _gradient((255, 255, 255), (230, 230, 255), (800, 600))
    ImageDraw.Draw(drawing).text((60, 60), "Packing list: tent, stove, maps", fill=(20, 20, 20), font_size=36)
    drawing.save(folder / "2023" / "Ísland" / "packing list.png")
    edited = Image.open(folder / PICTURES[12].path).convert("L").convert("RGB")
    edited.save(folder / "2024" / "no position" / "IMG_E6001.jpg", quality=82)
    sidecar = Picture("", forest, REFLEX, "", "", title="Beech wood in May", keywords=("forest", "spring"), rating=3)
    (folder / "2024" / "no position" / "IMG_6001.jpg.xmp").write_bytes(_xmp(sidecar))
    (folder / "2023" / "notes.txt").write_text("Bring the long lens next time.\n", encoding="utf-8")
    return sum(path.is_file() for path in folder.rglob("*"))


# Photos of a playroom: paper shapes on various backgrounds. Neither names nor metadata describe what they show.
CARDS: tuple[Scene, ...] = (
    Scene("red", "circle", 3, "wood", "left"),
    Scene("red", "circle", 2, "white", "middle"),
    Scene("red", "heart", 3, "grass", "top"),
    Scene("orange", "circle", 3, "sky", "right"),
    Scene("blue", "star", 1, "white", "middle"),
    Scene("blue", "star", 4, "sand", "bottom"),
    Scene("yellow", "star", 1, "sky", "top"),
    Scene("yellow", "star", 3, "black", "left"),
    Scene("yellow", "star", 2, "grass", "right"),
    Scene("green", "triangle", 2, "sand", "left"),
    Scene("green", "square", 4, "black", "middle"),
    Scene("purple", "cross", 1, "grass", "bottom"),
    Scene("purple", "heart", 2, "wood", "right"),
    Scene("white", "heart", 2, "sky", "top"),
    Scene("black", "cross", 4, "white", "bottom"),
    Scene("black", "square", 1, "sand", "right"),
)


def make_cards(folder: Path) -> int:
    """Fill `folder` with photos of scenes that the tiny model knows; return their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, scene in enumerate(CARDS):
        taken_at = f"2024:0{6 + number // 8}:{1 + number % 8:02} 16:{3 * number:02}:00"
        picture = Picture(f"P{1240001 + 3 * number}.jpg", sunset, COMPACT, taken_at, "+02:00")
        save(render(scene, np.random.default_rng(number), CARD_SIZE_PX), picture, folder / picture.path)
    return len(CARDS)


def make_boarding_pass(path: Path) -> None:
    """Write a photo of a boarding pass that lies on a table, a little askew."""
    table = (120, 96, 72)
    card = Image.new("RGB", (1240, 620), (250, 248, 240))
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, 1240, 110), (30, 80, 160))
    draw.text((50, 28), "BOARDING PASS", (255, 255, 255), font_size=54)
    lines = ("Anna Lindqvist", "Lisbon to Reykjavik", "Flight TP 1213", "23 April 2024", "Gate A14", "Seat 23F")
    for number, line in enumerate(lines):
        column, row = divmod(number, 4)
        draw.text((50 + 710 * column, 160 + 110 * row + 220 * column), line, (20, 20, 30), font_size=46)
    card = card.rotate(4, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=table)
    photo = Image.new("RGB", (1600, 1200), table)
    photo.paste(card, (170, 260))
    path.parent.mkdir(parents=True, exist_ok=True)
    save(photo, Picture(path.name, sunset, COMPACT, "2024:04:23 10:15:02", "+01:00"), path)


def save(image: Image.Image, picture: Picture, path: Path) -> None:
    """Write a picture with its metadata; the name says whether as JPEG or HEIC."""
    exif, xmp = _exif(picture).tobytes(), _xmp(picture)
    if path.suffix == ".heic":
        import pillow_heif

        pillow_heif.from_pillow(image).save(path, quality=60, exif=exif, xmp=xmp)
        return
    image.save(path, quality=82, exif=exif, xmp=xmp, extra=_iptc(picture))


def _exif(picture: Picture) -> Image.Exif:
    """Return EXIF 2.32: IFD0, the Exif IFD (0x8769) and the GPS IFD (0x8825)."""
    camera, (iso, exposure_seconds) = picture.camera, picture.exposure
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = camera.make, camera.model, 1
    exif[0x0132] = picture.taken_at
    details = exif.get_ifd(0x8769)
    details[0x9003] = details[0x9004] = picture.taken_at
    details[0x9010] = details[0x9011] = details[0x9012] = picture.zone
    details[0x8827] = iso
    details[0x829A] = IFDRational(exposure_seconds)
    details[0x829D], details[0x920A] = _rational(camera.aperture), _rational(camera.focal_length_mm)
    if camera.lens:
        details[0xA434] = camera.lens
    if picture.position is not None:
        north, east = picture.position
        position = exif.get_ifd(0x8825)
        position[1], position[2] = "N" if north >= 0 else "S", _sexagesimal(abs(north))
        position[3], position[4] = "E" if east >= 0 else "W", _sexagesimal(abs(east))
        if picture.altitude_m is not None:
            position[5], position[6] = b"\0", _rational(picture.altitude_m)
    return exif


def _rational(value: float) -> IFDRational:
    return IFDRational(Fraction(value).limit_denominator(10_000))


def _sexagesimal(degrees: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    minutes = degrees % 1 * 60
    return _rational(int(degrees)), _rational(int(minutes)), _rational(minutes % 1 * 60)


def _xmp(picture: Picture) -> bytes:
    title = f"<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>{escape(picture.title)}</rdf:li></rdf:Alt></dc:title>"
    items = "".join(f"<rdf:li>{escape(keyword)}</rdf:li>" for keyword in picture.keywords)
    subject = f"<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>"
    rating = "" if picture.rating is None else f" xmp:Rating='{picture.rating}'"
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about=''"
        f" xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'{rating}>"
        f"{title if picture.title else ''}{subject if items else ''}"
        "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    ).encode()


def _iptc(picture: Picture) -> bytes:
    """Return an APP13 segment with IPTC IIM 4.2: UTF-8 (1:90), title (2:05) and keywords (2:25)."""
    values = [(1, 90, b"\x1b%G"), *((2, 25, keyword.encode()) for keyword in picture.keywords)]
    if picture.title:
        values.append((2, 5, picture.title.encode()))
    records = b"".join(
        bytes((0x1C, record, number)) + len(value).to_bytes(2, "big") + value for record, number, value in values
    )
    resource = b"8BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records + b"\0" * (len(records) % 2)
    body = b"Photoshop 3.0\0" + resource
    return b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body


if __name__ == "__main__":
    print(f"{make_library(Path(sys.argv[1]))} files in {sys.argv[1]}")
    if len(sys.argv) > 2:
        print(f"{make_cards(Path(sys.argv[2]))} files in {sys.argv[2]}")
