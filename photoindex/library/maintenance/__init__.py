"""Looking after a library: status, tasks, redo, retry, prune, journal, upgrade."""
