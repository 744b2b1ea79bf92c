"""A server on loopback that answers like AWS Rekognition."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GEOMETRY = {"Polygon": [{"X": 0.1, "Y": 0.2}, {"X": 0.5, "Y": 0.2}, {"X": 0.5, "Y": 0.3}, {"X": 0.1, "Y": 0.3}]}
ANSWERS: dict[str, dict[str, Any]] = {
    "DetectLabels": {
        "Labels": [{"Name": "Beach", "Confidence": 98.5}, {"Name": "Dog", "Confidence": 60.0}],
        "LabelModelVersion": "3.0",
    },
    "DetectText": {
        "TextDetections": [
            {"DetectedText": "Gate B22", "Type": "LINE", "Id": 0, "Confidence": 99.0, "Geometry": GEOMETRY},
            {"DetectedText": "Gate", "Type": "WORD", "Id": 1, "ParentId": 0, "Confidence": 99.0, "Geometry": GEOMETRY},
        ],
        "TextModelVersion": "3.0",
    },
    "DetectModerationLabels": {
        "ModerationLabels": [
            {"Name": "Tobacco", "Confidence": 99.0, "ParentName": ""},
            {"Name": "Exposed Female Nipple", "Confidence": 88.0, "ParentName": "Explicit Nudity"},
        ]
    },
}


@dataclass
class RekognitionServer:
    url: str
    behave: Callable[[Handler, str], None] | None = None
    calls: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        made: RekognitionServer = self.server.made  # type: ignore[attr-defined]
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        action = self.headers["X-Amz-Target"].partition(".")[2]
        made.calls.append((action, dict(self.headers), message))
        if made.behave is None:
            self.reply(200, ANSWERS[action])
        else:
            made.behave(self, action)

    def reply(self, status: int, message: Any, **headers: str) -> None:
        body = json.dumps(message).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status: int, code: str, **headers: str) -> None:
        self.reply(status, {"__type": code, "message": f"because of {code}"}, **headers)

    def log_message(self, *_arguments: Any) -> None:
        """Print nothing."""


@contextmanager
def rekognition_server() -> Iterator[RekognitionServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made = RekognitionServer(f"http://127.0.0.1:{server.server_address[1]}")
        server.made = made  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
