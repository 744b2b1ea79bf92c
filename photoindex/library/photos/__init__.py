"""What is known of single photos: show, facts, why, events, pairs, time."""
