"""Asking services about pictures: which may be asked, about which photos, in which order, and for how much."""
