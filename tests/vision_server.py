"""A server on loopback that answers like Google Cloud Vision, bills like it, and fails as it is told."""

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

KEY = "a-key-that-nobody-may-see"


@dataclass
class Call:
    """One request: its path, headers, picture and features."""

    path: str
    headers: dict[str, str]
    jpeg: bytes
    features: list[str]


@dataclass
class VisionServer:
    """What the server has received, and what it would bill. behave: answers a call instead of the usual answer."""

    url: str
    behave: Callable[[Handler, Call], None] | None = None
    calls: list[Call] = field(default_factory=list)
    billed: dict[str, int] = field(default_factory=dict)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def bill(self, call: Call) -> None:
        """Count a unit of each feature."""
        with self.lock:
            for one in call.features:
                self.billed[one] = self.billed.get(one, 0) + 1


class Handler(BaseHTTPRequestHandler):
    server: ThreadingHTTPServer

    @property
    def made(self) -> VisionServer:
        return self.server.made  # type: ignore[attr-defined, no-any-return]

    def do_POST(self) -> None:
        made = self.made
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        (request,) = message["requests"]
        jpeg = base64.b64decode(request["image"]["content"])
        call = Call(self.path, dict(self.headers), jpeg, [one["type"] for one in request["features"]])
        with made.lock:
            made.calls.append(call)
            made.at_once += 1
            made.most_at_once = max(made.most_at_once, made.at_once)
        try:
            (made.behave or answer)(self, call)
        finally:
            with made.lock:
                made.at_once -= 1

    def reply(self, status: int, message: Any, **headers: str) -> None:
        body = json.dumps(message).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, reason: str = "not now", **headers: str) -> None:
        self.reply(status, {"error": {"code": status, "message": reason, "status": "ERROR"}}, **headers)

    def cut_off(self) -> None:
        """Promise more than is sent, and close the connection."""
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(b'{"responses": [')
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(2)

    def log_message(self, *_arguments: Any) -> None:
        """Print nothing."""


def colour_of(jpeg: bytes) -> str:
    with Image.open(io.BytesIO(jpeg)) as picture:
        means = np.asarray(picture.convert("RGB")).reshape(-1, 3).mean(axis=0)
    return ("red", "green", "blue")[int(np.argmax(means))]


def answer(handler: Handler, call: Call) -> None:
    """Answer like the service, and bill it."""
    handler.made.bill(call)
    colour = colour_of(call.jpeg)
    found: dict[str, Any] = {}
    if "LABEL_DETECTION" in call.features:
        found["labelAnnotations"] = [
            {"mid": "/m/01g317", "description": colour.capitalize(), "score": 0.93, "topicality": 0.93},
            {"mid": "/m/05s2s", "description": "Wall", "score": 0.55, "topicality": 0.5},
        ]
    if "TEXT_DETECTION" in call.features:
        found["fullTextAnnotation"] = full_text([["Gate", "B22"], ["Boarding"]])
    if "SAFE_SEARCH_DETECTION" in call.features:
        found["safeSearchAnnotation"] = {
            "adult": "LIKELY" if colour == "red" else "VERY_UNLIKELY", "spoof": "VERY_LIKELY", "medical": "UNLIKELY",
            "violence": "UNLIKELY", "racy": "UNLIKELY",
        }  # fmt: skip
    handler.reply(200, {"responses": [found]})


def full_text(lines: list[list[str]]) -> dict[str, Any]:
    """Return lines of words as the service describes them, in a picture of 200 x 100 pixels."""
    words = []
    for row, line in enumerate(lines):
        for column, text in enumerate(line):
            last = column == len(line) - 1
            symbols: list[dict[str, Any]] = [{"text": letter} for letter in text]
            symbols[-1]["property"] = {"detectedBreak": {"type": "EOL_SURE_SPACE" if last else "SPACE"}}
            left, top = 50 * column, 20 * row
            vertices = [
                {"x": left, "y": top},
                {"x": left + 40, "y": top},
                {"x": left + 40, "y": top + 10},
                {"y": top + 10, "x": left},
            ]
            words.append({"symbols": symbols, "confidence": 0.9, "boundingBox": {"vertices": vertices}})
    page = {"width": 200, "height": 100, "blocks": [{"paragraphs": [{"words": words}]}]}
    return {"text": "\n".join(" ".join(line) for line in lines) + "\n", "pages": [page]}


@contextmanager
def vision_server(behave: Callable[[Handler, Call], None] | None = None) -> Iterator[VisionServer]:
    """Run a server for the block."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made = VisionServer(f"http://127.0.0.1:{server.server_address[1]}", behave)
        server.made = made  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
