"""The resolved time of real photos and videos whose true time is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from photoindex.domain.facts.resolve import resolve
from photoindex.media.content import read_content
from photoindex.media.identify.kind import sniff
from photoindex.media.metadata.description import describe
from photoindex.types import Resolved


def resolved(path: Path) -> Resolved:
    content = read_content(bytes(path))
    media = sniff(content.head, content.open)
    assert media is not None
    return resolve(describe(content, media).facts, name=path.name.encode(), folder=b"", mtime_ns=0)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "taken_at", "source", "zone_source"),
    [
        ("exif/dates/date-priority-test.jpg", "2023-02-02T02:00:00", "exif", None),
        ("exif/dates/datetimeoriginal-gps.jpg", "2025-12-01T11:30:00-07:00", "exif", "position"),
        ("exif/dates/gps-datetime.jpg", "2023-11-15T04:30:00-08:00", "gps", "position"),
        ("exif/dates/time-created.jpg", None, None, None),
        ("exif/file-names/date_20170101_010101.jpg", "2017-01-01T01:01:01", "name", None),
        ("exif/file-names/!#$%'+-.^_`~.jpg", "2017-01-01T01:01:01", "exif", None),
        ("exif/bad-values/altitude.jpg", "2013-08-25T14:54:05+03:00", "exif", "gps"),
        ("exif/bad-values/huawei-gps-error.jpg", "2020-06-16T18:52:46.695326+02:00", "exif", "gps"),
        ("exif/bad-values/unreadable_date.jpg", None, None, None),
        # The camera was an hour off Denver's time and a program wrote its own zone into IPTC: GPS time decides.
        ("exif/gps/thompson-springs.jpg", "2022-01-10T15:15:44.31-06:00", "xmp", "gps"),
        ("formats/heic/iphone_7.heic", "2018-09-10T12:16:13.023+09:00", "exif", "position"),
        ("formats/heic/iphone_15_pro.heic", "2023-10-31T11:44:43.432+01:00", "exif", "exif"),
        ("formats/video/with-gps.mov", "2019-07-24T11:25:40+03:00", "container", "container"),
        ("formats/live-photo/same-name-not-a-pair/IMG_1234.mp4", "2023-10-06T08:39:09+02:00", "container", "position"),
    ],
)
def test_the_time_of_a_real_file_is_resolved(
    testdata: Path, name: str, taken_at: str | None, source: str | None, zone_source: str | None
) -> None:
    result = resolved(testdata / name)
    assert (result.taken_at, result.taken_at_source, result.zone_source) == (taken_at, source, zone_source)
    if taken_at is not None:
        assert (result.taken_at_utc is not None) == (zone_source is not None)
