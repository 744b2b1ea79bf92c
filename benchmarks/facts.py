"""Compares `photoindex facts` with exiftool, by format: agreement in per cent and each difference.

    python benchmarks/facts.py FOLDER [--list] [--json]

FOLDER holds photos of any kind (searched recursively); the Debian package libimage-exiftool-perl must be installed. The
core facts are DateTimeOriginal, make, model, orientation and position. By source: each value that exiftool reads from
EXIF, XMP, IPTC or a maker's container is compared with ours from the same source. Resolved: the single value that
exiftool prints for a tag, from any source including maker notes, is compared with the one that `facts` resolves. Values
that exiftool does not have are not compared. `refused` counts impossible values that exiftool prints; they are left out
of the percentage. Lenses are compared as `lens_names.py` says: the name in words, or the focal lengths and apertures.

Beside these: of videos the date (as wall clock or in UTC, because exiftool does not say which one a header has) and the
duration (to a tenth of a second or one per cent); and width and height in pixels (in either order, because exiftool does
not turn them).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lens_names import lenses_by_exiftool, share
from lens_names import verdict as lens_verdict

from photoindex.config.load import load_config
from photoindex.library.photos.facts import FileFacts, NotRead, as_json, read_facts
from photoindex.types import Described, Kind

Agreement = dict[tuple[str, str], Counter[str]]
"""(format, fact) -> verdict -> how many values."""
BAR = frozenset(
    ["jpeg", "mpo", "heic", "avif", "png", "webp", "tiff", "dng", "cr2", "cr3", "nef", "arw", "raf", "rw2", "orf"]
)
"""The formats in which 99 % of the core facts must agree."""

# exiftool's group -> our source; other groups (MakerNotes, previews, a motion photo's video) are not compared.
GROUPS = {
    "IFD0": "exif",
    "ExifIFD": "exif",
    "GPS": "exif",
    "XMP-exif": "xmp",
    "XMP-exifEX": "xmp",
    "XMP-tiff": "xmp",
    "XMP-xmp": "xmp",
    "XMP-photoshop": "xmp",
    "XMP-dc": "xmp",
    "IPTC": "iptc",
    "CIFF": "container",
    "CanonRaw": "container",
    "SigmaRaw": "container",
    "Keys": "container",
    "QuickTime": "container",
    "UserData": "container",
}
TAGS = {
    "DateTimeOriginal": "taken_at",
    "Make": "camera_make",
    "Model": "camera_model",
    "Orientation": "orientation",
    "GPSLatitude": "latitude",
    "GPSLongitude": "longitude",
    "GPSAltitude": "altitude_m",
    "ISO": "iso",
    "FNumber": "aperture",
    "ExposureTime": "exposure_seconds",
    "FocalLength": "focal_length_mm",
    "Rating": "rating",
    "Keywords": "keywords",
    "Subject": "keywords",
    "Title": "title",
    "ObjectName": "title",
    "Caption-Abstract": "description",
    "ImageDescription": "description",
    "Description": "description",
    "Artist": "artist",
    "Copyright": "copyright",
}
REQUIRED = ("taken_at", "camera_make", "camera_model", "orientation", "latitude", "longitude")
ORIENTATIONS = {"Top-left": 1, "Right-top": 6}
REFERENCES = ("GPSLatitudeRef", "GPSLongitudeRef", "GPSAltitudeRef")
VIDEO_DATES = ("DateTimeOriginal", "CreationDate", "ContentCreateDate", "CreationDateValue", "CreateDate")
OTHERS = ("video date", "duration", "size")
DURATION_TOLERANCE_SECONDS = 0.1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", action="store_true", help="print each difference")
    parser.add_argument("--json", action="store_true", help="one JSON object per format")
    options = parser.parse_args()
    grouped = exiftool(options.folder, "-G1")
    plain = exiftool(options.folder)
    others = exiftool(options.folder, wanted=(*VIDEO_DATES, "Duration", "ImageSize"))
    by_source: Agreement = defaultdict(Counter)
    by_winner: Agreement = defaultdict(Counter)
    by_other: Agreement = defaultdict(Counter)
    files: Counter[str] = Counter()
    named, lenses = lenses_by_exiftool(options.folder), Counter[str]()
    for one in read_facts(load_config(), sorted(grouped)):
        if isinstance(one, NotRead):
            continue
        name = one.described.media.format
        files[name] += 1
        if one.path in named:
            found_lens = lens_verdict(one.resolved.lens, named[one.path])
            lenses[found_lens] += 1
            if options.list and found_lens in ("different", "missing"):
                print(
                    f"{found_lens:9} {os.fsdecode(one.path)}: lens {named[one.path]}, ours {one.resolved.lens!r}",
                    file=sys.stderr,
                )
        for agreement, found in (
            (by_source, compare(grouped[one.path], one.described)),
            (by_winner, compare_winners(plain[one.path], one)),
            (by_other, compare_others(others.get(one.path, {}), one)),
        ):
            for fact, verdict, text in found:
                agreement[name, fact][verdict] += 1
                if options.list and verdict != "same":
                    print(f"{verdict:9} {os.fsdecode(one.path)}: {text}", file=sys.stderr)
    report(by_source, by_winner, by_other, files, as_json=options.json)
    if options.json:
        print(json.dumps({"lenses": dict(lenses)}))
    else:
        print(f"lenses of all formats, resolved: {100 * share(lenses):5.1f} % of {lenses.total():4}, {dict(lenses)}")
    return 0


def exiftool(
    folder: Path, *options: str, wanted: tuple[str, ...] = (*TAGS, *REFERENCES)
) -> dict[bytes, dict[str, Any]]:
    command = [
        "exiftool",
        "-j",
        "-n",
        *options,
        "-q",
        "-q",
        "-r",
        "-charset",
        "filename=utf8",
        *(f"-{tag}" for tag in wanted),
        os.fspath(folder),
    ]
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    return {os.fsencode(tags.pop("SourceFile")): tags for tags in json.loads(output or b"[]")}


def compare(tags: dict[str, Any], described: Described) -> Iterator[tuple[str, str, str]]:
    for key, value in tags.items():
        group, _, tag = key.partition(":")
        source, fact = GROUPS.get(group), TAGS.get(tag)
        if source is None or fact is None or is_unknown(fact, value):
            continue
        mine = described.facts.get(source, {}).get(fact)
        expected = signed(value, tags.get(f"{group}:{tag}Ref")) if source == "exif" else value
        same = equal(fact, mine, expected)
        refused = mine is None and any(f"{source}: {fact}" in note or "position" in note for note in described.notes)
        verdict = "same" if same else "refused" if refused else "missing" if mine is None else "different"
        yield fact, verdict, f"{key} {value!r}, ours {mine!r}"


def compare_winners(tags: dict[str, Any], one: FileFacts) -> Iterator[tuple[str, str, str]]:
    """Compare the single value that exiftool prints for each tag, from any source, with the resolved one."""
    ours = as_json(one)
    for tag, fact in TAGS.items():
        value = tags.get(tag)
        if fact not in REQUIRED or value is None or is_unknown(fact, value):
            continue
        mine = ours[fact]
        if fact == "orientation" and not any("orientation" in stated for stated in one.described.facts.values()):
            # The orientation of a HEIC or a video without EXIF comes from its container, and is 1 if none is stated.
            mine = ours[fact] if ours[fact] != 1 else None
        refused = mine is None and any(fact in note or "position" in note for note in one.described.notes)
        verdict = (
            "same" if equal(fact, mine, value) else "refused" if refused else "missing" if mine is None else "different"
        )
        yield fact, verdict, f"{tag} {value!r}, ours {mine!r}"


def compare_others(tags: dict[str, Any], one: FileFacts) -> Iterator[tuple[str, str, str]]:
    """Compare the size and, of videos, date and duration."""
    ours = as_json(one)
    checks = [
        ("size", (ours["width"], ours["height"]), tags.get("ImageSize"), equal_size),
    ]
    if one.described.media.kind is Kind.VIDEO:
        dates = [tags[name] for name in VIDEO_DATES if not is_unknown("taken_at", tags.get(name) or "")]
        checks.append(("video date", (ours["taken_at"], ours["taken_at_utc"]), next(iter(dates), None), equal_date))
        checks.append(("duration", ours["duration_seconds"], tags.get("Duration"), equal_duration))
    for fact, mine, value, are_equal in checks:
        if value:
            is_missing = mine is None or mine == (None, None)
            same = not is_missing and are_equal(mine, value)
            refused = is_missing and fact == "video date" and any(" taken_at " in note for note in one.described.notes)
            verdict = "same" if same else "refused" if refused else "missing" if is_missing else "different"
            yield fact, verdict, f"{fact} {value!r}, ours {mine!r}"


def equal_size(mine: tuple[int, int], theirs: Any) -> bool:
    return sorted(str(part) for part in mine) == sorted(str(theirs).replace("x", " ").split())


def equal_date(mine: tuple[str, float | None], theirs: Any) -> bool:
    wall, instant = mine
    in_utc = "" if instant is None else datetime.fromtimestamp(instant, UTC).isoformat()
    return digits(str(theirs)) in (digits(wall), digits(in_utc))


def equal_duration(mine: float, theirs: Any) -> bool:
    return abs(mine - float(theirs)) <= max(DURATION_TOLERANCE_SECONDS, 0.01 * float(theirs))


def is_unknown(fact: str, value: Any) -> bool:
    """Tell whether a value means unknown: blank, or the zeros that standards and cameras use."""
    if fact in ("orientation", "iso", "focal_length_mm", "aperture", "exposure_seconds") and value in (0, "0"):
        return True
    return str(value).strip(" \0") in ("", "undef", "0000:00:00 00:00:00")


def signed(value: Any, reference: Any) -> Any:
    if reference not in ("S", "W", 1, "1"):
        return value
    try:
        return -float(value)
    except ValueError:
        return value


def equal(fact: str, mine: Any, theirs: Any) -> bool:
    if mine is None:
        return False
    if fact == "taken_at":
        return digits(mine) == digits(str(theirs))
    if fact == "orientation" and isinstance(theirs, str):
        # Some programs write text into XMP, which exiftool prints unchanged.
        return ORIENTATIONS.get(theirs) == mine
    if fact == "keywords":
        wanted = theirs if isinstance(theirs, list) else [theirs]
        return {str(word).strip() for word in wanted} <= set(mine)
    if isinstance(mine, (int, float)):
        try:
            number = float(str(theirs).split()[0])
        except (ValueError, IndexError):
            return False
        return abs(mine - number) <= max(1e-6, abs(number) * 1e-3)
    # exiftool prints a question mark for invalid UTF-8.
    pattern = re.escape(" ".join(str(theirs).replace("\0", "").split())).replace(r"\?", ".")
    return re.fullmatch(pattern, " ".join(str(mine).split())) is not None


def digits(text: str) -> str:
    """Return the digits of a wall time, at most to the second."""
    return "".join(character for character in text[:19] if character.isdigit())


def report(
    by_source: Agreement, by_winner: Agreement, by_other: Agreement, files: Counter[str], *, as_json: bool
) -> None:
    totals: dict[str, Counter[str]] = {title: Counter() for title in ("core", "all", "winner", "bar", "bar of winners")}
    for name in sorted(files, key=lambda name: (name not in BAR, name)):
        counts = {fact: counter for (other, fact), counter in by_source.items() if other == name}
        sums = {
            "core": sum((counts[fact] for fact in REQUIRED if fact in counts), Counter()),
            "all": sum(counts.values(), Counter()),
            "winner": sum((counter for (other, _), counter in by_winner.items() if other == name), Counter()),
        }
        if name in BAR:
            sums |= {"bar": sums["core"], "bar of winners": sums["winner"]}
        for title, counter in sums.items():
            totals[title] += counter
        if as_json:
            facts = {fact: dict(counts[fact]) for fact in sorted(counts)}
            others = {fact: dict(by_other[name, fact]) for fact in OTHERS if (name, fact) in by_other}
            line = {"format": name, "in_bar": name in BAR, "files": files[name], "facts": facts, "others": others}
            print(json.dumps(line))
        else:
            print(
                f"{name:5} {'*' if name in BAR else ' '} {files[name]:4} files; core facts by source {shown(sums['core'])}, "
                f"core facts resolved {shown(sums['winner'])}, all facts {shown(sums['all'])}"
            )
    if not as_json:
        print("* counts towards the goal of 99 %")
        for title, line in (
            ("bar", "core facts of formats with *, by source"),
            ("bar of winners", "core facts of formats with *, resolved"),
            ("core", "core facts of all formats, by source"),
            ("winner", "core facts of all formats, resolved"),
            ("all", "all facts of all formats, by source"),
        ):
            print(f"{line}: {shown(totals[title])}, {dict(totals[title])}")
        for fact in OTHERS:
            total = sum((counter for (_, other), counter in by_other.items() if other == fact), Counter[str]())
            print(f"{fact} of all formats: {shown(total)}, {dict(total)}")
            for name in sorted(name for name, other in by_other if other == fact):
                print(f"    {name:5} {shown(by_other[name, fact])}")


def shown(counter: Counter[str]) -> str:
    """Return the agreement in per cent of the possible values, and their number."""
    possible = counter.total() - counter["refused"]
    return f"{100 * counter['same'] / possible:5.1f} % of {possible:4}" if possible else "    -          "


if __name__ == "__main__":
    sys.exit(main())
