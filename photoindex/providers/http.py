"""Sends one request to an allowed server, with limits on time, size and redirects."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from photoindex.errors import ProviderFailed, UsageError
from photoindex.providers.addresses import Address, allowed_ips, read_address
from photoindex.providers.base import seconds_to_wait

_ANSWER_BYTES_MAX = 4_000_000
_REDIRECTS_MAX = 3
_REPEATED = (307, 308)
"""Redirects that repeat the request with its body; others would make it another."""
_CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 65536


class Unreachable(Exception):
    """The server did not answer: no connection, a cut one, or time is up; the message is the middle of a sentence.

    sent: whether the request may have arrived.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server replied. status: of HTTP. retry_after: seconds to wait before the next try, None if it does not say."""

    status: int
    body: bytes
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests to one server.

    allowed: hosts other than this computer. seconds: for one answer. key: for its owner. key_header: the header that holds
    the key alone; empty: as a bearer token. follows: whether redirects are followed. setting: where the address was set.
    """

    address: Address
    allowed: Collection[str]
    seconds: float
    key: str | None = None
    key_header: str = ""
    follows: bool = True
    setting: str = "caption.endpoint"

    def post(self, path: str, message: Mapping[str, Any]) -> Reply:
        """Send a JSON message to a path below the server's, and return the reply.

        Redirects are followed to allowed hosts alone, and the key goes nowhere but to its own server. Raises Unreachable,
        ProviderFailed for a host that is not allowed.
        """
        deadline = time.monotonic() + self.seconds
        target = Address(self.address.scheme, self.address.host, self.address.port, self.address.path + path)
        body = json.dumps(message).encode()
        for _ in range(_REDIRECTS_MAX + 1):
            reply, location = self._send(target, body, deadline)
            if location is None:
                return reply
            target = self._redirected(target, reply.status, location)
        raise ProviderFailed(f"{self.address.origin} redirects more than {_REDIRECTS_MAX} times")

    def _redirected(self, target: Address, status: int, location: str) -> Address:
        if status not in _REPEATED or not self.follows:
            raise ProviderFailed(
                f"{target.origin} redirects to another address ({status}); set {self.setting} to the one that answers"
            )
        try:
            there = read_address(urljoin(target.origin + target.path, location))
        except (ValueError, UsageError) as error:
            raise ProviderFailed(f"{target.origin} redirects to {location[:100]!r}: {error}") from error
        if target.scheme == "https" and there.scheme != "https":
            raise ProviderFailed(f"{target.origin} redirects from https to http; previews are not sent there")
        return there

    def _send(self, target: Address, body: bytes, deadline: float) -> tuple[Reply, str | None]:
        ips = allowed_ips(target, self.allowed, self.setting)
        headers = {"Content-Type": "application/json", "Host": target.origin.partition("://")[2], "Connection": "close"}
        if self.key is not None and target.origin == self.address.origin:
            headers |= {self.key_header: self.key} if self.key_header else {"Authorization": f"Bearer {self.key}"}
        sent = False
        try:
            with _wire(target, ips, deadline) as wire:
                sent = True
                connection = http.client.HTTPConnection(target.host, target.port)
                connection.sock = wire
                connection.request("POST", target.path or "/", body=body, headers=headers)
                response = connection.getresponse()
                data = _read(response)
        except TimeoutError:
            raise Unreachable(f"did not answer within {self.seconds:g} s", sent=sent) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"cannot be reached or broke off ({error or type(error).__name__})", sent=sent) from error
        location = response.getheader("Location") if 300 <= response.status < 400 else None
        return Reply(response.status, data, seconds_to_wait(response.getheader("Retry-After"))), location


@contextmanager
def _wire(target: Address, ips: Sequence[str], deadline: float) -> Iterator[socket.socket]:
    """Connect to one of exactly these addresses for the block; settings for proxies in the environment are not followed.

    The connection is broken off when time is up: a timeout of the socket would start again with each byte that arrives.
    Raises TimeoutError.
    """
    wire = _connected(target, ips, deadline)
    time_is_up = threading.Event()

    def break_off() -> None:
        time_is_up.set()
        with suppress(OSError):  # closed a moment before
            socket.socket.shutdown(wire, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), break_off)
    timer.daemon = True
    timer.start()
    try:
        if isinstance(wire, ssl.SSLSocket):
            wire.do_handshake()
        yield wire
    except (OSError, http.client.HTTPException):
        if time_is_up.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        wire.close()
    if time_is_up.is_set():
        raise TimeoutError


def _connected(target: Address, ips: Sequence[str], deadline: float) -> socket.socket:
    """Return a connection to the first address that takes one: a name may mean several, and a server listens on some."""
    *others, last = ips
    for ip in others:
        with suppress(OSError):
            return _connected_to(target, ip, deadline)
    return _connected_to(target, last, deadline)


def _connected_to(target: Address, ip: str, deadline: float) -> socket.socket:
    wait = max(0.001, min(_CONNECT_SECONDS, deadline - time.monotonic()))
    plain = socket.create_connection((ip, target.port), timeout=wait)
    plain.settimeout(max(0.001, deadline - time.monotonic()))
    if target.scheme == "http":
        return plain
    context = ssl.create_default_context()
    return context.wrap_socket(plain, server_hostname=target.host, do_handshake_on_connect=False)


def _read(response: http.client.HTTPResponse) -> bytes:
    data = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        data += chunk
        if len(data) > _ANSWER_BYTES_MAX:
            raise http.client.HTTPException("an answer of more than 4 MB")
    if response.length:
        raise http.client.IncompleteRead(bytes(data), response.length)
    return bytes(data)
