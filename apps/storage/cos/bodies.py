"""What a request may carry: bytes, or a range of a file that is streamed and can be sent again."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from apps.storage.errors import Refused
from apps.storage.types import FileSlice

BodySource = bytes | bytearray | memoryview | str | Path | BinaryIO | FileSlice


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

    `length`, when given, limits an open file and must agree with everything else; raises Refused if not.
    """
    if isinstance(source, str | Path):
        with open(source, "rb") as file:
            yield _checked(FileBody(_rest_of(file)), length)
        return
    if isinstance(source, bytes | bytearray | memoryview):
        yield _checked(BytesBody(bytes(source)), length)
        return
    if not isinstance(source, FileSlice):
        _file_check(source)
        rest = _rest_of(source)
        source = FileSlice(
            rest.file, rest.offset, rest.length if length is None else min(length, rest.length)
        )
    yield _checked(FileBody(source), length)


def _file_check(source: object) -> None:
    if isinstance(source, io.TextIOBase) or not all(
        hasattr(source, name) for name in ("read", "seek", "tell")
    ):
        raise Refused(f"Body must be bytes, a path or a file opened for binary, not {type(source).__name__}.")


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
    try:
        return file.fileno()
    except (AttributeError, io.UnsupportedOperation):
        return None
