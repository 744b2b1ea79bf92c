"""Properties of sidecar matching: no crash, no JSON for two originals, and exports named by Takeout match."""

from __future__ import annotations

import os
import re
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from photoindex.domain.sidecars.match import match_sidecars
from photoindex.domain.sidecars.names import MediaName, SidecarMatch, SidecarName
from photoindex.types import Kind, SidecarKind
from tests.series import SOAKING, examples

repeatable = settings(derandomize=not SOAKING, deadline=None, max_examples=examples(300))
SHARED = re.compile(r"the file is (an edited copy of|the movie of a picture)")

PIECES = [
    "IMG_1234", "IMG_E1234", "IMG_O1234", "X", "x", "é", "e\u0301", "(1)", "(2)", "()", ".", "..", "-edited", "-bearbeitet", "-ed",
    "_01", ".jpg", ".JPG", ".HEIC", ".mov", ".MP4", ".cr2", ".json", ".xmp", ".supplemental-metadata", ".suppl", ".s",
    "w" * 44, "w" * 46, "w" * 47, "😀" * 23, "\udcff", " ",
]  # fmt: skip
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join),
    st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=60),
)
raw_names = st.one_of(
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    texts.filter(lambda text: not re.search("[\ud800-\udc7f\udd00-\udfff]", text)).map(
        lambda text: text.encode("utf-8", "surrogateescape")
    ),
    st.binary(min_size=1, max_size=60),
)
titles = st.one_of(st.none(), texts, st.text(st.characters(codec=None), max_size=80))


@st.composite
def folders(draw: st.DrawFn) -> tuple[list[SidecarName], list[MediaName]]:
    """Return the sidecars and media of a folder, each name once."""
    names = draw(st.lists(raw_names, unique=True, max_size=14))
    sidecars: list[SidecarName] = []
    media: list[MediaName] = []
    for number, name in enumerate(names):
        if draw(st.booleans()):
            kind = draw(st.sampled_from(SidecarKind))
            sidecars.append(
                SidecarName(
                    number, name + draw(st.sampled_from([b".json", b".xmp", b"(1).json", b""])), kind, draw(titles)
                )
            )
        else:
            media.append(MediaName(number, name, draw(st.sampled_from(Kind))))
    return sidecars, media


def by_sidecar(matches: list[SidecarMatch]) -> dict[int, list[SidecarMatch]]:
    found: dict[int, list[SidecarMatch]] = defaultdict(list)
    for match in matches:
        found[match.sidecar_id].append(match)
    return found


@repeatable
@given(folders())
def test_any_names_are_matched_without_a_crash_and_one_json_never_has_two_originals(
    folder: tuple[list[SidecarName], list[MediaName]],
) -> None:
    sidecars, media = folder
    matches = match_sidecars(sidecars, media)
    pairs = [(match.sidecar_id, match.file_id) for match in matches]
    assert len(set(pairs)) == len(pairs)
    assert {match.file_id for match in matches} <= {file.id for file in media}
    takeout = {sidecar.id for sidecar in sidecars if sidecar.kind is SidecarKind.TAKEOUT}
    for sidecar_id, its_matches in by_sidecar(matches).items():
        if sidecar_id in takeout:
            assert sum(SHARED.match(match.why) is None for match in its_matches) <= 1
    assert all(match.why.encode() for match in matches)


@repeatable
@given(folders(), st.randoms(use_true_random=False))
def test_the_order_of_the_arguments_changes_no_match(
    folder: tuple[list[SidecarName], list[MediaName]], chance: object
) -> None:
    sidecars, media = folder
    expected = {(match.sidecar_id, match.file_id, match.why) for match in match_sidecars(sidecars, media)}
    turned = match_sidecars(sidecars[::-1], media[::-1])
    assert {(match.sidecar_id, match.file_id, match.why) for match in turned} == expected


STEM = st.one_of(
    st.sampled_from(
        ["IMG_1234", "DSC_0238", "DSC_0238_1", "PXL_20231006_063909898.LS", "2015-02-04", "Été", "a b", "x-edit"]
    ),
    st.integers(40, 60).map(lambda length: ("Screenshot_" + "0123456789" * 6)[:length]),
    st.tuples(st.just("w" * 46), st.sampled_from(["A", "B", "CC", "CD"])).map("".join),
)
exports = st.lists(st.tuples(STEM, st.sampled_from([".jpg", ".png", ".mp4"])).map("".join), min_size=1, max_size=8)


def exported(photos: list[str], suffix: str) -> list[tuple[str, str, str]]:
    """Return (title, media name, JSON name) by Takeout's rules for one folder: truncated first, then numbered."""
    taken: dict[str, int] = {}

    def numbered(stem: str, extension: str) -> str:
        key = (stem + extension).lower()
        number = taken.get(key, -1) + 1
        taken[key] = number
        return f"{stem}({number}){extension}" if number else stem + extension

    named = []
    for title in photos:
        stem, extension = os.path.splitext(title)
        named.append((title, numbered(stem[:47], extension), numbered((title + suffix)[:46], ".json")))
    return named


@repeatable
@given(exports, st.sampled_from(["", ".supplemental-metadata"]))
def test_every_export_named_by_takeouts_rules_is_matched(photos: list[str], suffix: str) -> None:
    named = exported(photos, suffix)
    sidecars = [
        SidecarName(number, sidecar.encode(), SidecarKind.TAKEOUT, title)
        for number, (title, _, sidecar) in enumerate(named)
    ]
    media = [
        MediaName(number, name.encode(), Kind.VIDEO if name.endswith("mp4") else Kind.IMAGE)
        for number, (_, name, _) in enumerate(named)
    ]
    assert {(match.sidecar_id, match.file_id) for match in match_sidecars(sidecars, media)} == {
        (number, number) for number in range(len(named))
    }
