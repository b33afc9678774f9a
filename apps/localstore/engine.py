"""One data folder in use: the index, the blobs, and the promise that nobody else is in it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apps.localstore.blobs import READ_SIZE, BlobFolder
from apps.localstore.graveyard import Graveyard
from apps.localstore.index import Index, IndexUnusable
from apps.localstore.records import Segment, StoredObject
from apps.localstore.rows import blob_find, blobs_inline, object_find


class DataFolderError(Exception):
    """The data folder cannot be used; the text is one sentence for a person."""


@dataclass(frozen=True)
class Source:
    """Bytes that can be read: segments in order, and those blobs that the index holds itself."""

    segments: tuple[Segment, ...]
    inline: dict[str, bytes]


@dataclass(frozen=True)
class Opened:
    """An object together with what is needed to read it."""

    stored: StoredObject
    inline: dict[str, bytes]

    def source(self, start: int, size: int) -> Source:
        """Return `size` bytes from `start` on."""
        return Source(segments_cut(self.stored.content.segments, start, size), self.inline)


class Engine:
    """Storage without the protocol."""

    def __init__(self, data: Path) -> None:
        """Open or create a data folder and sweep what a crash left behind.

        Raises DataFolderError when the folder cannot be written, another
        process serves it, or its index is damaged or gone. Nothing is removed
        then: what an index does not name is only waste when the index is whole.
        """
        self._lock = folder_claim(data)
        try:
            self._open(data)
        except NotADirectoryError as error:
            os.close(self._lock)
            raise DataFolderError(
                f"{error.filename} does not belong into the data folder; move it away."
            ) from error
        except BaseException:
            os.close(self._lock)
            raise

    def _open(self, data: Path) -> None:
        path = data / "index.sqlite3"
        self.blobs = BlobFolder(data / "blobs")
        self.graveyard = Graveyard(self.blobs.unlink)
        if not (path.exists() and path.stat().st_size) and next(self.blobs.ids(), None) is not None:
            raise DataFolderError(
                f"The index {path} is missing, but there are objects beside it; put the index back from a"
                " copy, or choose another folder."
            )
        try:
            self.index = Index(path, self.graveyard.bury)
            self._sweep()
        except (IndexUnusable, sqlite3.DatabaseError) as error:
            raise DataFolderError(
                f"The index {path} cannot be used: {error}. Nothing was changed; put it back from a copy,"
                " or choose another folder."
            ) from error

    def close(self) -> None:
        """Close the index and let another process have the folder."""
        self.index.close()
        os.close(self._lock)

    def _sweep(self) -> None:
        """Unlink blob files that no row refers to: unfinished writes and interrupted deletes."""
        with self.index.read() as db:
            # All are looked up before the first goes: a damaged index must not cost a byte.
            orphans = [blob_id for blob_id in self.blobs.ids() if blob_find(db, blob_id) is None]
        for blob_id in orphans:
            self.blobs.unlink(blob_id)

    @contextmanager
    def opened(self, bucket: str, key: str) -> Iterator[Opened | None]:
        """Lend an object whose bytes stay readable until the block ends, whatever happens to its key."""
        with self.graveyard.reading():
            with self.index.read() as db:
                stored = object_find(db, bucket, key)
                inline = blobs_inline(db, stored.content.segments) if stored else {}
            yield Opened(stored, inline) if stored else None

    def pieces(self, source: Source) -> Iterator[bytes]:
        """Yield the bytes of a source in pieces of 1 MiB at most."""
        for segment in source.segments:
            data = source.inline.get(segment.blob)
            if data is not None:
                yield data[segment.offset : segment.offset + segment.size]
                continue
            descriptor = os.open(self.blobs.path(segment.blob), os.O_RDONLY)
            try:
                yield from _pieces(descriptor, segment)
            finally:
                os.close(descriptor)


def _pieces(descriptor: int, segment: Segment) -> Iterator[bytes]:
    position, end = segment.offset, segment.offset + segment.size
    while position < end:
        piece = os.pread(descriptor, min(READ_SIZE, end - position), position)
        if not piece:
            raise OSError(f"blob {segment.blob} is shorter than its record")
        yield piece
        position += len(piece)


def segments_cut(segments: tuple[Segment, ...], start: int, size: int) -> tuple[Segment, ...]:
    """Return the segments of a byte range that lies within the whole."""
    cut: list[Segment] = []
    position, end = 0, start + size
    for segment in segments:
        low, high = max(start, position), min(end, position + segment.size)
        if low < high:
            cut.append(Segment(segment.blob, segment.offset + low - position, high - low))
        position += segment.size
    return tuple(cut)


def folder_claim(data: Path) -> int:
    """Create the folder if needed and lock it. Raises DataFolderError."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DataFolderError(f"The data folder {data} cannot be written: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise DataFolderError(f"The data folder {data} is in use by another process.") from error
    return descriptor
