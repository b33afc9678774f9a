"""A temporary folder with a file of random bytes, and servers that are stopped whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol, TypeVar

import psutil
from fastcrc import crc64

UNIT = 4 << 20


class Stoppable(Protocol):
    def stop(self) -> None: ...


ServerT = TypeVar("ServerT", bound=Stoppable)


class Workspace:
    """Everything that a benchmark leaves on disk or runs; `workspace` clears it up."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack

    def keep(self, server: ServerT) -> ServerT:
        """Stop `server` at the end."""
        self._stack.callback(server.stop)
        return server

    def random_file(self, size: int, *, name: str = "random.bin") -> tuple[Path, int]:
        """Write random bytes, which no layer can shorten, and return the file with its CRC-64."""
        path, crc, left = self.folder / name, 0, size
        with path.open("wb", buffering=0) as file:
            while left:
                data = os.urandom(min(UNIT, left))
                file.write(data)
                crc = crc64.xz(data, crc)
                left -= len(data)
            os.fsync(file.fileno())
        return path, crc


def quiet_folder(needed: int) -> Path | None:
    """Return a folder in memory when there is room for `needed` bytes, else None, the usual temporary folder.

    The disk of a shared machine is the noisiest part of it, and it is not what is measured.
    """
    memory = Path("/dev/shm")
    if memory.is_dir() and min(shutil.disk_usage(memory).free, psutil.virtual_memory().available) > needed:
        return memory
    return None


@contextmanager
def workspace(parent: Path | None) -> Iterator[Workspace]:
    """Give a workspace below `parent`, and remove it at the end, on Ctrl-C and on SIGTERM, too."""
    signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="console-bench-", dir=parent))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield Workspace(folder, stack)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
