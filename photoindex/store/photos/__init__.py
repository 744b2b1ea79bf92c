"""Assets, photos and their facts."""
