"""What is never success, for every operation alike, and how keys and places go out."""

from __future__ import annotations

import inspect
import socket
from typing import Any

import pytest

from apps.storage import errors
from apps.storage.cos import CosClient
from tests.storage.conftest import SECRET_KEY, client_of
from tests.storage.operations import BY_METHOD, HOST, OPERATIONS, Operation
from tests.storage.recorder import Recorder, drop, reply, unnumbered
from tests.storage.verifier import signature_is_valid

# What is built on operations and has tests of its own.
ELSEWHERE = {
    "get_object_url": "sends nothing",
    "get_object_acls": "is many of get_object_acl",
    "get_bucket_pages": "is many of get_bucket",
    "get_bucket_xml": "is get_bucket, unread",
    "slice_upload_file": "is multipart_init, multipart_upload and multipart_complete, or put_object",
    "slice_copy_file": "is multipart_init, multipart_upload_copy and multipart_complete, or put_object_copy",
}
PAGE = b"<!DOCTYPE html><html><body>Sign in to the wireless network</body></html>"
XHTML = b'<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>'


def error(code: str) -> bytes:
    return f"<?xml version='1.0' encoding='utf-8' ?>\n<Error><Code>{code}</Code><Message/></Error>".encode()


def each(*operations: Operation) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.method)


every = each(*OPERATIONS)
every_with_key = each(*(one for one in OPERATIONS if one.takes_key))
every_with_bucket = each(*(one for one in OPERATIONS if "Bucket" in one.arguments))
every_with_document = each(*(one for one in OPERATIONS if one.is_xml))
every_with_body = each(*(one for one in OPERATIONS if one.is_xml or one.is_content))
every_that_may_fail_late = each(*(one for one in OPERATIONS if not one.is_head and not one.is_content))


def test_table_knows_every_method() -> None:
    methods = {name for name, _ in inspect.getmembers(CosClient, inspect.isfunction) if name[0] != "_"}

    assert methods - ELSEWHERE.keys() == BY_METHOD.keys()


@every
def test_legal_call_succeeds(recorder: Recorder, client: CosClient, operation: Operation) -> None:
    recorder.default = operation.answer

    result = operation.call(client)

    seen = recorder.seen[0]
    assert result["RequestId"] == "RECORDED"
    assert len(recorder.seen) == 1
    assert ("authorization" in seen.headers) is (seen.method != "OPTIONS")
    assert seen.method == "OPTIONS" or signature_is_valid(seen, SECRET_KEY)


@every
def test_redirect_is_never_success(recorder: Recorder, operation: Operation) -> None:
    client = client_of(recorder, attempts=3)
    answers = [
        (301, "PermanentRedirect"),
        (302, "AccessDenied"),
        (307, "NoSuchBucket"),
        (301, "SlowDown"),
        (303, ""),
    ]
    for number, (status, code) in enumerate(answers, 1):
        body = b"" if operation.is_head or not code else error(code)
        recorder.default = reply(status, body, Location=f"http://{HOST}/elsewhere")

        with pytest.raises(errors.Refused, match="another address") as caught:
            operation.call(client)

        assert caught.value.status == status
        assert len(recorder.seen) == number


@every_that_may_fail_late
def test_200_that_carries_an_error_is_an_error(
    recorder: Recorder, client: CosClient, operation: Operation
) -> None:
    for code in ("AccessDenied", "NoSuchBucket", "InternalError"):
        recorder.default = reply(200, error(code))

        with pytest.raises(errors.StorageError) as caught:
            operation.call(client)

        assert (caught.value.status, caught.value.code) == (200, code)


@every
def test_page_of_a_proxy_is_no_answer(recorder: Recorder, client: CosClient, operation: Operation) -> None:
    for status in (200, 204, 403, 404):
        for page in (PAGE, XHTML):
            body = b"" if operation.is_head or status == 204 else page
            recorder.default = unnumbered(reply(status, body, Content_Type="text/html; charset=utf-8"))

            with pytest.raises(errors.Unavailable, match="proxy"):
                operation.call(client)


@every
def test_bare_404_of_a_gateway_says_nothing_about_the_store(
    recorder: Recorder, client: CosClient, operation: Operation
) -> None:
    recorder.default = unnumbered(reply(404, b"" if operation.is_head else b"no such service"))

    with pytest.raises(errors.Unavailable, match="proxy"):
        operation.call(client)


def test_object_may_be_a_web_page(recorder: Recorder, client: CosClient) -> None:
    recorder.default = reply(200, PAGE, Content_Type="text/html")

    assert BY_METHOD["get_object"].call(client)["Body"] == PAGE


@every_with_document
def test_other_document_is_no_answer(recorder: Recorder, client: CosClient, operation: Operation) -> None:
    for body in (XHTML, b"<Result/>", b"", b" \n ", b"<?xml version='1.0'?>", b"\xff\xfe\x00", b"0"):
        recorder.default = reply(200, body)

        with pytest.raises(errors.Unavailable):
            operation.call(client)


@every_with_document
def test_truncated_document_is_no_answer(recorder: Recorder, client: CosClient, operation: Operation) -> None:
    body = operation.answer.partition(b"\r\n\r\n")[2]
    for length in (len(body) // 3, len(body) // 2, len(body) - 1):
        recorder.default = reply(200, body[:length])

        with pytest.raises(errors.Unavailable):
            operation.call(client)


@every_with_body
def test_answer_cut_on_its_way_is_no_answer(
    recorder: Recorder, client: CosClient, operation: Operation
) -> None:
    head, _, body = operation.answer.partition(b"\r\n\r\n")

    def cut(connection: socket.socket) -> None:
        connection.sendall(head + b"\r\n\r\n" + body[: len(body) // 2])
        drop(connection)

    recorder.steps.append(cut)

    with pytest.raises(errors.Interrupted):
        operation.call(client)


@every
def test_only_expected_statuses_are_success(
    recorder: Recorder, client: CosClient, operation: Operation
) -> None:
    line, _, rest = operation.answer.partition(b" ")
    for status in {200, 201, 202, 203, 204, 205, 206, 299} - set(operation.success):
        recorder.default = line + f" {status} ".encode() + rest.partition(b" ")[2]

        with pytest.raises(errors.Unavailable) as caught:
            operation.call(client)

        assert caught.value.status == status


KEYS = {
    "a/../b": "/a/../b",
    "a//b": "/a//b",
    "..": "/..",
    ".": "/.",
    "a/..": "/a/..",
    "a/": "/a/",
    "a/./%2F": "/a/./%252F",
    "end  ": "/end%20%20",
    "a+b c": "/a%2Bb%20c",
    "?acl#&;=": "/%3Facl%23%26%3B%3D",
    "tab\tnul\x00del\x7f\r\n": "/tab%09nul%00del%7F%0D%0A",
    "中" * 283: "/" + "%E4%B8%AD" * 283,
}


@every_with_key
def test_key_goes_out_as_it_is(recorder: Recorder, client: CosClient, operation: Operation) -> None:
    recorder.default = operation.answer

    for key in KEYS:
        operation.call(client, Key=key)

    assert [seen.path for seen in recorder.seen] == list(KEYS.values())
    assert {seen.headers["host"] for seen in recorder.seen} == {HOST}
    assert all(seen.method == "OPTIONS" or signature_is_valid(seen, SECRET_KEY) for seen in recorder.seen)


@every_with_key
def test_illegal_key_is_refused_before_anything_is_sent(
    recorder: Recorder, client: CosClient, operation: Operation
) -> None:
    keys: list[Any] = ["", "/a", "\\a", "a\x1b", "a\x18", "a" * 851, "é" * 426, "a\ud800", None, b"a", 7]
    for key in keys:
        with pytest.raises(errors.Refused, match=r"key.*\.$"):
            operation.call(client, Key=key)

    assert recorder.connections == 0


@every_with_bucket
def test_place_that_is_no_host_name_is_refused(
    recorder: Recorder, client: CosClient, operation: Operation
) -> None:
    buckets: list[Any] = [
        "photos",
        "Photos-1250000000",
        "a.b-1",
        "x/y-1",
        "-a-1",
        "a\n-1",
        "",
        None,
        1,
        [],
        {},
    ]
    regions: list[Any] = ["", "a b", "AP-GUANGZHOU", "a/b", "-", "a\n", None, 1, b"ap-guangzhou", [], {}]
    for change in [*({"Bucket": value} for value in buckets), *({"Region": value} for value in regions)]:
        with pytest.raises(errors.Refused, match=r"\.$"):
            operation.call(client, **change)

    assert recorder.connections == 0


@every
def test_unknown_argument_is_a_mistake_of_the_caller(
    recorder: Recorder, client: CosClient, operation: Operation
) -> None:
    with pytest.raises(TypeError, match="ContentTyp"):
        operation.call(client, ContentTyp="a/b")

    assert recorder.connections == 0
