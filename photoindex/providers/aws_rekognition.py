"""AWS Rekognition: labels, text and moderation, by boto3.

https://docs.aws.amazon.com/rekognition/latest/APIReference/
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from photoindex.errors import ModelUnavailable, ProviderFailed
from photoindex.providers.base import (
    NOT_BILLED,
    CallFailed,
    Connection,
    PictureRefused,
    Price,
    caption_of,
    is_busy,
    seconds_to_wait,
)
from photoindex.text import in_one_line
from photoindex.types import Label, Result, Text, TextLine

KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""The environment variables of boto3 that must be set; AWS_SESSION_TOKEN is read, too."""
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
_LABELS, _TEXT, _MODERATION = "DetectLabels", "DetectText", "DetectModerationLabels"
_LABELS_MAX = 20
_CAPTION_LABELS = 5
_LEAST_PERCENT = 20.0
_SENSITIVE = (
    "Explicit", "Explicit Nudity", "Non-Explicit Nudity of Intimate parts and Kissing", "Swimwear or Underwear", "Suggestive",
)  # fmt: skip
"""The top categories that are about nudity or sex, of the versions 6 and 7 of the moderation model."""
_BUSY_CODES = ("ThrottlingException", "ProvisionedThroughputExceededException", "Throttling")
_OF_PICTURE = ("InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException")
_SHOWN = 200


class AwsRekognition:
    """See `Provider`: the service bills each call."""

    name = "aws_rekognition"
    sends = True
    code_version = 1
    features: Mapping[str, Collection[str]] = {
        "tags": (_LABELS,),
        "caption": (_LABELS,),
        "ocr": (_TEXT,),
        "sensitive": (_MODERATION,),
    }
    price = Price(micros_per_1000=1_000_000)

    def open(self, connection: Connection) -> OpenAwsRekognition:
        """Return it with the keys of the environment. Raises ModelUnavailable without boto3, ProviderFailed without a key."""
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise ModelUnavailable(
                "the provider aws_rekognition needs the package boto3; run: pip install 'photoindex[cloud]'"
            ) from None
        missing = [name for name in KEY_VARIABLES if not os.environ.get(name)]
        if missing:
            raise ProviderFailed(f"aws_rekognition needs its keys in the environment; not set: {', '.join(missing)}")
        region = connection.region or next(
            (os.environ[name] for name in REGION_VARIABLES if os.environ.get(name)), None
        )
        if region is None:
            raise ProviderFailed("aws_rekognition needs a region: set aws_rekognition.region, such as eu-west-1")
        identity, secret = (os.environ[name] for name in KEY_VARIABLES)
        client = boto3.session.Session(
            aws_access_key_id=identity,
            aws_secret_access_key=secret,
            aws_session_token=os.environ.get("AWS_SESSION_TOKEN") or None,
            region_name=region,
        ).client(
            "rekognition",
            endpoint_url=connection.url,
            config=Config(
                connect_timeout=min(10.0, connection.seconds),
                read_timeout=connection.seconds,
                retries={"total_max_attempts": 1},
            ),
        )
        return OpenAwsRekognition(client)


class OpenAwsRekognition:
    """See `OpenProvider`; a boto3 client may be used by several threads."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.runs_on = str(client.meta.endpoint_url)

    def ask(self, jpeg: bytes, stage: str) -> tuple[Result, ...]:
        """Return the labels, text or moderation of a picture."""
        from botocore import exceptions

        (feature,) = AwsRekognition.features[stage]
        try:
            if feature == _LABELS:
                answer = self._client.detect_labels(
                    Image={"Bytes": jpeg}, MaxLabels=_LABELS_MAX, MinConfidence=_LEAST_PERCENT
                )
            elif feature == _TEXT:
                answer = self._client.detect_text(Image={"Bytes": jpeg})
            else:
                answer = self._client.detect_moderation_labels(Image={"Bytes": jpeg}, MinConfidence=_LEAST_PERCENT)
            return _RESULTS[stage](answer)
        except exceptions.ClientError as error:
            raise _refusal(error.response) from None
        except (
            exceptions.EndpointConnectionError,
            exceptions.ConnectTimeoutError,
            exceptions.ProxyConnectionError,
        ) as error:
            raise CallFailed(f"cannot be reached ({in_one_line(str(error), _SHOWN)})", may_be_billed=False) from None
        except exceptions.BotoCoreError as error:
            raise CallFailed(
                f"did not answer or broke off ({in_one_line(str(error), _SHOWN)})", may_be_billed=True
            ) from None
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise CallFailed("gave an answer that is not of its API", may_be_billed=True) from None


def _refusal(response: Mapping[str, Any]) -> Exception:
    code = str(response.get("Error", {}).get("Code", ""))
    message = in_one_line(str(response.get("Error", {}).get("Message", "no reason given")), _SHOWN)
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    if code in _OF_PICTURE:
        return PictureRefused(f"aws_rekognition cannot read the preview: {message}")
    if code in _BUSY_CODES or is_busy(status):
        billed = code not in _BUSY_CODES and status not in NOT_BILLED
        return CallFailed(
            f"refused ({status or code}): {message}",
            may_be_billed=billed,
            retry_after=seconds_to_wait(metadata.get("HTTPHeaders", {}).get("retry-after")),
        )
    return ProviderFailed(f"aws_rekognition refused ({code or status}): {message}; see: docs/providers.md")


def _labels(answer: Mapping[str, Any]) -> tuple[Result, ...]:
    return tuple(Label(name, sure, sure) for name, sure in _named(answer))


def _caption(answer: Mapping[str, Any]) -> tuple[Result, ...]:
    names = [name for name, _ in _named(answer)[:_CAPTION_LABELS]]
    return (Text("caption", caption_of(names), language="en", raw=caption_of(names)),) if names else ()


def _named(answer: Mapping[str, Any]) -> list[tuple[str, float]]:
    return [(str(one["Name"]).strip().lower(), float(one["Confidence"]) / 100) for one in answer["Labels"]]


def _text(answer: Mapping[str, Any]) -> tuple[Result, ...]:
    lines = [
        TextLine(str(one["DetectedText"]), _corners(one["Geometry"]), float(one["Confidence"]) / 100)
        for one in answer["TextDetections"]
        if one["Type"] == "LINE" and str(one["DetectedText"]).strip()
    ]
    return (Text("ocr", "\n".join(line.text for line in lines), lines=tuple(lines)),) if lines else ()


def _corners(geometry: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    return tuple((float(one["X"]), float(one["Y"])) for one in geometry["Polygon"])


def _moderation(answer: Mapping[str, Any]) -> tuple[Result, ...]:
    likely = max(
        (
            float(one["Confidence"]) / 100
            for one in answer["ModerationLabels"]
            if one["Name"] in _SENSITIVE or one.get("ParentName") in _SENSITIVE
        ),
        default=0.0,
    )
    return (Label("sensitive", likely, likely),)


_RESULTS = {"tags": _labels, "caption": _caption, "ocr": _text, "sensitive": _moderation}


AWS_REKOGNITION = AwsRekognition()
