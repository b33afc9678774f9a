"""An answer that ends too early is never success, wherever it ends."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from apps.storage import errors
from apps.storage.cos import CancelToken, CosClient
from tests.storage.recorder import Recorder

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou"}
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-cos-hash-crc64ecma: 7\r\nETag: "e"\r\n\r\n'


@pytest.mark.parametrize("way", ["sendfile", "libcurl", "pump"])
@pytest.mark.parametrize("ending", ["end", "reset"])
def test_head_that_is_cut_is_no_answer(
    recorder: Recorder, client: CosClient, tmp_path: Path, way: str, ending: str
) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"x" * 70_000)
    for length in (5, 12, 13, 16, 17, 30, 34, 36, 50, 62, 70, len(ANSWER) - 2, len(ANSWER) - 1):
        recorder.steps.extend([_cut(length, ending)] * 2)
        with pytest.raises(errors.Unavailable):
            _put(client, path, way)
        recorder.steps.clear()


def test_head_of_a_download_that_is_cut_is_no_answer(recorder: Recorder, client: CosClient) -> None:
    for length in (12, 16, 17, 36, len(ANSWER) - 2, len(ANSWER) - 1):
        recorder.steps.extend([_cut(length, "end")] * 2)
        with pytest.raises(errors.Unavailable):
            client.get_object(**AT, Key="k")
        recorder.steps.clear()


def _cut(length: int, ending: str) -> object:
    def answer(connection: socket.socket) -> None:
        connection.sendall(ANSWER[:length])
        if ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        raise OSError("That was all.")

    return answer


def _put(client: CosClient, path: Path, way: str) -> None:
    if way == "pump":
        with CancelToken().applied():
            client.put_object(**AT, Key="k", Body=path.read_bytes())
        return
    client.put_object(**AT, Key="k", Body=path if way == "sendfile" else path.read_bytes())
