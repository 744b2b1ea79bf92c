"""One file a kind of work; pure functions of bytes or pixels."""
