"""Copies: what comes along, what does not, and ranges as parts."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from fastcrc import crc64

from apps.localstore import LocalStore
from tests.localstore.conftest import OTHER, Connect
from tests.localstore.wire import Wire, complete_xml, upload_begin

BODY = os.urandom(300_000)
KEY = "dir/中 文+?.txt"


@pytest.fixture
def source(wire: Wire) -> str:
    wire.request(
        "PUT",
        "/" + quote(KEY),
        {
            "x-cos-meta-a": "b",
            "Content-Type": "text/x-thing",
            "x-cos-storage-class": "STANDARD_IA",
            "x-cos-acl": "public-read",
        },
        BODY,
    )
    return f"{wire.host}/{quote(KEY)}"


def test_copy_brings_metadata_but_neither_class_nor_acl(wire: Wire, connect: Connect, source: str) -> None:
    reply = wire.request("PUT", "/copy", {"x-cos-copy-source": source})

    assert reply.status == 200
    assert reply.xml.findtext("ETag") == f'"{hashlib.md5(BODY).hexdigest()}"'
    assert reply.xml.findtext("CRC64") == str(crc64.xz(BODY))
    got = wire.call("GET", "/copy")
    assert got.body == BODY
    assert (got.header("x-cos-meta-a"), got.header("Content-Type")) == ("b", "text/x-thing")
    assert got.header("x-cos-storage-class") is None
    assert connect(None).call("GET", "/copy").code == "AccessDenied"


def test_replaced_takes_the_headers_of_the_request(wire: Wire, source: str) -> None:
    headers = {"x-cos-copy-source": source, "x-cos-metadata-directive": "Replaced", "x-cos-meta-c": "d"}

    wire.request("PUT", "/copy.zip", headers)

    got = wire.call("HEAD", "/copy.zip")
    assert (got.header("x-cos-meta-a"), got.header("x-cos-meta-c")) == (None, "d")
    assert got.header("Content-Type") == "application/zip"


def test_copy_onto_itself_must_replace(wire: Wire, source: str) -> None:
    target = "/" + quote(KEY)

    assert wire.request("PUT", target, {"x-cos-copy-source": source}).code == "InvalidRequest"
    headers = {"x-cos-copy-source": source, "x-cos-metadata-directive": "Replaced"}
    assert wire.request("PUT", target, headers).status == 200
    assert wire.call("GET", target).body == BODY


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-cos-copy-source": "nonsense"}, "InvalidCopySource"),
        ({"x-cos-copy-source": "HOST/missing"}, "NoSuchKey"),
        ({"x-cos-copy-source": "/none-1250000000/k"}, "NoSuchBucket"),
        ({"x-cos-copy-source": "/none-1250000000"}, "InvalidCopySource"),
        ({"x-cos-copy-source": "none-1250000000.cos.ap-beijing.myqcloud.com/k"}, "NoSuchBucket"),
        ({"x-cos-copy-source": "HOST/%FF"}, "InvalidCopySource"),
        ({"x-cos-copy-source": "SOURCE", "x-cos-metadata-directive": "Move"}, "InvalidArgument"),
        ({"x-cos-copy-source": "SOURCE", "x-cos-copy-source-If-Match": '"x"'}, "PreconditionFailed"),
        ({"x-cos-copy-source": "SOURCE?versionId=abc"}, "NoSuchVersion"),
    ],
)
def test_refused_copies(wire: Wire, source: str, headers: dict[str, str], code: str) -> None:
    sent = {n: v.replace("SOURCE", source).replace("HOST", wire.host) for n, v in headers.items()}

    assert wire.request("PUT", "/copy", sent).code == code
    assert wire.call("HEAD", "/copy").status == 404


def test_scheme_in_front_is_tolerated(wire: Wire, source: str) -> None:
    assert wire.request("PUT", "/copy", {"x-cos-copy-source": "https://" + source}).status == 200


def test_source_may_be_a_bucket_and_a_key_after_slashes(wire: Wire, source: str) -> None:
    bucket = wire.host.partition(".")[0]

    reply = wire.request("PUT", "/copy", {"x-cos-copy-source": f"/{bucket}/{quote(KEY)}"})

    assert reply.status == 200
    assert wire.call("GET", "/copy").body == BODY


def test_source_must_be_readable(wire: Wire, connect: Connect) -> None:
    wire.call("PUT", "/secret", b"x")
    target = connect(OTHER, to="theirs-1250000002")
    target.call("PUT", "/")
    try:
        reply = target.request("PUT", "/copy", {"x-cos-copy-source": f"{wire.host}/secret"})

        assert reply.code == "AccessDenied"
    finally:
        target.call("DELETE", "/")


@pytest.fixture
def upload(wire: Wire) -> Iterator[str]:
    upload_id = upload_begin(wire, "/assembled")
    yield upload_id
    wire.call("DELETE", f"/assembled?uploadId={upload_id}")


def test_ranges_of_an_object_become_parts(wire: Wire, source: str, upload: str) -> None:
    wire.call("PUT", "/big", BODY * 8)
    ranges = [(0, 1_199_999), (1_200_000, 2_399_999)]
    parts = []
    for number, (first, last) in enumerate(ranges, start=1):
        headers = {
            "x-cos-copy-source": f"{wire.host}/big",
            "x-cos-copy-source-range": f"bytes={first}-{last}",
        }
        reply = wire.request("PUT", f"/assembled?partNumber={number}&uploadId={upload}", headers)
        assert reply.xml.findtext("ETag") == f'"{hashlib.md5((BODY * 8)[first : last + 1]).hexdigest()}"'
        parts.append((number, reply.xml.findtext("ETag") or ""))

    done = wire.call("POST", f"/assembled?uploadId={upload}", complete_xml(parts))

    assert done.header("x-cos-hash-crc64ecma") == str(crc64.xz(BODY * 8))
    wire.call("DELETE", "/big")
    assert wire.call("GET", "/assembled").body == BODY * 8


@pytest.mark.parametrize(
    ("given", "code"),
    [("bytes=0-300000", "InvalidRange"), ("bytes=5-1", "InvalidArgument"), ("bytes=5-", "InvalidArgument")],
)
def test_part_range_must_lie_within_the_source(
    wire: Wire, source: str, upload: str, given: str, code: str
) -> None:
    headers = {"x-cos-copy-source": source, "x-cos-copy-source-range": given}

    assert wire.request("PUT", f"/assembled?partNumber=1&uploadId={upload}", headers).code == code


@pytest.fixture
def hot(store: LocalStore, connect: Connect) -> Iterator[list[str]]:
    """A source that is overwritten many times while it is copied; the ETags that it had so far."""
    writer, ended = connect(), threading.Event()
    etags = [writer.call("PUT", "/hot", os.urandom(50_000)).header("ETag") or ""]

    def overwrite() -> None:
        while not ended.is_set():
            body = os.urandom(50_000)
            # Noted beforehand: a copy may have it before its writer hears so.
            etags.append(f'"{hashlib.md5(body).hexdigest()}"')
            writer.call("PUT", "/hot", body)

    store.faults.add("delay", operation="*Copy*", seconds=0.1, count=None)
    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(overwrite)
        yield etags
        ended.set()
        writing.result(30)


def test_source_that_keeps_changing_is_copied_as_it_was_once(wire: Wire, hot: list[str]) -> None:
    reply = wire.request("PUT", "/copy", {"x-cos-copy-source": f"{wire.host}/hot"})

    assert reply.status == 200, reply.body
    copy = wire.call("GET", "/copy")
    assert f'"{hashlib.md5(copy.body).hexdigest()}"' == copy.header("ETag")
    assert copy.header("ETag") in hot


@pytest.mark.parametrize("range_", ["bytes=0-49999", "bytes=5-20004", "bytes=7-8"])
def test_part_of_a_source_that_keeps_changing_is_whole(
    wire: Wire, hot: list[str], upload: str, range_: str
) -> None:
    headers = {"x-cos-copy-source": f"{wire.host}/hot", "x-cos-copy-source-range": range_}
    reply = wire.request("PUT", f"/assembled?partNumber=1&uploadId={upload}", headers)

    assert reply.status == 200, reply.body
    etag = reply.xml.findtext("ETag") or ""
    wire.call("POST", f"/assembled?uploadId={upload}", complete_xml([(1, etag)]))
    assembled = wire.call("GET", "/assembled").body
    first, last = map(int, range_.removeprefix("bytes=").split("-"))
    assert len(assembled) == last - first + 1
    assert f'"{hashlib.md5(assembled).hexdigest()}"' == etag
    assert len(hot) > 1


def test_empty_objects_copy(wire: Wire) -> None:
    wire.call("PUT", "/empty", b"")

    assert wire.request("PUT", "/copy", {"x-cos-copy-source": f"{wire.host}/empty"}).status == 200
    assert wire.call("GET", "/copy").body == b""
