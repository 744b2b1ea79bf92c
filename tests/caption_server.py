"""A real HTTP server on loopback that describes pictures as OpenAI-compatible servers do, or misbehaves as a test says."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image


@dataclass
class Request:
    """One request. picture: the mean colour of the picture in it, three numbers 0 to 255."""

    path: str
    headers: dict[str, str]
    message: dict[str, Any]
    picture: tuple[int, int, int]


@dataclass
class CaptionServer:
    """A running server. behave: what it does with a request; by default it says which colour the picture has."""

    url: str = ""
    behave: Callable[[Handler, Request], None] | None = None
    requests: list[Request] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Any

    def do_POST(self) -> None:
        made = self.server.made
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = Request(self.path, dict(self.headers), message, _mean_colour(message))
        made.requests.append(request)
        if made.behave is None:
            self.say(colour_of(request))
        else:
            made.behave(self, request)

    def say(self, text: str, *, finish: str = "stop", **more: Any) -> None:
        """Answer with a text."""
        choice = {"index": 0, "message": {"role": "assistant", "content": text, **more}, "finish_reason": finish}
        self.reply(200, json.dumps({"object": "chat.completion", "choices": [choice]}).encode())

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        """Reply with any status and body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut_off(self) -> None:
        """Promise more than is sent, and close the connection."""
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(b'{"choices": [')
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(2)

    def log_message(self, *_arguments: Any) -> None:
        """Print nothing."""


def colour_of(request: Request) -> str:
    """Return a caption: which of the three colours the picture has most of."""
    name = ("red", "green", "blue")[int(np.argmax(request.picture))]
    return f"A picture that is mostly {name}."


def says_always(server: CaptionServer, text: str) -> None:
    """Let a server say the same of all pictures but of the next two, with which it is tested first."""
    tested = len(server.requests) + 2
    server.behave = lambda handler, request: handler.say(colour_of(request) if len(server.requests) <= tested else text)


def _mean_colour(message: dict[str, Any]) -> tuple[int, int, int]:
    url = message["messages"][0]["content"][1]["image_url"]["url"]
    data = base64.b64decode(url.partition(",")[2])
    red, green, blue = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).reshape(-1, 3).mean(axis=0)
    return round(red), round(green), round(blue)


@contextmanager
def caption_server(behave: Callable[[Handler, Request], None] | None = None) -> Iterator[CaptionServer]:
    """Run a server for the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made = CaptionServer(f"http://127.0.0.1:{server.server_address[1]}/v1", behave)
        server.made = made  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
