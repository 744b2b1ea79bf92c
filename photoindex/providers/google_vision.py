"""Google Cloud Vision: labels, text and safe search, over its REST API.

https://cloud.google.com/vision/docs/reference/rest/v1/images/annotate
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from photoindex.errors import ProviderFailed, UsageError
from photoindex.providers.addresses import UnknownHost, read_address
from photoindex.providers.base import NOT_BILLED, CallFailed, Connection, PictureRefused, Price, caption_of, is_busy
from photoindex.providers.http import Client, Reply, Unreachable
from photoindex.text import in_one_line
from photoindex.types import Label, Result, Text, TextLine

KEY_VARIABLE = "PHOTOINDEX_GOOGLE_VISION_KEY"
"""Environment variable with the key of the API."""
_URL = "https://vision.googleapis.com"
_PATH = "/v1/images:annotate"
_THIS_COMPUTER = ("127.0.0.1", "::1", "localhost")
_LABELS, _TEXT, _SAFE = "LABEL_DETECTION", "TEXT_DETECTION", "SAFE_SEARCH_DETECTION"
_LABELS_MAX = 20
_CAPTION_LABELS = 5
_LIKELIHOODS: Mapping[str, float] = {
    "VERY_UNLIKELY": 0.02, "UNLIKELY": 0.2, "POSSIBLE": 0.5, "LIKELY": 0.8, "VERY_LIKELY": 0.97,
}  # fmt: skip
"""The service tells five steps; the numbers put `likely` above the usual threshold of 70 %, and `possible` below."""
_SENSITIVE = ("adult", "racy")
_SHOWN = 200
_NO_ANSWER = "gave an answer that is not of its API"
_INVALID_ARGUMENT = 3
"""The code of google.rpc.Status for a picture that cannot be read: https://grpc.io/docs/guides/status-codes/"""


class GoogleVision:
    """See `Provider`: the service bills each feature of each picture."""

    name = "google_vision"
    sends = True
    code_version = 1
    features: Mapping[str, Collection[str]] = {
        "tags": (_LABELS,),
        "caption": (_LABELS,),
        "ocr": (_TEXT,),
        "sensitive": (_SAFE,),
    }
    price = Price(micros_per_1000=1_500_000, free=1_000)

    def open(self, connection: Connection) -> OpenGoogleVision:
        """Return it with the key of the environment. Raises ProviderFailed without one, UsageError for a bad URL."""
        key = os.environ.get(KEY_VARIABLE, "").strip()
        if not key:
            raise ProviderFailed(f"google_vision needs a key in the environment variable {KEY_VARIABLE}")
        if not (key.isascii() and key.isprintable()):
            raise ProviderFailed(
                f"the key in {KEY_VARIABLE} holds characters that no key has, such as the end of a line"
            )
        address = read_address(connection.url or _URL)
        if address.scheme != "https" and address.host not in _THIS_COMPUTER:
            raise UsageError(
                "google_vision.url begins with https:// where it is another computer: keys are not sent openly"
            )
        return OpenGoogleVision(
            Client(
                address, (address.host,), connection.seconds, key, key_header="X-Goog-Api-Key", follows=False,
                setting="google_vision.url",
            )
        )  # fmt: skip


class OpenGoogleVision:
    """See `OpenProvider`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.runs_on = client.address.origin

    def ask(self, jpeg: bytes, stage: str) -> tuple[Result, ...]:
        """Return the labels, text or safe search of a picture."""
        features = [{"type": one, "maxResults": _LABELS_MAX} for one in GoogleVision.features[stage]]
        request = {"image": {"content": base64.b64encode(jpeg).decode()}, "features": features}
        try:
            reply = self._client.post(_PATH, {"requests": [request]})
        except UnknownHost as failed:
            raise CallFailed(f"cannot be reached ({failed})", may_be_billed=False) from failed
        except Unreachable as failed:
            raise CallFailed(str(failed), may_be_billed=failed.sent) from failed
        answer = _annotations(reply)
        try:
            return _RESULTS[stage](answer)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
            raise CallFailed(_NO_ANSWER, may_be_billed=True) from None


def _annotations(reply: Reply) -> Mapping[str, Any]:
    """Return what the service says of the picture. Raises CallFailed, PictureRefused, ProviderFailed."""
    if is_busy(reply.status):
        raise CallFailed(
            f"refused ({reply.status}): {_reason(reply.body)}",
            may_be_billed=reply.status not in NOT_BILLED,
            retry_after=reply.retry_after,
        )
    if reply.status != 200:
        raise ProviderFailed(f"google_vision refused ({reply.status}): {_reason(reply.body)}; see: docs/providers.md")
    try:
        (answer,) = json.loads(reply.body)["responses"]
        error = answer.get("error")
        if not error:
            return dict(answer)
        message, code = in_one_line(str(error.get("message", "no reason given")), _SHOWN), error.get("code")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CallFailed(_NO_ANSWER, may_be_billed=True) from None
    if code == _INVALID_ARGUMENT:
        raise PictureRefused(f"google_vision cannot read the preview: {message}")
    raise CallFailed(f"refused the picture: {message}", may_be_billed=True)


def _labels(answer: Mapping[str, Any]) -> tuple[Result, ...]:
    return tuple(Label(name, score, score) for name, score in _named(answer))


def _caption(answer: Mapping[str, Any]) -> tuple[Result, ...]:
    names = [name for name, _ in _named(answer)[:_CAPTION_LABELS]]
    return (Text("caption", caption_of(names), language="en", raw=caption_of(names)),) if names else ()


def _named(answer: Mapping[str, Any]) -> list[tuple[str, float]]:
    return [
        (str(one["description"]).strip().lower(), float(one.get("score", 0.0)))
        for one in answer.get("labelAnnotations", ())
        if str(one.get("description", "")).strip()
    ]


def _text(answer: Mapping[str, Any]) -> tuple[Result, ...]:
    """Return the lines of the full text; the boxes of the words of a line become one."""
    full = answer.get("fullTextAnnotation")
    if not full or not str(full.get("text", "")).strip():
        return ()
    lines = [line for page in full.get("pages", ()) for line in _lines_of(page)]
    return (Text("ocr", str(full["text"]).strip(), lines=tuple(lines)),)


def _lines_of(page: Mapping[str, Any]) -> list[TextLine]:
    width, height = float(page.get("width") or 1), float(page.get("height") or 1)
    lines: list[TextLine] = []
    for block in page.get("blocks", ()):
        for paragraph in block.get("paragraphs", ()):
            words: list[Mapping[str, Any]] = []
            text = ""
            for word in paragraph.get("words", ()):
                words.append(word)
                text += "".join(str(symbol.get("text", "")) for symbol in word.get("symbols", ()))
                pause = _pause_after(word)
                if pause in _LINE_ENDS:
                    lines.append(_line(text, words, width, height))
                    words, text = [], ""
                elif pause:
                    text += " "
            if text.strip():
                lines.append(_line(text, words, width, height))
    return lines


_LINE_ENDS = ("EOL_SURE_SPACE", "LINE_BREAK", "HYPHEN")
"""The kinds of breaks behind the last word of a line."""


def _pause_after(word: Mapping[str, Any]) -> str:
    symbols = word.get("symbols") or [{}]
    return str(symbols[-1].get("property", {}).get("detectedBreak", {}).get("type", ""))


def _line(text: str, words: Sequence[Mapping[str, Any]], width: float, height: float) -> TextLine:
    corners = [
        (float(one.get("x", 0)) / width, float(one.get("y", 0)) / height)
        for word in words
        for one in word.get("boundingBox", {}).get("vertices", ())
    ] or [(0.0, 0.0)]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    score = min((float(word.get("confidence", 1.0)) for word in words), default=1.0)
    return TextLine(text.strip(), ((left, top), (right, top), (right, bottom), (left, bottom)), score)


def _safe_search(answer: Mapping[str, Any]) -> tuple[Result, ...]:
    safe = answer.get("safeSearchAnnotation") or {}
    likely = max((_LIKELIHOODS.get(str(safe.get(one)), 0.0) for one in _SENSITIVE), default=0.0)
    return (Label("sensitive", likely, likely),)


_RESULTS = {"tags": _labels, "caption": _caption, "ocr": _text, "sensitive": _safe_search}


def _reason(body: bytes) -> str:
    try:
        return in_one_line(str(json.loads(body)["error"]["message"]), _SHOWN)
    except (ValueError, KeyError, TypeError, RecursionError):
        return "no reason given"


GOOGLE_VISION = GoogleVision()
