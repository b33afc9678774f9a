from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.storage.digest import crc64_combine, crc64_combine_parts, crc64_file, crc64_update


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0),
        (b"123456789", 0x995DC9BBDF1939FA),
        (b"[Object Content]", 16749565679157681890),
        (b"[Object Part]", 4510578591875220731),
    ],
)
def test_crc_matches_captures_of_the_service(data: bytes, crc: int) -> None:
    assert crc64_update(data) == crc


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_combined_crc_is_that_of_the_joined_bytes(first: bytes, second: bytes) -> None:
    whole = crc64_update(first + second)

    assert crc64_update(second, crc64_update(first)) == whole
    assert crc64_combine(crc64_update(first), crc64_update(second), len(second)) == whole


def test_ten_thousand_parts_combine() -> None:
    data = os.urandom(30_001)
    parts = [data[start : start + 3] for start in range(0, len(data), 3)]

    assert len(parts) == 10_001
    assert crc64_combine_parts((crc64_update(part), len(part)) for part in parts) == crc64_update(data)


def test_combination_handles_lengths_beyond_memory() -> None:
    zeros = crc64_update(bytes(1 << 20))
    doubled, length = zeros, 1 << 20
    while length < 5 << 40:
        doubled, length = crc64_combine(doubled, doubled, length), 2 * length

    halves = crc64_combine_parts([(doubled, length), (zeros, 1 << 20)])
    assert halves == crc64_combine(doubled, zeros, 1 << 20)


def test_range_of_a_file_is_hashed_without_moving_it(tmp_path: Path) -> None:
    data = os.urandom((2 << 20) + 17)
    path = tmp_path / "data"
    path.write_bytes(data)

    with path.open("rb") as file:
        assert crc64_file(file.fileno(), 5, len(data) - 5) == crc64_update(data[5:])
        assert crc64_file(file.fileno(), 9, 0) == 0
        assert file.tell() == 0


def test_file_that_is_too_short_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"abc")

    with path.open("rb") as file, pytest.raises(EOFError, match="1 bytes too early"):
        crc64_file(file.fileno(), 1, 3)
