"""Text of strangers made fit for a page: decoded, laid out, with signs for what would hide or mislead.

Nothing here returns markup. What comes out still needs escaping.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
import zlib
from dataclasses import dataclass
from io import StringIO

from charset_normalizer import from_bytes

from apps.storage.keys import visible

TEXT_MAX = 1 << 20
ROWS_MAX = 100
COLUMNS_MAX = 50
CELL_MAX = 500
DUMP_BYTES = 512
_LAID_OUT_MAX = 4 * TEXT_MAX
# A sample tells the encoding; measuring all of a megabyte would take seconds.
_SAMPLE_BYTES = 32 << 10
_EASTERN = ["gb18030", "big5", "shift_jis", "euc_kr"]
_ENCODINGS = [*_EASTERN, "cp1251", "cp1252"]
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)


@dataclass(frozen=True)
class Decoded:
    """Text, and the encoding it was read in."""

    text: str
    encoding: str


def text_decode(data: bytes, *, is_cut: bool) -> Decoded | None:
    """Return bytes as text, None when they are none; with `is_cut` without half a character at the end."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding, is_cut=is_cut)
    if encoding := _utf16_without_mark(data):
        return _decoded(data, encoding, is_cut=is_cut)
    if b"\x00" in data:
        return None
    return _decoded(data, "utf-8", is_cut=is_cut) or _guessed(data, is_cut=is_cut)


def text_visible(text: str) -> str:
    """Return text with signs for control characters and direction marks, and with plain line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub(lambda found: visible(found[0]), text)


def json_laid_out(text: str) -> str | None:
    """Return JSON with one value a line, None for what is no JSON.

    Only the space between the values changes: numbers, escapes and repeated names stay as they are written.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    lines: list[str] = []
    depth = size = 0
    line, before = "", ""
    for mark in _TOKEN.findall(text):
        if mark in "}]":
            depth -= 1
        if _breaks(before, mark):
            lines.append(line)
            size += len(line) + 1
            line = "  " * depth
        line += mark if mark != ":" else ": "
        if mark in "{[":
            depth += 1
        before = mark
        if size > _LAID_OUT_MAX:
            return None
    return "\n".join([*lines, line])


def table_rows(text: str, *, is_cut: bool) -> list[list[str]]:
    """Return the first rows of comma, semicolon, tab or bar separated values, none when it is no table."""
    first = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(",;\t|", key=first.count)
    # The last line of a cut text may lack its end.
    text = text[: text.rfind("\n") + 1] if is_cut and "\n" in text else text
    rows: list[list[str]] = []
    try:
        for row in csv.reader(StringIO(text), delimiter=delimiter):
            rows.append([text_visible(cell[:CELL_MAX]) for cell in row[:COLUMNS_MAX]])
            if len(rows) > ROWS_MAX:
                break
    except csv.Error:
        return []
    return rows


def unzipped(data: bytes) -> bytes | None:
    """Return the first `TEXT_MAX` bytes of what gzip packed, None when it is not gzip."""
    if not data.startswith(b"\x1f\x8b"):
        return None
    try:
        return zlib.decompressobj(31).decompress(data, TEXT_MAX)
    except zlib.error:
        return None


def dump_of(data: bytes) -> str:
    """Return the first bytes as hexadecimal and as the ASCII among them, sixteen a line."""
    lines = []
    for at in range(0, min(len(data), DUMP_BYTES), 16):
        piece = data[at : min(at + 16, DUMP_BYTES)]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in piece)
        lines.append(f"{at:08x}  {piece.hex(' '):<47}  {letters}")
    return "\n".join(lines)


def _breaks(before: str, mark: str) -> bool:
    """Return whether a line of JSON ends between two tokens; empty brackets stay together."""
    if before in ("{", "["):
        return mark not in "}]"
    return before == "," or (mark in "}]" and before != "")


def _decoded(data: bytes, encoding: str, *, is_cut: bool) -> Decoded | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        return Decoded(decoder.decode(data, final=not is_cut), encoding)
    except UnicodeDecodeError:
        return None


def _utf16_without_mark(data: bytes) -> str:
    """Return the UTF-16 that mostly Latin text without a mark is in: every other byte is zero."""
    sample = data[:512]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if len(sample) < 4 or even + odd < len(sample) // 4 or min(even, odd) * 10 > max(even, odd):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _guessed(data: bytes, *, is_cut: bool) -> Decoded | None:
    """Return text in the encoding that a sample of it looks like, if enough of it is printable."""
    sample = data[:_SAMPLE_BYTES]
    if sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in sample) * 50 > len(sample):
        return None
    possible = [match.encoding for match in from_bytes(sample, cp_isolation=_ENCODINGS, threshold=0.3)]
    if not possible:
        return None
    # A few Chinese words make as good a Korean or Japanese text to statistics, which is hardly ever meant.
    is_chinese = possible[0] in _EASTERN and "gb18030" in possible
    encoding = "gb18030" if is_chinese else possible[0]
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return Decoded(decoder.decode(data, final=not is_cut), encoding)
