"""CRC-64/XZ of byte strings that were checked apart and are read as one.

Appending n zero bytes to a message is a linear map over GF(2) on its CRC, so
the CRC of a concatenation follows from the two CRCs and the second length
alone (the method of zlib's crc32_combine, with the reflected ECMA polynomial).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from fastcrc import crc64

POLYNOMIAL = 0xC96C5795D7870F42
Matrix = tuple[int, ...]


def crc64_update(data: memoryview | bytes, crc: int | None = None) -> int:
    """Return the CRC-64/XZ of `data` appended to what gave `crc`; None and 0 mean nothing yet."""
    value: int = crc64.xz(data, crc or 0)
    return value


def _apply(matrix: Matrix, vector: int) -> int:
    result = 0
    for column in matrix:
        if not vector:
            break
        if vector & 1:
            result ^= column
        vector >>= 1
    return result


def _product(left: Matrix, right: Matrix) -> Matrix:
    return tuple(_apply(left, column) for column in right)


@lru_cache(maxsize=64)
def _power(exponent: int) -> Matrix:
    """Return the map that appends 2**exponent zero bits."""
    if exponent == 0:
        return (POLYNOMIAL, *(1 << bit for bit in range(63)))
    half = _power(exponent - 1)
    return _product(half, half)


def crc64_combine(first: int, second: int, second_size: int) -> int:
    """Return the CRC of two byte strings laid end to end; `second_size` in bytes."""
    bits = second_size * 8
    for exponent in range(bits.bit_length()):
        if bits >> exponent & 1:
            first = _apply(_power(exponent), first)
    return first ^ second if second_size else first


def crc64_join(pieces: Iterable[tuple[int, int]]) -> int:
    """Return the CRC of many `(crc, size)` pieces laid end to end."""
    total = 0
    for crc, size in pieces:
        total = crc64_combine(total, crc, size)
    return total
