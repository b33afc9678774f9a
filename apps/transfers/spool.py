"""Slices on disk between the browser and the store. Knows files, no rows.

`SPOOL_DIR/<transfer id>/` exists as long as a transfer takes slices; removing it ends the transfer for every
receiver at once. A slice that is whole is called `<number>.<crc64 in hex>`; while it arrives it is a
`.partial` file, renamed when its last byte is there. A worker that sends a slice holds a lock on its file,
which the kernel releases if that worker is killed: nobody needs to guess who is still alive.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

PARTIAL = ".partial"


class SpoolClosed(Exception):
    """The transfer takes no slices: it has ended, or was never begun."""


@dataclass(frozen=True)
class Slice:
    """A whole slice that waits for a worker."""

    number: int
    crc64: int
    path: Path


def _directory(transfer_id: int) -> Path:
    return Path(settings.SPOOL_DIR) / str(transfer_id)


def spool_open(transfer_id: int) -> None:
    """Let slices of this transfer in."""
    _directory(transfer_id).mkdir(parents=True, exist_ok=True)


def spool_remove(transfer_id: int) -> None:
    """Refuse further slices of this transfer and free the disk. Safe to repeat."""
    directory = _directory(transfer_id)
    # Renamed first: a slice that arrives in this moment must not keep the folder alive.
    doomed = directory.with_name(f"{directory.name}.removed-{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        directory.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def slices_waiting(transfer_id: int) -> list[Slice]:
    """Return the whole slices that no worker has finished yet, by number."""
    try:
        names = os.listdir(_directory(transfer_id))
    except FileNotFoundError:
        return []
    found = [slice_of(transfer_id, name) for name in names if not name.endswith(PARTIAL)]
    return sorted(found, key=lambda item: item.number)


def slice_of(transfer_id: int, name: str) -> Slice:
    number, crc = name.split(".")
    return Slice(number=int(number), crc64=int(crc, 16), path=_directory(transfer_id) / name)


def slice_find(transfer_id: int, number: int) -> Slice | None:
    """Return a waiting slice by its number, None when it was sent or never received."""
    for item in slices_waiting(transfer_id):
        if item.number == number:
            return item
    return None


def backlog(transfer_id: int) -> int:
    """Return how many slices of a transfer are on disk, arriving ones included; raises SpoolClosed."""
    try:
        return len(os.listdir(_directory(transfer_id)))
    except FileNotFoundError:
        raise SpoolClosed from None


def has_room(length: int) -> bool:
    """Return whether the disk keeps its reserve when `length` more bytes arrive."""
    root = Path(settings.SPOOL_DIR)
    root.mkdir(parents=True, exist_ok=True)
    disk = os.statvfs(root)
    return disk.f_bavail * disk.f_frsize - length >= settings.SPOOL_FREE_BYTES


class Draft:
    """A slice that arrives: an open file that becomes a slice when `keep` is called, or nothing."""

    def __init__(self, transfer_id: int, number: int) -> None:
        self.transfer_id = transfer_id
        self.number = number
        self.path = _directory(transfer_id) / f"{number}.{secrets.token_hex(8)}{PARTIAL}"
        try:
            self.file: BinaryIO = open(self.path, "wb", buffering=0)  # noqa: SIM115 - closed by keep or discard
        except FileNotFoundError:
            raise SpoolClosed from None

    def write(self, view: memoryview) -> None:
        """Append to the slice; a disk that fills up may take a piece at a time before it refuses."""
        while view:
            view = view[self.file.write(view) :]

    def keep(self, crc64: int) -> Slice:
        """Rename the file into place. A slice that was sent twice replaces its earlier self."""
        self.file.close()
        kept = slice_of(self.transfer_id, f"{self.number}.{crc64:016x}")
        try:
            self.path.rename(kept.path)
        except FileNotFoundError:
            raise SpoolClosed from None
        for other in slices_waiting(self.transfer_id):
            if other.number == self.number and other.path != kept.path:
                other.path.unlink(missing_ok=True)
        return kept

    def discard(self) -> None:
        self.file.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def slice_hold(item: Slice) -> Iterator[BinaryIO | None]:
    """Open a slice for sending, or give None when another worker sends it or it is gone already."""
    try:
        file = open(item.path, "rb", buffering=0)  # noqa: SIM115 - closed below
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # The file may have been finished and removed between the open and the lock.
        yield file if item.path.exists() else None


def slice_done(item: Slice) -> None:
    """Remove a slice that the store has confirmed."""
    item.path.unlink(missing_ok=True)


def slice_is_idle(item: Slice, *, min_age_s: float) -> bool:
    """Return whether a slice has lain here for `min_age_s` and nobody sends it."""
    try:
        if time.time() - item.path.stat().st_mtime < min_age_s:
            return False
    except FileNotFoundError:
        return False
    with slice_hold(item) as file:
        return file is not None


def spool_ids() -> set[int]:
    """Return the transfers that have a folder in the spool."""
    try:
        names = os.listdir(settings.SPOOL_DIR)
    except FileNotFoundError:
        return set()
    return {int(name) for name in names if name.isdigit()}


def spool_clean() -> None:
    """Finish removals that were cut off half-way."""
    for path in Path(settings.SPOOL_DIR).glob("*.removed-*"):
        shutil.rmtree(path, ignore_errors=True)


def partials_remove(transfer_id: int, *, older_than_s: float) -> None:
    """Remove what is left of slices whose connection or web process died while they arrived."""
    with suppress(FileNotFoundError):
        for path in _directory(transfer_id).glob(f"*{PARTIAL}"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > older_than_s:
                    path.unlink()
