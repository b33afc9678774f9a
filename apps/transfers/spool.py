"""Slices on disk between the browser and the store. Knows files, no rows.

`SPOOL_DIR/<transfer id>/` exists as long as a transfer takes slices; removing it ends the transfer for every
receiver at once. A slice that is whole is called `<number>.<crc64 in hex>`; while it arrives it is a
`.partial` file, renamed when its last byte is there. A worker that sends a slice holds a lock on its file,
which the kernel releases if that worker is killed: nobody needs to guess who is still alive.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings

PARTIAL = ".partial"
PARTIAL_YOUNG_S = 2.0
# Nothing is written: NFS gives a lock for oneself alone only on what is open for writing (flock(2)).
LOCKABLE: Final = "r+b"
WHOLE = re.compile(r"([0-9]+)\.([0-9a-f]{16})")


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


def spool_close(transfer_id: int) -> None:
    """Refuse further slices of this transfer at once; those being sent keep their files. Safe to repeat."""
    directory = _directory(transfer_id)
    with suppress(FileNotFoundError):
        directory.rename(directory.with_name(f"{directory.name}.closed-{secrets.token_hex(4)}"))


def spool_is_busy(transfer_id: int) -> bool:
    """Return whether a worker still sends a slice of a transfer whose spool was closed."""
    files = Path(settings.SPOOL_DIR).glob(f"{transfer_id}.closed-*/*")
    return any(_is_locked(path) for path in files if not path.name.endswith(PARTIAL))


def spool_remove(transfer_id: int) -> None:
    """Refuse further slices of this transfer and free the disk. Safe to repeat."""
    # Renamed first: a slice that arrives in this moment must not keep the folder alive.
    spool_close(transfer_id)
    for closed in Path(settings.SPOOL_DIR).glob(f"{transfer_id}.closed-*"):
        shutil.rmtree(closed, ignore_errors=True)


def closed_crc64(transfer_id: int) -> str:
    """Return the CRC-64 of the first slice if it still waited when the spool was closed, else ''."""
    for path in Path(settings.SPOOL_DIR).glob(f"{transfer_id}.closed-*/1.*"):
        if match := WHOLE.fullmatch(path.name):
            return str(int(match[2], 16))
    return ""


def _is_locked(path: Path) -> bool:
    try:
        with open(path, LOCKABLE) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def slices_waiting(transfer_id: int) -> list[Slice]:
    """Return the whole slices that no worker has finished yet, by number."""
    try:
        names = os.listdir(_directory(transfer_id))
    except FileNotFoundError:
        return []
    # Other names turn up by themselves: a network file system keeps open files that were removed.
    found = (slice_of(transfer_id, name) for name in names)
    return sorted((item for item in found if item is not None), key=lambda item: item.number)


def slice_of(transfer_id: int, name: str) -> Slice | None:
    """Return the slice that a file's name describes, None for a file that is no whole slice."""
    match = WHOLE.fullmatch(name)
    if match is None:
        return None
    return Slice(number=int(match[1]), crc64=int(match[2], 16), path=_directory(transfer_id) / name)


def slice_find(transfer_id: int, number: int) -> Slice | None:
    """Return a waiting slice by its number, None when it was sent or never received."""
    for item in slices_waiting(transfer_id):
        if item.number == number:
            return item
    return None


def is_receiving(transfer_id: int) -> bool:
    """Return whether slices of a transfer wait to be sent, or arrive now, however slowly."""
    try:
        return backlog(transfer_id) > 0
    except SpoolClosed:
        return False


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
        # The lock tells a slice that arrives from one whose web process was killed.
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def write(self, view: memoryview) -> None:
        """Append to the slice; a disk that fills up may take a piece at a time before it refuses."""
        while view:
            view = view[self.file.write(view) :]

    def keep(self, crc64: int) -> Slice:
        """Link the file into place under its own name.

        The same slice sent twice leaves the first where it is, which may be on its way to the store just
        now; a slice that differs replaces its earlier self.
        """
        kept = Slice(self.number, crc64, _directory(self.transfer_id) / f"{self.number}.{crc64:016x}")
        try:
            kept.path.hardlink_to(self.path)
        except FileExistsError:
            pass
        except FileNotFoundError:
            self.file.close()
            raise SpoolClosed from None
        self.discard()
        for other in slices_waiting(self.transfer_id):
            if other.number == self.number and other.crc64 != crc64:
                other.path.unlink(missing_ok=True)
        return kept

    def discard(self) -> None:
        self.file.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def slice_hold(item: Slice) -> Iterator[BinaryIO | None]:
    """Open a slice for sending, or give None when another worker sends it or it is gone already."""
    try:
        file = open(item.path, LOCKABLE, buffering=0)  # noqa: SIM115 - closed below
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
        if _is_younger(item.path, min_age_s):
            return False
    except FileNotFoundError:
        return False
    with slice_hold(item) as file:
        return file is not None


def _is_younger(path: Path, seconds: float) -> bool:
    """Return whether a file was written less than `seconds` ago.

    One from the future was written before the clock was set back, and nobody knows how long before.
    """
    return 0 <= time.time() - path.stat().st_mtime < seconds


def spool_ids() -> set[int]:
    """Return the transfers that have a folder in the spool."""
    try:
        names = os.listdir(settings.SPOOL_DIR)
    except FileNotFoundError:
        return set()
    return {int(name) for name in names if name.isdigit()}


def closed_ids() -> set[int]:
    """Return the transfers whose spool was closed and is not removed yet."""
    return {
        int(path.name.split(".")[0])
        for path in Path(settings.SPOOL_DIR).glob("*.closed-*")
        if path.name.split(".")[0].isdigit()
    }


def partials_remove(transfer_id: int) -> None:
    """Remove what is left of slices whose web process was killed while they arrived."""
    for path in _directory(transfer_id).glob(f"*{PARTIAL}"):
        with suppress(FileNotFoundError):
            # Younger ones may be between their creation and their lock.
            if not _is_younger(path, PARTIAL_YOUNG_S) and not _is_locked(path):
                path.unlink()
