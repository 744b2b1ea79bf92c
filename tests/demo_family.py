"""Draws the photos with faces of `make demo`: three people of a family and some strangers; run with a folder for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.demo_pictures import COMPACT, PHONE, Picture, beach, forest, mountains, save, sunset
from tests.tiny_faces import draw_face

ANNA, BEN, CLARA, FIRST_STRANGER = 0, 1, 2, 20
_VARIATION = 0.45
_PLACES = ((300, 420), (720, 380), (1120, 460))
"""Left and top of the faces in a picture, in pixels."""


@dataclass(frozen=True)
class FamilyPicture:
    """One photo: who is in it, from left to right."""

    name: str
    scene: Callable[[np.random.Generator], Image.Image]
    taken_at: str
    people: tuple[int, ...]


PICTURES = (
    FamilyPicture("P5010007.jpg", beach, "2019:08:02 11:12:40", (ANNA, BEN)),
    FamilyPicture("P5010009.jpg", beach, "2019:08:02 11:13:05", (ANNA,)),
    FamilyPicture("P5010031.jpg", sunset, "2019:08:04 20:41:17", (BEN,)),
    FamilyPicture("P5010102.jpg", forest, "2020:10:11 14:02:33", (ANNA, BEN, FIRST_STRANGER)),
    FamilyPicture("P5010117.jpg", mountains, "2021:02:20 10:31:54", (BEN, FIRST_STRANGER + 1)),
    FamilyPicture("P5010164.jpg", forest, "2022:05:28 16:20:08", (CLARA, ANNA)),
    FamilyPicture("P5010170.jpg", forest, "2022:05:28 16:24:51", (CLARA,)),
    FamilyPicture("P5010203.jpg", beach, "2023:07:15 12:08:29", (CLARA, BEN)),
    FamilyPicture("P5010218.jpg", beach, "2023:07:16 18:55:02", (ANNA, CLARA, BEN)),
    FamilyPicture("P5010244.jpg", mountains, "2024:01:06 13:37:45", (CLARA, FIRST_STRANGER + 2)),
    FamilyPicture("P5010260.jpg", sunset, "2024:06:30 21:14:20", ()),
)


def make_family(folder: Path) -> int:
    """Fill `folder` with photos of the family; return their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(PICTURES):
        image = each.scene(np.random.default_rng(100 + number))
        for place, (person, (left, top)) in enumerate(zip(each.people, _PLACES, strict=False)):
            side = 150 + 20 * ((number + place) % 4)
            draw_face(
                image, person, (left, top, left + side, top + side), variation=_VARIATION, seed=10 * number + place
            )
        picture = Picture(each.name, each.scene, PHONE if number % 2 else COMPACT, each.taken_at, "+02:00")
        save(image, picture, folder / each.name)
    return len(PICTURES)


if __name__ == "__main__":
    print(f"{make_family(Path(sys.argv[1]))} files in {sys.argv[1]}")
