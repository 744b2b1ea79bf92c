"""Small files beside photos that speak of them: XMP, Apple's AAE, Google Takeout's JSON."""
