"""Garbage from the store: each operation gives a result or one of our errors, soon, in bounded memory."""

from __future__ import annotations

import inspect
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.storage import errors
from apps.storage.cos import CosClient
from apps.storage.cos.messages import headers_parse
from apps.storage.cos.xmlread import Decoder, grants_of, records_of, xml_parse
from tests.examples import examples
from tests.garbled import documents, nested
from tests.storage.conftest import client_of
from tests.storage.legal_calls import LEGAL
from tests.storage.recorder import Recorder, reply

MANY_DIGITS = b"9" * 5000
NAMES = sorted(LEGAL)
READERS = sorted(name for name, legal in LEGAL.items() if legal.document)


@pytest.fixture(scope="module")
def server() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server


@pytest.fixture(scope="module")
def impatient(server: Recorder) -> CosClient:
    """A client that tries once and waits a second."""
    return client_of(server, attempts=1, small_s=1, stalled_s=1)


def said(server: Recorder, raw: bytes) -> None:
    """Let the server answer everything with `raw` and hang up."""

    def say(connection: socket.socket) -> None:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_RDWR)

    server.seen.clear()
    server.default = say


def outcome(name: str, client: CosClient) -> Any:
    """Return the result of a legal call, or the error that we promise; anything else passes through."""
    try:
        return LEGAL[name].call(client)
    except errors.StorageError as error:
        found = error
    assert found.message
    return found


def test_every_method_gets_garbage() -> None:
    methods = {name for name, _ in inspect.getmembers(CosClient, inspect.isfunction) if name[0] != "_"}

    assert methods - {"get_object_url"} == {name.partition(",")[0] for name in LEGAL}


@pytest.mark.parametrize("name", [name for name in NAMES if LEGAL[name].answer])
def test_legal_answer_is_a_result(server: Recorder, impatient: CosClient, name: str) -> None:
    said(server, LEGAL[name].answer or b"")

    assert not isinstance(outcome(name, impatient), errors.StorageError)


def _tags(document: str) -> list[str]:
    """Return the names of a document's elements, the root first."""
    return list(dict.fromkeys(re.findall(r"<([A-Za-z-]+)", document)))


ANSWERS = st.sampled_from(READERS).flatmap(
    lambda name: st.tuples(st.just(name), documents(LEGAL[name].document, _tags(LEGAL[name].document)))
)


@examples(200)
@given(answer=ANSWERS)
@example(answer=("slice_upload_file, named", LEGAL["slice_upload_file, named"].document.encode()))
@example(answer=("get_service", nested("ListAllMyBucketsResult", 50_000)))
@example(answer=("get_service", b"<r><Owner>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Owner></r>"))
@example(answer=("get_bucket", b"<r><IsTruncated>true</IsTruncated><Contents><Key><a/></Key></Contents></r>"))
@example(
    answer=("get_bucket", b"<r><EncodingType>url</EncodingType><Contents><Key>%<a/></Key></Contents></r>")
)
@example(answer=("get_bucket_location", b"<LocationConstraint>../evil</LocationConstraint>"))
def test_document(server: Recorder, impatient: CosClient, answer: tuple[str, bytes]) -> None:
    name, body = answer
    said(server, reply(200, body))

    outcome(name, impatient)


@examples(60)
@given(
    body=st.sampled_from(READERS).flatmap(lambda n: documents(LEGAL[n].document, _tags(LEGAL[n].document)))
)
@example(body=b"<r>" + b"<Contents>" * 5000 + b"</Contents>" * 5000 + b"</r>")
@example(body=b"<r>" + b"<Grant/>" * 400_000 + b"</r>")
def test_readers(body: bytes) -> None:
    with suppress(errors.Unavailable):
        root = xml_parse(body)
        grants_of(root)
        records_of(root, "Contents")
        list(Decoder(root).records(root, "Contents"))


LINES = st.binary(max_size=30) | st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 100 Continue", b"", b"A: b", b"HTTP/1.1 -1", b"HTTP/1.1 " + MANY_DIGITS]
)


@examples(100)
@given(lines=st.lists(LINES, max_size=6), end=st.sampled_from([b"\r\n", b"\n", b"\r"]))
@example(lines=[b"HTTP/1.1 " + MANY_DIGITS], end=b"\r\n")
@example(lines=[b"HTTP/1.1 \xb2\xb3"], end=b"\r\n")
def test_header_lines(lines: list[bytes], end: bytes) -> None:
    status, headers = headers_parse(end.join(lines))

    assert 0 <= status <= 999
    assert all(name == name.lower() for name in headers)


def test_trailers_are_not_the_head() -> None:
    head = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nETag: e\r\n\r\nX-Trailer: 404 y\r\n\r\n"

    assert headers_parse(head) == (200, {"etag": "e"})


def test_bare_line_feeds_end_lines() -> None:
    assert headers_parse(b"HTTP/1.1 200 OK\nETag: e\nA: b\n\n") == (200, {"etag": "e", "a": "b"})


STATUSES = b"200 OK,206 Partial,304 Same,204 No,101 S,500 Oops,999 X,-1,\xb2,600,099 x".split(b",")
STATUSES.append(MANY_DIGITS)
STATUS_LINES = st.sampled_from(
    [
        *(b"HTTP/1.1 " + code for code in STATUSES),
        b"HTTP/1.1",
        b"HTTP/3 200",
        b"ICY 200 OK",
        b"HTTP/1.0 200 OK",
        b"",
        b"\0",
    ]
)
ODD_VALUES = st.binary(max_size=20) | st.sampled_from(
    [b"-1", b"1, 2", b"5 5", b"0x5", "²".encode(), b"\xb2", MANY_DIGITS, b"9" * 19, b"", b"5"]
)
FIELD_NAMES = st.binary(max_size=8) | st.sampled_from(
    b"""
    Content-Length Transfer-Encoding Content-Range Retry-After ETag Last-Modified Connection Location
    Content-Encoding x-cos-hash-crc64ecma x-cos-storage-class
    """.split()
)
FIELDS = st.lists(
    st.tuples(FIELD_NAMES, ODD_VALUES | st.sampled_from([b"chunked", b"gzip", b"close"])), max_size=4
)
CHUNKS = [
    b"5\r\nhello\r\n0\r\n\r\n",
    b"-1\r\n",
    b"zz\r\n",
    b"F" * 16 + b"\r\n",
    b"5\r\nhe",
    b"FFFFFFFFFFF\r\nhello",
]
BODIES = st.sampled_from([b"", b"hello", b"<Error/>", b"<Error><Code>SlowDown</Code></Error>", *CHUNKS])


@examples(200)
@given(name=st.sampled_from(NAMES), line=STATUS_LINES, fields=FIELDS, body=BODIES)
@example(name="get_bucket", line=b"HTTP/1.1 503 Slow", fields=[(b"Retry-After", "²".encode())], body=b"")
@example(name="get_object", line=b"HTTP/1.1 200 OK", fields=[(b"Content-Length", MANY_DIGITS)], body=b"")
@example(
    name="slice_copy_file, named",
    line=b"HTTP/1.1 200 OK",
    fields=[(b"x-cos-hash-crc64ecma", "²".encode())],
    body=b"<CopyPartResult><ETag>e</ETag></CopyPartResult>",
)
@example(
    name="get_object",
    line=b"HTTP/1.1 200 OK",
    fields=[(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"x")],
    body=b"0\r\n\r\n",
)
@example(name="put_object, file", line=b"HTTP/1.1 200 OK", fields=[(b"Content-Length", b"9" * 15)], body=b"x")
@example(name="put_object, file", line=b"HTTP/1.1 200 OK", fields=[(b"Content-Length", b"9" * 30)], body=b"x")
@example(
    name="put_object, file",
    line=b"HTTP/1.1 200 OK",
    fields=[(b"Transfer-Encoding", b"chunked")],
    body=b"FFFFFFFFFFFF\r\nhello",
)
@example(
    name="put_object, file",
    line=b"HTTP/1.1 200 OK",
    fields=[(b"Transfer-Encoding", b"chunked")],
    body=b"-1\r\n",
)
def test_head(
    server: Recorder,
    impatient: CosClient,
    name: str,
    line: bytes,
    fields: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    lines = [line, *(field + b": " + value for field, value in fields)]
    said(server, b"\r\n".join(lines) + b"\r\n\r\n" + body)

    outcome(name, impatient)


@examples(100)
@given(name=st.sampled_from(NAMES), raw=st.binary(max_size=100))
@example(name="get_object", raw=b"")
@example(name="multipart_upload, file", raw=b"\r\n\r\n")
def test_any_bytes(server: Recorder, impatient: CosClient, name: str, raw: bytes) -> None:
    said(server, raw)

    assert isinstance(outcome(name, impatient), errors.StorageError)


# One for each way an answer is read: libcurl at once, in pieces, many at a time, and a socket of our own.
WAYS = ("get_bucket", "get_object", "get_object_acls", "put_object, file")


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
def test_answer_cut_at_every_byte(
    server: Recorder, impatient: CosClient, name: str, is_chunked: bool
) -> None:
    body = (
        LEGAL["get_bucket"].document.encode()[:40] if name == "get_object" else LEGAL[name].document.encode()
    )
    whole = chunked(body) if is_chunked else reply(200, body)

    for end in range(len(whole)):
        said(server, whole[:end])
        assert isinstance(outcome(name, impatient), errors.StorageError), whole[:end]


def chunked(body: bytes) -> bytes:
    pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:9], body[9:]) if piece]
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(pieces) + b"0\r\n\r\n"


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = "body of chunks"
ENDLESS = {
    "headers": (HEAD, b"X-Header: y\r\n"),
    "one header": (HEAD + b"X-Header: ", b"y" * 1000),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (HEAD + b"\r\n", b" " * 65536),
    CHUNKED: (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b" " * 1024 + b"\r\n"),
    "trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: y\r\n"),
    "body of an error": (b"HTTP/1.1 400 Bad\r\n\r\n", b" " * 65536),
}
# Longest answers that are read: a list of 64 MiB, plus what fits into the buffers of two sockets.
SAID_MAX = 80 << 20


@pytest.mark.parametrize(
    ("name", "what"),
    # An object may be of any size; its body is read in pieces.
    [
        pair
        for pair in product(WAYS, ENDLESS)
        if pair not in (("get_object", "body"), ("get_object", CHUNKED))
    ],
)
def test_endless_answer_ends(server: Recorder, impatient: CosClient, name: str, what: str) -> None:
    start, again = ENDLESS[what]
    said_bytes = 0

    def say(connection: socket.socket) -> None:
        nonlocal said_bytes
        connection.sendall(start)
        again_and_again = again * (1 + 65536 // len(again))
        while said_bytes < SAID_MAX:
            connection.sendall(again_and_again)
            said_bytes += len(again_and_again)
        connection.shutdown(socket.SHUT_RDWR)

    server.default = say

    assert isinstance(outcome(name, impatient), errors.StorageError)
    assert said_bytes < SAID_MAX


@pytest.mark.parametrize(
    ("name", "what"),
    [
        *product(WAYS, ["headers", "body of an error"]),
        ("get_bucket", "interim answers"),
        ("get_object", "trailers"),
    ],
)
def test_dripping_answer_ends(server: Recorder, impatient: CosClient, name: str, what: str) -> None:
    start, again = ENDLESS[what]
    is_over = threading.Event()

    def say(connection: socket.socket) -> None:
        connection.sendall(start)
        while not is_over.wait(0.1):
            connection.sendall(again[:20])

    server.default = say

    try:
        begun_at = time.monotonic()
        assert isinstance(outcome(name, impatient), errors.StorageError)
    finally:
        is_over.set()
    assert time.monotonic() - begun_at < 20


@pytest.mark.timeout(20)
def test_blanks_before_an_answer_cost_no_time(server: Recorder, impatient: CosClient) -> None:
    said(server, reply(200, b" " * 3_000_000 + LEGAL["multipart_complete"].document.encode()))

    assert outcome("multipart_complete", impatient)["ETag"] == '"e-1"'


def test_blanks_that_http_does_not_know_belong_to_the_value() -> None:
    assert headers_parse("HTTP/1.1 200 OK\r\nx: \xa0a\x85 \t\r\n\r\n".encode()) == (200, {"x": "\xa0a\x85"})
