"""One module per metadata standard: EXIF, XMP, IPTC, maker notes, face regions."""
