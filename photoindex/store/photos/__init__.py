"""Assets, photos and what is known of them."""
