"""A page with a delimiter is what folding every key one by one would give, however the index is walked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.localstore.index import Index, Writer
from apps.localstore.listing import Page, common_prefix, page_read
from tests.examples import examples

BUCKET = "photos-1250000000"
LETTERS = st.sampled_from([b"a", b"b", b"/", b"//", b"0", b"\x00", b"\xff", "é".encode(), "ê".encode()])
NAMES = st.lists(LETTERS, min_size=1, max_size=6).map(b"".join)
# Of one byte, of two, and the last of all bytes, which nothing comes after.
DELIMITERS = st.sampled_from([b"", b"/", b"\x00", b"\xff", "é".encode()])
BITS = st.lists(LETTERS, max_size=3).map(b"".join)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder: Path = tmp_path_factory.mktemp("folding")
    index = Index(folder / "index.sqlite3", lambda _dead: None)
    yield index
    index.close()


def fill(tx: Writer, keys: set[bytes]) -> None:
    tx.run("DELETE FROM objects")
    rows = [(BUCKET, key, 1, "e", 0, "STANDARD", "o", "0", "[]", None, "[]") for key in keys]
    neighbors = [("photos", *row[1:]) for row in rows] + [("photos-2", *row[1:]) for row in rows]
    tx.many("INSERT INTO objects VALUES(?,?,?,?,?,?,?,?,?,?,?)", rows + neighbors)


def lines_of(keys: set[bytes], prefix: bytes, delimiter: bytes, marker: bytes) -> list[tuple[bytes, bool]]:
    """Return the lines of the list from the marker on: names, each with whether it is a common prefix."""
    lines = []
    for key in sorted(keys):
        folded = common_prefix(key, prefix, delimiter)
        if key.startswith(prefix) and key > marker and folded != marker:
            lines.append((key if folded is None else folded, folded is not None))
    return list(dict.fromkeys(lines))


def lines_on(page: Page) -> list[tuple[bytes, bool]]:
    return sorted([(row[0], False) for row in page.rows] + [(name, True) for name in page.prefixes])


def read(db: sqlite3.Connection, limit: int, prefix: bytes, delimiter: bytes, marker: bytes) -> Page:
    return page_read(db, BUCKET, prefix=prefix, delimiter=delimiter, marker=marker, limit=limit)


@examples(200)
@given(
    keys=st.sets(NAMES, max_size=40), prefix=BITS, delimiter=DELIMITERS, marker=BITS, limit=st.integers(1, 12)
)
@example(keys={b"a/1", b"a/2", b"b/1", b"b/2", b"c"}, prefix=b"", delimiter=b"/", marker=b"", limit=2)
@example(keys={b"a/1", b"a/2", b"b/1", b"b/2"}, prefix=b"", delimiter=b"/", marker=b"", limit=2)
@example(keys={b"a/1", b"a/2", b"b\x00/1", b"c/1"}, prefix=b"", delimiter=b"/", marker=b"a/1", limit=9)
@example(keys={b"p/a/1", b"p/a/2", b"p/b/1", b"q/1"}, prefix=b"p/", delimiter=b"/", marker=b"", limit=9)
def test_page_is_that_of_every_key(
    index: Index, keys: set[bytes], prefix: bytes, delimiter: bytes, marker: bytes, limit: int
) -> None:
    index.write(lambda tx: fill(tx, keys))
    # A marker before the prefix is where the prefix begins.
    expected = lines_of(keys, prefix, delimiter, marker)

    with index.read() as db:
        page = read(db, limit, prefix, delimiter, marker)

    assert lines_on(page) == expected[:limit]
    assert page.truncated == (len(expected) > limit)
    assert page.marker == (expected[:limit][-1][0] if expected else b"")
