"""Reading a sidecar of any kind."""

from __future__ import annotations

from photoindex.media.content import Content
from photoindex.media.sidecars.common import SIDECAR_LIMIT_BYTES, BrokenSidecar
from photoindex.types import SidecarKind, SidecarRead


def read_sidecar(kind: SidecarKind, content: Content) -> SidecarRead:
    """Return the facts (named like those embedded in photos), regions and notes of one sidecar.

    Impossible values become notes. Raises BrokenSidecar (a MediaProblem of class "sidecar") for a file that is
    damaged, hostile or larger than 4 MiB.
    """
    data = content.data
    if data is None or content.size_bytes > SIDECAR_LIMIT_BYTES:
        raise BrokenSidecar(f"the sidecar is larger than {SIDECAR_LIMIT_BYTES >> 20} MiB")
    if not data:
        raise BrokenSidecar("the sidecar is empty (0 bytes)")
    if kind is SidecarKind.XMP:
        from photoindex.media.sidecars.xmp import read_xmp_sidecar

        return read_xmp_sidecar(data)
    if kind is SidecarKind.AAE:
        from photoindex.media.sidecars.aae import read_aae

        return read_aae(data)
    if kind is SidecarKind.PICASA:
        from photoindex.media.sidecars.picasa import read_picasa

        return read_picasa(data)
    if kind in (SidecarKind.TAKEOUT_ALBUM, SidecarKind.APPLE_ALBUM):
        from photoindex.media.sidecars.album import read_apple_album, read_takeout_album

        return read_takeout_album(data) if kind is SidecarKind.TAKEOUT_ALBUM else read_apple_album(data)
    from photoindex.media.sidecars.takeout import read_takeout

    return read_takeout(data)
