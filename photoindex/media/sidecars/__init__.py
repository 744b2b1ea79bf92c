"""Reading sidecar files: XMP, Apple AAE and Google Takeout JSON."""
