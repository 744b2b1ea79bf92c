"""Who holds a lease: a name for this run of this process."""

from __future__ import annotations

import os
import socket
import uuid


def new_owner() -> str:
    """Return a name that no other run has: host, process id, a random part."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:12]}"
