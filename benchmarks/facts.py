"""Compare the facts that `describe` finds with exiftool's, by format: agreement in per cent and the cause of each difference.

    python benchmarks/facts.py FOLDER [--list] [--json]

FOLDER holds photos of any kind (searched recursively); the Debian package libimage-exiftool-perl must be installed.
A comparison is one value that exiftool reads from EXIF, XMP or a maker's container. Only differences count against us:
what exiftool does not have is not compared. `refused` are values that exiftool shows and that cannot be true.
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
from pathlib import Path
from time import perf_counter
from typing import Any

from photoindex.media.content import read_content
from photoindex.media.facts.description import describe
from photoindex.media.kind import sniff
from photoindex.types import Described

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
    "LensModel": "lens",
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
REFERENCES = ("GPSLatitudeRef", "GPSLongitudeRef", "GPSAltitudeRef")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", action="store_true", help="print each difference")
    parser.add_argument("--json", action="store_true", help="one JSON object a format")
    options = parser.parse_args()
    theirs = exiftool(options.folder)
    agreement: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    milliseconds: dict[str, list[float]] = defaultdict(list)
    for path, tags in sorted(theirs.items()):
        described, seconds = ours(path)
        if described is None:
            continue
        milliseconds[described.media.format].append(seconds * 1e3)
        for fact, verdict, text in compare(tags, described):
            agreement[described.media.format, fact][verdict] += 1
            if options.list and verdict != "same":
                print(f"{verdict:9} {os.fsdecode(path)}: {text}", file=sys.stderr)
    report(agreement, milliseconds, as_json=options.json)
    return 0


def exiftool(folder: Path) -> dict[bytes, dict[str, Any]]:
    wanted = [f"-{tag}" for tag in (*TAGS, *REFERENCES)]
    command = ["exiftool", "-j", "-n", "-G1", "-q", "-q", "-r", "-charset", "filename=utf8", *wanted, os.fspath(folder)]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
    return {os.fsencode(tags.pop("SourceFile")): tags for tags in json.loads(output or b"[]")}


def ours(path: bytes) -> tuple[Described | None, float]:
    try:
        content = read_content(path)
        media = sniff(content.head, content.open)
    except Exception:
        return None, 0.0
    if media is None:
        return None, 0.0
    start = perf_counter()
    described = describe(content, media)
    return described, perf_counter() - start


def compare(tags: dict[str, Any], described: Described) -> Iterator[tuple[str, str, str]]:
    for key, value in tags.items():
        group, _, tag = key.partition(":")
        source, fact = GROUPS.get(group), TAGS.get(tag)
        if source is None or fact is None or says_nothing(fact, value):
            continue
        mine = described.facts.get(source, {}).get(fact)
        expected = signed(value, tags.get(f"{group}:{tag}Ref")) if source == "exif" else value
        same = equal(fact, mine, expected)
        refused = mine is None and any(f"{source}: {fact}" in note or "position" in note for note in described.notes)
        verdict = "same" if same else "refused" if refused else "missing" if mine is None else "different"
        yield fact, verdict, f"{key} {value!r}, ours {mine!r}"


def says_nothing(fact: str, value: Any) -> bool:
    """Blanks, and the zeros that the standards and the cameras write for unknown."""
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
    if fact == "keywords":
        wanted = theirs if isinstance(theirs, list) else [theirs]
        return {str(word).strip() for word in wanted} <= set(mine)
    if isinstance(mine, (int, float)):
        try:
            number = float(str(theirs).split()[0])
        except (ValueError, IndexError):
            return False
        return abs(mine - number) <= max(1e-6, abs(number) * 1e-3)
    # exiftool prints a question mark for what is not UTF-8.
    pattern = re.escape(" ".join(str(theirs).replace("\0", "").split())).replace(r"\?", ".")
    return re.fullmatch(pattern, " ".join(str(mine).split())) is not None


def digits(text: str) -> str:
    """The wall time to the second, or as far as it goes."""
    return "".join(character for character in text[:19] if character.isdigit())


def report(
    agreement: dict[tuple[str, str], Counter[str]], milliseconds: dict[str, list[float]], *, as_json: bool
) -> None:
    total: Counter[str] = Counter()
    required: Counter[str] = Counter()
    for name in sorted(milliseconds):
        counts = {fact: counter for (other, fact), counter in agreement.items() if other == name}
        times = sorted(milliseconds[name])
        row = {fact: dict(counts[fact]) for fact in sorted(counts)}
        summed = sum(counts.values(), Counter())
        core = sum((counts[fact] for fact in REQUIRED if fact in counts), Counter())
        total += summed
        required += core
        if as_json:
            print(json.dumps({"format": name, "files": len(times), "median_ms": times[len(times) // 2], "facts": row}))
        else:
            print(
                f"{name:5} {len(times):4} files, median {times[len(times) // 2]:6.2f} ms; "
                f"core facts {percent(core)}, all {percent(summed)}"
            )
    if not as_json:
        print(f"core facts {percent(required)} of {required.total()}: {dict(required)}")
        print(f"all facts  {percent(total)} of {total.total()}: {dict(total)}")


def percent(counter: Counter[str]) -> str:
    return f"{100 * counter['same'] / counter.total():5.1f} %" if counter.total() else "    - "


if __name__ == "__main__":
    sys.exit(main())
