"""The service's list of buckets, and buckets as such."""

from __future__ import annotations

import operator
import re

from apps.localstore.accounts import principal_id
from apps.localstore.acl import bucket_acl_of
from apps.localstore.call import Call
from apps.localstore.digits import whole_number
from apps.localstore.errors import StoreError
from apps.localstore.index import Writer
from apps.localstore.markup import child, document, leaf, node, parse, text_of, well_formed
from apps.localstore.operations.access import check_grants
from apps.localstore.records import Bucket, iso_s
from apps.localstore.responses import Response, xml_response
from apps.localstore.rows import bucket_delete, bucket_find, bucket_is_empty, bucket_put, buckets_of
from apps.localstore.tags import tags_of_header

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?-(\d+)")
DOMAIN_LIMIT = 60
BUCKETS_LIMIT = 200
COMPARISONS = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


def service_get(call: Call) -> Response:
    """List the buckets of the account, by name. Source: GET Service, 2024-12, paged since 2023.

    A user below a root needs a policy for this, not a grant, and there are no policies here.
    """
    if call.account is None or not call.account.is_root:
        raise StoreError("AccessDenied")
    limit = call.number("max-keys", 2000, low=1, high=2000)
    marker = call.query.get("marker")
    with call.engine.index.read() as db:
        owned = buckets_of(db, call.account.root_uin)
    left = [b for b in owned if b.name > marker and _is_wanted(call, b)]
    shown, truncated = left[:limit], len(left) > limit
    uin = call.account.root_uin
    xml = node(
        "ListAllMyBucketsResult",
        node("Owner", leaf("ID", principal_id(uin)), leaf("DisplayName", uin)),
        leaf("Marker", well_formed(marker)),
        leaf("NextMarker", shown[-1].name if truncated else ""),
        leaf("IsTruncated", truncated),
        node("Buckets", *(_bucket_xml(bucket) for bucket in shown)),
    )
    return xml_response(document(xml, declared=False))


def _is_wanted(call: Call, bucket: Bucket) -> bool:
    region = call.place.region or call.query.get("region")
    if region and bucket.region != region:
        return False
    tag = (call.query.get("tagkey"), call.query.get("tagvalue"))
    if tag[0] and tag not in bucket.tags:
        return False
    if not call.query.get("create-time"):
        return True
    asked, order = whole_number(call.query.get("create-time")), call.query.get("range")
    if order not in COMPARISONS or asked is None:
        raise StoreError(
            "InvalidArgument", "create-time needs a unix time and range one of lt, lte, gt, gte."
        )
    return bool(COMPARISONS[order](bucket.created_ms // 1000, asked))


def _bucket_xml(bucket: Bucket) -> str:
    return node(
        "Bucket",
        leaf("Name", bucket.name),
        leaf("Location", bucket.region),
        leaf("CreationDate", iso_s(bucket.created_ms)),
        leaf("BucketType", "cos"),
    )


def bucket_head(call: Call) -> Response:
    """Say that the bucket is there and readable."""
    call.require("READ")
    headers = [("x-cos-bucket-region", call.bucket.region)]
    if call.bucket.az:
        headers.append(("x-cos-bucket-az-type", call.bucket.az))
    return Response(headers=headers)


def bucket_create(call: Call) -> Response:
    """Create a bucket for the account that signed.

    A user below a root may not: no policy engine stands behind this store that
    could allow it. Source: PUT Bucket, 2024-12.
    """
    if call.account is None or not call.account.is_root:
        raise StoreError("AccessDenied")
    bucket = Bucket(
        call.place.bucket,
        call.account.root_uin,
        call.place.region,
        call.now_ms,
        bucket_acl_of(call.headers),
        _zone(call.read_xml()),
        tags=tags_of_header(call.headers.get("x-cos-tagging")),
    )
    _check_name(call, bucket)
    call.engine.index.write(lambda tx: _create(tx, bucket))
    return Response()


def _check_name(call: Call, bucket: Bucket) -> None:
    match = NAME.fullmatch(bucket.name)
    if not match:
        raise StoreError("InvalidBucketName")
    if bucket.region not in call.regions:
        raise StoreError("InvalidRegionName")
    if len(f"{bucket.name}.cos.{bucket.region}.myqcloud.com") > DOMAIN_LIMIT:
        raise StoreError("BucketNameTooLong")
    if call.found is None and call.account is not None and match[1] != call.account.appid:
        raise StoreError("AccessDenied", "The bucket name must end with the account's own APPID.")


def _zone(body: bytes) -> str:
    if not body.strip():
        return ""
    root = parse(body, "CreateBucketConfiguration")
    zone = text_of(root, "BucketAZConfig")
    if child(root, "BucketAZConfig") is not None and zone not in ("MAZ", "OAZ"):
        raise StoreError("InvalidArgument", "BucketAZConfig is MAZ or OAZ.")
    return zone


def _create(tx: Writer, bucket: Bucket) -> None:
    there = bucket_find(tx, bucket.name)
    if there is not None:
        raise StoreError("BucketAlreadyOwnedByYou" if there.owner == bucket.owner else "BucketAlreadyExists")
    if tx.run("SELECT count(*) FROM buckets WHERE owner=?", bucket.owner).fetchone()[0] >= BUCKETS_LIMIT:
        raise StoreError("TooManyBuckets")
    check_grants(tx, bucket, bucket.acl)
    bucket_put(tx, bucket)


def bucket_remove(call: Call) -> Response:
    """Delete an empty bucket; an unfinished upload keeps it from being empty."""

    def work(tx: Writer) -> None:
        if bucket_find(tx, call.bucket.name) is None:
            raise StoreError("NoSuchBucket")
        if not bucket_is_empty(tx, call.bucket.name):
            raise StoreError("BucketNotEmpty")
        bucket_delete(tx, call.bucket.name)

    call.engine.index.write(work)
    return Response(status=204)


def location_get(call: Call) -> Response:
    """Name the bucket's region."""
    return xml_response(document(leaf("LocationConstraint", call.bucket.region)))
