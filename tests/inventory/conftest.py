from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing

import pytest

from apps.accounts.models import Person
from apps.connections.models import Connection
from apps.inventory.models import Walk
from apps.inventory.services import walk_start
from apps.inventory.walking import walk_batch
from apps.localstore.server import LocalStore
from tests.conftest import ACCOUNT, REGION

Rows = Iterable[tuple[str, int]]


@pytest.fixture
def fill(local_store: LocalStore, bucket: str) -> Callable[..., None]:
    """A function that lays keys with sizes straight into the store's index, as many as it takes."""
    columns = "bucket, key, size, etag, modified_ms, storage_class, owner, crc64, fields, segments"

    def lay(rows: Rows, *, storage_class: str = "STANDARD", modified_ms: int = 1_700_000_000_000) -> None:
        fixed = ("0" * 32, modified_ms, storage_class, ACCOUNT.root_uin, "0", "[]", "[]")
        db = sqlite3.connect(local_store._data / "index.sqlite3", timeout=30)
        with closing(db), db:
            values = ((bucket, key.encode(), size, *fixed) for key, size in rows)
            db.executemany(f"INSERT INTO objects({columns}) VALUES(?,?,?,?,?,?,?,?,?,?)", values)

    return lay


@pytest.fixture
def begin(owner: Person, connection: Connection, bucket: str) -> Callable[..., Walk]:
    def start(prefix: str = "") -> Walk:
        walk, _is_new = walk_start(
            owner=owner, connection=connection, bucket=bucket, region=REGION, prefix=prefix
        )
        return walk

    return start


@pytest.fixture
def counted(begin: Callable[..., Walk]) -> Callable[..., Walk]:
    """A function that walks the fresh bucket to the end."""

    def count(prefix: str = "") -> Walk:
        walk = begin(prefix)
        assert walk_batch(walk_id=walk.pk) is True
        walk.refresh_from_db()
        return walk

    return count
