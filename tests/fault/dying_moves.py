"""`python -m tests.fault.dying_moves N …`: a command line that kills itself at its Nth statement, commit, rename or link."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def run_command(last: int, argv: list[str]) -> int:
    """Run a command line; say at the end how many of these it came to."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    from photoindex.cli.main import main
    from photoindex.library.duplicates import file_operations

    passed = 0

    def count(*_: object) -> None:
        nonlocal passed
        passed += 1
        if passed == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            count()
            found = real(*arguments, **more)
            count()
            return found

        return call

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    file_operations.rename_new = counted(file_operations.rename_new)
    os.link, os.replace = counted(os.link), counted(os.replace)
    code = main(argv)
    print(f"passed: {passed}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(run_command(int(sys.argv[1]), sys.argv[2:]))
