"""AWS Rekognition through boto3, against a server on loopback that answers like the service."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from photoindex.errors import ModelUnavailable, ProviderFailed
from photoindex.providers.aws_rekognition import AWS_REKOGNITION, OpenAwsRekognition
from photoindex.providers.base import CallFailed, Connection, PictureRefused
from photoindex.types import Label, Text
from tests.rekognition_server import RekognitionServer, rekognition_server

SECRET = "a-secret-that-nobody-may-see"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[RekognitionServer]:
    pytest.importorskip("boto3")
    for name in ("AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with rekognition_server() as made:
        yield made


def opened(aws: RekognitionServer, seconds: float = 5.0) -> OpenAwsRekognition:
    return AWS_REKOGNITION.open(Connection(seconds, aws.url, "eu-west-1"))


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(stream, "JPEG")
    return stream.getvalue()


def test_labels_captions_text_and_moderation_are_read(aws: RekognitionServer) -> None:
    provider = opened(aws)
    assert provider.ask(picture(), "tags") == (Label("beach", 0.985, 0.985), Label("dog", 0.6, 0.6))
    assert provider.ask(picture(), "caption") == (Text("caption", "beach, dog", language="en", raw="beach, dog"),)
    (text,) = provider.ask(picture(), "ocr")
    assert isinstance(text, Text)
    assert (text.text, len(text.lines), text.lines[0].corners[2]) == ("Gate B22", 1, (0.5, 0.3))
    assert provider.ask(picture(), "sensitive") == (Label("sensitive", 0.88, 0.88),)
    assert provider.runs_on == aws.url
    sent = [base64.b64decode(message["Image"]["Bytes"]) for _, _, message in aws.calls]
    assert sent == [picture()] * 4
    assert SECRET not in json.dumps([headers for _, headers, _ in aws.calls])


def test_a_busy_service_may_be_asked_again_and_says_when(aws: RekognitionServer) -> None:
    aws.behave = lambda handler, _action: handler.refuse(400, "ThrottlingException", Retry_After="7")
    with pytest.raises(CallFailed, match="because of ThrottlingException") as failed:
        opened(aws).ask(picture(), "tags")
    assert (failed.value.retry, failed.value.may_be_billed, failed.value.retry_after) == (True, False, 7.0)
    assert len(aws.calls) == 1, "boto3 itself repeats nothing, or the ledger would miss calls"


@pytest.mark.parametrize(("status", "billed"), [(500, True), (503, False)])
def test_an_error_of_the_service_may_have_been_billed_unless_it_was_unavailable(
    aws: RekognitionServer, status: int, billed: bool
) -> None:
    aws.behave = lambda handler, _action: handler.refuse(status, "InternalServerError")
    with pytest.raises(CallFailed) as failed:
        opened(aws).ask(picture(), "tags")
    assert (failed.value.may_be_billed, len(aws.calls)) == (billed, 1)


def test_a_picture_that_cannot_be_read_is_refused_alone(aws: RekognitionServer) -> None:
    aws.behave = lambda handler, _action: handler.refuse(400, "InvalidImageFormatException")
    with pytest.raises(PictureRefused, match="cannot read the preview: because of InvalidImageFormatException"):
        opened(aws).ask(picture(), "tags")


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "AccessDeniedException", "SomethingNew"])
def test_a_refused_key_is_the_end_and_never_shown(aws: RekognitionServer, code: str) -> None:
    aws.behave = lambda handler, _action: handler.refuse(400, code)
    with pytest.raises(ProviderFailed, match=code) as failed:
        opened(aws).ask(picture(), "tags")
    assert SECRET not in str(failed.value)


def test_a_call_that_hangs_is_given_up_and_may_have_been_billed(aws: RekognitionServer) -> None:
    waiting = threading.Event()
    aws.behave = lambda _handler, _action: bool(waiting.wait(20)) and None
    began = time.monotonic()
    try:
        with pytest.raises(CallFailed) as failed:
            opened(aws, seconds=0.3).ask(picture(), "tags")
    finally:
        waiting.set()
    assert failed.value.may_be_billed
    assert time.monotonic() - began < 15


def test_a_service_that_nobody_listens_on_was_not_reached(aws: RekognitionServer) -> None:
    aws.url = "http://127.0.0.1:9"
    with pytest.raises(CallFailed) as failed:
        opened(aws).ask(picture(), "tags")
    assert not failed.value.may_be_billed


def test_nonsense_is_no_answer(aws: RekognitionServer) -> None:
    aws.behave = lambda handler, _action: handler.reply(200, {"Labels": [{"Name": "Beach"}]})
    with pytest.raises(CallFailed, match="not of its API") as failed:
        opened(aws).ask(picture(), "tags")
    assert failed.value.may_be_billed


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_missing_key_is_named(aws: RekognitionServer, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ProviderFailed, match=f"not set: {name}$"):
        opened(aws)


def test_a_missing_region_is_named(aws: RekognitionServer) -> None:
    with pytest.raises(ProviderFailed, match=r"set aws_rekognition\.region"):
        AWS_REKOGNITION.open(Connection(5.0, aws.url, None))


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ModelUnavailable, match=r"pip install 'photoindex\[cloud\]'"):
        AWS_REKOGNITION.open(Connection(5.0))
