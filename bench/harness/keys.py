"""A bucket with very many keys, and how long pages of it take over HTTP."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from harness.servers import Store

SMALL_FOLDERS = 200
FOLDERS = 1000
# What a page of a thousand rows shows, by the prefix of its folder.
SHAPES = {"objects": "flat/", "folders": "folders/"}
COLUMNS = "bucket, key, size, etag, modified_ms, storage_class, owner, crc64, fields, acl, segments"


def _rows(bucket: str, keys: int) -> Iterator[tuple[object, ...]]:
    """Yield one folder with nearly all keys between small ones, in the order of the index."""
    for folder in range(SMALL_FOLDERS):
        for number in range(keys if folder == SMALL_FOLDERS // 2 else 3):
            key = f"folder-{folder:04}/{number:08}.bin".encode()
            yield (bucket, key, 1, "0" * 32, 0, "STANDARD", "100000000001", "0", "[]", None, "[]")


def keys_insert(store: Store, folder: Path, keys: int) -> float:
    """Put rows into the stopped store's index and return the seconds; one by one would take an hour."""
    return _insert(folder, _rows(store.spec["bucket"], keys))


def shapes_insert(folder: Path, bucket: str, keys: int) -> float:
    """Fill a bucket of the stopped store with `keys` twice: in one folder, and in a thousand."""
    return _insert(folder, _shaped_rows(bucket, keys))


def _shaped_rows(bucket: str, keys: int) -> Iterator[tuple[object, ...]]:
    for number in range(keys):
        yield _row(bucket, f"flat/report-{number:08}.pdf", number)
    each = max(1, keys // FOLDERS)
    for folder in range(FOLDERS):
        for number in range(each):
            yield _row(bucket, f"folders/year-{folder:04}/report-{number:05}.pdf", number)


def _row(bucket: str, key: str, number: int) -> tuple[object, ...]:
    """Return a row of its own size, ETag and moment: no page may be cheap because its rows are alike."""
    size, etag = number * 7919 % 100_000_007, f"{number * 0x9E3779B97F4A7C15 % (1 << 128):032x}"
    modified_ms = 1_700_000_000_000 + number * 61_001
    return (bucket, key.encode(), size, etag, modified_ms, "STANDARD", "100000000001", "0", "[]", None, "[]")


def _insert(folder: Path, rows: Iterator[tuple[object, ...]]) -> float:
    begun = time.perf_counter()
    db = sqlite3.connect(folder / "store" / "index.sqlite3")
    with db:
        marks = ",".join("?" * 11)
        db.executemany(f"INSERT INTO objects({COLUMNS}) VALUES({marks})", rows)
    db.close()
    return time.perf_counter() - begun


def _middle(keys: int) -> str:
    return f"folder-{SMALL_FOLDERS // 2:04}/{keys // 2:08}.bin"


def pages_of(keys: int) -> dict[str, dict[str, str]]:
    """Return the pages that are measured, by what they show: the parameters of each."""
    large = f"folder-{SMALL_FOLDERS // 2:04}/"
    return {
        "first page": {},
        "page in the middle": {"marker": _middle(keys)},
        "all folders": {"delimiter": "/"},
        "the large folder": {"delimiter": "/", "prefix": large},
        "folders after the large one": {"delimiter": "/", "marker": large},
    }


def page_seconds(store: Store, parameters: dict[str, str]) -> float:
    """Return how long one page takes, signing left out."""
    signed = store.sdk().get_auth(Method="GET", Bucket=store.spec["bucket"], Key="/")
    target = f"/?{urlencode(parameters | {'encoding-type': 'url', 'max-keys': '500'})}"
    line = HTTPConnection("127.0.0.1", store.port, timeout=60)
    try:
        begun = time.perf_counter()
        line.request("GET", target, headers={"Host": store.host, "Authorization": signed})
        answer = line.getresponse()
        answer.read()
        took = time.perf_counter() - begun
    finally:
        line.close()
    if answer.status != 200:
        raise AssertionError(f"a list was answered with {answer.status}")
    return took
