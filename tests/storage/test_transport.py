"""What goes over the wire and what happens when it breaks, against a server that does as it is told."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CancelToken, CosClient, Retries
from apps.storage.cos.progress import Progress
from apps.storage.types import Credentials, Endpoint, FileSlice
from tests.storage.conftest import SECRET_KEY, client_of
from tests.storage.recorder import Recorder, drop, reply
from tests.storage.verifier import signature_is_valid

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou"}
HOST = "photos-1250000000.cos.ap-guangzhou.myqcloud.com"
ERROR = b"<?xml version='1.0' encoding='utf-8' ?>\n<Error><Code>%s</Code><Message/><Resource/></Error>"
SLOW_DOWN = reply(503, ERROR % b"SlowDown")
BROKEN = reply(500, ERROR % b"InternalError")
STORED = reply(ETag='"e"', x_cos_hash_crc64ecma="7")

SIZE = 8 << 20


@pytest.fixture(scope="session")
def file_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bodies") / "data"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture(params=["sendfile", "libcurl"])
def body(request: pytest.FixtureRequest, file_path: Path) -> Iterator[FileSlice]:
    """The same range of a file twice: with a descriptor, and hidden behind one that has none."""
    with file_path.open("rb") as file:
        yield FileSlice(file if request.param == "sendfile" else NoDescriptor(file), 5, SIZE - 9)


class NoDescriptor:
    """A file that cannot be sent by the kernel."""

    def __init__(self, file: Any) -> None:
        self.seek, self.read = file.seek, file.read


def part(client: CosClient, body: Any, **more: Any) -> dict[str, Any]:
    return client.multipart_upload(**AT, Key="k", UploadId="u", PartNumber=1, Body=body, **more)


@pytest.mark.parametrize("key", ["a/../b", "..", "a b/+"])
def test_key_of_a_file_body_goes_out_as_it_is(
    recorder: Recorder, client: CosClient, body: FileSlice, key: str
) -> None:
    client.put_object(**AT, Key=key, Body=body, Metadata={"note": "é"})

    assert recorder.seen[0].target == "/" + key.replace(" ", "%20").replace("+", "%2B")
    assert signature_is_valid(recorder.seen[0], SECRET_KEY)


@pytest.mark.parametrize(
    "options",
    [{"ContentType": "a\r\nx-cos-acl: public-read"}, {"Metadata": {"a b": "c"}}, {"Metadata": {"n": "\n"}}],
)
def test_header_cannot_be_smuggled_in(recorder: Recorder, client: CosClient, options: dict[str, Any]) -> None:
    with pytest.raises(errors.Refused):
        client.put_object(**AT, Key="k", Body=b"", **options)

    assert recorder.connections == 0


def test_region_alias_reaches_the_present_region(recorder: Recorder, client: CosClient) -> None:
    client.head_bucket(Bucket="photos-1250000000", Region="cn-south")

    assert recorder.seen[0].headers["host"] == HOST


def test_token_travels_signed(recorder: Recorder) -> None:
    client = CosClient(
        credentials=Credentials("id", SECRET_KEY, "TOKEN"),
        endpoint=Endpoint("http", "cos.example:8080", f"127.0.0.1:{recorder.port}"),
    )

    client.head_bucket(**AT)

    assert recorder.seen[0].headers["x-cos-security-token"] == "TOKEN"
    assert recorder.seen[0].headers["host"] == "photos-1250000000.cos.ap-guangzhou.cos.example:8080"
    assert recorder.seen[0].authorization["q-header-list"] == "host;x-cos-security-token"
    assert signature_is_valid(recorder.seen[0], SECRET_KEY)


def test_presigned_put_is_signed_with_its_method(recorder: Recorder, client: CosClient) -> None:
    url = client.get_object_url(
        **AT, Key="a/../b +", Method="PUT", Query={"partNumber": "1", "uploadId": "u"}
    )
    path = url.removeprefix(f"http://{HOST}")
    with socket.create_connection(("127.0.0.1", recorder.port)) as connection:
        connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n".encode())
        connection.recv(100)

    assert path.startswith("/a/../b%20%2B?q-sign-algorithm=sha1&")
    assert recorder.seen[0].query["q-url-param-list"] == "partnumber;uploadid"
    assert signature_is_valid(recorder.seen[0], SECRET_KEY)


def test_file_range_arrives_whole(
    recorder: Recorder, client: CosClient, body: FileSlice, file_path: Path
) -> None:
    recorder.default = STORED
    progress: list[int] = []

    stored = part(client, body, onProgress=lambda report: progress.append(report["loaded"]))

    assert recorder.seen[0].body == file_path.read_bytes()[5:-4]
    assert recorder.seen[0].headers["content-length"] == str(body.length)
    assert "expect" not in recorder.seen[0].headers
    assert stored == {"ETag": '"e"', "CRC64": "7", "RequestId": "RECORDED"}
    assert progress == sorted(progress)
    assert progress[-1] == body.length


@pytest.mark.parametrize("source", [b"abc", "path", "file"])
def test_body_may_be_bytes_a_path_or_an_open_file(
    recorder: Recorder, client: CosClient, tmp_path: Path, source: Any
) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"-abc")
    with path.open("rb") as file:
        file.seek(1)
        given = {"path": path, "file": file}.get(source, source)
        client.put_object(**AT, Key="k", Body=given)

    assert recorder.seen[0].body == (b"-abc" if source == "path" else b"abc")


def test_announced_length_must_be_true(recorder: Recorder, client: CosClient) -> None:
    with pytest.raises(errors.Refused, match="announced length is 4"):
        client.put_object(**AT, Key="k", Body=b"abc", ContentLength=4)

    assert recorder.connections == 0


def test_expectation_is_sent_when_asked_for(recorder: Recorder, client: CosClient, file_path: Path) -> None:
    client.put_object(**AT, Key="k", Body=file_path, Expect="100-continue")

    assert recorder.seen[0].headers["expect"] == "100-continue"
    assert len(recorder.seen[0].body) == SIZE


def test_truncated_file_is_refused(client: CosClient, body: FileSlice) -> None:
    too_long = FileSlice(body.file, 0, SIZE + 1)

    with pytest.raises(errors.Refused, match="shorter than it was"):
        part(client, too_long)


def test_connection_is_kept(recorder: Recorder, client: CosClient, body: FileSlice) -> None:
    for _ in range(3):
        part(client, body)

    assert len(recorder.seen) == 3
    assert recorder.connections == 1


def test_connection_that_died_while_idle_is_replaced(
    recorder: Recorder, client: CosClient, body: FileSlice
) -> None:
    recorder.steps.append(
        lambda connection: (connection.sendall(STORED), connection.shutdown(socket.SHUT_RDWR))
    )
    part(client, body)
    time.sleep(0.05)

    part(client, body)

    assert len(recorder.seen) == 2
    assert recorder.connections == 2


def test_connection_that_dies_on_reuse_is_replaced(
    recorder: Recorder, client: CosClient, body: FileSlice
) -> None:
    recorder.steps.extend([STORED, drop])
    part(client, body)

    part(client, body)

    assert len(recorder.seen) == 3


@pytest.mark.parametrize("refusal", [SLOW_DOWN, BROKEN, drop], ids=["slow down", "internal error", "drop"])
def test_part_is_sent_again(recorder: Recorder, body: FileSlice, refusal: Any) -> None:
    recorder.steps.extend([refusal, refusal])
    recorder.default = STORED

    stored = part(client_of(recorder, attempts=3), body)

    assert stored["CRC64"] == "7"
    assert [len(seen.body) for seen in recorder.seen] == [body.length] * 3


def test_refused_connection_may_be_tried_again_by_any_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = CosClient(
        credentials=Credentials("id", "key"),
        endpoint=Endpoint("http", connect_to=f"127.0.0.1:{port}"),
        retries=Retries(attempts=3, first_delay_s=0.2),
    )
    started = time.monotonic()

    with pytest.raises(errors.Unavailable, match="cannot be reached"):
        client.multipart_init(**AT, Key="k")

    assert time.monotonic() - started > 0.3


def test_redirect_is_never_success(recorder: Recorder, client: CosClient, body: FileSlice) -> None:
    recorder.default = reply(301, ERROR % b"PermanentRedirect", Location="http://elsewhere/")

    with pytest.raises(errors.Refused) as caught:
        part(client, body)

    assert (caught.value.status, caught.value.code) == (301, "PermanentRedirect")
    assert len(recorder.seen) == 1


@pytest.mark.parametrize("blank", [b"", b"\n  \n" * 500])
def test_error_after_200_is_an_error(recorder: Recorder, client: CosClient, blank: bytes) -> None:
    recorder.default = reply(
        200, b"<?xml version='1.0'?>" + blank + b"<Error><Code>AccessDenied</Code></Error>"
    )

    with pytest.raises(errors.Denied):
        client.put_object_copy(**AT, Key="k", CopySource="a-1.cos.ap-beijing.myqcloud.com/k")


def test_document_type_is_refused(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(200, b'<!DOCTYPE a [<!ENTITY b "c">]><ListBucketResult>&b;</ListBucketResult>')

    with pytest.raises(errors.Unavailable, match="document type"):
        client.get_bucket(**AT)


def test_early_refusal_is_heard_while_sending(recorder: Recorder, client: CosClient, body: FileSlice) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.sendall(reply(403, ERROR % b"AccessDenied", Connection="close"))
        time.sleep(0.2)
        raise OSError("The rest of the body is not wanted.")

    recorder.before_body.append(refuse)

    with pytest.raises(errors.StorageError) as caught:
        part(client, body)

    assert caught.value.code == "AccessDenied"


def test_cancel_stops_a_stalled_upload_within_a_moment(recorder: Recorder, body: FileSlice) -> None:
    released = threading.Event()
    recorder.before_body.append(lambda _: released.wait(15))
    canceled_at: list[float] = []

    def on_progress(report: Progress) -> bool:
        if report["loaded"] > 0 and not canceled_at:
            canceled_at.append(time.monotonic())
        return not canceled_at

    with pytest.raises(errors.Canceled):
        part(client_of(recorder, attempts=3), body, onProgress=on_progress)

    assert time.monotonic() - canceled_at[0] < 1.5
    released.set()


def test_cancel_while_waiting_for_the_answer(recorder: Recorder, body: FileSlice) -> None:
    released = threading.Event()
    recorder.steps.append(lambda _: released.wait(15))
    started = time.monotonic()

    with pytest.raises(errors.Canceled):
        part(
            client_of(recorder, attempts=3),
            body,
            onProgress=lambda report: report["loaded"] < body.length or time.monotonic() - started < 0.5,
        )

    assert time.monotonic() - started < 2.5
    released.set()


CALLERS_OWN = [LookupError, OSError, TimeoutError, ConnectionResetError, BlockingIOError, ValueError]


@pytest.mark.parametrize("kind", CALLERS_OWN)
def test_exception_of_the_caller_comes_through(
    recorder: Recorder, body: FileSlice, kind: type[Exception]
) -> None:
    told: list[int] = []

    def on_progress(report: Progress) -> bool:
        if report["loaded"] and not told:
            told.append(report["loaded"])
            raise kind("The job is gone.")
        return True

    with pytest.raises(kind, match="The job is gone"):
        part(client_of(recorder, attempts=3), body, onProgress=on_progress)

    assert recorder.connections <= 1


@pytest.mark.parametrize("kind", [EOFError, LookupError])
def test_exception_of_a_file_comes_through(
    recorder: Recorder, file_path: Path, kind: type[Exception], capfd: pytest.CaptureFixture[str]
) -> None:
    def read(_: int) -> bytes:
        raise kind("The archive is cut.")

    with file_path.open("rb") as file:
        body = NoDescriptor(file)
        body.read = read
        with pytest.raises(kind, match="The archive is cut"):
            part(client_of(recorder, attempts=3), FileSlice(body, 0, SIZE))

    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", CALLERS_OWN)
@pytest.mark.parametrize("while_", ["sending", "waiting", "receiving"])
def test_exception_of_a_signal_handler_comes_through(
    recorder: Recorder, file_path: Path, kind: type[Exception], while_: str
) -> None:
    released = threading.Event()

    def interrupt(connection: socket.socket) -> None:
        if while_ == "receiving":
            connection.sendall(b"HTTP/1.1 ")
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGUSR1)
        released.wait(15)

    def handle(*_: object) -> None:
        raise kind("The time is over.")

    (recorder.before_body if while_ == "sending" else recorder.steps).append(interrupt)
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with pytest.raises(kind, match="The time is over"):
            part(client_of(recorder, attempts=3), file_path)
    finally:
        signal.signal(signal.SIGUSR1, before)
        released.set()

    assert recorder.connections == 1


def test_signal_ends_a_call_that_takes_long(recorder: Recorder, client: CosClient) -> None:
    released = threading.Event()

    def interrupt(_: socket.socket) -> None:
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGUSR1)
        released.wait(15)

    def handle(*_: object) -> None:
        raise LookupError("The time is over.")

    recorder.steps.append(interrupt)
    before, begun = signal.signal(signal.SIGUSR1, handle), time.monotonic()
    try:
        with pytest.raises(LookupError, match="The time is over"):
            client.put_object_copy(**AT, Key="k", CopySource={**AT, "Key": "s"})
    finally:
        signal.signal(signal.SIGUSR1, before)
        released.set()

    assert time.monotonic() - begun < 8


def test_stalled_upload_times_out(recorder: Recorder, file_path: Path) -> None:
    released = threading.Event()
    recorder.before_body.append(lambda _: released.wait(15))

    with pytest.raises(errors.Unavailable, match="did not move for 1 s"):
        part(client_of(recorder, attempts=1, stalled_s=1), file_path)

    released.set()


def test_kept_connection_has_the_patience_of_who_uses_it(recorder: Recorder, file_path: Path) -> None:
    released = threading.Event()

    def half(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 ")
        released.wait(15)

    recorder.steps.extend([STORED, half])
    part(client_of(recorder, attempts=1, stalled_s=20), file_path)

    with pytest.raises(errors.Unavailable, match="did not move for 1 s"):
        part(client_of(recorder, attempts=1, stalled_s=1), file_path)

    released.set()


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 103 Early\r\nA: b\r\n\r\n"]
)
def test_interim_answers_are_skipped(
    recorder: Recorder, client: CosClient, body: FileSlice, interim: bytes
) -> None:
    recorder.default = interim * 2 + STORED

    assert part(client, body)["CRC64"] == "7"
    assert part(client, body)["ETag"] == '"e"'
    assert recorder.connections == 1


@pytest.mark.parametrize("whole", [True, False], ids=["file", "bytes"])
def test_bucket_that_is_too_long_for_a_host_name_cannot_be_reached(file_path: Path, whole: bool) -> None:
    client = CosClient(
        credentials=Credentials("id", "key"),
        endpoint=Endpoint("http", suffix="localhost:1"),
        retries=Retries(attempts=1),
    )

    with pytest.raises(errors.StorageError):
        client.put_object(
            Bucket="a" * 70 + "-1250000000",
            Region="ap-guangzhou",
            Key="k",
            Body=file_path if whole else b"x",
        )


@pytest.mark.parametrize("is_cancelable", [True, False])
def test_lack_of_descriptors_is_an_error_of_ours(
    recorder: Recorder, client: CosClient, body: FileSlice, is_cancelable: bool
) -> None:
    with CancelToken().applied() if is_cancelable else nullcontext(), no_descriptor_left():
        with pytest.raises(errors.Unavailable):
            part(client, body)
        with pytest.raises(errors.Unavailable):
            client.get_object(**AT, Key="k")
        with pytest.raises(errors.Unavailable):
            next(client.get_object_acls(**AT, Keys=["k"]))


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Let no file and no socket be opened; those that are open go on to work."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_silent_store_times_out(recorder: Recorder) -> None:
    released = threading.Event()
    recorder.steps.append(lambda _: released.wait(15))
    client = client_of(recorder, attempts=1, small_s=0.3)

    with pytest.raises(errors.Unavailable, match="did not answer in time"):
        client.head_bucket(**AT)

    released.set()


def test_child_of_a_fork_has_its_own_connection(
    recorder: Recorder, client: CosClient, body: FileSlice
) -> None:
    client.put_object(**AT, Key="k", Body=body)
    child = os.fork()
    if child == 0:
        try:
            client.put_object(**AT, Key="k", Body=body)
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)

    client.put_object(**AT, Key="k", Body=body)

    assert status == 0
    assert len(recorder.seen) == 3
    assert recorder.connections == 2
