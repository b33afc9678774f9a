"""Where clients in the field differ from each other, each of them is understood.

Keys of dots and slashes, bodies and errors are in test_wire.py, links in test_presigned.py, content types and
empty headers in test_objects.py, anonymous requests in test_access.py.
"""

from __future__ import annotations

import pytest

from tests.localstore.conftest import OWNER, Connect
from tests.localstore.wire import Wire, authorization, complete_xml, upload_begin

BODY = bytes(range(256))


@pytest.mark.parametrize("sent", ["", ":80", ":9000"])
@pytest.mark.parametrize("has_port", [True, False])
def test_host_is_signed_with_or_without_its_port(wire: Wire, sent: str, has_port: bool) -> None:
    """The Node SDK signs what it sends; the Python SDK signs the bare name."""
    headers = {"Host": wire.host + sent}
    signed = authorization(OWNER, "GET", "/", headers if has_port else {"Host": wire.host})

    assert wire.request("GET", "/", headers | {"Authorization": signed}).status == 200


def test_host_need_not_be_signed(wire: Wire) -> None:
    """OpenDAL signs no header at all."""
    signed = authorization(OWNER, "PUT", "/k", {}, signed=())

    assert "q-header-list=&" in signed
    assert wire.request("PUT", "/k", {"Authorization": signed}, BODY).status == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "GET", "DELETE"])
def test_length_of_nothing_may_be_said_and_signed(wire: Wire, method: str) -> None:
    """The Node SDK says it with every request."""
    wire.call("PUT", "/k", BODY)
    headers = {"Host": wire.host, "Content-Length": "0", "Origin": "https://example.com"}
    headers["Access-Control-Request-Method"] = "PUT"
    signed = authorization(OWNER, method, "/k", headers, signed=("content-length", "host"))

    reply = wire.request(method, "/k", headers | {"Authorization": signed})

    assert reply.status == {"DELETE": 204, "OPTIONS": 403}.get(method, 200)
    assert wire.call("GET", "/").status == 200


def test_head_of_what_is_missing_says_not_found(wire: Wire) -> None:
    """The Node SDK makes its error from these two words, because there is no body."""
    headers = {"Host": wire.host}
    headers["Authorization"] = authorization(OWNER, "HEAD", "/missing", headers)
    wire.sock.sendall(wire.head_bytes("HEAD", "/missing", headers))

    assert wire.sock.recv(24) == b"HTTP/1.1 404 Not Found\r\n"


def test_object_copied_in_parts_has_the_headers_of_its_start(wire: Wire) -> None:
    """SDKs read the source's headers first, and say them when they begin."""
    wire.call("PUT", "/source", BODY)
    upload = upload_begin(wire, "/k", Content_Type="text/x-thing", Cache_Control="no-cache", x_cos_meta_a="b")
    part = wire.call(
        "PUT", f"/k?partNumber=1&uploadId={upload}", x_cos_copy_source=f"{wire.host}/source"
    ).xml.findtext("ETag")

    wire.call("POST", f"/k?uploadId={upload}", complete_xml([(1, part or "")]))

    got = wire.call("GET", "/k")
    assert got.body == BODY
    assert [got.header(name) for name in ("Content-Type", "Cache-Control", "x-cos-meta-a")] == [
        *("text/x-thing", "no-cache", "b")
    ]


@pytest.mark.parametrize("tag", ['"{}"', "{}"])
def test_tags_of_parts_may_lack_their_quotes(wire: Wire, tag: str) -> None:
    upload = upload_begin(wire, "/k")
    reply = wire.call("PUT", f"/k?partNumber=1&uploadId={upload}", BODY)
    etag = (reply.header("ETag") or "").strip('"')

    done = wire.call("POST", f"/k?uploadId={upload}", complete_xml([(1, tag.format(etag))]))

    assert done.status == 200


def test_region_that_there_is_not_has_no_buckets(connect: Connect) -> None:
    """Clients probe for regions by asking hosts that do not exist."""
    nowhere = connect(region="zz-nowhere")

    assert nowhere.call("HEAD", "/").status == 404
    assert nowhere.call("PUT", "/k", BODY).code == "NoSuchBucket"
