"""The task table: claim, finish, administration."""
