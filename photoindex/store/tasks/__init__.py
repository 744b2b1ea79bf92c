"""The task table: claiming, finishing, administration."""
