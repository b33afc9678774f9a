"""CRC-64/XZ as COS computes it (`x-cos-hash-crc64ecma`): running, combined, and of a range of a file.

Source: COS "CRC64 verification" and PUT Object, 2026-08. Values are unsigned 64-bit integers; the store
writes them as decimal text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache

from fastcrc import crc64

_POLYNOMIAL = 0xC96C5795D7870F42
_ONE = 1 << 63
_READ_SIZE = 1 << 20


def crc64_update(data: bytes | bytearray | memoryview, crc: int = 0) -> int:
    """Return the CRC of everything that gave `crc` followed by `data`; 0 is the CRC of nothing."""
    value: int = crc64.xz(data, crc)
    return value


def crc64_combine(crc1: int, crc2: int, len2: int) -> int:
    """Return the CRC of two byte strings joined, from each one's CRC and the second's length in bytes."""
    return _multiply(_shift_of(len2), crc1) ^ crc2


def crc64_combine_parts(parts: Iterable[tuple[int, int]]) -> int:
    """Return the CRC of all parts joined in order; each part is (CRC, length in bytes)."""
    combined = 0
    for crc, length in parts:
        combined = crc64_combine(combined, crc, length)
    return combined


def crc64_file(fd: int, offset: int, length: int) -> int:
    """Return the CRC of `length` bytes from `offset` of an open file, without moving its position.

    Raises EOFError when the file ends before that, OSError when it cannot be read.
    """
    crc = 0
    for piece in file_pieces(fd, offset, length):
        crc = crc64_update(piece, crc)
    return crc


def file_pieces(fd: int, offset: int, length: int) -> Iterator[memoryview]:
    """Yield `length` bytes from `offset` of an open file in pieces, each valid until the next is asked for.

    The file's position stays. Raises EOFError when the file ends before that, OSError when it cannot be read.
    """
    view = memoryview(bytearray(min(_READ_SIZE, max(length, 1))))
    end = offset + length
    while offset < end:
        count = os.preadv(fd, [view[: min(len(view), end - offset)]], offset)
        if not count:
            raise EOFError(f"The file ends at byte {offset}, {end - offset} bytes too early.")
        yield view[:count]
        offset += count


def _multiply(a: int, b: int) -> int:
    """Multiply two polynomials over GF(2) modulo the CRC's; bit 63 is the coefficient of x to the 0."""
    product, bit = 0, _ONE
    while a:
        if a & bit:
            product ^= b
            a ^= bit
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
        bit >>= 1
    return product


@lru_cache(maxsize=256)
def _shift_of(length: int) -> int:
    """Return x to the power of 8 x `length`: what appending that many bytes does to a CRC.

    Cached, because nearly all parts of an upload have the same length.
    """
    shift, square, exponent = _ONE, _ONE >> 1, 8 * length
    while exponent:
        if exponent & 1:
            shift = _multiply(square, shift)
        square = _multiply(square, square)
        exponent >>= 1
    return shift
