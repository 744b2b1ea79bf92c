"""Conversion of paths, which are bytes inside the program, to text and back."""

from __future__ import annotations

import os
import shlex
import unicodedata

from photoindex import text

_BIDI_AND_FORMAT = {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}


def display(path: bytes) -> str:
    """Return `path` as text that is safe to print on a terminal.

    Control characters, escape sequences, line breaks, bidirectional overrides and bytes that are not UTF-8 come out as
    backslash escapes, so that a hostile file name can neither move the cursor nor forge a log line.
    """
    shown = to_text(path)
    if shown.isprintable():
        return shown
    return "".join(_escape(character) for character in shown)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(character) in _BIDI_AND_FORMAT and character not in "\u200c\u200d":
        return character.encode("unicode_escape").decode("ascii")
    return character


def shell_word(path: bytes) -> str:
    r"""Return `path` as one word of a command that can be pasted into bash, zsh or ksh.

    What `display` escapes is written as $'\xff', which those shells turn into the bytes of the path; a path that begins
    with a dash, which a command would take for an option, gets ./ before it.
    """
    if path.startswith(b"-"):
        path = b"./" + path
    text = path.decode("utf-8", "surrogateescape")
    if display(path) == text:
        return shlex.quote(text)
    return f"$'{''.join(_quoted(character) for character in text)}'"


def _quoted(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if _escape(character) == character:
        return character
    return "".join(f"\\x{byte:02x}" for byte in from_text(character))


def to_text(path: bytes) -> str:
    """Return `path` as text for JSON: UTF-8, other bytes as surrogates (PEP 383), so that `os.fsencode` restores it."""
    return path.decode("utf-8", "surrogateescape")


def from_text(written: str) -> bytes:
    """Return the bytes of a path given on the command line or in JSON; the inverse of `to_text`."""
    return written.encode("utf-8", "surrogateescape")


def composed(path: bytes) -> bytes:
    """Return `path` in composed form (Unicode NFC); bytes that are not UTF-8 stay. Paths that look the same are then equal."""
    return path if path.isascii() else from_text(text.composed(to_text(path)))


def absolute(path: bytes) -> bytes:
    """Return `path` as an absolute, normalised path; symbolic links are not resolved."""
    return os.path.abspath(path)


def is_within(path: bytes, folder: bytes) -> bool:
    """Tell whether `path` is `folder` or is below it; both absolute, or both relative to the same folder."""
    if folder in (b"", b"/"):
        return True
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def relative_to(path: bytes, folder: bytes) -> bytes:
    """Return `path` relative to `folder`, b"" for the folder itself. Raises ValueError if it is outside."""
    if not is_within(path, folder):
        raise ValueError(f"{display(path)} is not below {display(folder)}")
    return path[len(folder.rstrip(b"/")) :].lstrip(b"/")
