"""A command line that dies: `python -m tests.fault.dying N …` kills itself where it would send its Nth statement or commit."""

from __future__ import annotations

import os
import signal
import sys


def run_command(last: int, argv: list[str]) -> int:
    """Run a command line; say at the end how many statements and commits it sent to the database."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    from photoindex.cli.main import main

    sent = 0

    def count(*_: object) -> None:
        nonlocal sent
        sent += 1
        if sent == last:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    code = main(argv)
    print(f"statements: {sent}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(run_command(int(sys.argv[1]), sys.argv[2:]))
