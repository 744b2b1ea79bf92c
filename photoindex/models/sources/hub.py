"""Listing and downloading files of the Hugging Face hub or a compatible server (`HF_ENDPOINT`)."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self, cast
from urllib.parse import urlsplit

from photoindex.errors import ConfigError, FetchFailed, StorageFull
from photoindex.models.names import plain_name
from photoindex.models.weights import lock_of

PARTIAL_SUFFIX = ".part"
_RESUME = "run it again to resume"
_CHUNK_BYTES = 4 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)

BytesDone = Callable[[int], None]
"""Called with the number of bytes of one file that are present."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository as described by the hub: `sha256` for large files, `git_sha1` for others."""

    name: str
    size_bytes: int | None
    sha256: str | None
    git_sha1: str | None


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit (40 hexadecimal digits); files by name."""

    endpoint: str
    id: str
    commit: str
    files: Mapping[str, HubFile]


def look_up(repository: str, revision: str) -> Repository:
    """List the files of a repository at a branch, tag or commit. Raises FetchFailed, ConfigError."""
    from huggingface_hub import HfApi

    endpoint = _endpoint()
    with _failures(f"{repository} at {revision}", endpoint):
        found = HfApi(endpoint=endpoint).model_info(repository, revision=revision, files_metadata=True, timeout=30)
    commit = str(found.sha)
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise FetchFailed(f"{endpoint} returned no commit for {repository} at {revision}; is it a hub?")
    return Repository(endpoint, repository, commit, {one.name: one for one in map(_file, found.siblings or ()) if one})


def _file(sibling: Any) -> HubFile | None:
    try:
        name = plain_name(str(sibling.rfilename))
    except ValueError:
        return None
    lfs = sibling.lfs
    sha256 = None if lfs is None else str(lfs.sha256)
    size = sibling.size if lfs is None else lfs.size
    git_sha1 = str(sibling.blob_id) if lfs is None and sibling.blob_id else None
    return HubFile(name, size if isinstance(size, int) and size >= 0 else None, sha256, git_sha1)


def fetch(repository: Repository, file: HubFile, destination: Path, advance: BytesDone) -> None:
    """Download one file, resuming an earlier attempt, and verify it with the hub's size and digest.

    An incomplete file has a temporary name next to its destination. A file that does not match is deleted, because resuming
    could not fix it. Raises FetchFailed, StorageFull.
    """
    import huggingface_hub.utils
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get

    tools: Any = huggingface_hub.utils
    tools.disable_progress_bars()
    tools.logging.set_verbosity_error()
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(destination.name + PARTIAL_SUFFIX)
    url = hf_hub_url(repository.id, file.name, revision=repository.commit, endpoint=repository.endpoint)
    with (
        _failures(f"{file.name} of {repository.id}", repository.endpoint),
        _PartialFile(partial, file, advance) as partial_file,
    ):
        start = partial_file.seek(0, os.SEEK_END)
        if start != file.size_bytes:
            http_get(
                url,
                cast("BinaryIO", partial_file),
                resume_size=start,
                # A range of a compressed response is not a range of the file.
                headers={**tools.build_hf_headers(), "Accept-Encoding": "identity"},
                expected_size=file.size_bytes,
            )
    problem = mismatch(partial, file)
    if problem is not None:
        partial.unlink()
        raise FetchFailed(
            f"{file.name} of {repository.id} arrived {problem}; it was deleted and nothing was installed. Run the command "
            f"again; if it fails again, {repository.endpoint} is damaged or cannot be trusted"
        )
    partial.replace(destination)


def mismatch(path: Path, file: HubFile) -> str | None:
    """Return how a file differs from the hub's description (the end of a sentence), None if it does not."""
    size = path.stat().st_size
    if file.size_bytes is not None and size != file.size_bytes:
        return f"with {size:,} bytes instead of {file.size_bytes:,}"
    if file.sha256 is not None:
        found = lock_of(path).sha256
        return None if found == file.sha256 else f"with the SHA-256 {found} instead of {file.sha256}"
    if file.git_sha1 is not None:
        # Git's blob id is the SHA-1 of this header and the content.
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK_BYTES):
                digest.update(chunk)
        return None if digest.hexdigest() == file.git_sha1 else "with different content than the hub's"
    return None


class _PartialFile:
    """File that a download is written to; reports progress and rejects more bytes than announced."""

    def __init__(self, path: Path, file: HubFile, advance: BytesDone) -> None:
        self._expected = file.size_bytes
        self._name = file.name
        self._advance = advance
        self._file = path.open("r+b" if path.exists() else "w+b")
        # Start over if the size is unknown (the file could be complete already) or if there are too many bytes.
        if self._expected is None or path.stat().st_size > self._expected:
            self._file.truncate(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        written = self._file.write(data)
        done = self._file.tell()
        if self._expected is not None and done > self._expected:
            raise FetchFailed(f"the hub sent more of {self._name} than the announced {self._expected:,} bytes")
        self._advance(done)
        return written

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(size)


def _endpoint() -> str:
    from huggingface_hub import constants

    endpoint = (os.environ.get("HF_ENDPOINT") or str(constants.ENDPOINT)).rstrip("/")
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"HF_ENDPOINT is '{endpoint}', which is not a server address; write https://HOST")
    return endpoint


@contextmanager
def _failures(what: str, endpoint: str) -> Iterator[None]:
    """Convert errors of the hub's library to our own."""
    from huggingface_hub import errors

    # The hub's library has used different HTTP libraries; its own error derives from the current one's base error.
    network: tuple[type[Any], ...] = (*errors.HfHubHTTPError.__bases__, OSError)
    try:
        yield
    except (errors.GatedRepoError, errors.RepositoryNotFoundError) as error:
        raise FetchFailed(_refused(what, endpoint, error)) from error
    except (errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
        raise FetchFailed(f"{endpoint} has no {what}") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise FetchFailed(_refused(what, endpoint, error)) from error
        raise FetchFailed(f"{endpoint} answered {status} for {what}; try later: {_RESUME}") from error
    except network as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            raise StorageFull(
                f"there is no room for {what} on the models' disk; free some space, then {_RESUME}"
            ) from error
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FetchFailed(f"{what} could not be downloaded from {endpoint}: {reason}; {_RESUME}") from error


def _refused(what: str, endpoint: str, error: Exception) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return f"{what} requires accepting its terms at {endpoint}; then set HF_TOKEN and pull again"
    return f"{endpoint} has no {what}, or requires a login; if you have access, set HF_TOKEN and pull again"
