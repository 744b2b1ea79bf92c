"""Run the command line with `python -m photoindex`."""

import sys


def run() -> None:
    """Run the command line and end the process with its exit code; the console script's entry."""
    from photoindex.cli.main import main

    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
