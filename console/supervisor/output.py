"""Where the lines of all parts go: to the terminal with a prefix, and to one file per part."""

from __future__ import annotations

import errno
import logging
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

LOG_BYTES = 5 * 1024 * 1024
LOG_COPIES = 3
# A "line" without an end must not fill the memory.
LONGEST_LINE = 64 * 1024
PREFIX_WIDTH = 8
FULL = (errno.ENOSPC, errno.EDQUOT)
COLORS = (36, 33, 32, 35, 34, 96, 93, 92)


class Terminal:
    """The terminal of the supervisor. One that went away (a closed pipe) silences it and ends nothing."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colorful = self._stream.isatty()
        self._is_gone = False
        self._color_of: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """Print one line of a part."""
        prefix = f"{name:<{PREFIX_WIDTH}}| "
        if self._colorful:
            color = self._color_of.setdefault(name, COLORS[len(self._color_of) % len(COLORS)])
            prefix = f"\033[{color}m{prefix}\033[0m"
        self.say(prefix + text)

    def say(self, text: str) -> None:
        """Print a sentence of the supervisor's own."""
        if self._is_gone:
            return
        try:
            print(text, file=self._stream, flush=True)
        except OSError as error:
            # Into a file on a full disk: a later line may find room again.
            self._is_gone = error.errno not in FULL


class LogFile(RotatingFileHandler):
    """A file that rotates by size. What a full disk does not take is lost, and nothing else."""

    def handleError(self, record: logging.LogRecord) -> None:
        # A traceback for each line would fill whatever the terminal writes to as well.
        pass

    def close(self) -> None:
        # Tries to write once more what it could not write before.
        with suppress(OSError):
            super().close()


class PartLog:
    """The lines of one part: shown, kept in a file that rotates by size, and the last few remembered."""

    def __init__(self, name: str, *, folder: Path, terminal: Terminal) -> None:
        self.name = name
        self.path = folder / f"{name}.log"
        self._terminal = terminal
        self._file = LogFile(
            self.path, maxBytes=LOG_BYTES, backupCount=LOG_COPIES, encoding="utf-8", delay=True
        )
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what a part wrote; whole lines leave at once."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self.line(line.decode("utf-8", "replace").rstrip("\r"))

    def line(self, text: str) -> None:
        self._terminal.line(self.name, text)
        self._file.emit(logging.makeLogRecord({"msg": text}))

    def close(self) -> None:
        """Write the last line, which a part that was killed did not end."""
        if self._rest:
            self.feed(b"\n")
        self._file.close()

    def tail(self, count: int = 12) -> str:
        """Return the last lines of the file, for the sentence that says why a part did not start."""
        try:
            lines = self.path.read_text("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return "\n".join(f"    {line}" for line in lines[-count:])
