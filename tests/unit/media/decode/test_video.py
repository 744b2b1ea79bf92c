"""The representative frame of a video: not plain, upright, with square pixels and the right colours."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from photoindex.media.decode.decode import decode
from photoindex.media.problems import Undecodable
from photoindex.types import Kind, Limits, MediaType
from tests.unit.media.media_pictures import Array, content_of, decoded, is_scene, saved, scene, stored_for, video

BLACK = np.zeros((128, 192, 3), np.uint8)
WHITE = np.full((128, 192, 3), 255, np.uint8)
SCENE = np.asarray(scene(192, 128))


@pytest.mark.parametrize("start", [BLACK, WHITE], ids=["black", "white"])
@pytest.mark.parametrize("plain_frames", [1, 5, 12, 25, 45])
def test_plain_frames_at_the_start_are_skipped(start: Array, plain_frames: int) -> None:
    pixels = decoded(video([start] * plain_frames + [SCENE] * (60 - plain_frames)))
    assert is_scene(pixels.array)
    assert pixels.notes == ()


def test_a_plain_video_gives_a_frame_with_a_note() -> None:
    pixels = decoded(video([BLACK] * 20))
    assert pixels.array.shape == (128, 192, 3)
    assert pixels.array.max() < 20
    assert "plain" in pixels.notes[0]


def test_frames_after_a_plain_section_between_key_frames_are_decoded() -> None:
    frames = [BLACK] * 20 + [SCENE] * 40
    assert is_scene(decoded(_with_one_key_frame(frames)).array)


def test_a_dark_frame_with_something_on_it_does_not_count_as_black() -> None:
    night = BLACK.copy()
    night[30:90, 60:130] = 120
    assert decoded(video([night] * 10)).notes == ()


@pytest.mark.parametrize(("rotation", "orientation"), [(0, 1), (-90, 6), (90, 8), (180, 3)])
@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_the_display_matrix_rotates_the_frame(container: str, rotation: int, orientation: int) -> None:
    frame = np.asarray(stored_for(orientation, scene(192, 128)))
    pixels = decoded(video([frame] * 5, container, rotation=rotation))
    assert pixels.array.shape == (128, 192, 3)
    assert is_scene(pixels.array)


def test_a_video_of_one_frame_shows_it() -> None:
    assert is_scene(decoded(video([SCENE])).array)


def test_non_square_pixels_are_made_square() -> None:
    data = _encoded([SCENE] * 3, "libx264", "yuv420p", {"aspect": (4, 3)})
    pixels = decoded(data)
    assert pixels.array.shape == (128, 256, 3)
    assert is_scene(pixels.array)


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv444p", "gray"])
def test_many_pixel_formats_decode(pixel_format: str) -> None:
    pixels = decoded(_encoded([SCENE] * 3, "libx264", pixel_format, {}))
    assert pixels.array.shape == (128, 192, 3)
    if pixel_format != "gray":
        assert is_scene(pixels.array)


@pytest.mark.parametrize(("transfer", "white"), [(16, 148), (18, 191)])
def test_hdr_is_tone_mapped_to_sdr(transfer: int, white: int) -> None:
    """Reference white of HDR (ITU-R BT.2408: 58 % of PQ, 75 % of HLG) becomes nearly white; grey stays grey."""
    array = np.full((128, 192, 3), white, np.uint8)
    array[:, :96] = 20
    data = _encoded([array] * 3, "libx264", "yuv420p10le", {"primaries": 9, "transfer": transfer, "matrix": 9})
    colour = decoded(data).array[64, 150].astype(int)
    assert 225 <= colour.min() <= colour.max() <= 255
    assert np.ptp(colour) <= 6


@pytest.mark.parametrize(("matrix", "height"), [(1, 128), (6, 128), (1, 720)])
def test_declared_colour_matrices_are_applied(matrix: int, height: int) -> None:
    frame = np.asarray(scene(192, height))
    assert is_scene(decoded(_encoded([frame] * 2, "libx264", "yuv444p", {"matrix": matrix})).array, tolerance=12)


def test_a_truncated_video_gives_a_frame_with_a_note(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    path = tmp_path / "header in front.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 192, 128, "yuv420p", 1
        for _ in range(20):
            array = generator.integers(0, 255, (128, 192, 3), np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(array, "rgb24")))
        target.mux(stream.encode())
    data = path.read_bytes()
    pixels = decoded(data[: len(data) * 2 // 3])
    assert pixels.array.shape == (128, 192, 3)
    assert any(note.startswith("truncated:") for note in pixels.notes)


def test_a_video_without_its_header_is_undecodable() -> None:
    data = video([SCENE] * 10)
    with pytest.raises(Undecodable):
        decoded(data[: data.index(b"moov")])


def test_audio_is_undecodable_as_a_video() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as target:
        stream = target.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode()]:
            target.mux(packet)
    with pytest.raises(Undecodable, match="no video stream"):
        decode(content_of(out.getvalue()), MediaType(Kind.VIDEO, "mkv"), 100, Limits())


def test_a_playlist_posing_as_a_video_opens_no_file() -> None:
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    with pytest.raises(Undecodable):
        decode(content_of(playlist), MediaType(Kind.VIDEO, "mp4"), 100, Limits())


def _encoded(frames: list[Array], codec: str, pixel_format: str, named: dict[str, object]) -> bytes:
    """Return a Matroska of `frames`; `named` may set aspect, primaries, transfer and matrix."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as target:
        stream = target.add_stream(codec, rate=10, options={"qp": "2"})
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], pixel_format
        context = stream.codec_context
        context.color_primaries, context.color_trc = named.get("primaries", 2), named.get("transfer", 2)
        context.colorspace = matrix = int(str(named.get("matrix", 2)))
        if "aspect" in named:
            context.sample_aspect_ratio = _fraction(named["aspect"])
        for array in frames:
            picture = av.VideoFrame.from_ndarray(array, "rgb24")
            converted = picture.reformat(format=pixel_format, dst_colorspace=matrix if matrix != 2 else None)
            for packet in stream.encode(converted):
                target.mux(packet)
        for packet in stream.encode():
            target.mux(packet)
    return out.getvalue()


def _fraction(pair: object) -> object:
    return Fraction(*pair)  # type: ignore[misc]


def _with_one_key_frame(frames: list[Array]) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        stream = target.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 192, 128, "yuv420p"
        stream.gop_size, stream.bit_rate = 600, 4_000_000
        for array in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(array, "rgb24")):
                target.mux(packet)
        for packet in stream.encode():
            target.mux(packet)
    return out.getvalue()


@pytest.mark.parametrize(("rotation", "orientation"), [(0, 1), (-90, 6), (90, 8), (180, 3)])
def test_a_movie_whose_frames_carry_exif_decodes_upright(rotation: int, orientation: int) -> None:
    """Cameras write MJPEG movies of whole JPEGs; PyAV raises for side data of a kind that it does not know."""
    exif = Image.Exif()
    exif[0x010F] = "Panasonic"
    frame = saved(stored_for(orientation, scene()), "JPEG", quality=95, exif=exif)
    out = io.BytesIO()
    with av.open(out, "w", format="mov") as target:
        stream = target.add_stream("mjpeg", rate=10)
        stored = Image.open(io.BytesIO(frame))
        stream.width, stream.height, stream.pix_fmt = stored.width, stored.height, "yuvj420p"
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(3):
            packet = av.Packet(frame)
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, Fraction(1, 10), number, number
            target.mux(packet)
    assert is_scene(decoded(out.getvalue()).array)
