"""Library maintenance: status, tasks, redo, retry, prune, journal, upgrade, SQL."""
