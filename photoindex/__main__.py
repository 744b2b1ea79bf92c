"""Run the command line with `python -m photoindex`."""

import gc
import sys

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def run() -> None:
    """Run the command line and end the process with its exit code; the console script's entry."""
    # Imports make many objects and no garbage. Looking for some every 700 of them, and once more through all of them at
    # the end, is a third of the time of a short command such as `search`.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    from photoindex.cli.main import main

    exit_code = main(sys.argv[1:])
    gc.freeze()
    sys.exit(exit_code)


if __name__ == "__main__":
    run()
