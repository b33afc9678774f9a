"""A store of each test's own process, with an owner, another root, and a user below the owner."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from apps.localstore import Account, LocalStore
from tests.localstore.wire import Wire

OWNER = Account(secret_id="AKIDOWNER", secret_key="owner-key")
OTHER = Account(root_uin="100000000002", appid="1250000002", secret_id="AKIDOTHER", secret_key="other-key")
USER = Account(secret_id="AKIDUSER", secret_key="user-key", sub_uin="100000000099")
TEMPORARY = Account(secret_id="AKIDTEMP", secret_key="temp-key", token="TOK/EN+=")
ACCOUNTS = (OWNER, OTHER, USER, TEMPORARY)
CONTROL = "control-token"

Connect = Callable[..., Wire]


@pytest.fixture(scope="session")
def shared_store() -> Iterator[LocalStore]:
    """One store per process, in memory where that is possible: only durability needs a disk."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as data:
        store = LocalStore(data=Path(data), accounts=ACCOUNTS, control_token=CONTROL)
        store.start()
        yield store
        store.stop()


@pytest.fixture
def store(shared_store: LocalStore) -> Iterator[LocalStore]:
    shared_store.faults.clear()
    yield shared_store
    shared_store.faults.clear()


NUMBERS = itertools.count(1)


@pytest.fixture
def connect(store: LocalStore, bucket: str) -> Iterator[Connect]:
    opened: list[Wire] = []

    def open_one(account: Account | None = OWNER, to: str | None = None, **options: str) -> Wire:
        wire = Wire(store.port, account, bucket if to is None else to, **options)
        opened.append(wire)
        return wire

    yield open_one
    for wire in opened:
        wire.close()


@pytest.fixture
def bucket(store: LocalStore) -> Iterator[str]:
    """A new bucket, emptied and deleted afterwards so that the account's limit is never near."""
    name = f"b{next(NUMBERS)}-1250000000"
    with Wire(store.port, OWNER, name) as wire:
        assert wire.call("PUT", "/").status == 200
    yield name
    store.faults.clear()
    with Wire(store.port, OWNER, name) as wire:
        empty(wire)
        wire.call("DELETE", "/")


def empty(wire: Wire) -> None:
    for upload in wire.call("GET", "/?uploads&encoding-type=url").xml.iter("Upload"):
        target = f"/{upload.findtext('Key')}?uploadId={upload.findtext('UploadId')}"
        wire.call("DELETE", target)
    for row in wire.call("GET", "/?encoding-type=url").xml.iter("Contents"):
        wire.call("DELETE", f"/{row.findtext('Key')}")


@pytest.fixture
def wire(connect: Connect) -> Wire:
    """The owner's connection to the test's bucket."""
    return connect()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"
