"""A video whose frames decode is never given up for an attribute that PyAV cannot give."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Self

import av
import numpy as np
import pytest

from photoindex.types import Kind
from tests.metadata_blocks import described
from tests.unit.media.media_pictures import decoded, is_scene, scene, video

SCENE = np.asarray(scene(192, 128))
ESSENTIAL = {
    ("container", "streams"), ("container", "decode"), ("container", "seek"), ("streams", "video"), ("stream", "codec_context"),
    ("frame", "width"), ("frame", "height"), ("frame", "reformat"),
}  # fmt: skip
"""Without these there is no frame, or nothing is known of its size."""
ERRORS: tuple[Exception, ...] = (
    ValueError("4096 is not a valid Flag"),
    RuntimeError("the codec is open"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
)


class Watched:
    """Stands for an object of PyAV: writes down what is read of it, and raises for one attribute."""

    def __init__(self, kind: str, target: Any, watch: Watch) -> None:
        self.__dict__.update(kind=kind, target=target, watch=watch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.target.close()

    def __getattr__(self, name: str) -> Any:
        self.watch.use(self.kind, name)
        value = getattr(self.target, name)
        if (self.kind, name) == ("streams", "video"):
            return [Watched("stream", stream, self.watch) for stream in value]
        if (self.kind, name) == ("container", "decode"):
            return self._decode
        inner = {"streams": "streams", "codec_context": "codec", "side_data": "side data"}.get(name)
        return value if inner is None or value is None else Watched(inner, value, self.watch)

    def __setattr__(self, name: str, value: Any) -> None:
        self.watch.use(self.kind, name)
        setattr(self.target, name, value)

    def _decode(self, stream: Watched) -> Iterator[Watched]:
        return (Watched("frame", frame, self.watch) for frame in self.target.decode(stream.target))


class Watch:
    """What was read, and what raises when it is."""

    def __init__(self, broken: tuple[str, str] | None = None, error: Exception | None = None) -> None:
        self.used: set[tuple[str, str]] = set()
        self.broken, self.error = broken, error

    def use(self, kind: str, name: str) -> None:
        self.used.add((kind, name))
        if (kind, name) == self.broken and self.error is not None:
            raise self.error


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[Watch], None]:
    real = av.open

    def watch_with(watch: Watch) -> None:
        monkeypatch.setattr(av, "open", lambda *words, **options: Watched("container", real(*words, **options), watch))

    return watch_with


def test_no_attribute_that_raises_costs_a_video_its_frame(watched: Callable[[Watch], None]) -> None:
    data = video([SCENE] * 5)
    watch = Watch()
    watched(watch)
    assert is_scene(decoded(data).array)
    optional = sorted(watch.used - ESSENTIAL)
    assert {("frame", "side_data"), ("frame", "colorspace"), ("stream", "time_base"), ("codec", "width")} <= set(
        optional
    )
    for broken in optional:
        for error in ERRORS:
            watched(Watch(broken, error))
            assert is_scene(decoded(data).array), (broken, error)


def test_no_attribute_that_raises_costs_a_video_the_other_facts(watched: Callable[[Watch], None]) -> None:
    data = video([SCENE] * 5)
    watch = Watch()
    watched(watch)
    whole = described(data, "mp4", Kind.VIDEO)
    for broken in sorted(watch.used - ESSENTIAL):
        watched(Watch(broken, ERRORS[0]))
        result = described(data, "mp4", Kind.VIDEO)
        assert result.notes == (), broken
        assert (result.width, result.height) == (whole.width, whole.height), broken  # from the boxes where PyAV fails
        assert result.duration_seconds == pytest.approx(whole.duration_seconds), broken


@pytest.mark.parametrize("matrix", [3, 8, 14, 255])
def test_a_colour_matrix_that_no_converter_knows_is_noted(matrix: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = av.open

    class Coloured(Watched):
        def _decode(self, stream: Watched) -> Iterator[Watched]:
            for frame in super()._decode(stream):
                frame.target.colorspace = matrix
                yield frame

    monkeypatch.setattr(av, "open", lambda *words, **options: Coloured("container", real(*words, **options), Watch()))
    pixels = decoded(video([SCENE] * 5))
    assert is_scene(pixels.array)
    assert f"matrix {matrix}) is not supported" in pixels.notes[0]


def test_a_duration_beyond_the_range_of_seeking_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    out = bytearray(video([SCENE] * 5))
    for name, place in ((b"mvhd", 4 + 16), (b"mdhd", 4 + 16), (b"tkhd", 4 + 20)):
        start = out.index(name) + place
        out[start : start + 4] = b"\xff\xff\xff\xfe"
    timescale = out.index(b"mdhd") + 4 + 12
    out[timescale : timescale + 4] = b"\0\0\0\1"
    assert is_scene(decoded(bytes(out)).array)


def test_a_file_that_cannot_be_sought_is_decoded_from_its_start(watched: Callable[[Watch], None]) -> None:
    refused = av.error.PermissionError(1, "Operation not permitted")
    watched(Watch(("container", "seek"), refused))
    assert is_scene(decoded(video([SCENE] * 5)).array)


def test_tags_that_are_not_utf8_are_read() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="avi") as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 192, 128
        target.metadata["title"] = "Xtitle"
        for packet in [*stream.encode(av.VideoFrame.from_ndarray(SCENE, "rgb24")), *stream.encode()]:
            target.mux(packet)
    data = out.getvalue().replace(b"Xtitle", b"\xff\xfeitle")
    assert is_scene(decoded(data).array)
    assert "itle" in str(described(data, "avi", Kind.VIDEO).facts["container"]["title"])
