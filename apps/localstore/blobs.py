"""Immutable bytes on disk: written once, digested on the way, found by a random name.

Objects, parts and copies are lists of segments into these files, so Complete
and Copy move no bytes: they only count references. The price is that a blob
lives until its last segment is gone, even if that segment is one byte long.
A shared reference was chosen over reflinks because it costs the same on every
file system.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from apps.localstore.crc64 import crc64_update
from apps.localstore.records import Blob

logger = logging.getLogger(__name__)
# Bodies up to this size live in the index: one flush instead of three, and no file.
INLINE_LIMIT = 16 * 1024
READ_SIZE = 1024 * 1024


class BlobFolder:
    """The folder of blob files, fanned out over 256 subfolders that are made when first needed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(exist_ok=True)

    def path(self, blob_id: str) -> Path:
        """Return where a blob's bytes are."""
        return self._root / blob_id[:2] / blob_id

    def unlink(self, blob_id: str) -> None:
        """Remove a blob's file. Raises nothing: one that stays is an orphan for the next start to sweep."""
        _remove(self.path(blob_id))

    def ids(self) -> Iterator[str]:
        """Yield the names of all files that are here, complete or not."""
        with os.scandir(self._root) as folders:
            for folder in folders:
                with os.scandir(folder.path) as files:
                    yield from (entry.name for entry in files)

    def writer(self, *, sha1: bool = False, full: bool = False) -> BlobWriter:
        """Return a writer for one new blob; `full` makes it fail as a full disk does."""
        blob_id = secrets.token_hex(16)
        return BlobWriter(blob_id, self.path(blob_id), sha1=sha1, full=full)


class BlobWriter:
    """Takes bytes in order; MD5, CRC-64 and, if wanted, SHA-1 follow along in the same pass.

    The file has its final random name from the start: nothing refers to it
    before the index does, and a start after a crash sweeps what is unreferred.
    """

    def __init__(self, blob_id: str, path: Path, *, sha1: bool, full: bool) -> None:
        self.id = blob_id
        self.size = 0
        self._path = path
        self._full = full
        self._md5 = hashlib.md5()
        self._sha1 = hashlib.sha1() if sha1 else None
        self._crc: int | None = None
        self._small = bytearray()
        self._file: int | None = None

    def write(self, view: memoryview) -> None:
        """Append bytes. Raises OSError when the disk is full."""
        if self._full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._md5.update(view)
        self._crc = crc64_update(view, self._crc)
        if self._sha1 is not None:
            self._sha1.update(view)
        self.size += len(view)
        if self.size <= INLINE_LIMIT:
            self._small += view
            return
        self._append(view)

    @property
    def md5(self) -> str:
        """Return the MD5 in hex of what came so far."""
        return self._md5.hexdigest()

    def _append(self, view: memoryview) -> None:
        if self._file is None:
            self._file = _create(self._path)
            write_all(self._file, memoryview(bytes(self._small)))
            self._small.clear()
        write_all(self._file, view)

    @property
    def sha1(self) -> str:
        """Return the SHA-1 in hex, or an empty string when it was not asked for."""
        return self._sha1.hexdigest() if self._sha1 else ""

    def finish(self) -> Blob:
        """Return the blob once its bytes and its name are on disk."""
        data: bytes | None = bytes(self._small)
        if self._file is not None:
            data = None
            os.fsync(self._file)
            os.close(self._file)
            self._file = None
            folder_sync(self._path.parent)
        return Blob(self.id, self.size, self._md5.hexdigest(), self._crc or 0, data)

    def discard(self) -> None:
        """Remove what was written."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        _remove(self._path)


def _remove(path: Path) -> None:
    """Unlink a file that nothing refers to; whoever does so has an answer to give that must not suffer."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        logger.exception("The file of a blob could not be removed", extra={"blob": path.name})


def _create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(exist_ok=True)
        folder_sync(path.parent.parent)
        return os.open(path, flags, 0o600)


def write_all(descriptor: int, view: memoryview) -> None:
    """Write every byte; one call may take fewer than it is given."""
    done = os.write(descriptor, view)
    while done < len(view):
        done += os.write(descriptor, view[done:])


def folder_sync(folder: Path) -> None:
    """Make a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_digests(pieces: Iterator[bytes]) -> tuple[str, int]:
    """Return `(md5 hex, crc64)` of bytes read back from blobs."""
    md5, crc = hashlib.md5(), None
    for piece in pieces:
        md5.update(piece)
        crc = crc64_update(piece, crc)
    return md5.hexdigest(), crc or 0
