"""The gallery page: self-contained, loads nothing, and safe with hostile names."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from photoindex.library.export import gallery
from photoindex.library.export.date_headings import dated
from photoindex.library.export.gallery import gallery_page
from photoindex.library.export.photo_cards import (
    GalleryEntry,
    GalleryGroup,
    GallerySection,
    Item,
    file_url,
    item_of,
    one_line,
    private,
    shortened,
)
from tests.picture_items import hit, item, jpeg

MADE_AT = datetime(2026, 11, 21, 14, 52, tzinfo=UTC)
VOID = {"meta", "link", "img", "input", "br"}


@dataclass
class Element:
    """One element of a page: its name, attributes, and the text in it."""

    name: str
    attributes: dict[str, str | None]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str, **attributes: str) -> list[Element]:
        """All descendants with this name whose attributes contain these words."""
        return list(self._found(name, attributes))

    def _found(self, name: str, attributes: dict[str, str]) -> Iterator[Element]:
        for child in self.children:
            wanted = {key.rstrip("_"): value for key, value in attributes.items()}
            if child.name == name and all(v in (child.attributes.get(k) or "").split() for k, v in wanted.items()):
                yield child
            yield from child._found(name, attributes)

    def words(self) -> str:
        """The text of this element and all below it."""
        return " ".join([self.text.strip(), *(child.words() for child in self.children)]).strip()


class Reader(HTMLParser):
    """Builds the tree, and fails on an element that is closed out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"{tag} has an attribute twice: {names}"
        made = Element(tag, dict(attrs))
        self.open[-1].children.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().name == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def page(*items: Item, title: str = "beach sunset", total: int | None = None) -> Element:
    return read(gallery_page([GallerySection(list(items))], title, total=total, made_at=MADE_AT))


def read(parts: Iterator[bytes]) -> Element:
    reader = Reader()
    reader.feed(b"".join(parts).decode())
    reader.close()
    assert reader.open == [reader.root], "an element was never closed"
    return reader.root


def embedded(shown: Element) -> bytes:
    return base64.b64decode((shown.attributes["src"] or "").removeprefix("data:image/jpeg;base64,"), validate=True)


def test_a_hit_is_shown_with_its_score_date_place_path_and_camera(tmp_path: Path) -> None:
    picture = jpeg(tmp_path / "a.jpg", (200, 30, 30))
    (card,) = page(item(7, picture, relevance=33)).all("li", class_="card")
    assert [one.words() for one in card.all("data", class_="score")] == ["33 relevance"]
    facts = {one.all("dt")[0].words(): one.all("dd")[0].words() for one in card.all("dl")[0].all("div")}
    assert facts["Taken"] == "2019-06-14 20:47"
    assert facts["Place"] == "Lisbon, Portugal"
    assert facts["Camera"] == "Apple iPhone 12"
    assert facts["Path"].replace(" ", "") == "/photos/IMG_7.jpg"
    assert [one.attributes["href"] for one in card.all("a")] == ["file:///photos/IMG_7.jpg"]


def test_the_picture_is_embedded_and_has_alternative_text(tmp_path: Path) -> None:
    picture = jpeg(tmp_path / "a.jpg", (200, 30, 30))
    (shown,) = page(item(7, picture)).all("img")
    assert embedded(shown) == picture.read_bytes()
    assert shown.attributes["alt"] == "Photo 7, 2019-06-14 20:47, Lisbon, Portugal"
    assert shown.attributes["loading"] == "lazy"
    assert shown.attributes["decoding"] == "async"


def test_the_title_has_the_query_the_number_of_photos_and_the_date() -> None:
    made = page(item(1), item(2), title="beach sunset")
    assert made.all("h1")[0].words() == "beach sunset"
    assert made.all("title")[0].words() == "beach sunset - photoindex"
    assert made.all("header")[0].all("p")[0].words().startswith("2 photos")
    assert made.all("time")[0].words() == "2026-11-21 14:52"


def test_a_page_that_shows_only_some_of_the_hits_says_so() -> None:
    assert "the first 2 of 1,234 photos" in page(item(1), item(2), total=1234).all("header")[0].words()


def test_an_empty_page_says_that_nothing_matches() -> None:
    made = read(gallery_page([], "beach", made_at=MADE_AT))
    assert "No photo matches." in made.words()
    assert made.all("li", class_="card") == []


def test_nothing_is_loaded_from_outside_and_no_element_has_inline_script_or_style(tmp_path: Path) -> None:
    picture = jpeg(tmp_path / "a.jpg", (200, 30, 30))
    text = b"".join(gallery_page([GallerySection([item(1, picture), item(2)])], "beach", made_at=MADE_AT)).decode()
    made = page(item(1, picture), item(2))
    for name in ("img", "link", "script", "source", "iframe", "object", "embed", "use", "form"):
        for one in made.all(name):
            for key in ("src", "href", "data", "action", "srcset"):
                assert (one.attributes.get(key) or "data:").startswith(("data:", "#")), (name, one.attributes)
    outside = [one for one in made.all("a") if not (one.attributes.get("href") or "file:").startswith("file:")]
    assert outside == []
    assert not re.search(r"<[^>]*\s(style|on\w+)=", re.sub(r"<(script|style)>.*?</\1>", "", text, flags=re.DOTALL))
    assert "url(" not in text
    assert "@import" not in text


def test_the_content_security_policy_allows_only_the_pages_own_style_and_script() -> None:
    made = page(item(1))
    (policy,) = (
        one.attributes["content"] or ""
        for one in made.all("meta")
        if one.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for name in ("style", "script"):
        (block,) = made.all(name)
        digest = base64.b64encode(hashlib.sha256(block.text.encode()).digest()).decode()
        assert rules[f"{name}-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in policy


HOSTILE = [
    b'"><script>alert(1)</script>.jpg',
    b"<img src=x onerror=alert(1)>.jpg",
    b"{{ 7*7 }}{% raw %}.jpg",
    b"'onmouseover='alert(1).jpg",
    b"&lt;b&gt; &amp;.jpg",
    b"\x1b[31mred\n\0line.jpg",
    b"bad\xff\xfebytes.jpg",
    "\u202egpj.exe.jpg".encode(),
    "京都の秋 — Été.jpg".encode(),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(name: bytes, tmp_path: Path) -> None:
    plain = page(item_of(tmp_path, GalleryEntry(hit())))
    made = page(
        item_of(
            tmp_path, GalleryEntry(hit(name=name, title=name.decode("utf-8", "replace"), camera=name.decode("latin-1")))
        )
    )
    for element in ("script", "style", "img", "b", "a", "div", "dd"):
        expected = len(plain.all(element)) + (1 if element in ("div", "dd") else 0)
        assert len(made.all(element)) == expected, element
    (link,) = made.all("li", class_="card")[0].all("a")
    address = link.attributes["href"] or ""
    assert address == file_url(b"/photos/2019/" + name)
    assert re.fullmatch(r"file:///[\w/.~%-]*", address, re.ASCII)
    shown = made.all("li", class_="card")[0].words()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", shown)


@pytest.mark.parametrize("title", ["</title><script>alert(1)</script>", "a\nb\x00c", "\ud800", '"beach" -dog & <b>'])
def test_a_hostile_query_stays_text(title: str) -> None:
    made = page(item(1), title=title)
    assert len(made.all("script")) == 1
    assert made.all("h1")[0].text == one_line(title)


def test_a_photo_without_a_derived_picture_gets_a_placeholder_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    for picture in (None, tmp_path / "gone.jpg", tmp_path / "broken.jpg"):
        made = page(item(1, picture, format="cr3"))
        assert made.all("img") == []
        assert "CR3, no picture" in made.all("button", class_="view")[0].words()


def test_few_photos_are_embedded_large_and_many_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = jpeg(tmp_path / "large.jpg", (200, 30, 30), (800, 600)), jpeg(tmp_path / "small.jpg", (30, 200, 30))
    few = page(item(1, preview=large, thumbnail=small))
    assert embedded(few.all("img")[0]) == large.read_bytes()
    monkeypatch.setattr(gallery, "PREVIEW_BYTES", 5 * large.stat().st_size)
    five = page(*(item(number, preview=large, thumbnail=small) for number in range(5)))
    assert embedded(five.all("img")[0]) == large.read_bytes()
    many = page(*(item(number, preview=large, thumbnail=small) for number in range(6)))
    assert embedded(many.all("img")[0]) == small.read_bytes()


def test_a_missing_size_is_replaced_by_the_other(tmp_path: Path) -> None:
    small = jpeg(tmp_path / "small.jpg", (30, 200, 30))
    (shown,) = page(item(1, preview=tmp_path / "gone.jpg", thumbnail=small)).all("img")
    assert embedded(shown) == small.read_bytes()


def test_groups_have_a_heading_each_and_the_one_to_keep_is_marked() -> None:
    sections = [
        GallerySection([item(1, keep=True, note="largest"), item(2)], "Same picture, 2 files", "4.1 MB in copies"),
        GallerySection([item(3)], "A burst"),
    ]
    made = read(gallery_page(sections, "duplicates", made_at=MADE_AT))
    found = made.all("section")
    assert [one.all("h2")[0].words() for one in found] == ["Same picture, 2 files", "A burst"]
    assert found[0].all("p", class_="about")[0].words() == "4.1 MB in copies"
    kept = made.all("li", class_="keep")
    assert len(kept) == 1
    assert kept[0].all("span", class_="kept")[0].words() == "Keep"
    assert kept[0].all("p", class_="note")[0].words() == "largest"


def test_every_control_has_a_name_and_every_label_points_to_its_own_element(tmp_path: Path) -> None:
    sections = [
        GallerySection([item(1, jpeg(tmp_path / "a.jpg", (9, 9, 9))), item(2)], "One"),
        GallerySection([item(1)], "Two"),
    ]
    made = read(gallery_page(sections, "beach", made_at=MADE_AT))
    for button in made.all("button"):
        pictures = [one.attributes.get("alt") for one in button.all("img")]
        assert button.attributes.get("aria-label") or any(pictures) or button.words(), button.attributes
    names = re.findall(r'\sid="([^"]+)"', b"".join(gallery_page(sections, "beach")).decode())
    assert len(names) == len(set(names))
    labels = [one.attributes["aria-labelledby"] for one in made.all("section")]
    assert set(labels) <= set(names)


def test_a_missing_original_has_no_link_and_a_video_says_how_long_it_is(tmp_path: Path) -> None:
    gone = item_of(tmp_path, GalleryEntry(hit(1, state="missing")))
    video = item_of(tmp_path, GalleryEntry(hit(2, kind="video", format="mp4", duration_seconds=75.4)))
    first, second = page(gone, video).all("li", class_="card")
    assert first.all("a") == []
    assert "Missing" in first.words()
    assert "Video 1:15" in second.words()


def test_the_facts_of_a_hit_become_text(tmp_path: Path) -> None:
    known = hit(
        3, taken_at="2019-06-01T00:00:00", taken_at_precision="month", exposure_seconds=1 / 250, aperture=1.8, iso=100,
        focal_length_mm=26.0, title="Party", rating=9, keywords=("rome", "\x07"),
    )  # fmt: skip
    made = item_of(tmp_path, GalleryEntry(known))
    assert (made.heading, made.taken, made.rating) == ("Party", "2019-06", 5)
    assert made.exposure == "1/250 s · f/1.8 · ISO 100 · 26 mm"
    assert made.size == "400 x 300 · 6.8 MB · JPEG"
    assert made.keywords == ("rome", "\\x07")
    assert made.folder + made.name == made.path == "/photos/2019/IMG_0412.jpg"


def test_a_time_that_is_only_the_files_is_marked(tmp_path: Path) -> None:
    made = item_of(tmp_path, GalleryEntry(hit(3, taken_at="2024-06-01T10:00:00+00:00", taken_at_source="mtime")))
    assert made.taken == "~2024-06-01 10:00"


def test_a_limit_cuts_the_last_group_and_leaves_out_those_after_it() -> None:
    groups = [
        GalleryGroup([GalleryEntry(hit(1)), GalleryEntry(hit(2))], "a"),
        GalleryGroup([GalleryEntry(hit(3)), GalleryEntry(hit(4))], "b"),
        GalleryGroup([GalleryEntry(hit(5))], "c"),
    ]
    cut = shortened(groups, 3)
    assert [(one.heading, [entry.hit.id for entry in one.entries]) for one in cut] == [("a", [1, 2]), ("b", [3])]


def on(*days: str) -> list[GallerySection]:
    return [GallerySection([item(number, date=day) for number, day in enumerate(days)])]


def headings(sections: list[GallerySection]) -> list[tuple[str, int]]:
    return [(one.heading, len(one.items)) for one in dated(sections)]


def test_days_are_headings_where_most_have_a_few_photos_else_months_or_years() -> None:
    days = ["2019-06-14"] * 4 + ["2019-06-13"] * 3 + ["2019-05-01"]
    assert headings(on(*days)) == [
        ("Friday, 14 June 2019", 4),
        ("Thursday, 13 June 2019", 3),
        ("Wednesday, 1 May 2019", 1),
    ]
    months = ["2018-05-01", "2018-05-02", "2018-05-30", *(f"2019-06-{day:02}" for day in range(1, 9))]
    assert headings(on(*months)) == [("May 2018", 3), ("June 2019", 8)]
    assert headings(on("2018-05-01", "2018-07-02", "2019-01-30")) == [("2018", 2), ("2019", 1)]


def test_a_photo_is_under_no_more_of_its_date_than_is_known() -> None:
    known = ["2019-06-14"] * 3 + ["2019-06"] * 3 + ["2019"] * 3 + [""] * 3
    assert [one for one, _ in headings(on(*known))] == ["Friday, 14 June 2019", "June 2019", "2019", "Without a date"]
    partly = hit(3, taken_at="2019-06-01T00:00:00", taken_at_precision="month")
    assert item_of(Path(), GalleryEntry(partly)).date == "2019-06"


def test_each_year_leads_to_its_first_heading(tmp_path: Path) -> None:
    made = read(gallery_page(dated(on(*["2020-02-01"] * 3, *["2019-06-14"] * 3, *["2019-06-13"] * 3, "")), "beach"))
    assert [(one.words(), one.attributes["href"]) for one in made.all("nav")[0].all("a")] == [
        ("2020", "#section-1"), ("2019", "#section-2"),
    ]  # fmt: skip
    assert made.all("h2", id="section-2")[0].all("time")[0].attributes["datetime"] == "2019-06-14"
    assert read(gallery_page(dated(on("2019-06-14", "2019-06-13")), "beach")).all("nav") == []


def test_a_card_has_the_folder_and_the_name_once(tmp_path: Path) -> None:
    named = item(
        1, heading="a.jpg", name="a.jpg", folder="/home/anna/photos/2019/", path="/home/anna/photos/2019/a.jpg"
    )
    titled = item(2, heading="Party", name="b.jpg", folder="/home/anna/photos/x/y/", path="/home/anna/photos/x/y/b.jpg")
    first, second = (card.all("div", class_="path")[0] for card in page(named, titled).all("li", class_="card"))
    assert [(one.words(), one.attributes.get("class")) for one in first.all("span")] == [
        ("/home/anna/photos/", "common"), ("2019/", None), ("a.jpg", "again"),
    ]  # fmt: skip
    assert [(one.words(), one.attributes.get("class")) for one in second.all("span")][1:] == [
        ("x/y/", None),
        ("b.jpg", None),
    ]
    (alone,) = page(named).all("div", class_="path")
    assert [one.words() for one in alone.all("span")] == ["/home/anna/photos/", "2019/", "a.jpg"]


def test_badges_are_on_the_picture(tmp_path: Path) -> None:
    (card,) = page(item_of(tmp_path, GalleryEntry(hit(1)), ("Live", "RAW"))).all("li", class_="card")
    assert [one.words() for one in card.all("span", class_="mark")] == ["Live", "RAW"]


def test_a_private_page_says_neither_where_nor_which_file(tmp_path: Path) -> None:
    picture = jpeg(tmp_path / "a.jpg", (200, 30, 30))
    known = item(
        7, picture, name="IMG_Secret.jpg", heading="IMG_Secret", path="/home/anna/IMG_Secret.jpg", folder="/home/anna/",
        address="file:///home/anna/IMG_Secret.jpg", place="Lisbon", description="Secret at Lisbon", keywords=("Lisbon",),
        note="a copy of /home/anna",
    )  # fmt: skip
    text = b"".join(gallery_page(private([GallerySection([known], note="in /home/anna")]), "Photos")).decode()
    for word in ("Secret", "anna", "Lisbon", "file:"):
        assert word not in text
    made = page(*private([GallerySection([known])])[0].items)
    assert made.all("img")[0].attributes["alt"] == "Photo 7, 2019-06-14 20:47"
    assert made.all("button", id="copy-paths") == []
    assert len(made.all("button", id="copy-query")) == 1
