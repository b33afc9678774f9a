"""What may be a body: whatever holds bytes, also a stream that can be read only once."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CosClient
from apps.storage.types import FileSlice
from tests.storage.conftest import client_of
from tests.storage.operations import OBJECT
from tests.storage.recorder import Recorder, drop

# Long enough to be sent straight from a file where that is possible.
DATA = os.urandom(200_000)


def put(recorder: Recorder, client: CosClient, body: Any, **more: Any) -> bytes:
    client.put_object(**OBJECT, Body=body, **more)
    return recorder.seen[-1].body


def pipe_of(data: bytes) -> Any:
    """Return a stream that cannot go back."""
    reading, writing = os.pipe()

    def fill() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(data)

    threading.Thread(target=fill, daemon=True).start()
    return os.fdopen(reading, "rb")


class OnlyRead:
    """The least that can be called a stream."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, count: int = -1) -> bytes:
        # Less than was asked for, as sockets do.
        return self._file.read(min(count, 70_000))

    def close(self) -> None:
        self._file.close()


def test_compressed_file_is_sent_as_what_it_reads(
    recorder: Recorder, client: CosClient, tmp_path: Path
) -> None:
    path = tmp_path / "data.gz"
    path.write_bytes(gzip.compress(DATA))

    with gzip.open(path) as file:
        assert put(recorder, client, file) == DATA


class Upper:
    """A wrapper that changes what it reads, and keeps the file below under a well-known name."""

    def __init__(self, file: Any, name: str) -> None:
        self._file = file
        setattr(self, name, file)

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, *to: int) -> int:
        return self._file.seek(*to)

    def read(self, count: int = -1) -> bytes:
        return self._file.read(count).upper()


class UpperFile(io.FileIO):
    """A file of the standard library's kind that changes what it reads."""

    def read(self, count: int | None = -1) -> bytes:
        return (super().read(count) or b"").upper()


@pytest.mark.parametrize("name", ["file", "raw"])
@pytest.mark.parametrize("buffering", [0, -1])
def test_wrapper_is_sent_as_what_it_reads(
    recorder: Recorder, client: CosClient, tmp_path: Path, name: str, buffering: int
) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"secret " * 30_000)
    with path.open("rb", buffering=buffering) as file:
        wrapper: Any = Upper(file, name)

        assert put(recorder, client, wrapper) == b"SECRET " * 30_000
        assert put(recorder, client, FileSlice(wrapper, 7, 70_000)) == b"SECRET " * 10_000


def test_subclass_of_a_file_is_sent_as_what_it_reads(
    recorder: Recorder, client: CosClient, tmp_path: Path
) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"secret " * 30_000)
    with UpperFile(path) as file:
        assert put(recorder, client, file) == b"SECRET " * 30_000


def test_temporary_files_are_files(recorder: Recorder, client: CosClient) -> None:
    for make in (tempfile.TemporaryFile, tempfile.NamedTemporaryFile, tempfile.SpooledTemporaryFile):
        with make() as file:
            file.write(b"-" + DATA)
            file.seek(1)

            assert put(recorder, client, file) == DATA


def test_path_may_be_anything_that_is_one(recorder: Recorder, client: CosClient, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    with os.scandir(tmp_path) as entries:
        for one in (path, str(path), next(entries)):
            assert put(recorder, client, one) == DATA


@pytest.mark.parametrize("make", [pipe_of, OnlyRead])
def test_stream_is_read_once_and_sent_as_often_as_needed(recorder: Recorder, make: Any) -> None:
    recorder.steps.append(drop)
    stream = make(DATA)

    client_of(recorder, attempts=2).put_object(**OBJECT, Body=stream)
    stream.close()

    assert [seen.body for seen in recorder.seen] == [DATA, DATA]
    assert recorder.seen[0].headers["content-length"] == str(len(DATA))


def test_length_is_where_a_stream_is_left(recorder: Recorder, client: CosClient) -> None:
    with pipe_of(DATA) as stream:
        first = put(recorder, client, stream, ContentLength="150000")
        rest = stream.read()

    assert (first, rest) == (DATA[:150_000], DATA[150_000:])


def test_stream_that_ends_too_early_is_refused(recorder: Recorder, client: CosClient) -> None:
    with pipe_of(DATA) as stream, pytest.raises(errors.Refused, match="announced length is 200001"):
        put(recorder, client, stream, ContentLength=200_001)

    assert recorder.connections == 0


def test_length_limits_a_file_but_not_a_slice(recorder: Recorder, client: CosClient, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        assert put(recorder, client, file, ContentLength=10) == DATA[:10]
        with pytest.raises(errors.Refused, match="has 20 bytes, but its announced length is 10"):
            put(recorder, client, FileSlice(file, 0, 20), ContentLength=10)


def test_path_that_cannot_be_opened_says_so(recorder: Recorder, client: CosClient, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        put(recorder, client, tmp_path / "nothing")

    assert recorder.connections == 0
