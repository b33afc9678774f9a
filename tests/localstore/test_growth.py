"""Work for a page that depends on the page and not on the bucket, counted in steps of SQLite's machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apps.localstore.engine import Engine
from apps.localstore.index import Writer
from apps.localstore.listing import page_read
from apps.localstore.rows import bucket_is_empty, object_find
from apps.localstore.upload_listing import upload_page_read
from apps.localstore.upload_rows import parts_of, upload_find

SMALL, LARGE = 1_000, 50_000
GRAIN = 20


def keys_of(size: int) -> list[bytes]:
    """One folder of `size` keys between two small ones, and `size` folders below another."""
    named = [f"a/{n}" for n in range(5)] + [f"b/{n:07}" for n in range(size)] + [f"c/{n}" for n in range(5)]
    return [name.encode() for name in named] + [f"d/{n:07}/x".encode() for n in range(size)]


def seed(tx: Writer, bucket: str, size: int) -> None:
    keys = keys_of(size)
    objects = [(bucket, key, 1, "e", 0, "STANDARD", "o", "0", "[]", None, "[]") for key in keys]
    tx.many("INSERT INTO objects VALUES(?,?,?,?,?,?,?,?,?,?,?)", objects)
    ids = [f"{bucket}{n:08x}" for n in range(len(keys))]
    uploads = [
        (i, bucket, key, 0, "o", "STANDARD", "o", "[]", None) for i, key in zip(ids, keys, strict=True)
    ]
    tx.many("INSERT INTO uploads VALUES(?,?,?,?,?,?,?,?,?)", uploads)
    repeated = [
        (f"{bucket}r{n:07x}", bucket, b"again", 0, "o", "STANDARD", "o", "[]", None) for n in range(size)
    ]
    tx.many("INSERT INTO uploads VALUES(?,?,?,?,?,?,?,?,?)", repeated)
    parts = [(ids[0], n, 1, "e", 0, "0", "[]") for n in range(1, size // 5)]
    tx.many("INSERT INTO parts VALUES(?,?,?,?,?,?,?)", parts)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    folder: Path = tmp_path_factory.mktemp("growth")
    engine = Engine(folder)
    for size in (SMALL, LARGE):
        engine.index.write(lambda tx, size=size: seed(tx, str(size), size))
    with engine.index.read() as db:
        yield db
    engine.close()


def steps(db: sqlite3.Connection, work: Callable[[], object]) -> int:
    """Return how many steps SQLite's machine takes, to the nearest `GRAIN`."""
    count = 0

    def one() -> int:
        nonlocal count
        count += GRAIN
        return 0

    db.set_progress_handler(one, GRAIN)
    try:
        work()
    finally:
        db.set_progress_handler(None, 0)
    return count


def objects(db: sqlite3.Connection, size: int, **options: bytes) -> list[bytes]:
    wanted = {"prefix": b"", "delimiter": b"", "marker": b""} | options
    page = page_read(db, str(size), limit=100, **wanted)
    return [row[0] for row in page.rows] + page.prefixes


def uploads(
    db: sqlite3.Connection, size: int, markers: tuple[bytes, str] = (b"", ""), **options: bytes
) -> list[bytes]:
    wanted = {"prefix": b"", "delimiter": b""} | options
    page = upload_page_read(db, str(size), limit=100, markers=markers, **wanted)
    return [upload.key.encode() for upload in page.uploads] + page.prefixes


def middle(size: int) -> bytes:
    return f"b/{size // 2:07}".encode()


READS: dict[str, tuple[Callable[[sqlite3.Connection, int], object], object]] = {
    "first page": (lambda db, n: len(objects(db, n)), 100),
    "deep page": (lambda db, n: len(objects(db, n, marker=middle(n))), 100),
    "folders": (lambda db, n: objects(db, n, delimiter=b"/"), [b"a/", b"b/", b"c/", b"d/"]),
    "folders after a large one": (
        lambda db, n: objects(db, n, delimiter=b"/", marker=b"b/"),
        [b"c/", b"d/"],
    ),
    "folders from within a large one": (
        lambda db, n: objects(db, n, delimiter=b"/", marker=middle(n)),
        [b"b/", b"c/", b"d/"],
    ),
    "page of a folder": (lambda db, n: len(objects(db, n, prefix=b"b/", delimiter=b"/")), 100),
    "page of many folders": (lambda db, n: len(objects(db, n, prefix=b"d/", delimiter=b"/")), 100),
    "one object": (lambda db, n: object_find(db, str(n), middle(n).decode()) is not None, True),
    "uploads": (lambda db, n: len(uploads(db, n)), 100),
    "uploads of one key": (lambda db, n: len(uploads(db, n, markers=(b"again", f"{n}r{n // 2:07x}"))), 100),
    "uploads behind that key": (lambda db, n: uploads(db, n, markers=(b"again", ""))[0], b"b/0000000"),
    "uploads in folders": (
        lambda db, n: uploads(db, n, delimiter=b"/", prefix=b"", markers=(b"b/", "")),
        [b"c/", b"d/"],
    ),
    "uploads in many folders": (lambda db, n: len(uploads(db, n, prefix=b"d/", delimiter=b"/")), 100),
    "one upload": (lambda db, n: upload_find(db, str(n), "a/0", f"{n}00000000") is not None, True),
    "parts": (lambda db, n: len(list(parts_of(db, f"{n}00000000", after=n // 10, limit=50))), 50),
}


@pytest.mark.parametrize("what", READS)
def test_work_does_not_grow(index: sqlite3.Connection, what: str) -> None:
    read, expected = READS[what]
    taken = {}

    for size in (SMALL, LARGE):
        found: list[object] = []
        taken[size] = steps(index, lambda size=size, found=found: found.append(read(index, size)))
        assert found == [expected]

    assert taken[LARGE] <= taken[SMALL] + 4 * GRAIN
    assert taken[LARGE] < 20_000


def test_full_bucket_is_seen_to_be_full_at_once(index: sqlite3.Connection) -> None:
    writer = Writer(index)

    taken = [steps(index, lambda size=size: bucket_is_empty(writer, str(size))) for size in (SMALL, LARGE)]

    assert max(taken) <= 2 * GRAIN
