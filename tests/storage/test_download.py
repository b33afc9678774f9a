"""Reading an object: in bounded memory, closed early, cut short, or not modified."""

from __future__ import annotations

import gc
import io
import os
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from apps.storage import errors
from apps.storage.cos import CosClient, Download
from tests.storage.conftest import client_of
from tests.storage.recorder import Recorder, drop, reply

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou", "Key": "k"}
DATA = os.urandom(3 << 20)


def opened(client: CosClient, **options: str) -> Download:
    body: Download = client.get_object(**AT, **options)["Body"]
    return body


@contextmanager
def quitting() -> Iterator[None]:
    """End the process, a child, with what became of the block."""
    try:
        yield
        os._exit(0)
    except BaseException:
        os._exit(1)


def _tee(body: Download, received: bytearray) -> Iterator[bytes]:
    for chunk in body:
        received += chunk
        yield chunk


def cut(connection: socket.socket) -> None:
    connection.sendall(reply(200, DATA)[: 1 << 20])
    connection.shutdown(socket.SHUT_RDWR)


def test_body_arrives_in_large_chunks(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(200, DATA, ETag='"e"')

    with opened(client) as body:
        chunks = list(body)

    assert b"".join(chunks) == DATA
    assert len(chunks) <= len(DATA) // (64 << 10)
    assert (body.status, body.content_length, body.headers["etag"]) == (200, len(DATA), '"e"')


def test_connection_is_kept_after_the_last_byte(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(200, DATA)

    for _ in range(3):
        with opened(client) as body:
            assert sum(map(len, body)) == len(DATA)

    assert recorder.connections == 1


def test_early_close_ends_the_transfer(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(200, DATA)

    body = opened(client)
    first = next(iter(body))
    body.close()
    body.close()

    assert DATA.startswith(first)
    assert list(body) == []
    with opened(client) as again:
        assert b"".join(again) == DATA


def test_memory_stays_bounded(recorder: Recorder, client: CosClient) -> None:
    total = 64 << 20

    def stream(connection: socket.socket) -> None:
        connection.sendall(reply(200, Content_Length=str(total)))
        for _ in range(total >> 20):
            connection.sendall(DATA[: 1 << 20])

    recorder.steps.append(stream)
    body = opened(client)
    gc.collect()
    tracemalloc.start()
    try:
        received = sum(map(len, body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        body.close()

    assert received == total
    assert peak < 8 << 20


def test_cut_body_is_interrupted(recorder: Recorder, client: CosClient) -> None:
    recorder.steps.append(cut)
    received = bytearray()

    with opened(client) as body, pytest.raises(errors.Interrupted):
        list(_tee(body, received))

    assert 0 < len(received) < len(DATA)
    assert DATA.startswith(received)


def test_cut_body_is_not_taken_for_a_whole_file(
    recorder: Recorder, client: CosClient, tmp_path: Path
) -> None:
    recorder.steps.append(cut)

    with pytest.raises(errors.Interrupted):
        client.get_object(**AT, Output=tmp_path / "out")


@pytest.mark.parametrize("kind", ["path", "file"])
def test_body_can_be_written_out(recorder: Recorder, client: CosClient, tmp_path: Path, kind: str) -> None:
    recorder.default = reply(200, DATA)
    file = io.BytesIO()

    answer = client.get_object(**AT, Output=file if kind == "file" else tmp_path / "out")

    assert answer["Body"] is None
    assert (file.getvalue() if kind == "file" else (tmp_path / "out").read_bytes()) == DATA


def test_opening_is_repeated_when_the_connection_drops(recorder: Recorder) -> None:
    recorder.steps.extend([drop, reply(503, b"<Error><Code>SlowDown</Code></Error>")])
    recorder.default = reply(200, DATA)

    with opened(client_of(recorder, attempts=4)) as body:
        assert b"".join(body) == DATA


def test_refusal_that_is_cut_counts_by_its_status(recorder: Recorder) -> None:
    def cut_short(connection: socket.socket) -> None:
        connection.sendall(reply(503, b"<Error>", Content_Length="500"))
        connection.shutdown(socket.SHUT_RDWR)

    recorder.steps.extend([cut_short, cut_short])
    recorder.default = reply(200, DATA)

    with pytest.raises(errors.Unavailable) as caught:
        opened(client_of(recorder, attempts=1))
    with opened(client_of(recorder, attempts=2)) as body:
        assert b"".join(body) == DATA

    assert (caught.value.status, caught.value.operation) == (503, "Get Object")


def test_missing_object_is_an_error_with_its_code(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(404, b"<Error><Code>NoSuchKey</Code><RequestId>R</RequestId></Error>")

    with pytest.raises(errors.ObjectNotFound) as caught:
        opened(client)

    assert (caught.value.code, caught.value.request_id, caught.value.status) == ("NoSuchKey", "R", 404)


def test_range_and_overrides_are_sent(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(206, b"0123456789", Content_Range="bytes 5-14/100")

    with opened(client, Range="bytes=5-14", ResponseContentType="text/plain") as body:
        assert b"".join(body) == b"0123456789"

    assert recorder.seen[0].headers["range"] == "bytes=5-14"
    assert recorder.seen[0].query == {"response-content-type": "text/plain"}


def test_unchanged_object_is_not_modified(recorder: Recorder, client: CosClient) -> None:
    recorder.default = b'HTTP/1.1 304 Not Modified\r\nETag: "e"\r\n\r\n'

    got = client.get_object(**AT, IfNoneMatch='"e"')
    got["Body"].close()

    assert got["NotModified"] is True
    assert client.head_object(**AT, IfNoneMatch='"e"')["NotModified"] is True


def test_304_that_nobody_asked_for_is_an_error(recorder: Recorder, client: CosClient) -> None:
    recorder.default = b"HTTP/1.1 304 Not Modified\r\n\r\n"

    with pytest.raises(errors.Refused):
        client.head_object(**AT)


def test_slow_line_is_passed_on_as_it_comes(recorder: Recorder, client: CosClient) -> None:
    released = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(reply(200, Content_Length="6") + b"abc")
        released.wait(15)
        connection.sendall(b"def")

    recorder.steps.append(drip)
    started = time.monotonic()

    with opened(client) as body:
        chunks = iter(body)
        first = next(chunks)
        released.set()
        rest = b"".join(chunks)

    assert (first, rest) == (b"abc", b"def")
    assert time.monotonic() - started < 5


def test_silent_store_is_given_up(recorder: Recorder) -> None:
    released = threading.Event()

    def stall(connection: socket.socket) -> None:
        connection.sendall(reply(200, Content_Length="6") + b"abc")
        released.wait(15)

    recorder.steps.append(stall)

    with (
        pytest.raises(errors.Unavailable, match="nothing for 1 s"),
        opened(client_of(recorder, attempts=1, stalled_s=1)) as body,
    ):
        list(body)

    released.set()


def test_reader_may_take_its_time(recorder: Recorder) -> None:
    recorder.default = reply(200, DATA)

    with opened(client_of(recorder, attempts=1, stalled_s=1)) as body:
        chunks = iter(body)
        first = next(chunks)
        time.sleep(1.3)
        rest = b"".join(chunks)

    assert first + rest == DATA


def test_child_of_a_fork_does_not_ask_on_the_connection_of_its_parent(
    recorder: Recorder, client: CosClient
) -> None:
    recorder.default = reply(200, DATA)
    body = opened(client)
    received = b"".join(body)
    child = os.fork()
    if child == 0:
        with quitting():
            body.close()
            with opened(client) as own:
                assert b"".join(own) == DATA
    _, status = os.waitpid(child, 0)

    body.close()
    with opened(client) as again:
        assert b"".join(again) == received == DATA

    assert status == 0
    assert recorder.connections == 2


def test_error_after_a_200_is_not_written_out(recorder: Recorder, client: CosClient, tmp_path: Path) -> None:
    recorder.default = reply(
        200, b"<Error><Code>InternalError</Code></Error>", Content_Type="application/xml"
    )

    with pytest.raises(errors.Unavailable) as raised:
        client.get_object(**AT, Output=tmp_path / "object")

    assert (raised.value.code, raised.value.status) == ("InternalError", 200)
    assert not (tmp_path / "object").exists()


def test_object_may_look_like_an_error(recorder: Recorder, client: CosClient) -> None:
    body = b"<Error><Code>InternalError</Code></Error>"
    recorder.default = reply(200, body, Content_Type="application/xml", ETag='"e"')

    with client.get_object(**AT)["Body"] as download:
        assert b"".join(download) == body
