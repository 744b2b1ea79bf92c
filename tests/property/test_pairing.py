"""Properties of pairing: groups partition the files, the user's decisions win, and order does not matter."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from photoindex.domain.pairing import (
    Decision,
    Link,
    Member,
    PhotoGroup,
    bursts,
    explain,
    group,
    links_in_folder,
    live_across_folders,
)
from photoindex.domain.pairing.names import parse_name
from photoindex.types import Kind
from tests.printable import is_one_line
from tests.series import SOAKING, examples

repeatable = settings(derandomize=not SOAKING, deadline=None, max_examples=examples())

STEMS = [
    "a", "IMG_1234", "IMG_E1234", "IMG_1235", "IMG_1236", "a-edited", "a (1)", "a~2", "a-Edit-2", "a copy", "x_BURST001",
    "00001IMG_00001_BURST20171111030039", "20231207_101605_001", "20231207_101605_002", "PXL_20231207_032111247.RAW-01.COVER",
    "PXL_20231207_032111247.RAW-02.ORIGINAL", "PXL_20231207_032111247.MP", "",
]  # fmt: skip
names = st.one_of(
    st.binary(max_size=30),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.tuples(
        st.sampled_from(STEMS), st.sampled_from(["jpg", "JPG", "heic", "cr2", "dng", "mov", "MP", "", "thm"])
    ).map(lambda parts: ".".join(parts).encode()),
)
times = st.one_of(
    st.sampled_from([
        None, "2019-06-01T12:00:00", "2019-06-01T12:00:01.5", "2019-06-01T12:00:02+02:00", "2019-06-01T15:02:00", "2019",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2019-06-01T10:00:01+00:00",
    ]),
    st.text(max_size=12),
)  # fmt: skip
texts = st.one_of(
    st.sampled_from([None, "", "Apple iPhone XR", "Canon EOS 6D", "EOS 6D", "Google Pixel 8"]), st.text(max_size=12)
)
identifiers = st.sampled_from([None, None, "", "A-1", "a-1", "B-2", "\ud800"])
numbers = st.one_of(st.none(), st.floats(-1e12, 1e12), st.sampled_from([2.9, 1559383201.0]))


@st.composite
def member_lists(draw: st.DrawFn) -> list[Member]:
    """Generate files of two folders, some of them equal; equal content has the same kind and format."""
    count = draw(st.integers(0, 9))
    kinds = {asset: draw(st.sampled_from(list(Kind))) for asset in range(1, count + 1)}
    return [
        Member(
            asset_id=(asset := draw(st.sampled_from([number, number, number, 1]))),
            file_id=number,
            folder_id=draw(st.sampled_from([1, 1, 1, 2])),
            name=draw(names),
            kind=kinds[asset],
            format=draw(st.sampled_from(["jpeg", "heic", "cr2", "mov"])),
            taken_at=draw(times),
            taken_at_utc=draw(numbers),
            camera=draw(texts),
            serial=draw(texts),
            content_identifier=draw(identifiers),
            burst_identifier=draw(identifiers),
            width=draw(st.sampled_from([None, 0, 640])),
            height=draw(st.sampled_from([None, 480])),
            duration_seconds=draw(numbers),
        )
        for number in range(1, count + 1)
    ]


links = st.builds(
    Link,
    st.integers(1, 9),
    st.integers(1, 10),
    st.sampled_from(["raw", "live", "edit"]),
    st.sampled_from(["one", "two"]),
)
decisions = st.builds(Decision, st.integers(1, 9), st.integers(1, 10), st.booleans())


def of_folder(members: Sequence[Member], folder_id: int = 1) -> list[Member]:
    return [member for member in members if member.folder_id == folder_id]


def photo_of(groups: Sequence[PhotoGroup]) -> dict[int, PhotoGroup]:
    return {asset_id: photo for photo in groups for asset_id in photo.roles}


def latest_decisions(decided: Sequence[Decision]) -> dict[frozenset[int], bool]:
    return {frozenset((one.asset_id, one.other_asset_id)): one.together for one in decided}


@given(member_lists(), st.lists(links, max_size=12), st.lists(decisions, max_size=8))
@repeatable
def test_groups_partition_the_contents_and_have_one_primary_and_reasons_for_the_others(
    members: list[Member], linked: list[Link], decided: list[Decision]
) -> None:
    groups = group(members, linked, decided)
    listed = [asset_id for photo in groups for asset_id in photo.roles]
    assert sorted(listed) == sorted({member.asset_id for member in members})
    for photo in groups:
        assert [asset_id for asset_id, role in photo.roles.items() if role == "primary"] == [photo.primary_asset_id]
        assert set(photo.reasons) == set(photo.roles) - {photo.primary_asset_id}
        assert all(photo.reasons.values())


@given(member_lists(), st.lists(links, max_size=12), st.lists(decisions, max_size=8))
@repeatable
def test_split_contents_stay_apart_and_joined_contents_stay_together_unless_a_split_forbids_it(
    members: list[Member], linked: list[Link], decided: list[Decision]
) -> None:
    photos = photo_of(group(members, linked, decided))
    final = latest_decisions(decided)
    splits = [pair for pair, together in final.items() if not together and len(pair) == 2]
    for pair, together in final.items():
        if len(pair) == 2 and pair <= set(photos):
            first, second = (photos[asset_id] for asset_id in pair)
            if not together:
                assert first is not second
            elif first is not second:
                assert any(split & set(first.roles) and split & set(second.roles) for split in splits)


@given(member_lists(), st.lists(links, max_size=12), st.lists(decisions, max_size=8))
@repeatable
def test_links_are_followed_unless_a_split_forbids_it_and_nothing_else_joins(
    members: list[Member], linked: list[Link], decided: list[Decision]
) -> None:
    photos = photo_of(group(members, linked, decided))
    splits = [pair for pair, together in latest_decisions(decided).items() if not together]
    for link in linked:
        if link.asset_id in photos and link.other_asset_id in photos:
            first, second = photos[link.asset_id], photos[link.other_asset_id]
            if first is not second:
                assert any(split & set(first.roles) and split & set(second.roles) for split in splits)
    if not linked and not any(latest_decisions(decided).values()):
        assert all(len(photo.roles) == 1 for photo in photos.values())


@given(member_lists(), st.lists(links, max_size=12), st.lists(decisions, max_size=4), st.randoms(use_true_random=False))
@repeatable
def test_the_order_of_the_input_does_not_matter(
    members: list[Member], linked: list[Link], decided: list[Decision], shuffler: random.Random
) -> None:
    def shuffled(values: Sequence[Member | Link]) -> list[Member | Link]:
        return shuffler.sample(list(values), len(values))

    mixed = [member for member in shuffled(members) if isinstance(member, Member)]
    mixed_links = [link for link in shuffled(linked) if isinstance(link, Link)]
    assert links_in_folder(of_folder(mixed)) == links_in_folder(of_folder(members))
    assert live_across_folders(mixed) == live_across_folders(members)
    assert bursts(mixed) == bursts(members)
    groups = group(members, linked, decided)
    assert group(mixed, mixed_links, decided) == groups
    assert explain(mixed, linked, decided, groups) == explain(members, linked, decided, groups)


@given(member_lists(), st.lists(decisions, max_size=4))
@repeatable
def test_an_unrelated_file_changes_nothing(members: list[Member], decided: list[Decision]) -> None:
    unrelated = Member(
        77, 77, 1, b"zz unrelated zz.tif", Kind.IMAGE, "tiff", "1971-01-01T00:00:00", camera="Zeiss Ikon"
    )
    folder = of_folder(members)
    more = [*folder, unrelated]
    found = links_in_folder(folder)
    assert links_in_folder(more) == found
    assert bursts(more) == bursts(folder)
    assert group(more, found, decided) == [*group(folder, found, decided), PhotoGroup(77, {77: "primary"})]


@given(member_lists(), st.lists(decisions, max_size=4))
@repeatable
def test_links_refer_to_members_with_printable_reasons_and_a_movie_is_never_the_primary_of_a_picture(
    members: list[Member], decided: list[Decision]
) -> None:
    folder = of_folder(members)
    by_asset = {member.asset_id: member for member in folder}
    found = links_in_folder(folder)
    for link in (*found, *live_across_folders(members)):
        assert is_one_line(link.why)
        assert link.asset_id != link.other_asset_id
    assert all(link.asset_id in by_asset and link.other_asset_id in by_asset for link in found)
    for photo in group(folder, found, decided):
        # A .thm is the small picture that a camera writes beside a movie.
        pictures = [
            member
            for member in map(by_asset.__getitem__, photo.roles)
            if member.kind is not Kind.VIDEO and not member.name.lower().endswith(b".thm")
        ]
        assert by_asset[photo.primary_asset_id].kind is not Kind.VIDEO or not pictures


@given(member_lists(), st.lists(decisions, max_size=4))
@repeatable
def test_every_file_is_explained_as_it_is_grouped(members: list[Member], decided: list[Decision]) -> None:
    found = links_in_folder(of_folder(members))
    groups = group(members, found, decided)
    photos = photo_of(groups)
    told = explain(members, found, decided, groups)
    assert sorted(about.member.file_id for about in told) == sorted(member.file_id for member in members)
    for about in told:
        assert about.role == photos[about.member.asset_id].roles[about.member.asset_id]
        joined = {candidate.member.asset_id for candidate in about.candidates if candidate.joined}
        assert joined == set(photos[about.member.asset_id].roles) - {about.member.asset_id}
        assert all(is_one_line(candidate.why) for candidate in about.candidates)


@given(names)
@repeatable
def test_any_name_can_be_parsed_and_an_edit_is_never_its_own_original(name: bytes) -> None:
    parsed = parse_name(name)
    assert parsed.original != parsed.full
    assert name.decode("utf-8", "surrogateescape") == "" or parsed.full != ""
