"""Pure rules that need neither files nor database: time, facts, pairing, events, duplicates, sidecars."""
