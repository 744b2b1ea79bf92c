"""Names of lenses from Exiv2: how it is asked, and what is believed. The library itself is optional."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from photoindex.media.apart import NoAnswer, run_apart
from photoindex.media.metadata.findings import Findings
from photoindex.media.metadata.standards import lens_library
from photoindex.types import FactValue
from tests import maker_notes
from tests.metadata_blocks import described, exif_segment, jpeg, rational, text, tiff

FOCAL_LENGTH = 0x920A


class FakeExiv2(SimpleNamespace):
    """Prints the given tags for whatever it is asked to read."""

    def __init__(self, *tags: tuple[str, str], crash: bool = False) -> None:
        data = [
            SimpleNamespace(tagName=lambda name=name: name, print=lambda _, value=value: value) for name, value in tags
        ]

        def opened(structure: bytes) -> Any:
            assert structure.startswith((b"II*\0", b"MM\0*"))
            if crash:
                os.kill(os.getpid(), signal.SIGKILL)
            return SimpleNamespace(readMetadata=lambda: None, exifData=lambda: data)

        super().__init__(
            LogMsg=SimpleNamespace(setLevel=lambda _: None, Level=SimpleNamespace(mute=5)),
            ImageFactory=SimpleNamespace(open=opened),
        )


@pytest.fixture(autouse=True)
def _forget_the_library() -> Iterator[None]:
    yield
    lens_library.library.cache_clear()


def installed(monkeypatch: pytest.MonkeyPatch, library: object) -> None:
    monkeypatch.setattr(lens_library, "library", lambda: library)
    monkeypatch.setattr(lens_library.library, "cache_clear", lambda: None, raising=False)


def chosen(*stated: str, **facts: FactValue) -> object:
    found = Findings("exiv2")
    lens_library.choose_lens(stated, facts, found)
    return found.facts.get("lens")


def test_a_number_that_only_a_table_explains_is_named_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, FakeExiv2(("Make", "PENTAX"), ("LensType", "Sigma AF 10-20mm F4-5.6 EX DC")))
    facts = described(maker_notes.picture("PENTAX", maker_notes.pentax(3, 44))).facts
    assert facts["exiv2"] == {"lens": "Sigma AF 10-20mm F4-5.6 EX DC"}
    assert "lens" not in facts["exif"]


def test_without_the_library_nothing_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, None)
    result = described(maker_notes.picture("PENTAX", maker_notes.pentax(3, 44)))
    assert set(result.facts) == {"exif"}
    assert result.notes == ()


@pytest.mark.parametrize(
    "picture",
    [
        maker_notes.picture("Canon", maker_notes.canon("EF50mm f/1.8 STM", 50, 50)),
        jpeg(exif_segment(tiff([text(0x010F, "NIKON")], [rational(FOCAL_LENGTH, (50, 1))]))),
        jpeg(),
    ],
    ids=["a lens in words", "no maker note", "no EXIF"],
)
def test_the_library_is_asked_only_where_a_maker_note_leaves_the_lens_open(
    picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, FakeExiv2(crash=True))
    assert described(picture).notes == ()


def test_a_crash_of_the_library_costs_a_note_and_no_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, FakeExiv2(crash=True))
    result = described(maker_notes.picture("PENTAX", maker_notes.pentax(3, 44)))
    assert result.facts["exif"]["camera_make"] == "PENTAX"
    assert len(result.notes) == 1
    assert "exiv2" in result.notes[0]
    assert "crashed" in result.notes[0]


def test_a_name_that_contradicts_the_range_or_the_focal_length_is_not_believed() -> None:
    name = "AF-S Nikkor 24-70mm f/2.8E ED VR"
    assert chosen(name) == name
    assert chosen(name, lens_range="24-70mm f/2.8", focal_length_mm=105.0) == name
    assert chosen(name, focal_length_mm=50.0) == name
    assert chosen(name, lens_range="18-55mm f/3.5-5.6") is None
    assert chosen(name, focal_length_mm=105.0) is None


def test_a_number_of_several_lenses_is_decided_by_the_focal_lengths_or_not_at_all() -> None:
    both = "Minolta AF 28-70mm F2.8 G | Sony AF DT 18-200mm F3.5-6.3"
    assert chosen(both, lens_range="18-200mm f/3.5-6.3") == "Sony AF DT 18-200mm F3.5-6.3"
    assert chosen(both, focal_length_mm=20.0) == "Sony AF DT 18-200mm F3.5-6.3"
    assert chosen(both, focal_length_mm=50.0) is None
    assert chosen("Canon EF 50mm f/1.8 *OR* Yongnuo YN50mm f/1.8") is None
    assert chosen("Sigma 85mm F1.4 DG HSM | A") == "Sigma 85mm F1.4 DG HSM | A"


def test_what_is_not_a_lens_is_passed_over() -> None:
    assert chosen("D G VR", "Manual lens", "Unknown Lens (12334)", "n/a", "255") is None
    assert chosen("D G VR", "AF Nikkor 50mm f/1.8D") == "AF Nikkor 50mm f/1.8D"


def test_a_function_run_apart_returns_its_answer_or_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()
    assert run_apart(lambda data: [len(data), os.getpid() != here], b"abc") == [3, True]
    with pytest.raises(NoAnswer, match="ZeroDivisionError"):
        run_apart(lambda data: 1 // len(data), b"")
    with pytest.raises(NoAnswer, match="crashed"):
        run_apart(lambda _: os.kill(os.getpid(), signal.SIGKILL), b"")
    monkeypatch.setattr("photoindex.media.apart._SECONDS", 1)
    with pytest.raises(NoAnswer, match="too long"):
        run_apart(lambda _: time.sleep(60), b"")


def test_the_real_library_names_a_lens_and_survives_nonsense() -> None:
    if lens_library.library() is None:
        pytest.skip("exiv2 is not installed (the extra lens)")
    facts = described(maker_notes.picture("PENTAX Corporation", maker_notes.pentax(4, 252), model="PENTAX K10D")).facts
    assert "mm" in str(facts["exiv2"]["lens"])
    nonsense = jpeg(
        exif_segment(tiff([text(0x010F, "PENTAX")], [maker_notes.blob(0x927C, b"AOC\0II" + b"\xff" * 400)]))
    )
    assert described(nonsense).facts["exif"] == {"camera_make": "PENTAX"}


def test_an_answer_that_is_too_long_ends_the_child_at_once() -> None:
    with pytest.raises(NoAnswer, match="crashed"):
        run_apart(lambda _: "x" * (4 << 20), b"")
