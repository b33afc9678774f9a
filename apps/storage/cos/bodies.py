"""What a request may carry: bytes, or a range of a file that is streamed and can be sent again."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

from apps.storage.cos.arguments import path_argument
from apps.storage.errors import Refused
from apps.storage.types import FileSlice

_READ_SIZE = 1 << 20
_BUFFERED = (io.BufferedReader, io.BufferedRandom)
_NAMED = tempfile._TemporaryFileWrapper

BodySource = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO | FileSlice


class Body(Protocol):
    """A body of known length that can be read from any position, any number of times."""

    length: int
    fd: int | None
    offset: int

    def read_at(self, position: int, count: int) -> bytes: ...


class BytesBody:
    """A body that is in memory already."""

    def __init__(self, data: bytes) -> None:
        self.fd: int | None = None
        self.offset = 0
        self.length = len(data)
        self._data = data

    def read_at(self, position: int, count: int) -> bytes:
        """Return up to `count` bytes from `position`."""
        return self._data[position : position + count]


class FileBody:
    """A range of an open file. `fd` is None for objects that only look like files."""

    def __init__(self, part: FileSlice) -> None:
        self.length = part.length
        self.offset = part.offset
        self.fd = _descriptor(part.file)
        self._file = part.file

    def read_at(self, position: int, count: int) -> bytes:
        """Return up to `count` bytes from `position` within the range, empty when the file is too short."""
        count = min(count, self.length - position)
        if self.fd is not None:
            return os.pread(self.fd, count, self.offset + position)
        self._file.seek(self.offset + position)
        return self._file.read(count)


@contextmanager
def body_open(source: BodySource, *, length: int | None = None) -> Iterator[Body]:
    """Yield the body that `source` means: bytes, a path, an open binary file from where it stands, a slice.

    `length` in bytes, when given, limits an open file and must agree with everything else; raises Refused if
    not. A stream that cannot be read twice, such as a pipe, is put into a temporary file first: an attempt
    that fails has to be repeated.
    """
    if isinstance(source, str | os.PathLike):
        with open(path_argument("Body", source), "rb") as file:
            yield _checked(FileBody(_rest_of(file)), length)
    elif isinstance(source, bytes | bytearray | memoryview):
        yield _checked(BytesBody(bytes(source)), length)
    elif isinstance(source, FileSlice):
        yield _checked(FileBody(source), length)
    elif _is_rereadable(source):
        rest = _rest_of(source)
        limit = rest.length if length is None else min(length, rest.length)
        yield _checked(FileBody(FileSlice(rest.file, rest.offset, limit)), length)
    else:
        with tempfile.TemporaryFile() as file:
            _spool(source, file, length)
            file.seek(0)
            yield _checked(FileBody(_rest_of(file)), length)


def _is_rereadable(source: object) -> bool:
    """Return whether an open file can go back to where it stands; raises Refused for what is no file."""
    if isinstance(source, io.TextIOBase) or not hasattr(source, "read"):
        raise Refused(f"Body must be bytes, a path or a file opened for binary, not {type(source).__name__}.")
    if not hasattr(source, "seek") or not hasattr(source, "tell"):
        return False
    seekable = getattr(source, "seekable", None)
    return True if seekable is None else bool(seekable())


def _spool(source: BinaryIO, file: BinaryIO, length: int | None) -> None:
    left = length
    while left is None or left > 0:
        data = source.read(_READ_SIZE if left is None else min(_READ_SIZE, left))
        if not data:
            return
        file.write(data)
        left = None if left is None else left - len(data)


def _checked(body: Body, length: int | None) -> Body:
    if length is not None and body.length != length:
        raise Refused(f"The body has {body.length} bytes, but its announced length is {length}.")
    return body


def _rest_of(file: BinaryIO) -> FileSlice:
    offset = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(offset)
    return FileSlice(file, offset, end - offset)


def _descriptor(file: BinaryIO) -> int | None:
    """Return the descriptor behind an open file, None where other bytes may be read than it holds.

    Only the standard library's own files are known to read what is in theirs. Whatever else wraps one may
    decrypt, expand or count as it reads, and a subclass may, too.
    """
    inner: Any = file
    if type(inner) is _NAMED:
        inner = inner.file
    raw = inner.raw if type(inner) in _BUFFERED else inner
    return raw.fileno() if type(raw) is io.FileIO else None
