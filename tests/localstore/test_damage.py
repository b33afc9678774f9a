"""A data folder that is damaged: one sentence, and not a byte of it is touched."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.localstore import LocalStore
from apps.localstore.engine import DataFolderError, folder_claim
from apps.localstore.serve import ServeError, ServeOptions, store_start
from tests.localstore.conftest import OWNER
from tests.localstore.wire import Wire


@pytest.fixture
def filled(folder: Path) -> Path:
    """A folder with an object that has a file of its own."""
    store = LocalStore(data=folder, accounts=[OWNER])
    store.start()
    with Wire(store.port, OWNER) as wire:
        wire.call("PUT", "/")
        wire.call("PUT", "/k", bytes(100_000))
    store.stop()
    return folder


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return every file; SQLite's own memory of who reads is none of ours."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files if not path.name.endswith(("-shm", "-wal"))}


def index_of(folder: Path) -> Path:
    return folder / "index.sqlite3"


def newer(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()


UNUSABLE, MISSING = "cannot be used", "is missing, but there are objects beside it"
DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (lambda path: path.write_bytes(b"garbage" * 1000), UNUSABLE),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:5000]), UNUSABLE),
    "overwritten": (lambda path: path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 40_960), UNUSABLE),
    "gone": (lambda path: path.unlink(), MISSING),
    "emptied": (lambda path: path.write_bytes(b""), MISSING),
    "newer": (newer, "written by a newer version"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_index_is_one_sentence_and_costs_nothing(filled: Path, damage: str) -> None:
    do, sentence = DAMAGES[damage]
    do(index_of(filled))
    before = snapshot(filled)

    for _ in range(2):
        with pytest.raises(DataFolderError, match=sentence):
            LocalStore(data=filled, accounts=[OWNER]).start()

    assert snapshot(filled) == before
    assert any("blobs" in name for name in before)


def test_index_put_back_serves_again(filled: Path) -> None:
    copy = index_of(filled).read_bytes()
    index_of(filled).unlink()
    store = LocalStore(data=filled, accounts=[OWNER])
    with pytest.raises(DataFolderError):
        store.start()

    index_of(filled).write_bytes(copy)
    store.start()

    with Wire(store.port, OWNER) as wire:
        assert wire.call("GET", "/k").body == bytes(100_000)
    store.stop()


def test_command_says_the_sentence(filled: Path) -> None:
    index_of(filled).write_bytes(b"garbage" * 1000)

    with pytest.raises(CommandError, match="cannot be used: file is not a database"):
        call_command("localstore", "--port", "0", "--data", str(filled))


def test_lost_bytes_are_an_error_and_not_other_bytes(filled: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = next(path for path in (filled / "blobs").rglob("*") if path.is_file())
    file.unlink()
    store = LocalStore(data=filled, accounts=[OWNER])
    store.start()

    with Wire(store.port, OWNER) as wire, pytest.raises(ConnectionError):
        wire.call("GET", "/k")

    with Wire(store.port, OWNER) as wire:
        assert wire.call("GET", "/missing").status == 404
    store.stop()
    assert "The bytes of an object are gone" in caplog.text


def test_old_content_that_cannot_be_removed_does_not_cost_the_new_one(filled: Path) -> None:
    (stuck,) = (path for path in (filled / "blobs").rglob("*") if path.is_file())
    stuck.unlink()
    stuck.mkdir()
    store = LocalStore(data=filled, accounts=[OWNER])
    store.start()

    with Wire(store.port, OWNER) as wire:
        overwritten = wire.call("PUT", "/k", b"n" * 100_000)
        found = wire.call("GET", "/k")
        deleted = wire.call("DELETE", "/k")
    store.stop()

    assert (overwritten.status, found.status, deleted.status) == (200, 200, 204)
    assert found.body == b"n" * 100_000


def test_orphan_that_cannot_be_removed_does_not_keep_the_store_from_starting(filled: Path) -> None:
    stuck = filled / "blobs" / "aa" / ("a" * 32)
    stuck.mkdir(parents=True)

    store = LocalStore(data=filled, accounts=[OWNER])
    store.start()
    with Wire(store.port, OWNER) as wire:
        found = wire.call("GET", "/k")
    store.stop()

    assert found.body == bytes(100_000)


def test_full_disk_is_named_where_the_index_needs_room(filled: Path) -> None:
    store = LocalStore(data=filled, accounts=[OWNER])
    store.start()
    assert store._engine is not None
    store._engine.index._db.execute("PRAGMA max_page_count=1")

    with Wire(store.port, OWNER) as wire:
        replies = [wire.call("PUT", f"/small{number}", bytes(10_000)) for number in range(10)]
        found = wire.call("GET", "/k")
    store.stop()

    assert replies[-1].xml.findtext("Message") == "The disk of the store is full."
    assert found.status == 200


def test_stray_file_is_named(filled: Path) -> None:
    stray = filled / "blobs" / ".DS_Store"
    stray.write_bytes(b"x")

    with pytest.raises(DataFolderError, match=r"\.DS_Store does not belong"):
        LocalStore(data=filled, accounts=[OWNER]).start()

    assert stray.read_bytes() == b"x"


def test_first_start_in_a_claimed_folder_saves_no_account(folder: Path) -> None:
    claim = folder_claim(folder)
    try:
        with pytest.raises(ServeError, match="in use by another process"):
            store_start(ServeOptions(folder, port=0), print)
    finally:
        os.close(claim)

    assert not (folder / "accounts.json").exists()
