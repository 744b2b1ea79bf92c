"""Settings: their schema, the files and variables they are read from, and secrets."""
