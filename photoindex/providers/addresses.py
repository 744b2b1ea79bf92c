"""Which servers may be asked: those of this computer, and hosts that the user allows by name."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from photoindex.errors import ProviderFailed, UsageError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes: scheme http or https, host name, port, path without query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """The server, as the beginning of a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def read_address(url: str) -> Address:
    """Read a URL. Raises UsageError."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise UsageError(f"'{url}' is not the URL of a server: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UsageError(f"'{url}' is not the URL of a server; write one like http://127.0.0.1:11434/v1")
    if not (url.isascii() and url.strip().isprintable()):
        raise UsageError(f"the URL '{url}' holds characters that a URL cannot have; write them in their encoded form")
    if parts.username is not None or parts.password is not None or parts.query:
        raise UsageError(
            "the URL of an endpoint holds no password and no parameters; a key comes from the environment, as "
            "PHOTOINDEX_ENDPOINT_KEY"
        )
    return Address(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/"))


class UnknownHost(ProviderFailed):
    """The name of a host has no address, or nobody can be asked for it now."""

    meaning = ""


def allowed_ips(address: Address, allowed: Collection[str], setting: str) -> list[str]:
    """Return the IP addresses to try in turn. Raises UnknownHost, ProviderFailed for a host neither this computer nor allowed.

    setting: where the address was set, for messages.

    The caller connects to these addresses themselves: a name that means another address a moment later is not asked again.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(f"the host {address.host} is not known: {error}; see the setting {setting}") from None
    ips = list(dict.fromkeys(str(one[4][0]) for one in found))
    if address.host.lower() not in {one.lower() for one in allowed} and not all(map(_is_this_computer, ips)):
        raise ProviderFailed(
            f"previews are sent to this computer alone, and {address.host} is another; to allow it, name it in the setting "
            f"caption.allow_network"
        )
    return ips


def _is_this_computer(ip: str) -> bool:
    found = ipaddress.ip_address(ip.partition("%")[0])
    return found.is_loopback or (
        isinstance(found, ipaddress.IPv6Address) and bool(found.ipv4_mapped and found.ipv4_mapped.is_loopback)
    )
