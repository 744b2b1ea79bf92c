"""A server on loopback that imitates the Hugging Face hub: repositories, commits, large files, broken connections."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote, urlsplit

LARGE_SUFFIXES = (".safetensors", ".bin", ".onnx", ".pt")
"""Files that the hub stores in LFS and describes by SHA-256; it describes the others by Git's SHA-1."""


@dataclass
class Repository:
    """One repository at one commit; `sent` replaces the content of a file, but not its description."""

    files: dict[str, bytes]
    commit: str = ""
    sent: dict[str, bytes] = field(default_factory=dict)
    gated: bool = False

    def __post_init__(self) -> None:
        content = b"".join(name.encode() + data for name, data in sorted(self.files.items()))
        self.commit = self.commit or hashlib.sha1(content).hexdigest()


@dataclass(frozen=True)
class Request:
    """A request: its method and path, and where its range starts."""

    method: str
    path: str
    start: int | None
    authorization: str | None


@dataclass
class Hub:
    """A running server; change its fields between requests.

    cuts: for a file name ending, after how many bytes the connection is closed, one number per response. failing: the
    status returned for files with such an ending. ranges: whether range requests are supported.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    ranges: bool = True
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def fetched(self, ending: str) -> list[Request]:
        """The requests for the content of files whose name ends with `ending`; a redirected request counts once."""
        return [one for one in self.requests if one.method == "GET" and unquote(one.path).endswith(ending)]


@contextmanager
def running_hub(**repositories: Repository) -> Iterator[Hub]:
    """Run a hub until the block ends; two underscores separate a repository's owner and name."""
    hub = Hub({name.replace("__", "/"): one for name, one in repositories.items()})
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[Hub]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base calls it so
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        begin = int(start[1]) if start else None
        self.hub.requests.append(Request(self.command, path, begin, self.headers.get("Authorization")))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path):
            self._info(found[1], found[2] or "main")
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(found[1], found[2], found[3], begin)
        elif found := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", path):
            self._content(self.hub.repositories[found[1]], found[2], begin)
        else:
            self._status(404)

    def _repository(self, name: str, revision: str) -> Repository | None:
        """Return the repository, or respond with an error as the hub does."""
        repository = self.hub.repositories.get(name)
        if repository is None:
            self._status(401, "RepoNotFound")
        elif repository.gated:
            self._status(403, "GatedRepo")
        elif revision not in ("main", repository.commit):
            self._status(404, "RevisionNotFound")
        else:
            return repository
        return None

    def _info(self, name: str, revision: str) -> None:
        repository = self._repository(name, revision)
        if repository is None:
            return
        siblings = []
        for file, data in repository.files.items():
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            one = {"rfilename": file, "size": len(data), "blobId": blob}
            if file.endswith(LARGE_SUFFIXES):
                one["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            siblings.append(one)
        body = {"_id": "0", "id": name, "modelId": name, "sha": repository.commit, "siblings": siblings, "tags": []}
        self._status(200, body=json.dumps(body).encode())

    def _resolve(self, name: str, revision: str, file: str, begin: int | None) -> None:
        repository = self._repository(name, revision)
        if repository is None:
            return
        if file not in repository.files:
            self._status(404, "EntryNotFound")
        elif file.endswith(LARGE_SUFFIXES):
            self.send_response(302)
            self._describe(repository, file)
            self.send_header("Location", f"/cdn/{name}/{file}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._content(repository, file, begin)

    def _describe(self, repository: Repository, file: str) -> None:
        data = repository.files[file]
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        if file.endswith(LARGE_SUFFIXES):
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("X-Linked-ETag", f'"{hashlib.sha256(data).hexdigest()}"')

    def _content(self, repository: Repository, file: str, begin: int | None) -> None:
        for ending, status in self.hub.failing.items():
            if file.endswith(ending):
                self._status(status)
                return
        data = repository.sent.get(file, repository.files[file])
        start = begin if begin is not None and self.hub.ranges else 0
        body = data[start:]
        self.send_response(206 if start else 200)
        self._describe(repository, file)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = next((cuts for ending, cuts in self.hub.cuts.items() if file.endswith(ending) and cuts), None)
        if cut:
            self.wfile.write(body[: cut.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
        else:
            self.wfile.write(body)

    def _status(self, status: int, error: str = "", body: bytes = b"") -> None:
        self.send_response(status)
        if error:
            self.send_header("X-Error-Code", error)
            self.send_header("X-Error-Message", error)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
