"""Garbage in the XML of a request: the store says 4xx about it, at once, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.localstore import LocalStore
from tests.examples import examples
from tests.garbled import documents, nested
from tests.localstore.conftest import OWNER
from tests.localstore.thrown import judge
from tests.localstore.wire import Reply, Wire, complete_xml, md5_header, part_put, upload_begin

BUCKET = "documents-1250000000"
OWNER_XML = "<Owner><ID>qcs::cam::uin/1:uin/1</ID></Owner>"
ACL = (
    f"<AccessControlPolicy>{OWNER_XML}<AccessControlList><Grant><Grantee><ID>qcs::cam::uin/2:uin/2</ID></Grantee>"
    "<Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
)
ACL_TAGS = "AccessControlPolicy AccessControlList Owner ID Grant Grantee URI Permission".split()  # noqa: SIM905
CORS = (
    "<CORSConfiguration><CORSRule><ID>r</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    "<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>1</MaxAgeSeconds></CORSRule>"
    "</CORSConfiguration>"
)
CORS_TAGS = """
    CORSConfiguration CORSRule ID AllowedOrigin AllowedMethod AllowedHeader ExposeHeader MaxAgeSeconds
""".split()  # noqa: SIM905
TAGGING = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"
TAGGING_TAGS = ["Tagging", "TagSet", "Tag", "Key", "Value"]
DELETE = "<Delete><Quiet>false</Quiet><Object><Key>a</Key><VersionId>null</VersionId></Object></Delete>"
DELETE_TAGS = ["Delete", "Quiet", "Object", "Key", "VersionId"]
CREATE = "<CreateBucketConfiguration><BucketAZConfig>MAZ</BucketAZConfig></CreateBucketConfiguration>"
CREATE_TAGS = ["CreateBucketConfiguration", "BucketAZConfig"]
COMPLETE = complete_xml([(1, "0" * 32), (2, "1" * 32)]).decode()
COMPLETE_TAGS = ["CompleteMultipartUpload", "Part", "PartNumber", "ETag"]

# name of the operation: method, target, a valid document, its elements from the root on
KINDS = {
    "bucket acl": ("PUT", "/?acl", ACL, ACL_TAGS),
    "object acl": ("PUT", "/k?acl", ACL, ACL_TAGS),
    "cors": ("PUT", "/?cors", CORS, CORS_TAGS),
    "tagging": ("PUT", "/?tagging", TAGGING, TAGGING_TAGS),
    "delete": ("POST", "/?delete", DELETE, DELETE_TAGS),
    "create": ("PUT", "/", CREATE, CREATE_TAGS),
}


@pytest.fixture(scope="module")
def port(shared_store: LocalStore) -> Iterator[int]:
    shared_store.faults.clear()
    with Wire(shared_store.port, OWNER, BUCKET) as wire:
        assert wire.call("PUT", "/").status == 200
        assert wire.call("PUT", "/k", b"x").status == 200
    yield shared_store.port
    with Wire(shared_store.port, OWNER, BUCKET) as wire:
        assert wire.call("GET", "/k").body == b"x"
        for target in ("/k", "/"):
            assert wire.call("DELETE", target).status == 204


def put(port: int, method: str, target: str, body: bytes) -> Reply:
    # A connection of its own each time: some answers end it.
    with Wire(port, OWNER, BUCKET) as fresh:
        reply = fresh.request(method, target, md5_header(body), body)
    judge(reply)
    return reply


CASES = st.sampled_from(sorted(KINDS)).flatmap(
    lambda name: st.tuples(st.just(name), documents(*KINDS[name][2:]))
)


@examples(150)
@given(case=CASES)
@example(case=("bucket acl", ACL.replace("uin/2", "uin/\u0663").encode()))
@example(case=("cors", CORS.replace(">1<", f">{'9' * 5000}<").encode()))
@example(case=("delete", DELETE.replace(">a<", "><b>a</b><").encode()))
def test_document(port: int, case: tuple[str, bytes]) -> None:
    name, body = case
    method, target, _, _ = KINDS[name]

    reply = put(port, method, target, body)

    assert reply.status in (200, 204, 400, 409)


@pytest.mark.parametrize("name", KINDS)
def test_deep_document(port: int, name: str) -> None:
    method, target, _, tags = KINDS[name]

    reply = put(port, method, target, nested(tags[0], 100_000))

    assert (reply.status, reply.code) in (
        (400, "MalformedXML"),
        (400, "XMLSizeLimit"),
        (409, "BucketAlreadyOwnedByYou"),
    )


@examples(60)
@given(body=documents(COMPLETE, COMPLETE_TAGS))
@example(body=COMPLETE.replace(">1<", f">{'9' * 5000}<").encode())
@example(body=COMPLETE.replace(">1<", ">\u0661<").encode())
@example(body=nested("CompleteMultipartUpload", 100_000))
def test_complete(port: int, body: bytes) -> None:
    reply = put(port, "POST", "/up?uploadId=none", body)

    assert reply.code in ("NoSuchUpload", "MalformedXML", "MissingRequestBodyError", "InvalidPartOrder")


def test_odd_completes_leave_the_upload_as_it_is(port: int) -> None:
    with Wire(port, OWNER, BUCKET) as fresh:
        upload_id = upload_begin(fresh, "/up")
        etag = part_put(fresh, "/up", upload_id, 1, b"data")
    odd = [
        [(1, "x")],
        [(2, etag)],
        [(1, etag), (1, etag)],
        [(2, etag), (1, etag)],
        [(0, etag)],
        [(10_001, etag)],
        [],
    ]

    codes = {put(port, "POST", f"/up?uploadId={upload_id}", complete_xml(parts)).code for parts in odd}

    assert codes == {"InvalidPart", "InvalidPartOrder", "MalformedXML"}
    assert put(port, "POST", f"/up?uploadId={upload_id}", complete_xml([(1, etag)])).status == 200
    assert put(port, "DELETE", "/up", b"").status == 204


def test_document_of_many_elements_is_refused_by_its_size(port: int) -> None:
    assert (
        put(port, "PUT", "/?tagging", b"<Tagging>" + b"<a/>" * 600_000 + b"</Tagging>").code == "XMLSizeLimit"
    )
