"""Generated texts in every encoding come out as they were written, or say what was assumed."""

# ruff: noqa: RUF001  (the texts are in many scripts)
from __future__ import annotations

from itertools import chain

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from photoindex.media.metadata.encodings import decode_markup, decode_text, decode_wide, decoder_of
from photoindex.media.metadata.findings import clean_text
from tests.series import SOAKING, examples

repeatable = settings(derandomize=not SOAKING, deadline=None, max_examples=examples())


def words_of(text: str) -> list[str]:
    return text.split()


UNICODE = st.text(st.characters(exclude_categories=("Cs",)))
WESTERN_WORDS = words_of(
    "Übung Fluß Straße schön Käse über grün Mädchen Größe été à l’école forêt garçon où cœur naïf année noël español niño año "
    "corazón ¿dónde ¡aquí! São ação mãe irmão é città perché più Ærø smørrebrød blåbær på Ålesund fjäll älv sjö kött päivämäärä "
    "hyvää yötä Äänekoski þorp ísland maður fjörð “quoted” – — … 5 € 35° © 2004 the lake and old house of my mother in summer "
    "mit der Familie dans le jardin con los amigos na praia con la nonna vid havet"
)
FOREIGN_WORDS = {
    "cp932": words_of(
        "京都の桜 鴨川の夕暮れ 家族旅行 東京タワー 富士山 お正月 運動会 子供たち 北海道の雪景色 誕生日パーティー 海水浴"
    ),
    "gb18030": words_of(
        "北京颐和园 秋天的公园 全家福照片 上海外滩夜景 长城一日游 爸爸妈妈 春节联欢 毕业典礼 海南三亚海滩 生日快乐"
    ),
    "cp949": words_of(
        "서울 남산에서 가족 사진 제주도 여름 휴가 부산 해운대 바닷가 생일 잔치 설날 아침 경복궁 나들이 졸업식"
    ),
    "cp1251": words_of(
        "Бабушка на даче летом Москва Красная площадь день рождения Невский проспект море Крым семья Софія Київ свято"
    ),
}


@repeatable
@given(UNICODE)
def test_utf8_is_never_taken_for_anything_else(written: str) -> None:
    notes: list[str] = []
    assert decoder_of([written.encode()], notes.append)(written.encode()) == written
    assert notes == []


@repeatable
@given(st.lists(st.sampled_from(WESTERN_WORDS), min_size=1, max_size=30))
def test_western_words_in_windows_1252_come_out_right(words: list[str]) -> None:
    written = " ".join(words)
    notes: list[str] = []
    assert decoder_of([written.encode("cp1252")], notes.append)(written.encode("cp1252")) == written
    assert notes == []


@repeatable
@given(st.data(), st.sampled_from(sorted(FOREIGN_WORDS)))
def test_captions_in_each_encoding_come_out_right_with_a_note(data: st.DataObject, codec: str) -> None:
    words = data.draw(st.lists(st.sampled_from(FOREIGN_WORDS[codec]), min_size=4, max_size=12, unique=True))
    written = data.draw(st.sampled_from((" ", ", ", "; "))).join(words)
    notes: list[str] = []
    assert decoder_of([written.encode(codec)], notes.append)(written.encode(codec)) == written
    assert len(notes) == 1


@repeatable
@given(st.binary())
def test_any_bytes_become_text_that_can_be_stored(data: bytes) -> None:
    for text in (
        decode_text(data),
        decode_markup(data, lambda _: None),
        decode_wide(data, "le", decode_text),
        decode_wide(data, "be", decode_text),
    ):
        clean = clean_text(text)
        assert clean == clean_text(clean)
        assert not set(clean) & set(map(chr, (*range(9), *range(11, 32), *range(127, 160))))
        clean.encode()


@repeatable
@given(UNICODE, st.sampled_from(("utf-8-sig", "utf-16", "utf-32")))
def test_markup_with_a_byte_order_mark_comes_out_as_written(written: str, codec: str) -> None:
    assume(not written.startswith("\0"))  # a mark of UTF-16 and a NUL are the mark of UTF-32
    assert decode_markup(written.encode(codec), lambda _: None) == written


@repeatable
@given(
    st.lists(st.sampled_from([*WESTERN_WORDS, *chain.from_iterable(FOREIGN_WORDS.values())]), min_size=1),
    st.sampled_from("lb"),
)
def test_utf16_in_the_order_that_is_expected_comes_out_as_written(words: list[str], order: str) -> None:
    written = " ".join(words)
    assert decode_wide(written.encode(f"utf-16-{order}e"), f"{order}e", decode_text) == written


@repeatable
@given(st.lists(st.sampled_from([*WESTERN_WORDS, *FOREIGN_WORDS["cp1251"]]), min_size=3), st.sampled_from("lb"))
def test_utf16_in_the_other_order_and_utf8_come_out_as_written(words: list[str], order: str) -> None:
    written = " ".join(words)
    assume(len(written) >= 16)
    other = {"l": "b", "b": "l"}[order]
    assert decode_wide(written.encode(f"utf-16-{other}e"), f"{order}e", decode_text) == written
    assert decode_wide(written.encode(), f"{order}e", decode_text) == written
