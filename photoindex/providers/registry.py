"""The providers that settings may name: those of photoindex, and those of other packages by their entry points."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from photoindex.errors import ConfigError
from photoindex.providers.aws_rekognition import AWS_REKOGNITION
from photoindex.providers.base import Provider
from photoindex.providers.dummy import DUMMY
from photoindex.providers.google_vision import GOOGLE_VISION

LOCAL = "local"
"""The name of what runs on this computer, and of the server in `caption.endpoint`: what a command does by itself."""
GROUP = "photoindex.providers"
"""The group of entry points of other packages; each names an object like `Provider`."""
PROVIDERS: tuple[Provider, ...] = (DUMMY, GOOGLE_VISION, AWS_REKOGNITION)


def provider_named(name: str, setting: str) -> Provider:
    """Return a provider. setting: that names it. Raises ConfigError for an unknown name, or a package that cannot be loaded."""
    own = {one.name: one for one in PROVIDERS}
    if name in own:
        return own[name]
    others = _of_packages()
    if name not in others:
        known = ", ".join([LOCAL, *own, *sorted(others.keys() - own.keys())])
        raise ConfigError(f"the setting {setting} names '{name}', which is no provider; known are: {known}")
    try:
        found: Provider = others[name].load()
        named = found.name
    except Exception as error:
        raise ConfigError(
            f"the provider '{name}' of the setting {setting} cannot be loaded from {others[name].value}: {error}"
        ) from error
    if named != name:
        raise ConfigError(
            f"the provider '{name}' of {others[name].value} calls itself '{named}'; its package is faulty"
        )
    return found


def _of_packages() -> Mapping[str, EntryPoint]:
    return {one.name: one for one in entry_points(group=GROUP)}
