"""Encryption is not served: who asks for it is told so, and nothing is kept in the clear in its stead."""

from __future__ import annotations

import pytest

from tests.localstore.wire import Wire, upload_begin

SSE = "x-cos-server-side-encryption"
CUSTOMER = f"{SSE}-customer-algorithm"
WISHES = (
    {SSE: "AES256"},
    {SSE: "cos/kms", f"{SSE}-cos-kms-key-id": "some-key"},
    {CUSTOMER: "AES256", f"{SSE}-customer-key": "a2V5", f"{SSE}-customer-key-MD5": "bWQ1"},
)


@pytest.mark.parametrize("wish", WISHES)
def test_nothing_is_kept_in_the_clear(wire: Wire, wish: dict[str, str]) -> None:
    wire.call("PUT", "/source", b"x")
    upload = upload_begin(wire, "/k")
    copy = {"x-cos-copy-source": f"{wire.host}/source"}
    part = f"/k?partNumber=1&uploadId={upload}"

    replies = {
        "put": wire.request("PUT", "/k", wish, b"secret"),
        "copy": wire.request("PUT", "/k", wish | copy),
        "initiate": wire.request("POST", "/k?uploads", wish),
        "part": wire.request("PUT", part, wish, b"secret"),
        "part copy": wire.request("PUT", part, wish | copy),
    }

    assert {name: (r.status, r.code) for name, r in replies.items()} == dict.fromkeys(
        replies, (501, "NotImplemented")
    )
    assert wire.call("HEAD", "/k").status == 404
    assert not list(wire.call("GET", f"/k?uploadId={upload}").xml.iter("Part"))


@pytest.mark.parametrize("header", [CUSTOMER, "x-cos-copy-source-server-side-encryption-customer-algorithm"])
def test_key_for_a_source_is_refused_too(wire: Wire, header: str) -> None:
    wire.call("PUT", "/source", b"x")

    reply = wire.request("PUT", "/k", {"x-cos-copy-source": f"{wire.host}/source", header: "AES256"})

    assert reply.code == "NotImplemented"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_content_in_the_clear_is_not_shown_as_if_it_had_been_sealed(wire: Wire, method: str) -> None:
    wire.call("PUT", "/k", b"x")

    assert wire.request(method, "/k", {CUSTOMER: "AES256"}).status == 501
