"""Reading sidecar files: XMP, Apple AAE, Google Takeout JSON and Picasa."""
