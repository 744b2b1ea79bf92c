"""Hits and their derived files, for tests of galleries, contact sheets and terminals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from photoindex.library.export.photo_cards import Item
from photoindex.library.search.hits import Hit


def hit(number: int = 1, name: bytes = b"IMG_0412.jpg", **known: Any) -> Hit:
    """A hit with few facts besides those that the test gives."""
    values: dict[str, Any] = dict.fromkeys(Hit._fields)
    values |= {
        "id": number,
        "path": b"/photos/2019/" + name,
        "name": name,
        "state": "present",
        "files": 1,
        "kind": "image",
        "format": "jpeg",
        "size_bytes": 6_800_000,
        "width": 400,
        "height": 300,
        "keywords": (),
        "added_at": 1.7e9,
        "digest": f"{number:064x}",
    }
    return Hit(**(values | known))


def item(number: int = 1, picture: Path | None = None, **known: Any) -> Item:
    """An item with a few facts; `picture` is both its preview and its thumbnail."""
    values: dict[str, Any] = {
        "id": number,
        "name": f"IMG_{number}.jpg",
        "heading": f"Photo {number}",
        "path": f"/photos/IMG_{number}.jpg",
        "folder": "/photos/",
        "address": f"file:///photos/IMG_{number}.jpg",
        "taken": "2019-06-14 20:47",
        "place": "Lisbon, Portugal",
        "camera": "Apple iPhone 12",
        "lens": "",
        "exposure": "",
        "size": "400 x 300 · 6.8 MB · JPEG",
        "description": "",
        "keywords": (),
        "rating": 0,
        "kind": "image",
        "format": "jpeg",
        "state": "present",
        "duration_seconds": None,
        "relevance": None,
        "width": 400,
        "height": 300,
        "keep": False,
        "note": "",
        "preview": picture,
        "thumbnail": picture,
    }
    return Item(**(values | known))


def jpeg(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (200, 150)) -> Path:
    """A JPEG of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path, "JPEG", quality=95)
    return path


def share_of(picture: Image.Image, colour: tuple[int, int, int], tolerance: int = 24) -> float:
    """The fraction of a picture's pixels with about this colour."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    return float((np.abs(pixels - np.array(colour)).max(axis=2) <= tolerance).mean())
