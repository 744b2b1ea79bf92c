"""What is decided about the files of a photo that belong together."""

from __future__ import annotations

import pytest

from photoindex.domain.same_picture.compare import PictureComparison
from photoindex.library.duplicates.files import PRESENT
from photoindex.library.duplicates.ranking import RankingRules, rank
from photoindex.library.duplicates.verdicts import DuplicateGroup, group_of
from photoindex.pipeline.duplicates.comparison import Compared, Task
from photoindex.store.photos.duplicates import CopyContent, CopyFile, CopyPhoto


def content(
    number: int, path: str, *, kind: str = "image", format_name: str = "jpeg", size: int = 100, **more: object
) -> CopyContent:
    """A content of 40 x 30 pixels with one file."""
    file = CopyFile(number, number, path.encode(), 1, "disk", size, 0, float(number))
    values = {"role": "primary", "width": 40, "height": 30, "camera_time": False} | more
    return CopyContent(
        number, bytes([number]) * 32, kind, format_name, str(values["role"]), int(str(values["width"])),
        int(str(values["height"])), size, 0, bool(values["camera_time"]), (file,),
    )  # fmt: skip


def photo(number: int, *contents: CopyContent) -> CopyPhoto:
    return CopyPhoto(number, "image", None, False, 0, None, contents[0].asset_id, contents)


def group(*photos: CopyPhoto, same: tuple[int, int]) -> DuplicateGroup:
    """The group of photos, of which two contents show the same picture; all files are there."""
    states = {file.id: PRESENT for one in photos for each in one.contents for file in each.files}
    compared = Compared(Task(*same), PictureComparison(same=True), same_colours=True)
    found = group_of(photos, {same: compared, same[::-1]: compared}, RankingRules(states=states))
    assert found is not None
    return found


def actions(found: DuplicateGroup) -> dict[str, str]:
    return {one.path.decode(): one.action for one in found.files}


@pytest.mark.parametrize(("kind", "role", "name"), [("raw", "raw", "b.cr2"), ("video", "movie", "b.mov")])
def test_a_copy_is_reviewed_where_a_file_that_was_not_compared_would_have_to_go_too(
    kind: str, role: str, name: str
) -> None:
    copy = photo(2, content(2, "/d/b.jpg"), content(3, f"/d/{name}", kind=kind, format_name=kind, role=role))
    found = group(photo(1, content(1, "/a.jpg")), copy, same=(1, 2))
    assert actions(found) == {"/a.jpg": "keep", "/d/b.jpg": "review", f"/d/{name}": "review"}
    assert any(f"{name} belongs to it, and would have to go too" in one.reason for one in found.files)


def test_thumbnails_and_backups_go_with_their_photo() -> None:
    copy = photo(2, content(2, "/d/b.jpg"), content(3, "/d/b.jpg_original", role="backup"))
    found = group(photo(1, content(1, "/a.jpg")), copy, same=(1, 2))
    assert actions(found) == {"/a.jpg": "keep", "/d/b.jpg": "remove", "/d/b.jpg_original": "remove"}


def ranked(*contents: CopyContent, qualities: dict[int, int] | None = None) -> list[int]:
    """The numbers of photos with one content each, the one to keep first; the user prefers the first one's folder."""
    states = {one.asset_id: PRESENT for one in contents}
    preferred = (contents[0].files[0].path,)
    rules = RankingRules(preferred, states=states, quality=lambda one: (qualities or {}).get(one.asset_id))
    return [one.photo_id for one in rank([photo(each.asset_id, each) for each in contents], rules)]


def test_a_file_that_is_hardly_larger_is_no_better_compressed() -> None:
    assert ranked(content(1, "/a.jpg", size=1000), content(2, "/b.jpg", size=1040)) == [1, 2]
    assert ranked(content(1, "/a.jpg", size=1000), content(2, "/b.jpg", size=2000)) == [2, 1]


def test_sizes_of_different_formats_are_not_compared() -> None:
    smaller = content(1, "/a.heic", size=500, format_name="heic", camera_time=True)
    assert ranked(smaller, content(2, "/b.jpg", size=2000)) == [1, 2]
    assert ranked(
        content(1, "/a.png", size=500, format_name="png"), content(2, "/b.png", size=900, format_name="png")
    ) == [1, 2]


def test_a_poor_file_with_the_cameras_data_is_not_taken_for_the_original() -> None:
    camera = content(1, "/a.jpg", size=500, camera_time=True)
    other = content(2, "/b.jpg", size=2000)
    assert ranked(camera, other, qualities={1: 40, 2: 85}) == [2, 1]
    assert ranked(camera, other, qualities={1: 88, 2: 97}) == [1, 2]
    edit = content(2, "/a-edited.jpg", size=2000, camera_time=True)
    assert ranked(camera, edit, qualities={1: 88, 2: 97}) == [1, 2]
