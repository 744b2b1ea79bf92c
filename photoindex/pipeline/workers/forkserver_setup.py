"""Imported only by the forkserver: it and its workers ignore SIGTERM and discard stderr.

A service manager, or `kill` of a process group, sends SIGTERM to every process of a scan. The parent then finishes the
running files; if the workers died at once, their photos would look as if they had crashed a decoder. Messages of C
libraries about damaged files name no file and would garble the progress bar, and a worker that is still starting when
the work is done prints an error; everything that matters reaches the parent as a result or an exit code. This is the
only module whose import has a side effect, because there is no other way to run code in the forkserver.
"""

import os
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
