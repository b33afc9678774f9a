"""Objects: digests, ranges, conditions, headers and metadata, limits."""

from __future__ import annotations

import hashlib
import threading

import pytest

from apps.localstore import LocalStore
from tests.localstore.conftest import Connect
from tests.localstore.wire import Wire, authorization, md5_header

BODY = bytes(range(256)) * 400


@pytest.mark.parametrize("size", [0, 1, 16384, 16385, 262144, 700_001])
def test_any_size_comes_back_with_its_digests(wire: Wire, size: int) -> None:
    body = (BODY * 7)[:size]

    put = wire.call("PUT", "/k", body)

    assert put.header("ETag") == f'"{hashlib.md5(body).hexdigest()}"'
    got = wire.call("GET", "/k")
    assert got.body == body
    assert got.header("x-cos-hash-crc64ecma") == put.header("x-cos-hash-crc64ecma")


def test_crc_of_the_documented_captures(wire: Wire) -> None:
    assert (
        wire.call("PUT", "/k", b"[Object Content]").header("x-cos-hash-crc64ecma") == "16749565679157681890"
    )
    assert wire.call("PUT", "/k", b"[Object Part]").header("x-cos-hash-crc64ecma") == "4510578591875220731"
    assert wire.call("PUT", "/k", b"123456789").header("x-cos-hash-crc64ecma") == "11051210869376104954"


@pytest.mark.parametrize("size", [100, 100_000])
@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-10", 5, 10),
        ("bytes=90-", 90, -1),
        ("bytes=-7", -7, -1),
        ("bytes=50-999999", 50, -1),
    ],
)
def test_one_range_is_sent(wire: Wire, size: int, header: str, first: int, last: int) -> None:
    body = BODY[:size]
    wire.call("PUT", "/k", body)
    first, last = first % size, last % size

    reply = wire.call("GET", "/k", Range=header)

    assert reply.status == 206
    assert reply.body == body[first : last + 1]
    assert reply.header("Content-Range") == f"bytes {first}-{last}/{size}"


@pytest.mark.parametrize("header", ["bytes=3-1", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=-"])
def test_other_ranges_send_everything(wire: Wire, header: str) -> None:
    wire.call("PUT", "/k", BODY)

    assert wire.call("GET", "/k", Range=header).body == BODY


@pytest.mark.parametrize("header", ["bytes=102400-", "bytes=102400-102401", "bytes=-0"])
def test_range_behind_the_end_is_refused(wire: Wire, header: str) -> None:
    wire.call("PUT", "/k", BODY)

    reply = wire.call("GET", "/k", Range=header)

    assert (reply.status, reply.code) == (416, "InvalidRange")


OLD, NEW = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": "ETAG"}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": NEW}, 200),
        ({"If-Modified-Since": NEW}, 304),
        ({"If-Modified-Since": OLD}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Match": "ETAG"}, 200),
        ({"If-Match": '"other", ETAG'}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": "ETAG", "If-Unmodified-Since": OLD}, 200),
        ({"If-Unmodified-Since": OLD}, 412),
        ({"If-Unmodified-Since": NEW}, 200),
    ],
)
def test_conditions(wire: Wire, method: str, headers: dict[str, str], status: int) -> None:
    etag = wire.call("PUT", "/k", b"x").header("ETag") or ""

    reply = wire.request(method, "/k", {n: v.replace("ETAG", etag) for n, v in headers.items()})

    assert reply.status == status
    if status == 304:
        assert (reply.header("ETag"), reply.header("Content-Length"), reply.body) == (etag, "0", b"")


def test_headers_and_metadata_come_back(wire: Wire) -> None:
    sent = {
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="a.txt"',
        "Content-Encoding": "gzip",
        "Content-Language": "zh",
        "Expires": NEW,
        "Content-Type": "text/x-thing",
        "x-cos-meta-Mixed-Case": "caf\xc3\xa9",
        "x-cos-storage-class": "STANDARD_IA",
    }
    wire.request("PUT", "/k", sent, b"x")

    reply = wire.call("HEAD", "/k")

    for name, value in sent.items():
        stored = name.lower() if name.startswith("x-") else name
        assert reply.header(stored) == value


def test_empty_headers_count_as_absent(wire: Wire) -> None:
    wire.request("PUT", "/k", {"Cache-Control": "", "Content-Type": ""}, b"x")

    reply = wire.call("HEAD", "/k")

    assert reply.header("Cache-Control") is None
    assert reply.header("Content-Type") == "application/octet-stream"
    assert reply.header("x-cos-storage-class") is None


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/1.zip", "application/zip"),
        ("/1", "application/octet-stream"),
        ("/a.b/c.txt", "text/plain"),
        ("/x.png", "image/png"),
        ("/X.JPG", "image/jpeg"),
        ("/a.tar.gz", "application/gzip"),
        ("/a.tgz", "application/gzip"),
        ("/app.js", "application/javascript"),
        ("/a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("/.zip", "application/octet-stream"),
        ("/data:,x.png", "image/png"),
        ("/zip/", "application/octet-stream"),
    ],
)
def test_type_is_guessed_from_the_key(wire: Wire, target: str, kind: str) -> None:
    wire.call("PUT", target, b"x")

    assert wire.call("HEAD", target).header("Content-Type") == kind


def test_parameters_override_response_headers(wire: Wire) -> None:
    wire.call("PUT", "/k", b"x")

    reply = wire.call(
        "GET", "/k?response-content-type=text%2Fhtml&response-content-disposition=a%0D%0AX-Evil%3A%201"
    )

    assert reply.header("Content-Type") == "text/html"
    assert reply.header("X-Evil") is None


def test_empty_parameter_overrides_nothing(wire: Wire) -> None:
    wire.call("PUT", "/k.txt", b"x")

    assert wire.call("GET", "/k.txt?response-content-type=").header("Content-Type") == "text/plain"


def test_anonymous_may_not_override(wire: Wire, connect: Connect) -> None:
    wire.call("PUT", "/k", b"x", x_cos_acl="public-read")

    assert connect(None).call("GET", "/k").status == 200
    assert connect(None).call("GET", "/k?response-content-type=text%2Fhtml").code == "InvalidRequest"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-MD5": "not base64"}, "InvalidDigest"),
        ({"Content-MD5": "YWJj"}, "InvalidDigest"),
        (md5_header(b"other"), "BadDigest"),
        ({"x-cos-content-sha1": "0" * 40}, "InvalidSHA1Digest"),
        ({"x-cos-storage-class": "GLACIER"}, "NotSupportedStorageClass"),
        ({"x-cos-acl": "public-read-write"}, "InvalidArgument"),
        ({"x-cos-grant-write": 'id="1"'}, "InvalidArgument"),
        ({"x-cos-meta-a": "v" * 2048}, "InvalidArgument"),
        ({"x-cos-traffic-limit": "1"}, "InvalidArgument"),
    ],
)
@pytest.mark.parametrize("size", [4, 40_000])
def test_refused_writes_leave_nothing(
    store: LocalStore, wire: Wire, headers: dict[str, str], code: str, size: int
) -> None:
    assert wire.request("PUT", "/k", headers, BODY[:size]).code == code

    assert wire.call("HEAD", "/k").status == 404


def test_right_digests_are_accepted(wire: Wire) -> None:
    headers = {**md5_header(BODY), "x-cos-content-sha1": hashlib.sha1(BODY).hexdigest()}

    assert wire.request("PUT", "/k", headers, BODY).status == 200


def test_length_is_required(wire: Wire) -> None:
    headers = {"Host": wire.host}
    headers["Authorization"] = authorization(wire.account, "PUT", "/k", headers)  # type: ignore[arg-type]
    wire.sock.sendall(wire.head_bytes("PUT", "/k", headers))

    reply = wire.reply("PUT")

    assert (reply.status, reply.code) == (411, "MissingContentLength")


def test_above_five_gigabytes_is_refused_before_the_body(wire: Wire) -> None:
    reply = wire.request("PUT", "/k", {"Content-Length": str(5 * 1024**3 + 1)})

    assert (reply.status, reply.code) == (400, "EntityTooLarge")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("k" * 850, None),
        ("k" * 851, "KeyTooLong"),
        ("a%1Bb", "InvalidObjectName"),
        ("%5Ca", "InvalidObjectName"),
    ],
)
def test_key_limits(wire: Wire, key: str, code: str | None) -> None:
    reply = wire.call("PUT", f"/{key}", b"x")

    assert reply.status == (400 if code else 200)
    assert code is None or reply.code == code


def test_delete_succeeds_with_and_without_an_object(wire: Wire, connect: Connect) -> None:
    wire.call("PUT", "/k", b"x")

    assert [wire.call("DELETE", "/k").status, wire.call("DELETE", "/k").status] == [204, 204]
    assert connect(to="missing-1250000000").call("DELETE", "/k").code == "NoSuchBucket"


def test_archived_objects_cannot_be_read(wire: Wire) -> None:
    wire.call("PUT", "/k", b"x", x_cos_storage_class="ARCHIVE")

    assert wire.call("GET", "/k").code == "InvalidObjectState"
    assert wire.call("HEAD", "/k").header("x-cos-storage-class") == "ARCHIVE"


@pytest.mark.parametrize("size", [100, 50_000])
def test_overwrite_during_a_slow_read_keeps_the_old_bytes(
    store: LocalStore, wire: Wire, connect: Connect, size: int
) -> None:
    wire.call("PUT", "/k", BODY[:size])
    store.faults.add("drip", operation="GetObject", bytes_per_second=size * 5)
    got: list[bytes] = []
    reader = connect()
    thread = threading.Thread(target=lambda: got.append(reader.call("GET", "/k").body))
    thread.start()
    while not any(row["operation"] == "GetObject" and row["host"] == wire.host for row in store.journal):
        pass

    wire.call("PUT", "/k", b"new")

    thread.join()
    assert got == [BODY[:size]]
    assert wire.call("GET", "/k").body == b"new"


def test_same_key_at_once_is_one_of_the_writes(connect: Connect, wire: Wire) -> None:
    bodies = [bytes([number]) * 60_000 for number in range(8)]
    threads = [threading.Thread(target=writer_put, args=(connect(), body)) for body in bodies]
    for thread in threads:
        thread.start()
    for _ in range(10):
        reply = wire.call("GET", "/k")
        assert reply.status == 404 or reply.body in bodies
    for thread in threads:
        thread.join()

    assert wire.call("GET", "/k").body in bodies


def writer_put(wire: Wire, body: bytes) -> None:
    for _ in range(5):
        assert wire.call("PUT", "/k", body).status == 200


def test_unserved_resources_never_reach_the_plain_operation(wire: Wire) -> None:
    wire.call("PUT", "/k", b"x")

    assert wire.call("DELETE", "/?policy").code == "NotImplemented"
    assert wire.call("PUT", "/?lifecycle", b"<x/>").code == "NotImplemented"
    assert wire.call("DELETE", "/k?tagging").code == "NotImplemented"
    assert wire.call("POST", "/k").code == "MethodNotAllowed"
    assert wire.call("PATCH", "/k").code == "MethodNotAllowed"
    assert wire.call("GET", "/k").body == b"x"


def test_other_versions_do_not_exist(wire: Wire) -> None:
    wire.call("PUT", "/k", b"x")

    assert wire.call("GET", "/k?versionId=null").body == b"x"
    assert wire.call("GET", "/k?versionId=abc").code == "NoSuchVersion"
    assert wire.call("DELETE", "/k?versionId=abc").code == "NoSuchVersion"


@pytest.mark.parametrize(
    ("stored", "query", "sent"),
    [
        ("", "", "attachment"),
        ("inline", "", "attachment"),
        ("inline", "?response-content-disposition=inline", "attachment"),
        ('attachment; filename="a.txt"', "", 'attachment; filename="a.txt"'),
        ("", "?response-content-disposition=attachment%3B%20filename%3Db", "attachment; filename=b"),
    ],
)
def test_every_get_is_a_download(wire: Wire, stored: str, query: str, sent: str) -> None:
    wire.call("PUT", "/page.html", b"<script>", Content_Disposition=stored)

    reply, head = wire.call("GET", f"/page.html{query}"), wire.call("HEAD", "/page.html")

    assert reply.header("Content-Disposition") == sent
    assert reply.header("x-cos-force-download") == "true"
    assert head.header("Content-Disposition") == (stored or None)
    assert head.header("x-cos-force-download") is None


@pytest.mark.parametrize(
    ("condition", "status"),
    [("ETAG", 206), ('"other"', 200), ("W/ETAG", 200), ("MODIFIED", 206), (OLD, 200), ("nonsense", 200)],
)
def test_range_of_something_else_is_not_sent(wire: Wire, condition: str, status: int) -> None:
    etag = wire.call("PUT", "/k", b"0123456789").header("ETag") or ""
    modified = wire.call("HEAD", "/k").header("Last-Modified") or ""
    wanted = condition.replace("ETAG", etag).replace("MODIFIED", modified)

    reply = wire.call("GET", "/k", Range="bytes=2-3", If_Range=wanted)

    assert (reply.status, reply.body) == (status, b"23" if status == 206 else b"0123456789")


@pytest.mark.parametrize("version", ["", "null"])
def test_the_only_version_is_called_null(wire: Wire, version: str) -> None:
    wire.call("PUT", "/k", b"x")
    query = f"?versionId={version}"
    source = {"x-cos-copy-source": f"{wire.host}/k{query}"}

    assert wire.call("GET", f"/k{query}").body == b"x"
    assert wire.call("HEAD", f"/k{query}").status == 200
    assert wire.call("GET", f"/k{query}&acl").status == 200
    assert wire.call("GET", "/k?acl&versionId=other").code == "NoSuchVersion"
    assert wire.request("PUT", "/copy", source).status == 200
    assert wire.call("DELETE", f"/k{query}").status == 204
