"""Run the command line with `python -m photoindex`."""

import atexit
import contextlib
import gc
import os
import signal
import sys

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
_INTERRUPTED = 130


def run() -> None:
    """Run the command line and exit with its exit code; entry point of the console script."""
    # Imports create many objects and no garbage. The default collections (every 700 objects, and all of them at exit)
    # take a third of the time of a short command such as `search`.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    try:
        from photoindex.cli.main import main

        exit_code = main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("photoindex: interrupted\n")
        exit_code = _INTERRUPTED
    # What is left is the interpreter's own end, where an interruption would print a traceback and change nothing.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    if exit_code == _INTERRUPTED:
        # CPython ends itself with the signal if an interruption came inside exec(), even one that was handled: a shell shows
        # 130 then, and a service manager a crash.
        atexit._run_exitfuncs()  # noqa: SLF001
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(exit_code)
    sys.exit(exit_code)


if __name__ == "__main__":
    run()
