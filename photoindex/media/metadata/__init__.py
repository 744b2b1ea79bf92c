"""What files say of themselves: EXIF, XMP, IPTC, containers."""
