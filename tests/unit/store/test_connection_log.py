"""A connection that is interrupted while it closes prints nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from photoindex.store.engine.database import Database

def interrupted(*_):
    raise KeyboardInterrupt

database = Database(Path(sys.argv[1]))
with database.read() as connection:
    connection.engine.dialect.do_close = interrupted
try:
    database.close()
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interruption_while_a_connection_closes_prints_nothing(tmp_path: Path) -> None:
    # In a process of its own: pytest has handlers for all logs.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "photoindex.db"], capture_output=True, check=True, text=True
    )
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
