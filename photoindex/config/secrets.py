"""Masks secrets in settings."""

from __future__ import annotations

import re


def without_secrets(text: str) -> str:
    """Return `text` with URL passwords, and parameters named like a secret, replaced by ***."""
    text = re.sub(r"(://[^:@/\s]*):.*@", r"\1:***@", text)
    return re.sub(r"([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&#]*", r"\1***", text, flags=re.IGNORECASE)
