"""One module a metadata standard: EXIF, XMP, IPTC, maker notes, regions."""
