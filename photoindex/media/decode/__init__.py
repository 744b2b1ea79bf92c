"""From bytes to pixels, and from pixels to previews."""
