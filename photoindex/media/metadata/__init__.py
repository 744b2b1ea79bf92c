"""Metadata embedded in media files: EXIF, XMP, IPTC and container tags."""
