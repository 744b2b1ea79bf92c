"""When a photo was taken: local time, offset from UTC, instant."""
