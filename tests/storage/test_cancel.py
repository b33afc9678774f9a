"""A token ends calls of other threads wherever they wait, and touches nothing else."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CancelToken, CosClient, Retries
from apps.storage.providers.cos import CosStore
from apps.storage.types import Credentials, Endpoint
from tests.storage.conftest import client_of
from tests.storage.recorder import Recorder, drop, reply

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou"}
SIZE = 16 << 20
# Without the token each of these would wait for a quarter of a minute.
HANG_S = 15
SOON_S = 5


@pytest.fixture
def file_path(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    with path.open("wb") as file:
        file.truncate(SIZE)
    return path


@pytest.fixture
def released() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def blackhole() -> Iterator[int]:
    """A port that takes no more connections: whoever connects waits."""
    with ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            filler = opened.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        time.sleep(0.05)
        yield server.getsockname()[1]


def seconds_until_canceled(
    call: Callable[[], Any], *, after: Callable[[], Any] = lambda: time.sleep(0.2)
) -> float:
    """Cancel `call` in another thread once `after` has returned; return how long it then went on."""
    token, ended = CancelToken(), []

    def run() -> None:
        with token.applied():
            try:
                call()
            except BaseException as error:
                ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    after()
    assert thread.is_alive()
    begun = time.monotonic()
    token.cancel()
    thread.join()
    assert [type(error) for error in ended] == [errors.Canceled]
    assert ended[0].operation
    return time.monotonic() - begun


def put(client: CosClient, file_path: Path, way: str) -> Callable[[], Any]:
    with file_path.open("rb") as file:
        data = file.read()
    body = file_path if way == "sendfile" else data
    return lambda: client.put_object(**AT, Key="k", Body=body)


@pytest.mark.parametrize("way", ["sendfile", "libcurl"])
def test_body_that_the_store_does_not_read_is_dropped(
    recorder: Recorder, file_path: Path, released: threading.Event, way: str
) -> None:
    recorder.before_body.append(lambda _: released.wait(HANG_S))

    assert seconds_until_canceled(put(client_of(recorder, attempts=3), file_path, way)) < SOON_S


@pytest.mark.parametrize("way", ["sendfile", "libcurl"])
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 "], ids=["no answer", "half a line"])
def test_answer_that_does_not_come_is_not_awaited(
    recorder: Recorder, file_path: Path, released: threading.Event, way: str, answer: bytes
) -> None:
    def stall(connection: socket.socket) -> None:
        connection.sendall(answer)
        released.wait(HANG_S)

    recorder.steps.append(stall)

    assert seconds_until_canceled(put(client_of(recorder, attempts=3), file_path, way)) < SOON_S


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 ", reply(200, Content_Length="10") + b"abc"],
    ids=["no answer", "half a line", "half a body"],
)
def test_download_that_does_not_come_is_not_awaited(
    recorder: Recorder, released: threading.Event, tmp_path: Path, answer: bytes
) -> None:
    def stall(connection: socket.socket) -> None:
        connection.sendall(answer)
        released.wait(HANG_S)

    recorder.steps.append(stall)
    client = client_of(recorder, attempts=3)

    assert seconds_until_canceled(lambda: client.get_object(**AT, Key="k", Output=tmp_path / "out")) < SOON_S
    assert len(recorder.seen) == 1


def test_download_that_does_not_end_is_broken_off(recorder: Recorder) -> None:
    def pour(connection: socket.socket) -> None:
        connection.sendall(reply(200, Content_Length=str(1 << 50)))
        until = time.monotonic() + HANG_S
        with suppress(OSError):
            while time.monotonic() < until:
                connection.sendall(bytes(1 << 16))

    recorder.steps.append(pour)
    client = client_of(recorder, attempts=3)

    def read() -> None:
        for _ in client.get_object(**AT, Key="k")["Body"]:
            pass

    assert seconds_until_canceled(read) < SOON_S


@pytest.mark.parametrize("way", ["sendfile", "libcurl"])
def test_connection_that_is_not_accepted_is_given_up(blackhole: int, file_path: Path, way: str) -> None:
    client = CosClient(
        credentials=Credentials("id", "key"), endpoint=Endpoint("http", connect_to=f"127.0.0.1:{blackhole}")
    )

    assert seconds_until_canceled(put(client, file_path, way)) < SOON_S


def test_pause_before_another_attempt_ends(recorder: Recorder) -> None:
    recorder.default = reply(503, b"<Error><Code>SlowDown</Code></Error>", Retry_After=str(HANG_S))
    client = CosClient(
        credentials=Credentials("id", "key"),
        endpoint=Endpoint("http", connect_to=f"127.0.0.1:{recorder.port}"),
        retries=Retries(delay_max_s=HANG_S),
    )

    assert seconds_until_canceled(lambda: client.head_object(**AT, Key="k")) < SOON_S
    assert len(recorder.seen) == 1


def test_request_that_must_not_be_cut_is_awaited(recorder: Recorder, released: threading.Event) -> None:
    token = CancelToken()

    def answer_late(connection: socket.socket) -> None:
        token.cancel()
        time.sleep(0.1)
        connection.sendall(
            reply(
                200, b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
            )
        )

    recorder.steps.append(answer_late)

    with token.applied(cuts=False):
        begun = client_of(recorder, attempts=3).multipart_init(**AT, Key="k")
        with pytest.raises(errors.Canceled):
            client_of(recorder, attempts=3).multipart_init(**AT, Key="k")

    assert begun["UploadId"] == "u"
    assert len(recorder.seen) == 1


def test_late_call_sends_nothing(recorder: Recorder, client: CosClient) -> None:
    token = CancelToken()
    token.cancel()

    with token.applied(), pytest.raises(errors.Canceled):
        client.head_object(**AT, Key="k")

    assert recorder.connections == 0


def test_keys_that_are_deleted_one_by_one_are_no_failures(
    recorder: Recorder, recorded_store: CosStore
) -> None:
    token = CancelToken()

    def canceling(connection: socket.socket) -> None:
        token.cancel()

    recorder.steps.extend([reply(204), canceling])
    with token.applied(), pytest.raises(errors.Canceled):
        recorded_store.delete_objects(
            bucket=AT["Bucket"], region=AT["Region"], keys=["a\x01", "b\x01", "c\x01"]
        )

    assert len(recorder.seen) == 2


def test_look_that_settles_a_complete_is_canceled(recorder: Recorder, client: CosClient) -> None:
    token = CancelToken()

    def canceling(connection: socket.socket) -> None:
        token.cancel()

    recorder.steps.extend([drop, canceling])
    with token.applied(), pytest.raises(errors.Canceled):
        client.multipart_complete(
            **AT,
            Key="k",
            UploadId="u",
            Parts=[{"PartNumber": 1, "ETag": "e"}],
            ExpectedSize=1,
            ExpectedCRC64=1,
        )

    assert [seen.method for seen in recorder.seen] == ["POST", "HEAD"]


def test_token_applies_to_its_block_and_thread_only(recorder: Recorder, client: CosClient) -> None:
    token, elsewhere = CancelToken(), CancelToken()
    with elsewhere.applied():
        with token.applied():
            token.cancel()
        client.head_object(**AT, Key="k")
    client.head_object(**AT, Key="k")

    assert len(recorder.seen) == 2


def test_cancelable_calls_keep_their_connection(recorder: Recorder, client: CosClient) -> None:
    with CancelToken().applied():
        for _ in range(3):
            client.put_object(**AT, Key="k", Body=b"x" * 100_000)

    assert [len(seen.body) for seen in recorder.seen] == [100_000] * 3
    assert recorder.connections == 1


def test_calls_of_both_kinds_keep_their_connections(recorder: Recorder, client: CosClient) -> None:
    for _ in range(3):
        client.head_object(**AT, Key="k")
        with CancelToken().applied():
            client.head_object(**AT, Key="k")

    assert len(recorder.seen) == 6
    assert recorder.connections == 2


def test_cancelable_calls_fail_as_others_do(recorder: Recorder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client = CosClient(
        credentials=Credentials("id", "key"),
        endpoint=Endpoint("http", connect_to=f"127.0.0.1:{port}"),
        retries=Retries(attempts=1),
    )

    with CancelToken().applied(), pytest.raises(errors.Unavailable, match="cannot be reached"):
        client.head_object(**AT, Key="k")


def test_cancelable_call_times_out(recorder: Recorder, released: threading.Event) -> None:
    recorder.steps.append(lambda _: released.wait(HANG_S))

    with CancelToken().applied(), pytest.raises(errors.Unavailable, match="did not answer in time"):
        client_of(recorder, attempts=1, small_s=0.3).head_object(**AT, Key="k")


def test_signal_handler_may_cancel_its_own_thread(recorder: Recorder, released: threading.Event) -> None:
    token = CancelToken()
    recorder.steps.append(lambda _: released.wait(HANG_S))
    before = signal.signal(signal.SIGUSR1, lambda *_: token.cancel())
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    begun = time.monotonic()
    try:
        with token.applied(), pytest.raises(errors.Canceled):
            client_of(recorder, attempts=3).head_object(**AT, Key="k")
    finally:
        signal.signal(signal.SIGUSR1, before)
        timer.join()

    assert time.monotonic() - begun < SOON_S


def test_cancel_that_was_broken_into_can_be_finished() -> None:
    token, woken = CancelToken(), []

    def wake() -> None:
        woken.append(len(woken))
        if len(woken) == 1:
            raise KeyboardInterrupt

    with token.waking(wake), token.waking(lambda: woken.append("other")):
        with pytest.raises(KeyboardInterrupt):
            token.cancel()
        token.cancel()

    assert woken == [0, 1, "other"]
