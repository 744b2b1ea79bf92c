"""Names the settings behind the limits of `scan`, for commands that keep its limits without its options."""

from __future__ import annotations

_SETTINGS_OF_OPTIONS = {
    "--max-megapixels": "scan.max_megapixels",
    "--worker-memory-mb": "scan.worker_memory_mb",
    "--file-seconds": "scan.file_seconds",
}


def with_settings(message: str) -> str:
    """Return a message about a limit with the setting in the place of the option of `scan`."""
    for option, setting in _SETTINGS_OF_OPTIONS.items():
        message = message.replace(option, f"the setting {setting}")
    return message
