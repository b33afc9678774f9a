from __future__ import annotations

import gzip
import json

import pytest

from apps.objects.texts import (
    COLUMNS_MAX,
    ROWS_MAX,
    TEXT_MAX,
    dump_of,
    json_laid_out,
    table_rows,
    text_decode,
    text_visible,
    unzipped,
)

CHINESE = "名称,数量\n苹果,1\n这是一个用来测试编码识别的中文句子。\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030", "big5"])
def test_encoding_is_found(encoding: str) -> None:
    text = CHINESE if encoding != "big5" else "這是一個用來測試編碼的繁體中文句子，名稱與數量都在這裡。\n"
    decoded = text_decode(("plain text " * 9 + text).encode(encoding), is_cut=False)

    assert decoded is not None
    assert decoded.text.endswith(text)


def test_few_chinese_words_are_not_taken_for_korean() -> None:
    decoded = text_decode("名称,数量\n".encode("gb18030"), is_cut=False)

    assert decoded is not None
    assert (decoded.text, decoded.encoding) == ("名称,数量\n", "gb18030")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_cut_in_the_middle_of_a_character_is_still_text(encoding: str) -> None:
    data = (CHINESE * 3).encode(encoding)

    decoded = text_decode(data[:-3], is_cut=True)

    assert decoded is not None
    assert "�" not in decoded.text[:-2]


@pytest.mark.parametrize(
    "data", [bytes(range(256)), b"a\x00b\x00\x00\x00\x01", b"\x7fELF\x02\x01" + b"\x00" * 50]
)
def test_bytes_are_no_text(data: bytes) -> None:
    assert text_decode(data, is_cut=False) is None


def test_control_characters_and_direction_marks_become_signs() -> None:
    assert text_visible("a\x00b\x1b[31m\u202ec\r\nd\re\tf") == "a␀b␛[31mU+202Ec\nd\ne\tf"


def test_json_keeps_numbers_escapes_and_repeated_names() -> None:
    text = '{"a":1.50,"a":1e400,"b":[],"c":{},"d":[1,{"e":"\\u4e2d, [x]"}],"big":12345678901234567890123}'

    laid_out = json_laid_out(text)

    assert laid_out is not None
    assert [line.strip() for line in laid_out.splitlines()][:6] == [
        "{",
        '"a": 1.50,',
        '"a": 1e400,',
        '"b": [],',
        '"c": {},',
        '"d": [',
    ]
    assert json.loads(laid_out) == json.loads(text)
    assert "12345678901234567890123" in laid_out
    assert '"\\u4e2d, [x]"' in laid_out


@pytest.mark.parametrize("text", ["{", "[1,]", "[" * 100_000, "1" * 5000 + "x"])
def test_what_is_no_json_is_left_alone(text: str) -> None:
    assert json_laid_out(text) is None


def test_deep_json_does_not_grow_without_end() -> None:
    text = "[" * 500 + "1,1" + ",1" * 200_000 + "]" * 500

    assert json_laid_out(text) is None


def test_table_is_cut_to_a_look() -> None:
    text = "\n".join(",".join(str(n) for n in range(COLUMNS_MAX + 9)) for _ in range(ROWS_MAX + 9))

    rows = table_rows(text, is_cut=False)

    assert (len(rows), len(rows[0])) == (ROWS_MAX + 1, COLUMNS_MAX)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(delimiter: str) -> None:
    rows = table_rows(f'a{delimiter}b\n"x{delimiter}y"{delimiter}2\nhalf{delimiter}', is_cut=True)

    assert rows == [["a", "b"], [f"x{delimiter}y", "2"]]


def test_endless_field_is_no_table() -> None:
    assert table_rows('a,"' + "x" * 200_000, is_cut=False) == []


def test_gzip_is_read_as_far_as_shown() -> None:
    assert unzipped(gzip.compress(b"hello")) == b"hello"
    assert len(unzipped(gzip.compress(bytes(9 * TEXT_MAX))) or b"") == TEXT_MAX
    assert unzipped(b"plain") is None
    assert unzipped(b"\x1f\x8bgarbage") is None


def test_dump_shows_bytes_and_letters() -> None:
    assert dump_of(b"\x00Hi<") == "00000000  00 48 69 3c                                      ·Hi<"
