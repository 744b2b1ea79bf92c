"""Describing pictures with an OpenAI-compatible server: Ollama, llama.cpp, vLLM, LM Studio and others."""

from __future__ import annotations

import base64
import io
import json
import os
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photoindex.domain.words.captions import NotACaption, whole_caption_of
from photoindex.errors import ProviderFailed, UsageError
from photoindex.models.base import Said
from photoindex.providers.addresses import read_address
from photoindex.providers.http import Client, Reply, Unreachable
from photoindex.text import in_one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEY_VARIABLE = "PHOTOINDEX_ENDPOINT_KEY"
"""Environment variable with the key of a server that wants one."""
_QUALITY = 90
TRIES = 3
_WAIT_SECONDS = 0.5
_WAIT_MAX_SECONDS = 30.0
_BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Statuses of a server that may answer the same request later."""
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Service:
    """A server and what it is asked.

    url: with the path of its API, such as http://127.0.0.1:11434/v1. model: a name that the server knows. seconds: for one
    answer. at_once: requests at a time. allowed: hosts other than this computer that may be asked. longest_px: of a picture
    that is sent.
    """

    url: str
    model: str
    prompt: str
    max_tokens: int
    seconds: float
    at_once: int
    allowed: Collection[str] = ()
    longest_px: int = 1024


class EndpointCaptioner:
    """A captioner on a server; it is deterministic as far as the server is: temperature 0 and a fixed seed."""

    least_px: int | None = None

    def __init__(self, service: Service) -> None:
        """Try the server with two test pictures.

        Raises ProviderFailed if it does not answer, or does not see pictures, UsageError for what is no URL or no key.
        """
        self._service = service
        self._client = Client(read_address(service.url), service.allowed, service.seconds, _key())
        self.runs_on = f"{self._client.address.origin} ({service.model})"
        self._test = [self.prepare(picture) for picture in _test_pictures()]
        self.probe()

    def prepare(self, pixels: NDArray[np.uint8]) -> str:
        """Return a picture as a JPEG in a data URL."""
        from PIL import Image

        picture = Image.fromarray(pixels)
        picture.thumbnail((self._service.longest_px, self._service.longest_px))
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=_QUALITY)
        return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()

    def likely_length(self, prepared: str) -> int:
        """Return the size of the picture: servers take one by one, so it matters little."""
        return len(prepared)

    def caption(self, prepared: Sequence[str]) -> list[Said]:
        """Return what is in each picture; see `Captioner`. Raises ProviderFailed if the server does not work any more."""
        with ThreadPoolExecutor(self._service.at_once, thread_name_prefix="ask-endpoint") as pool:
            asked = [pool.submit(self._described, picture) for picture in prepared]
            return [one.result() for one in asked]

    def probe(self) -> None:
        """Ask about two test pictures that differ. Raises ProviderFailed for answers that are no captions of them."""
        said = [self._test_caption(picture) for picture in self._test]
        if len(set(said)) == 1:
            raise ProviderFailed(
                f"the model '{self._service.model}' of {self._client.address.origin} says the same of a red and of a blue "
                f"picture, '{in_one_line(said[0], _SHOWN)}': it does not see pictures; choose a model that does"
            )

    def _described(self, picture: str) -> Said:
        """Describe a picture. If that fails, a test picture tells whether the server or the picture is to blame."""
        try:
            return self._answer(picture)
        except _NoAnswer as failed:
            reason = str(failed)
        try:
            self._answer(self._test[0])
        except _NoAnswer as failed:
            raise ProviderFailed(
                f"the server {self._client.address.origin} {failed}; finished work is kept, and the next run continues"
            ) from None
        return Said("", problem=f"the server {reason} for this picture, and answers for others")

    def _test_caption(self, picture: str) -> str:
        try:
            answer = self._answer(picture)
            return whole_caption_of(answer.text, whole=answer.whole)
        except NotACaption as refused:
            raise ProviderFailed(
                f"the model '{self._service.model}' of {self._client.address.origin} does not describe a test picture: "
                f"{refused.message}; {refused.remedy or 'choose another model'}"
            ) from None
        except _NoAnswer as failed:
            raise ProviderFailed(
                f"the server {self._client.address.origin} {failed}; see the settings caption.endpoint and caption.model"
            ) from None

    def _answer(self, picture: str) -> Said:
        """Ask about a picture, up to three times if the server is busy or cannot be reached. Raises _NoAnswer."""
        problem = ""
        for number in range(TRIES):
            wait = _WAIT_SECONDS * 2**number
            try:
                reply = self._client.post("/chat/completions", self._question(picture))
            except Unreachable as failed:
                problem = str(failed)
            else:
                if reply.status == 200:
                    return _said(reply)
                problem = f"refused ({reply.status}): {_reason(reply)}"
                if reply.status not in _BUSY:
                    break
                wait = min(_WAIT_MAX_SECONDS, reply.retry_after or wait)
            if number + 1 < TRIES:
                time.sleep(wait)
        raise _NoAnswer(problem)

    def _question(self, picture: str) -> dict[str, Any]:
        content = [
            {"type": "text", "text": self._service.prompt},
            {"type": "image_url", "image_url": {"url": picture}},
        ]
        return {
            "model": self._service.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": self._service.max_tokens,
            "temperature": 0,
            "seed": 0,
            "stream": False,
        }


def _key() -> str | None:
    """Return the key of the environment, None if there is none. Raises UsageError, which does not tell it."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UsageError(f"the key in {KEY_VARIABLE} holds characters that no key has, such as the end of a line")
    return key or None


class _NoAnswer(Exception):
    """A server did not answer, also not after several tries; the message is the middle of a sentence."""


def _said(reply: Reply) -> Said:
    """Return the answer in a reply. Raises _NoAnswer for what is no answer."""
    try:
        choice = json.loads(reply.body)["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        thoughts = message.get("reasoning_content") or message.get("reasoning") or message.get("thinking") or ""
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        text = thoughts = None
    if not isinstance(text, str):
        raise _NoAnswer(f"gave an answer that is not of the chat API: {in_one_line(_text(reply.body), _SHOWN)}")
    if thoughts and not text.strip():
        text = f"<think>{thoughts}"
    # JSON can escape half of a surrogate pair, which no database accepts.
    text = text.encode("utf-8", "ignore").decode()
    return Said(text, whole=choice.get("finish_reason") != "length")


def _reason(reply: Reply) -> str:
    """Return the reason in an error's JSON, or the beginning of its text."""
    try:
        error = json.loads(reply.body)["error"]
        return in_one_line(str(error["message"] if isinstance(error, dict) else error), _SHOWN)
    except (ValueError, KeyError, TypeError, RecursionError):
        return in_one_line(_text(reply.body), _SHOWN)


def _text(data: bytes) -> str:
    return data[: 4 * _SHOWN].decode("utf-8", "replace")


def _test_pictures() -> list[NDArray[np.uint8]]:
    """Return a picture of a red square on white, and one of a blue sky over a green field."""
    import numpy as np

    square = np.full((256, 256, 3), 250, np.uint8)
    square[64:192, 64:192] = (210, 30, 30)
    field = np.full((256, 256, 3), (90, 160, 235), np.uint8)
    field[150:] = (60, 140, 50)
    return [square, field]
