"""Imported by the forkserver alone: it and the workers it forks leave SIGTERM and stderr to the parent.

A service manager, or `kill` of a process group, sends SIGTERM to every process of a scan. The parent finishes the running
files then; were the workers to die at once, their photos would look as if they had crashed a decoder. What C libraries print
about damaged files names no file and would tear the progress bar, and a worker that is still starting when the work is
done prints that it came too late; what matters reaches the parent as a result or an exit code. This is the one module
whose import has an effect, because there is no other way into the forkserver.
"""

import os
import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
