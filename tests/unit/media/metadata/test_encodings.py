"""Text of unknown encoding: UTF-8, Windows-1252, and what a long enough text tells."""

# ruff: noqa: RUF001  (the texts are in many scripts)
from __future__ import annotations

import struct

import pytest

from photoindex.media.metadata.encodings import decode_markup, decode_text, decode_wide, decoder_of
from photoindex.media.metadata.findings import clean_text
from photoindex.types import FactValue
from tests.metadata_blocks import (
    ASCII,
    BYTE,
    Entry,
    blob,
    described,
    exif_facts,
    exif_segment,
    iptc_segment,
    jpeg,
    resource,
    segment,
    text,
    tiff,
)

ARTIST, COPYRIGHT, DESCRIPTION, USER_COMMENT = 0x013B, 0x8298, 0x010E, 0x9286
XP_TITLE, XP_KEYWORDS = 0x9C9B, 0x9C9E
UTF8 = 129

FOREIGN = [
    ("cp932", "Shift-JIS", "京都の桜、鴨川の夕暮れ"),
    ("cp932", "Shift-JIS", "東京タワーから見た富士山 (2003)"),
    ("gb18030", "GBK", "北京颐和园的秋天，和爸爸妈妈在一起"),
    ("gb18030", "GBK", "上海外滩夜景 Canon"),
    ("cp949", "EUC-KR", "서울 남산에서 찍은 가족 사진"),
    ("cp949", "EUC-KR", "제주도 여름 휴가"),
    ("cp1251", "Windows-1251", "Бабушка на даче, лето 1998"),
    ("cp1251", "Windows-1251", "ЛЕНИНГРАД, Невский проспект"),
]
WESTERN = [
    "35° – “Hütte” 5 €",
    "Übergrößenträger am Fluß",
    "Ei päivämäärää",
    "À l’été, où çà ?",
    "São João — ação",
    "Ærø, Ålesund og Tromsø",
    "ÄÄNEKOSKI",
    "¿Dónde está? ¡Aquí!",
    "© 2004 José Nuñez",
    "Þingvellir – maítílí",
]


@pytest.mark.parametrize("written", WESTERN)
def test_western_text_is_windows_1252(written: str) -> None:
    notes: list[str] = []
    data = written.encode("cp1252")
    assert decoder_of([data], notes.append)(data) == written
    assert notes == []


@pytest.mark.parametrize(("codec", "name", "written"), FOREIGN)
def test_a_long_enough_text_tells_its_encoding(codec: str, name: str, written: str) -> None:
    notes: list[str] = []
    data = written.encode(codec)
    assert decoder_of([data], notes.append)(data) == written
    assert notes == [f"text that is not UTF-8 was read as {name}"]


def test_a_short_text_is_judged_with_the_others_of_its_writer() -> None:
    keywords = [word.encode("cp932") for word in ("京都", "桜", "鴨川", "家族", "春の旅行")]
    decode = decoder_of(keywords, lambda _: None)
    assert [decode(keyword) for keyword in keywords] == ["京都", "桜", "鴨川", "家族", "春の旅行"]
    assert decode_text(keywords[1]) == keywords[1].decode("cp1252", "replace")


def test_western_text_stays_itself_among_texts_in_another_encoding() -> None:
    russian, western = "Бабушка на даче".encode("cp1251"), "© 2004 José".encode("cp1252")
    decode = decoder_of([russian, western, "Käthe".encode()], lambda _: None)
    assert [decode(text) for text in (russian, western, "Käthe".encode())] == [
        "Бабушка на даче",
        "© 2004 José",
        "Käthe",
    ]


def test_text_in_an_unknown_encoding_is_read_as_windows_1252_with_a_note() -> None:
    notes: list[str] = []
    data = "กรุงเทพมหานคร".encode("cp874")
    assert decoder_of([data], notes.append)(data) == data.decode("cp1252")
    assert notes == ["text in an unknown encoding was read as Windows-1252"]


def test_the_undefined_bytes_of_windows_1252_are_shown_as_such() -> None:
    assert decode_text(b"5 \x80 a\x81b\x8d\x8f\x90\x9d") == "5 € a" + "\ufffdb" + "\ufffd" * 4


@pytest.mark.parametrize("cut", [b"M\xc3\xbcller und S\xc3", b"\xe4\xba\xac\xe9\x83\xbd\xe3\x81"])
def test_utf8_whose_last_character_was_cut_in_half_is_utf8(cut: bytes) -> None:
    assert decode_text(cut) == cut.decode(errors="ignore")


def test_text_loses_control_characters_and_blanks_around_it() -> None:
    assert clean_text(b"\xef\xbb\xbf a\x01b\r\nc\rd\x1b[31m\x00\x7f  \0") == "ab\nc\nd[31m"
    assert clean_text("\ufeff\x85 x\x9f ") == "x"


@pytest.mark.parametrize(("codec", "_name", "written"), FOREIGN)
def test_iptc_texts_are_decoded_together_with_a_note(codec: str, _name: str, written: str) -> None:
    words = [written[:2], written]
    result = described(jpeg(iptc_segment(*((25, word.encode(codec)) for word in words))))
    assert result.facts == {"iptc": {"keywords": words}}
    assert [note.partition(":")[0] for note in result.notes] == ["iptc"]


def test_an_iptc_block_may_declare_its_character_set() -> None:
    def facts(declaration: bytes, caption: bytes) -> FactValue:
        block = b"".join(
            bytes([0x1C, *number]) + struct.pack(">H", len(value)) + value
            for number, value in (((1, 90), declaration), ((2, 120), caption))
        )
        return described(jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, block)))).facts["iptc"]["description"]

    assert facts(b"\x1b%G", "Łódź – Zürich".encode()) == "Łódź – Zürich"
    assert facts(b"\x1b-B", "Łódź".encode("iso8859_2")) == "Łódź"
    assert facts(b"\x1b-L", "Мир".encode("iso8859_5")) == "Мир"
    assert facts(b"\x1b-A", "5 € “Hütte”".encode("cp1252")) == "5 € “Hütte”"
    # A declaration that is wrong costs nothing.
    assert facts(b"\x1b%G", "5 € “Hütte”".encode("cp1252")) == "5 € “Hütte”"
    assert facts(b"\x1b-B", "Łódź".encode()) == "Łódź"


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_texts_are_decoded_together(order: str) -> None:
    entries = [text(ARTIST, "Иван".encode("cp1251")), text(DESCRIPTION, "Бабушка на даче, лето".encode("cp1251"))]
    result = described(jpeg(exif_segment(tiff(entries, order=order))))
    assert result.facts["exif"] == {"artist": "Иван", "description": "Бабушка на даче, лето"}
    assert result.notes == ("exif: text that is not UTF-8 was read as Windows-1251",)


def test_exif_texts_that_are_not_utf8_are_windows_1252() -> None:
    facts = exif_facts(
        [text(DESCRIPTION, "35° – “Hütte” 5 €".encode("cp1252")), text(ARTIST, "Šárka".encode("cp1252"))]
    )
    assert facts == {"description": "35° – “Hütte” 5 €", "artist": "Šárka"}


@pytest.mark.parametrize("value", ["Łódź, 写真", "Łó", "ł"])
def test_the_text_type_of_exif_3_is_read(value: str) -> None:
    data = value.encode() + b"\0"
    assert exif_facts([(DESCRIPTION, UTF8, len(data), data)]) == {"description": value}


def test_a_copyright_has_a_photographer_and_an_editor() -> None:
    assert exif_facts([text(COPYRIGHT, "J. Doe \0A. Smith\0junk")]) == {"copyright": "J. Doe\nA. Smith"}
    assert exif_facts([text(COPYRIGHT, " \0A. Smith")]) == {"copyright": "A. Smith"}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (b"UNICODE\0" + "am Fluß".encode("utf-16-le"), "am Fluß"),
        (b"UNICODE\0" + "am Fluß".encode("utf-16-be"), "am Fluß"),
        (b"UNICODE\0" + "東京タワーから見た富士山".encode("utf-16-le"), "東京タワーから見た富士山"),
        (b"UNICODE\0" + "東京タワーから見た富士山".encode("utf-16-be"), "東京タワーから見た富士山"),
        (b"UNICODE\0" + "Невский проспект".encode("utf-16-be"), "Невский проспект"),
        (b"UNICODE\0" + "Ελλάδα, καλοκαίρι".encode("utf-16-le"), "Ελλάδα, καλοκαίρι"),
        (b"UNICODE\0" + "am Fluß, 5 € 😀".encode(), "am Fluß, 5 € 😀"),
        (b"UNICODE\0" + "東京タワーから見た富士山".encode(), "東京タワーから見た富士山"),
        (b"UNICODE\0at the lake", "at the lake"),
        (b"UNICODE\0\xef\xbb\xbfa", "a"),
        (b"UNICODE\0" + "\ufeffab".encode("utf-16-le"), "ab"),
        (b"Unicode\0at the lake\0", "at the lake"),
        (b"UNICODE " + "写真です、京都の".encode("utf-16-le") + bytes(40), "写真です、京都の"),
        (b"ASCII   at the lake", "at the lake"),
        (b"ASCII\0\0\0" + "5 € “Hütte”".encode("cp1252"), "5 € “Hütte”"),
        (b"ASCII\0\0\0" + "京都の桜、鴨川の夕暮れ".encode("cp932"), "京都の桜、鴨川の夕暮れ"),
        (b"ASCII\0\0\0" + "Łódź 写真".encode(), "Łódź 写真"),
        (b"ASCII\0\0\0" + "the lake".encode("utf-16-le"), "the lake"),
        (bytes(8) + "the lake".encode("utf-16-be"), "the lake"),
        (b"\0garbageat the lake", "at the lake"),
        (b"JIS\0\0\0\0\0" + "写真".encode("cp932"), "写真"),
        (b"        at the lake", "at the lake"),
        ("Käthe am See".encode("cp1252"), "Käthe am See"),
    ],
)
def test_a_user_comment_is_read_whatever_its_character_code_says(order: str, comment: bytes, expected: str) -> None:
    facts = described(jpeg(exif_segment(tiff(exif=[blob(USER_COMMENT, comment)], order=order)))).facts
    assert facts["exif"]["description"] == expected


@pytest.mark.parametrize(
    "data",
    [
        "Straße am Meer; Łódź".encode("utf-16-le") + b"\0\0",
        "Straße am Meer; Łódź".encode("utf-16-be") + b"\0\0",
        "\ufeffStraße am Meer; Łódź".encode("utf-16-be"),
        "Straße am Meer; Łódź".encode() + b"\0",
        "Straße am Meer; Łódź".encode(),
    ],
)
def test_windows_texts_are_read_in_utf16_of_both_orders_and_utf8(data: bytes) -> None:
    entries: list[Entry] = [blob(XP_TITLE, data, BYTE), blob(XP_KEYWORDS, data, BYTE)]
    assert exif_facts(entries) == {"title": "Straße am Meer; Łódź", "keywords": ["Straße am Meer", "Łódź"]}


def test_windows_text_in_the_type_of_text_is_read() -> None:
    data = "Berlin Mitte".encode("utf-16-le")
    assert exif_facts([(XP_TITLE, ASCII, len(data), data)]) == {"title": "Berlin Mitte"}


@pytest.mark.parametrize(
    "written", ["一", "一丁", "写真1", "あいさつ", "あいさつはだいじです", "A", "AB", "Łódź", "日本語", "🫨", "中国"]
)
@pytest.mark.parametrize("order", ["le", "be"])
def test_utf16_in_its_own_order_is_not_doubted(written: str, order: str) -> None:
    assert decode_wide(written.encode(f"utf-16-{order}"), order, decode_text) == written


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_markup_is_read_in_every_form_of_unicode(codec: str) -> None:
    written = "<a b='Łódź'>写真</a>"
    assert decode_markup(written.encode(codec), lambda _: None) == written


def test_markup_may_declare_its_encoding() -> None:
    written = '<?xml version="1.0" encoding="ISO-8859-2"?><a>Łódź</a>'
    assert decode_markup(written.encode("iso8859_2"), lambda _: None) == written
    # Neither an unknown name nor a wrong one costs the text, and no codec but those of files is used.
    for name in ("no-such", "hex", "punycode", "unicode_escape", "gb2312"):
        wrong = f'<?xml version="1.0" encoding="{name}"?><a>Käthe \\n</a>'
        assert decode_markup(wrong.encode("cp1252"), lambda _: None) == wrong


def test_each_part_of_markup_is_decoded_in_its_own_way() -> None:
    notes: list[str] = []
    data = b"<a b='" + "Łódź".encode() + b"'>" + "Hütte – 5 €".encode("cp1252") + b"</a>"
    assert decode_markup(data, notes.append) == "<a b='Łódź'>Hütte – 5 €</a>"
    data = b'{"a": "' + "表示できる写真、鴨川の夕暮れ".encode("cp932") + b'"}'
    assert decode_markup(data, notes.append) == '{"a": "表示できる写真、鴨川の夕暮れ"}'
    assert notes == ["text that is not UTF-8 was read as Shift-JIS"]


def test_markup_of_endless_parts_is_read_at_once() -> None:
    assert decode_markup(b"<abc\xff" * 60_000, lambda _: None) == "<abc\ufffd" * 60_000
    assert decode_markup(b"<abc\xff" * 40_000, lambda _: None) == "<abcÿ" * 40_000
