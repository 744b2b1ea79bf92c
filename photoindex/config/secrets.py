"""Settings without their secrets."""

from __future__ import annotations

import re


def without_secrets(text: str) -> str:
    """Return `text` with the password of a URL, and parameters named like a secret, replaced by ***."""
    text = re.sub(r"(://[^:@/\s]*):.*@", r"\1:***@", text)
    return re.sub(r"([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&#]*", r"\1***", text, flags=re.IGNORECASE)
