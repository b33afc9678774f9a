"""The SQLite index: durable commits that share one fsync, and a pool of readers.

Success of `write` means that the rows survive a crash (WAL, synchronous=FULL).
Writers that arrive while a commit runs are committed together by the next one,
so ten small PUTs at once cost two flushes of the disk, not ten.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from apps.localstore.errors import StoreError

T = TypeVar("T")

# Keys are BLOBs so that order is UTF-8 byte order; tables without rowid keep
# each listing page one walk along one B-tree. Segments come last in the row,
# so that a page of keys never touches their overflow pages.
SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets(
    name TEXT PRIMARY KEY, owner TEXT NOT NULL, region TEXT NOT NULL, created_ms INTEGER NOT NULL,
    acl TEXT NOT NULL, az TEXT NOT NULL, cors TEXT, tags TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects(
    bucket TEXT NOT NULL, key BLOB NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified_ms INTEGER NOT NULL, storage_class TEXT NOT NULL, owner TEXT NOT NULL,
    crc64 TEXT NOT NULL, fields TEXT NOT NULL, acl TEXT, segments TEXT NOT NULL,
    PRIMARY KEY(bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs(
    id TEXT PRIMARY KEY, refs INTEGER NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL,
    crc64 TEXT NOT NULL, data BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads(
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL, initiated_ms INTEGER NOT NULL,
    initiator TEXT NOT NULL, storage_class TEXT NOT NULL, owner TEXT NOT NULL,
    fields TEXT NOT NULL, acl TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads(bucket, key, id);
CREATE TABLE IF NOT EXISTS parts(
    upload TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified_ms INTEGER NOT NULL, crc64 TEXT NOT NULL, segments TEXT NOT NULL,
    PRIMARY KEY(upload, number)) WITHOUT ROWID;
"""
# Written into the file; a store that knows less than the file's number keeps its hands off it.
VERSION = 1
BATCH = 128


class IndexUnusable(Exception):
    """The file is no index, is damaged, or is newer than this code; the text says which."""


class Writer:
    """One piece of work inside a transaction. `dead` collects blobs that nothing refers to any more."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.dead: list[str] = []

    def run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute one statement."""
        return self._db.execute(sql, values)

    def many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Execute one statement for each row."""
        self._db.executemany(sql, rows)


@dataclass
class _Pending(Generic[T]):
    work: Callable[[Writer], T]
    done: bool = False
    result: T | None = None
    error: BaseException | None = None
    dead: list[str] = field(default_factory=list)


class Snapshot:
    """The rows of one past moment, for any number of threads in turn."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._lock = threading.RLock()
        db.execute("BEGIN")
        # The moment is that of the first statement, not that of BEGIN.
        db.execute("SELECT 1 FROM buckets LIMIT 1").fetchall()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection."""
        with self._lock:
            yield self._db

    def close(self) -> None:
        """Let go of the moment, so that the log behind it can be folded away."""
        self._db.close()


class Index:
    """The rows of one data folder.

    `on_dead` gets the ids of blobs once their death is committed, and raises
    nothing: who waits for a write takes an error to mean that nothing was written.
    """

    def __init__(self, path: Path, on_dead: Callable[[list[str]], None]) -> None:
        self._path = path
        self._on_dead = on_dead
        self._queue: deque[_Pending[Any]] = deque()
        self._leader = threading.Lock()
        self._here = threading.local()
        self._idle: deque[sqlite3.Connection] = deque()
        try:
            self._db = self._connect()
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise IndexUnusable(str(error)) from error

    def _prepare(self) -> None:
        """Create the tables that are not there yet. Raises IndexUnusable."""
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            self._db.close()
            raise IndexUnusable("it was written by a newer version")
        # One transaction: statement by statement, each would wait for the disk.
        self._db.executescript(f"BEGIN IMMEDIATE;{SCHEMA}PRAGMA user_version={VERSION};COMMIT;")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            # A list of a thousand folders takes two pages of the file for each: 8 MiB would not hold them.
            for setting in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16384"):
                db.execute(f"PRAGMA {setting}")
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close every connection; the WAL is folded into the file by the last one."""
        while self._idle:
            self._idle.pop().close()
        with self._leader:
            self._db.close()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection whose statements all see one moment."""
        past: Snapshot | None = getattr(self._here, "past", None)
        if past is not None:
            with past.read() as db:
                yield db
            return
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._connect()
        try:
            db.execute("BEGIN")
            yield db
        finally:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            self._idle.append(db)

    def snapshot(self) -> Snapshot:
        """Return the rows of this moment, to be closed by the caller."""
        return Snapshot(self._connect())

    @contextmanager
    def as_of(self, past: Snapshot | None) -> Iterator[None]:
        """Make each `read` of this thread see a past moment until the block ends."""
        self._here.past = past
        try:
            yield
        finally:
            self._here.past = None

    def write(self, work: Callable[[Writer], T]) -> T:
        """Run `work` in a transaction and return its result once it is on disk.

        Work must be quick and must not wait for a socket: others are committed
        with it. What it raises is rolled back alone and raised here.
        """
        pending: _Pending[T] = _Pending(work)
        self._queue.append(pending)
        with self._leader:
            while not pending.done:
                self._commit_waiting()
        if pending.error is not None:
            if getattr(pending.error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise StoreError("InternalError", "The disk of the store is full.") from pending.error
            raise pending.error
        if pending.dead:
            self._on_dead(pending.dead)
        return pending.result  # type: ignore[return-value]

    def _commit_waiting(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for pending in batch:
                self._perform(pending)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            for pending in batch:
                pending.error = pending.error or error
        for pending in batch:
            pending.done = True

    def _perform(self, pending: _Pending[Any]) -> None:
        writer = Writer(self._db)
        self._db.execute("SAVEPOINT one")
        try:
            pending.result = pending.work(writer)
            pending.dead = writer.dead
        except Exception as error:
            pending.error = error
            self._db.execute("ROLLBACK TO one")
        self._db.execute("RELEASE one")
