"""Imported by the forkserver alone: it and the workers it forks leave SIGTERM to the parent.

A service manager, or `kill` of a process group, sends SIGTERM to every process of a scan. The parent finishes the running
files then; were the workers to die at once, their photos would look as if they had crashed a decoder. This is the one
module whose import has an effect, because there is no other way into the forkserver.
"""

import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
