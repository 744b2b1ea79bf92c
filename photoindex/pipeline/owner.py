"""Who holds a lease: a name that tells a living process from a dead one of this host."""

from __future__ import annotations

import os
import socket
import uuid


def new_owner() -> str:
    """Return this process's name as a lease owner: host, process id, the process's start time, a random part."""
    import psutil

    started = psutil.Process().create_time()
    return f"{socket.gethostname()}/{os.getpid()}/{started:.2f}/{uuid.uuid4().hex[:8]}"


def is_dead(owner: str) -> bool:
    """Tell whether the owner was a process of this host that has ended; another host's is never known to be."""
    import psutil

    try:
        host, pid, started, _ = owner.rsplit("/", 3)
        if host != socket.gethostname():
            return False
        return abs(psutil.Process(int(pid)).create_time() - float(started)) > 1.0
    except psutil.NoSuchProcess:
        return True
    except ValueError:
        return False
