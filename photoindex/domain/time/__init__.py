"""When a photo was taken: wall time, offset from UTC, instant."""
