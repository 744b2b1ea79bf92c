"""What a camera says about its lens: a name in words, a range in numbers, or nothing."""

from __future__ import annotations

import re

_NUMBER = r"(\d+(?:[.,]\d+)?)"
_RANGE = re.compile(
    rf"(?:unknown\s+)?{_NUMBER}\s*(?:mm)?\s*(?:(?:-|\u2013|to)\s*{_NUMBER}\s*)?mm"
    rf"(?:[\s,]*(?:f\s*/?|1:)\s*(?:\?|{_NUMBER}(?:\s*-\s*{_NUMBER})?))?",
    re.IGNORECASE | re.ASCII,
)
"""`24.0-70.0 mm f/2.8`, `18 - 55mm`, `50mm F1.8`, `7.4 to 22.2 mm`."""

_FOCAL_LENGTHS = re.compile(
    r"(\d+(?:\.\d+)?)(?:\s*-\s*(\d+(?:\.\d+)?))?\s*(?:mm|(?=/\s*f?\d))", re.IGNORECASE | re.ASCII
)
"""`24-70mm f/2.8` and Panasonic's `14-45/F3.5-5.6`."""

_NOTHING = re.compile(
    r"(?:unknown|undefined|undef|none|null|nil|nothing|default|lens|lens ?name|lens ?model|n/?a|no[ -]?lens|not attached|"
    r"no information|uncoded lens|manual(?: focus)? lens|other lens|unknown[ -]lens|e-mount, t-mount, other lens or no lens)"
    r"(?:\s*[(:\[].*)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
"""Texts that stand for no lens, or for one that the camera does not know: `Unknown (255)`, `N/A`."""

_ZERO_FOCAL_LENGTH = re.compile(r"(?:^|[^\d.])0+(?:\.0+)?\s*mm", re.IGNORECASE | re.ASCII)
_LETTERS = re.compile(r"[^\W\d_]{2}|[^\W\d_]\s?\d|\d\s?[^\W\d_]")
_LARGEST_FOCAL_LENGTH_MM, _LARGEST_APERTURE = 10_000.0, 128.0


def lens_name(text: str, body: object = None) -> str | None:
    """Return a lens name in words; None for a text that is only numbers, that means unknown, or that names the camera.

    body: the camera's model, which some phones and compact cameras write in place of a lens.
    """
    name = _printable(text)
    is_name = _LETTERS.search(name) and not (
        _RANGE.fullmatch(name) or _NOTHING.fullmatch(name) or _ZERO_FOCAL_LENGTH.search(name)
    )
    return name if is_name and not _names_body(name, body) else None


def lens_range(text: str) -> str | None:
    """Return a text that is only a range of focal lengths and apertures in the form `24-70mm f/2.8`, None for any other."""
    match = _RANGE.fullmatch(_printable(text))
    return (
        None
        if match is None
        else range_of(*(float(part.replace(",", ".")) if part else None for part in match.groups()))
    )


def focal_lengths(name: str) -> tuple[float, float] | None:
    """Return the shortest and longest focal length in a lens name, in mm; None if it has none."""
    match = _FOCAL_LENGTHS.search(name)
    if match is None:
        return None
    return float(match[1]), float(match[2] or match[1])


def range_of(
    shortest_mm: float | None,
    longest_mm: float | None = None,
    widest: float | None = None,
    widest_at_longest: float | None = None,
) -> str | None:
    """Return `24-70mm f/2.8`, `50mm f/1.8`, `18-55mm f/3.5-5.6` or, without apertures, `18-55mm`.

    Focal lengths in mm and f-numbers, in the order of the EXIF tag LensSpecification; 0 and None mean unknown. None if the
    focal lengths are unknown or impossible.
    """
    lengths = _known(_LARGEST_FOCAL_LENGTH_MM, shortest_mm, longest_mm)
    if not _known(_LARGEST_FOCAL_LENGTH_MM, shortest_mm) or lengths != sorted(lengths):
        return None
    apertures = _known(_LARGEST_APERTURE, widest, widest_at_longest) if widest else []
    return f"{_joined(lengths)}mm" + (f" f/{_joined(apertures)}" if apertures else "")


def _known(largest: float, *numbers: float | None) -> list[float]:
    return [number for number in numbers if number is not None and 0.3 <= number <= largest]


def _joined(numbers: list[float]) -> str:
    return "-".join(dict.fromkeys(f"{number:.2f}".rstrip("0").rstrip(".") for number in numbers))


def _printable(text: str) -> str:
    """Return `text` with single spaces, "" if it has control characters: it is something else than text then."""
    words = " ".join(text.replace("\0", " ").split())
    return words if words.isprintable() and "\ufffd" not in words else ""


def _names_body(name: str, body: object) -> bool:
    return isinstance(body, str) and _plain(name) == _plain(body) != ""


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
