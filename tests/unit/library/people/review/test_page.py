"""The page of faces: which faces it shows, self-contained, and safe with hostile names."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from photoindex.domain.people.boxes import Box
from photoindex.domain.people.values import How
from photoindex.errors import NothingFound
from photoindex.library.people.decisions import changes
from photoindex.library.people.review.choice import SUGGESTED, UNNAMED, UNREVIEWED, ReviewRequest, Suggestion, choose
from photoindex.library.people.review.crops import SIDE_PX, Place, face_crops, square_around
from photoindex.library.people.review.page import review_page
from photoindex.library.people.review.suggestions import suggestions
from photoindex.library.words.tags import add_tags
from photoindex.pipeline.ingest.derived_files import preview_path
from photoindex.store.schema.tables import asset, region
from tests.face_rows import FaceRows
from tests.rows import library_in
from tests.shown_faces import ShownFaces

HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture
def faces(library_folder: Path, tmp_path: Path) -> Iterator[ShownFaces]:
    with library_in(library_folder) as library:
        shown = ShownFaces(library, tmp_path / "originals")
        shown.rows.add_root()
        yield shown


def page(faces: ShownFaces, **request: object) -> str:
    return b"".join(review_page(faces.library, ReviewRequest(**request)).page).decode()  # type: ignore[arg-type]


def shown(faces: ShownFaces, *, limit: int = 500, **suggestions: Suggestion) -> list[tuple[str, int, list[int]]]:
    """Kind, person and faces of the groups that are chosen; suggestions by `g` and the number of the group."""
    given = {int(name[1:]): one for name, one in suggestions.items()}
    with faces.library.database.read() as connection:
        choice = choose(connection, ReviewRequest(limit=limit), given)
    return [(one.kind, one.row.individual_id, [face.id for face in one.faces]) for one in choice.groups]


def test_groups_come_by_size_then_suggestions_then_faces_that_nobody_reviewed_the_least_certain_first(
    faces: ShownFaces,
) -> None:
    anna, of_anna = faces.group("Anna", faces=4)
    faces.confirm(of_anna[:1])
    small, of_small = faces.group(faces=2)
    large, of_large = faces.group(faces=3)
    alike, of_alike = faces.group(faces=5)
    assert shown(faces, **{f"g{alike}": Suggestion(anna, 0.9)}) == [
        (UNNAMED, large, of_large),
        (UNNAMED, small, of_small),
        (SUGGESTED, alike, of_alike),
        (UNREVIEWED, anna, of_anna[:0:-1]),
    ]


def test_of_a_large_group_the_surest_and_the_least_certain_faces_are_shown(faces: ShownFaces) -> None:
    _, found = faces.group(faces=30)
    assert shown(faces)[0][2] == [*found[:16], *found[-8:]]


def test_each_kind_has_its_part_of_the_page_and_what_one_leaves_the_others_use(faces: ShownFaces) -> None:
    anna, _ = faces.group("Anna", faces=6)
    groups = [faces.group(faces=4)[0] for _ in range(6)]
    chosen = shown(faces, limit=12)
    assert [(kind, person, len(some)) for kind, person, some in chosen] == [
        (UNNAMED, groups[0], 4),
        (UNNAMED, groups[1], 4),
        (UNREVIEWED, anna, 4),
    ]
    assert sum(len(some) for _, _, some in shown(faces, limit=20)) == 20
    assert sum(len(some) for _, _, some in shown(faces)) == 30


def test_the_page_is_made_of_previews_where_the_originals_are_gone(faces: ShownFaces, tmp_path: Path) -> None:
    faces.group(faces=2)
    shutil.rmtree(tmp_path / "originals")
    assert page(faces).count("data:image/jpeg;base64,") == 2


def test_there_is_an_error_where_nothing_is_to_review(faces: ShownFaces) -> None:
    _, found = faces.group("Anna", faces=2)
    faces.confirm(found)
    with pytest.raises(NothingFound):
        page(faces)


def test_faces_in_sensitive_photos_are_left_out_unless_asked_for(faces: ShownFaces) -> None:
    person = faces.person()
    (open_face,), (covered,) = faces.photo(person), faces.photo(person)
    with faces.library.database.read() as connection:
        photo_id = connection.execute(
            select(asset.c.photo_id).join(region, region.c.asset_id == asset.c.id).where(region.c.id == covered)
        ).scalar_one()
    add_tags(faces.library, ["sensitive"], [photo_id])
    assert shown(faces) == [(UNNAMED, person, [open_face])]
    with faces.library.database.read() as connection:
        (group,) = choose(connection, ReviewRequest(sensitive=True), {}).groups
    assert sorted(face.id for face in group.faces) == [open_face, covered]


def test_the_page_loads_nothing_and_its_policy_allows_only_its_own_style_and_script(faces: ShownFaces) -> None:
    faces.group("Anna", faces=2)
    made = page(faces)
    assert not re.search(r"""(src|href)=["'](?!data:|#|file:)""", made)
    assert not re.search(r"""\s(style|on\w+)=["']""", made)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', made)
    assert policy is not None
    for name in ("style", "script"):
        block = re.search(f"<{name}>(.*?)</{name}>", made, re.DOTALL)
        assert block is not None
        digest = base64.b64encode(hashlib.sha256(block[1].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy[1].replace("&#39;", "'")
    assert policy[1].startswith("default-src 'none'; img-src data:")


def test_hostile_names_stay_text(faces: ShownFaces) -> None:
    faces.group(HOSTILE, faces=2)
    faces.rows.add_file(b"\x1b[31m<b>\xff.jpg", asset_id=faces.rows.asset_of(1), create=False)
    made = page(faces)
    assert made.count("<script") == 2
    assert "alert(1)" in made
    assert "<b>" not in made.split("<main>")[1].split("</main>")[0]


@pytest.mark.parametrize(
    ("box", "square"),
    [
        (Box(0.45, 0.4, 0.1, 0.2), (330, 130, 470, 270)),
        (Box(0.0, 0.0, 0.1, 0.2), (0, 0, 136, 136)),
        (Box(0.9, 0.8, 0.1, 0.2), (664, 264, 800, 400)),
        (Box(0.0, 0.0, 1.0, 1.0), (200, 0, 600, 400)),
    ],
)
def test_a_crop_is_a_square_around_the_face_inside_the_picture(box: Box, square: tuple[int, ...]) -> None:
    left, upper, right, lower = square_around(box, 800, 400)
    assert right - left == lower - upper
    assert 0 <= left < right <= 800
    assert 0 <= upper < lower <= 400
    assert abs((left + right) - (square[0] + square[2])) <= 4


def test_crops_are_small_jpegs_and_a_damaged_preview_has_none(tmp_path: Path) -> None:
    whole, damaged = b"\x01" * 32, b"\x02" * 32
    for digest in (whole, damaged):
        preview_path(tmp_path, digest).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (1024, 768), (200, 30, 30)).save(preview_path(tmp_path, whole), "JPEG")
    preview_path(tmp_path, damaged).write_bytes(b"\xff\xd8\xff nonsense")
    large, small = Box(0.1, 0.1, 0.5, 0.5), Box(0.5, 0.5, 0.05, 0.05)
    crops = face_crops(
        tmp_path, [Place(whole, large), Place(damaged, large), Place(whole, small), Place(b"\x03", large)]
    )
    assert [crop is None for crop in crops] == [False, True, False, True]
    sizes = [Image.open(io.BytesIO(crop)).size for crop in crops if crop]
    assert sizes[0] == (SIDE_PX, SIDE_PX)
    assert sizes[1][0] == sizes[1][1] < SIDE_PX


def test_groups_that_look_like_a_named_person_are_suggested_with_the_faces_that_are_most_alike(
    library_folder: Path, tmp_path: Path
) -> None:
    with library_in(library_folder) as library:
        rows = FaceRows(library, tmp_path / "originals")
        for stranger in range(30):
            rows.add_person(None, rows.add_photos_of(stranger, 4), how=How.CLUSTER)
        anna_faces = rows.add_photos_of("anna", 8)
        anna = rows.add_person("Anna", anna_faces)
        alike = rows.add_person(None, rows.add_photos_of("anna", 6), how=How.CLUSTER)
        found = suggestions(library)
        assert found[alike].person_id == anna
        assert found[alike].certainty > 0.75
        assert set(found[alike].examples) < set(anna_faces)
        with library.database.read() as connection:
            choice = choose(connection, ReviewRequest(["Anna"]), found)
        (group,) = choice.groups
        assert (group.kind, group.row.individual_id, group.person and group.person.name) == (SUGGESTED, alike, "Anna")
        assert [face.id for face in group.examples][: len(found[alike].examples)] == list(found[alike].examples)
        changes.reject(library, "Anna", [f"f{group.faces[0].id}"])
        assert alike not in suggestions(library)
