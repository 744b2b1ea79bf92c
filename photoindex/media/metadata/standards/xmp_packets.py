"""Finding and parsing the packets in bytes that should be XMP (ISO 16684-1, 7.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from photoindex.media.metadata.blocks import BLOCK_LIMIT_BYTES
from photoindex.media.metadata.encodings import decode_markup

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_PACKET_LIMIT = 10
_ROOT = r"<\s*(?:\w{1,50}:)?(?:xmpmeta|xapmeta|RDF)[\s/>]"
_HAS_ROOT = re.compile(_ROOT)
_START = re.compile(rf"<!DOCTYPE|<\?xpacket\s|{_ROOT}")
_NEXT = re.compile(r"(?=<\?xpacket\s+begin\b)|(?<=</x:xmpmeta>)")
_DECLARATION = re.compile(r"<\?xml\s[^>]{0,200}\?>")
_NOT_IN_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE_NOT_IN_XML = re.compile(r"&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|[xX]0*(?:[0-8bBcCeEfF]|1[0-9a-fA-F]));")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)")
_JUNK_AFTER_ROOT = 9
"""Expat's XML_ERROR_JUNK_AFTER_DOC_ELEMENT."""


def packets_in(data: bytes, note: Callable[[str], object]) -> list[bytes]:
    """Return the packets in `data`, of any encoding and with anything around them; each in UTF-8, from its start on.

    `note` gets a sentence if an encoding was assumed. Raises ValueError for more than 4 MiB.
    """
    if len(data) > BLOCK_LIMIT_BYTES:
        raise ValueError(f"the packet is larger than {BLOCK_LIMIT_BYTES >> 20} MiB")
    text = _DECLARATION.sub("", decode_markup(data, note))
    start = _START.search(text)
    if start is None:
        return [text.encode("utf-8", "replace")] if text.strip("\0 \t\r\n") else []
    packets: list[bytes] = []
    before = ""
    for part in _NEXT.split(text[start.start() :], _PACKET_LIMIT * 3):
        before += part
        if _HAS_ROOT.search(part):
            packets.append(before.encode("utf-8", "replace"))
            before = ""
    return packets[:_PACKET_LIMIT]


def root_of(packet: bytes) -> Element:
    """Return the root element of a packet in UTF-8; what follows it does not count.

    Raises ValueError for entities and DTDs (XMP does not need them and they can exhaust memory), and xml's ParseError for
    invalid XML.
    """
    from defusedxml.ElementTree import ParseError

    text = packet.decode("utf-8", "replace")
    try:
        return _parsed(text)
    except ParseError:
        # Some programs write control characters and bare ampersands.
        repaired = _REFERENCE_NOT_IN_XML.sub("", _NOT_IN_XML.sub("", text))
        return _parsed(_BARE_AMPERSAND.sub("&amp;", repaired))


def _parsed(text: str) -> Element:
    from xml.etree.ElementTree import TreeBuilder  # holds no parser, so nothing that a document can attack

    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    builder = TreeBuilder()
    parser = DefusedXMLParser(target=builder, forbid_dtd=True)
    try:
        parser.feed(text.strip("\0\ufeff \t\r\n"))
        parser.close()
    except ParseError as error:
        if error.code != _JUNK_AFTER_ROOT:
            raise
    return builder.close()
