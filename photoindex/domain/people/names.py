"""Names of people."""

from __future__ import annotations

from photoindex.text import composed, fold

_CHARACTERS_MAX = 200
_REFUSED_BEGINNINGS = ("-", "@", "#")


def checked_name(written: str) -> str:
    """Return a name composed (NFC) and without outer spaces. Raises ValueError, which says what is wrong with it."""
    name = " ".join(composed(written).split(" ")).strip()
    if not fold(name):
        raise ValueError("a name must not be empty")
    if not name.isprintable():
        raise ValueError("a name must not contain control characters or line breaks")
    if "," in name:
        raise ValueError("a name must not contain a comma: in a query, it separates names (person:Anna,Ben)")
    if name.isdigit():
        raise ValueError("a name must not be a number: people without a name are called by theirs")
    if name.startswith(_REFUSED_BEGINNINGS) or '"' in name or "*" in name:
        raise ValueError(
            "a name must not begin with '-', '@' or '#', or contain '\"' or '*': they mean something in a query"
        )
    if len(name) > _CHARACTERS_MAX:
        raise ValueError(f"a name has at most {_CHARACTERS_MAX} characters")
    return name


def name_key(name: str) -> str:
    """Return what two spellings of the same name have in common: Unicode form, case and accents are ignored."""
    return fold(name)
