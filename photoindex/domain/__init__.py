"""Rules without bytes or tables: time, facts, pairing, events, same picture, sidecars."""
