"""Identifying Matroska, ASF, Ogg, FLV, AVI, DV and MPEG files, and telling video from audio only."""

from __future__ import annotations

from collections.abc import Callable

from photoindex.types import Kind, MediaType

_EBML = b"\x1a\x45\xdf\xa3"
_MATROSKA_TRACKS = b"\x16\x54\xae\x6b"
_MATROSKA_VIDEO_TRACK = b"\x83\x81\x01"
_MATROSKA_AUDIO_TRACK = b"\x83\x81\x02"
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_OGG_VIDEO = (b"\x80theora", b"\x01video\0\0\0", b"BBCD\0", b"OVP80")
_PACKET_BYTES = 188  # MPEG transport stream, ISO 13818-1; AVCHD puts a 4-byte time stamp before each packet
_CHECKED_PACKETS = 5


def sniff_stream(head: bytes) -> MediaType | None:
    """Return the media type of a streaming container that has video, else None (also for audio only)."""
    name = _name(head)
    return MediaType(Kind.VIDEO, name) if name else None


def _name(head: bytes) -> str | None:
    for magic, identify in _CONTAINERS:
        if head.startswith(magic):
            return identify(head)
    if _has_packets(head, 0, _PACKET_BYTES) or _has_packets(head, 4, _PACKET_BYTES + 4):
        return "mts"
    return None


def _asf(head: bytes) -> str | None:
    return None if _ASF_AUDIO in head and _ASF_VIDEO not in head else "wmv"


def _ogg(head: bytes) -> str | None:
    return "ogv" if any(mark in head[:8192] for mark in _OGG_VIDEO) else None


def _flv(head: bytes) -> str | None:
    return "flv" if len(head) > 4 and head[4] & 1 else None


def _avi(head: bytes) -> str | None:
    return "avi" if head[8:12] in (b"AVI ", b"AVIX") else None


def _mpeg(_head: bytes) -> str:
    return "mpeg"


def _dv(_head: bytes) -> str:
    return "dv"


def _matroska(head: bytes) -> str | None:
    document = "webm" if b"webm" in head[:64] else "mkv" if b"matroska" in head[:64] else None
    if document is None:
        return None
    tracks = head[head.find(_MATROSKA_TRACKS) :] if _MATROSKA_TRACKS in head else b""
    if _MATROSKA_AUDIO_TRACK in tracks and _MATROSKA_VIDEO_TRACK not in tracks:
        return None
    return document


def _has_packets(head: bytes, first: int, packet_bytes: int) -> bool:
    offsets = range(first, first + packet_bytes * _CHECKED_PACKETS, packet_bytes)
    return len(head) > offsets[-1] and all(head[offset] == 0x47 for offset in offsets)


_CONTAINERS: tuple[tuple[bytes, Callable[[bytes], str | None]], ...] = (
    (_EBML, _matroska),
    (_ASF, _asf),
    (b"OggS", _ogg),
    (b"FLV\x01", _flv),
    (b"RIFF", _avi),
    (b"\0\0\x01\xba", _mpeg),
    (b"\0\0\x01\xb3", _mpeg),
    (b"\x1f\x07\x00\x3f", _dv),
    (b"\x1f\x07\x00\xbf", _dv),
)
"""Magic bytes and the function that returns the container's name, or None for audio only."""
