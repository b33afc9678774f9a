"""How slices are cut, at the edges, and what counts as the same part."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from apps.storage.cos.slice_plan import SliceFile, copy_plan, threads_of, upload_plan
from apps.storage.digest import crc64_update
from apps.storage.errors import Refused
from apps.storage.types import StoredPart

MIB = 1 << 20
GIB = 1 << 30


@pytest.mark.parametrize(
    ("size", "slice_size", "part_size", "count"),
    [
        (0, None, 8 * MIB, 1),
        (8 * MIB, None, 8 * MIB, 1),
        (8 * MIB + 1, None, 8 * MIB, 2),
        (GIB, None, 16 * MIB, 64),
        (GIB, MIB, MIB, 1024),
        (10_000 * MIB, MIB, MIB, 10_000),
        (10_000 * MIB + 1, MIB, 2 * MIB, 5001),
        (10_000 * MIB + 1, "1048576", 2 * MIB, 5001),
        (3 * MIB, 1, MIB, 3),
        (3 * MIB, "  2000000 ", 2_000_000, 2),
        (12 * GIB, 99 * GIB, 5 * GIB, 3),
        (50_000 * GIB, MIB, 5 * GIB, 10_000),
    ],
)
def test_upload_is_cut(size: int, slice_size: int | str | None, part_size: int, count: int) -> None:
    plan = upload_plan(size, slice_size)

    assert (plan.part_size, plan.count) == (part_size, count)
    assert sum(plan.range_of(number)[1] for number in (1, plan.count)) <= max(size, 2 * plan.part_size)


def test_file_that_no_store_holds_is_refused() -> None:
    with pytest.raises(Refused, match="too large"):
        upload_plan(50_000 * GIB + 1, MIB)


@pytest.mark.parametrize(
    ("size", "chunk_size", "slice_size", "found"),
    [
        (0, None, 1, None),
        (5 * GIB, None, None, None),
        (5 * GIB, None, 99 * GIB, None),
        (5 * GIB + 1, None, None, (16 * MIB, 321)),
        (5 * GIB + 1, None, 99 * GIB, (16 * MIB, 321)),
        (5 * GIB + 1, "1048576", None, (MIB, 5121)),
        (10_001 * MIB, MIB, None, (2 * MIB, 5001)),
        (2, None, 1, (8 * MIB, 1)),
    ],
)
def test_copy_is_cut(
    size: int, chunk_size: int | str | None, slice_size: int | None, found: tuple[int, int] | None
) -> None:
    plan = copy_plan(size, chunk_size, slice_size)

    assert (plan and (plan.part_size, plan.count)) == found


def test_copy_into_a_named_upload_is_in_parts() -> None:
    plan = copy_plan(5, None, None, is_in_parts=True)

    assert plan is not None
    assert plan.count == 1
    with pytest.raises(Refused, match="no parts"):
        copy_plan(0, None, None, is_in_parts=True)


def test_threads_are_bounded() -> None:
    assert [threads_of(limit, 4) for limit in (None, 1, "7", 256)] == [4, 1, 7, 256]
    for limit in (0, "257", "many"):
        with pytest.raises(Refused, match="AsyncLimit"):
            threads_of(limit, 4)


def test_part_is_known_by_its_bytes(tmp_path: Path) -> None:
    data = os.urandom(100)
    (tmp_path / "file").write_bytes(data)
    piece = data[10:30]
    md5, crc64 = hashlib.md5(piece).hexdigest(), str(crc64_update(piece))
    read: list[int] = []
    with SliceFile(tmp_path / "file") as file:
        digest = file.digest(10, 20, with_md5=True, on_read=read.append)

    verdicts = [
        digest.is_of(StoredPart(1, 20, md5)),
        digest.is_of(StoredPart(1, 20, f'"{md5.upper()}"')),
        digest.is_of(StoredPart(1, 20, "encrypted", crc64)),
        digest.is_of(StoredPart(1, 20, md5, crc64)),
        digest.is_of(StoredPart(1, 21, md5)),
        digest.is_of(StoredPart(1, 20, "encrypted")),
        digest.is_of(StoredPart(1, 20, md5, "7")),
    ]

    assert verdicts == [True, True, True, True, False, False, False]
    assert read == [20]
