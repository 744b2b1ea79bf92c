"""What the settings say of a service: whether it may be asked, what it costs, and how it is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from photoindex.config.schema import AwsRekognitionConfig, GoogleVisionConfig
from photoindex.errors import ConfigError, ProviderFailed
from photoindex.library.handle import Library
from photoindex.providers.base import Connection, Price, Provider
from photoindex.providers.registry import LOCAL, provider_named

MICROS = 1_000_000
SETTINGS = {
    "tags": "tags.providers", "sensitive": "tags.sensitive_providers", "ocr": "ocr.providers", "caption": "caption.providers",
}  # fmt: skip
"""Stage -> the setting that lists its providers."""


@dataclass(frozen=True, slots=True)
class Service:
    """A provider with the settings of the user. budget: millionths of the currency a month."""

    provider: Provider
    price: Price
    budget: int
    connection: Connection

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.provider.name


def providers_of(library: Library, stage: str) -> tuple[str, ...]:
    """Return the names of what runs a stage, in turn."""
    config = library.config
    return {
        "tags": config.tags.providers,
        "sensitive": config.tags.sensitive_providers,
        "ocr": config.ocr.providers,
        "caption": config.caption.providers,
    }.get(stage, (LOCAL,))


def services_of(library: Library, stage: str, names: Sequence[str]) -> dict[str, Service]:
    """Return the services among the providers of a stage.

    Raises ConfigError for an unknown name, one that is there twice, or one that does not serve the stage.
    """
    setting = SETTINGS.get(stage, stage)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"the setting {setting} names '{twice}' twice")
    found = {name: service_of(library, name, setting) for name in names if name != LOCAL}
    if found:
        for name in library.config.providers.allowed:
            provider_named(name, "providers.allowed")
    for name, service in found.items():
        if stage not in service.provider.features:
            raise ConfigError(
                f"the setting {setting} names '{name}', which serves only: {', '.join(sorted(service.provider.features))}"
            )
    return found


def service_of(library: Library, name: str, setting: str) -> Service:
    """Return a service with its settings. setting: that names it. Raises ConfigError."""
    provider = provider_named(name, setting)
    config = library.config.providers
    own = {"google_vision": library.config.google_vision, "aws_rekognition": library.config.aws_rekognition}.get(name)
    if not isinstance(own, GoogleVisionConfig | AwsRekognitionConfig):
        return Service(provider, provider.price, _micros(config.other_budget), Connection(config.timeout_seconds))
    region = own.region if isinstance(own, AwsRekognitionConfig) else None
    return Service(
        provider,
        Price(_micros(own.price_per_1000), own.free_per_month, own.currency),
        _micros(own.monthly_budget),
        Connection(config.timeout_seconds, own.url, region),
    )


def check_may_send(library: Library, service: Service) -> None:
    """Raise ProviderFailed for a service that sends pictures, unless the settings allow the network and name it."""
    if not service.provider.sends:
        return
    missing = [
        setting
        for setting, is_set in (
            ("allow_network = true", library.config.allow_network),
            (f'providers.allowed = ["{service.name}"]', service.name in library.config.providers.allowed),
        )
        if not is_set
    ]
    if missing:
        raise ProviderFailed(
            f"{service.name} would send previews of your photos to another computer; to allow it, set {' and '.join(missing)}"
        )


def _micros(amount: float) -> int:
    return round(amount * MICROS)
