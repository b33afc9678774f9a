"""ACLs of buckets and of objects."""

from __future__ import annotations

from apps.localstore.accounts import principal_id
from apps.localstore.acl import (
    acl_document,
    acl_headers_present,
    acl_parse,
    bucket_acl_of,
    header_grants,
    object_acl_of,
    refuse_write,
)
from apps.localstore.call import Call
from apps.localstore.errors import StoreError
from apps.localstore.index import Writer
from apps.localstore.records import Acl, Bucket, StoredObject
from apps.localstore.responses import Response, xml_response
from apps.localstore.rows import bucket_change, buckets_of, object_find, object_set_acl

ACCOUNT_GRANTS_LIMIT = 1000


def bucket_acl_get(call: Call) -> Response:
    """Show the bucket's grants."""
    call.require("READ_ACP")
    return xml_response(acl_document(principal_id(call.bucket.owner), call.bucket.acl))


def bucket_acl_put(call: Call) -> Response:
    """Replace the bucket's grants. Source: PUT Bucket acl, 2024-12.

    With `x-cos-acl` the body is ignored; grant headers alone replace it too.
    """
    call.require("WRITE_ACP")
    body = call.read_xml()
    wanted = bucket_acl_of(call.headers) if acl_headers_present(call.headers) else acl_parse(body)
    call.engine.index.write(lambda tx: _replace(tx, call.bucket, wanted))
    return Response()


def _replace(tx: Writer, bucket: Bucket, acl: Acl) -> None:
    check_grants(tx, bucket, acl)
    bucket_change(tx, bucket.name, acl=acl)


def check_grants(tx: Writer, bucket: Bucket, acl: Acl) -> None:
    """Raise AttachmentFull when the owner's buckets would have more grants than an account may."""
    elsewhere = sum(len(b.acl) for b in buckets_of(tx, bucket.owner) if b.name != bucket.name)
    if elsewhere + len(acl) > ACCOUNT_GRANTS_LIMIT:
        raise StoreError("AttachmentFull", "The account has 1000 grants on its buckets already.")


def _object(call: Call, permission: str) -> StoredObject:
    if call.query.get("versionId") not in ("", "null"):
        raise StoreError("NoSuchVersion")
    with call.engine.index.read() as db:
        stored = object_find(db, call.bucket.name, call.key)
    if stored is None:
        call.require("READ")
        raise StoreError("NoSuchKey")
    call.require_object(permission, call.bucket, stored.traits.owner, stored.traits.acl)
    return stored


def object_acl_get(call: Call) -> Response:
    """Show the object's grants; `x-cos-acl: default` says that it has none of its own."""
    traits = _object(call, "READ_ACP").traits
    body = acl_document(principal_id(traits.owner), traits.acl or ())
    return xml_response(body, [("x-cos-acl", "default")] if traits.acl is None else [])


def object_acl_put(call: Call) -> Response:
    """Replace the object's grants, or with `default` give the bucket's back to it."""
    _object(call, "WRITE_ACP")
    body = call.read_xml()
    if not object_set_acl_of(call, _wanted(call, body)):
        raise StoreError("NoSuchKey")
    return Response()


def _wanted(call: Call, body: bytes) -> Acl | None:
    if call.headers.get("x-cos-acl") or header_grants(call.headers):
        return object_acl_of(call.headers, call.bucket.owner)
    return refuse_write(acl_parse(body))


def object_set_acl_of(call: Call, acl: Acl | None) -> bool:
    """Commit an object's ACL; False when the object is gone."""
    return call.engine.index.write(lambda tx: object_set_acl(tx, call.bucket.name, call.key, acl))
