"""Imported only by the forkserver: it and its workers discard stderr.

Messages of C libraries about damaged files name no file and would garble the progress bar, and a worker that is still
starting when the work is done prints an error; everything that matters reaches the parent as a result or an exit code.
This is the only module whose import has a side effect, because there is no other way to run code in the forkserver.
"""

import os

os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
