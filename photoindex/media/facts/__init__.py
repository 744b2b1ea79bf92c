"""What files say of themselves: EXIF, XMP, IPTC, containers."""

from photoindex.media.facts.description import describe

__all__ = ["describe"]
