"""For every operation the official SDK and our client send the same request, or differ for a stated reason.

Our client has never met the live service; the SDK has. Each side's signature is checked by a verifier that
shares no code with either.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from qcloud_cos import CosConfig, CosS3Client

from apps.storage.cos import CosClient
from tests.storage.conftest import SECRET_ID, SECRET_KEY
from tests.storage.recorder import Recorder, Seen, reply
from tests.storage.verifier import signature_is_valid

BUCKET = "photos-1250000000"
REGION = "ap-guangzhou"
KEY = "dir/中 文+a(1)~!*'.txt"
AT = {"Bucket": BUCKET, "Region": REGION}
NO_LENGTH = {"signed": "the SDK adds a Content-Length of 0 to DELETE, which HTTP does not ask for"}
WITH_DIGEST = {
    "signed": "we send the type and the MD5 that the documentation demands of XML bodies",
    "headers": "the SDK sends no type here",
}
SOURCE = {"Bucket": "origin-1250000000", "Region": "ap-shanghai", "Key": "a b/中+%.bin"}
MODIFIED = "Thu, 16 May 2019 06:45:51 GMT"
POLICY = {
    "Owner": {"ID": "qcs::cam::uin/1:uin/1"},
    "AccessControlList": {
        "Grant": [
            {
                "Grantee": {"Type": "CanonicalUser", "ID": "qcs::cam::uin/2:uin/2"},
                "Permission": "READ",
            }
        ]
    },
}
RULE = {
    "ID": "one",
    "AllowedOrigins": ["https://a.example", "*"],
    "AllowedMethods": ["GET", "PUT"],
    "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": "600",
}
SDK_RULE = {
    name.removesuffix("s") if name != "MaxAgeSeconds" else name: value for name, value in RULE.items()
}
PARTS = [{"PartNumber": 1, "ETag": '"a"'}, {"PartNumber": 2, "ETag": '"b"'}]

LIST = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
ACL = b"<AccessControlPolicy><Owner><ID>1</ID></Owner><AccessControlList/></AccessControlPolicy>"


@dataclass(frozen=True)
class Case:
    """One operation on both sides; `differs` names an aspect and why it is not equal."""

    name: str
    ours: Callable[[CosClient], Any]
    theirs: Callable[[CosS3Client], Any]
    answer: bytes = b""
    differs: dict[str, str] = field(default_factory=dict)


CASES = [
    Case(
        "get_service",
        lambda ours: ours.get_service(),
        lambda sdk: sdk.list_buckets(),
        b"<ListAllMyBucketsResult><Owner><ID>1</ID></Owner><Buckets/></ListAllMyBucketsResult>",
        {
            "host": "the SDK cannot keep the public name of the service on another address",
            "headers": "because of the host",
            "query": "the SDK always sends marker and max-keys, and does not sign them",
        },
    ),
    Case("head_bucket", lambda ours: ours.head_bucket(**AT), lambda sdk: sdk.head_bucket(Bucket=BUCKET)),
    Case(
        "get_bucket",
        lambda ours: ours.get_bucket(**AT, Prefix="dir/中 文+", Delimiter="/", Marker="m", MaxKeys=10),
        lambda sdk: sdk.list_objects(
            Bucket=BUCKET, Prefix="dir/中 文+", Delimiter="/", Marker="m", MaxKeys=10, EncodingType="url"
        ),
        LIST,
    ),
    Case(
        "put_bucket",
        lambda ours: ours.put_bucket(**AT, ACL="public-read", GrantRead='id="1"', GrantWrite='id="2"'),
        lambda sdk: sdk.create_bucket(
            Bucket=BUCKET, ACL="public-read", GrantRead='id="1"', GrantWrite='id="2"'
        ),
    ),
    Case(
        "delete_bucket",
        lambda ours: ours.delete_bucket(**AT),
        lambda sdk: sdk.delete_bucket(Bucket=BUCKET),
        differs=NO_LENGTH,
    ),
    Case(
        "get_bucket_location",
        lambda ours: ours.get_bucket_location(**AT),
        lambda sdk: sdk.get_bucket_location(Bucket=BUCKET),
        b"<LocationConstraint>ap-guangzhou</LocationConstraint>",
    ),
    Case(
        "get_bucket_acl",
        lambda ours: ours.get_bucket_acl(**AT),
        lambda sdk: sdk.get_bucket_acl(Bucket=BUCKET),
        ACL,
    ),
    Case(
        "put_bucket_acl by headers",
        lambda ours: ours.put_bucket_acl(**AT, ACL="private", GrantFullControl='id="1"'),
        lambda sdk: sdk.put_bucket_acl(Bucket=BUCKET, ACL="private", GrantFullControl='id="1"'),
    ),
    Case(
        "put_bucket_acl by policy",
        lambda ours: ours.put_bucket_acl(**AT, AccessControlPolicy=POLICY),
        lambda sdk: sdk.put_bucket_acl(Bucket=BUCKET, AccessControlPolicy=POLICY),
        differs={**WITH_DIGEST, "body": "the SDK writes the type as a child, the published XML as xsi:type"},
    ),
    Case(
        "get_bucket_cors",
        lambda ours: ours.get_bucket_cors(**AT),
        lambda sdk: sdk.get_bucket_cors(Bucket=BUCKET),
        b"<CORSConfiguration/>",
    ),
    Case(
        "put_bucket_cors",
        lambda ours: ours.put_bucket_cors(**AT, CORSRules=[RULE]),
        lambda sdk: sdk.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRule": [SDK_RULE]}),
    ),
    Case(
        "get_bucket_tagging",
        lambda ours: ours.get_bucket_tagging(**AT),
        lambda sdk: sdk.get_bucket_tagging(Bucket=BUCKET),
        b"<Tagging><TagSet/></Tagging>",
    ),
    Case(
        "put_bucket_tagging",
        lambda ours: ours.put_bucket_tagging(**AT, Tags=[{"Key": "a", "Value": "b&<中"}]),
        lambda sdk: sdk.put_bucket_tagging(
            Bucket=BUCKET, Tagging={"TagSet": {"Tag": [{"Key": "a", "Value": "b&<中"}]}}
        ),
    ),
    Case(
        "head_object",
        lambda ours: ours.head_object(**AT, Key=KEY, IfModifiedSince=MODIFIED),
        lambda sdk: sdk.head_object(Bucket=BUCKET, Key=KEY, IfModifiedSince=MODIFIED),
    ),
    Case(
        "get_object",
        lambda ours: b"".join(
            ours.get_object(
                **AT,
                Key=KEY,
                Range="bytes=0-9",
                IfMatch='"e"',
                ResponseContentDisposition='attachment; filename="a b"',
            )["Body"]
        ),
        lambda sdk: (
            sdk.get_object(
                Bucket=BUCKET,
                Key=KEY,
                Range="bytes=0-9",
                IfMatch='"e"',
                ResponseContentDisposition='attachment; filename="a b"',
            )["Body"]
            .get_raw_stream()
            .read()
        ),
    ),
    Case(
        "put_object",
        lambda ours: ours.put_object(
            **AT,
            Key=KEY,
            Body=b"thirteen byte",
            ContentType="text/plain",
            CacheControl="no-cache",
            ContentDisposition="inline",
            StorageClass="STANDARD_IA",
            ACL="private",
            GrantRead='id="1"',
            Metadata={"note": "a b/c=d&"},
        ),
        lambda sdk: sdk.put_object(
            Bucket=BUCKET,
            Key=KEY,
            Body=b"thirteen byte",
            ContentType="text/plain",
            CacheControl="no-cache",
            ContentDisposition="inline",
            StorageClass="STANDARD_IA",
            ACL="private",
            GrantRead='id="1"',
            Metadata={"x-cos-meta-note": "a b/c=d&"},
        ),
    ),
    Case(
        "put_object, empty",
        lambda ours: ours.put_object(**AT, Key=KEY, Body=b""),
        lambda sdk: sdk.put_object(Bucket=BUCKET, Key=KEY, Body=b""),
    ),
    Case(
        "delete_object",
        lambda ours: ours.delete_object(**AT, Key=KEY, VersionId="v1"),
        lambda sdk: sdk.delete_object(Bucket=BUCKET, Key=KEY, VersionId="v1"),
        differs=NO_LENGTH,
    ),
    Case(
        "delete_multiple_object",
        lambda ours: ours.delete_multiple_object(**AT, Objects=[{"Key": KEY}, {"Key": "a&<b>"}], Quiet=True),
        lambda sdk: sdk.delete_objects(
            Bucket=BUCKET, Delete={"Object": [{"Key": KEY}, {"Key": "a&<b>"}], "Quiet": "true"}
        ),
        b"<DeleteResult/>",
        {"body": "the same children in the documented order, Quiet first"},
    ),
    Case(
        "put_object_copy",
        lambda ours: ours.put_object_copy(
            **AT, Key=KEY, CopySource=SOURCE, CopySourceIfMatch='"e"', MetadataDirective="Copy"
        ),
        lambda sdk: sdk.copy_object(
            Bucket=BUCKET, Key=KEY, CopySource=SOURCE, CopySourceIfMatch='"e"', CopyStatus="Copy"
        ),
        b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>",
    ),
    Case(
        "get_object_acl",
        lambda ours: ours.get_object_acl(**AT, Key=KEY),
        lambda sdk: sdk.get_object_acl(Bucket=BUCKET, Key=KEY),
        ACL,
    ),
    Case(
        "put_object_acl",
        lambda ours: ours.put_object_acl(**AT, Key=KEY, ACL="public-read", GrantRead='id="1"'),
        lambda sdk: sdk.put_object_acl(Bucket=BUCKET, Key=KEY, ACL="public-read", GrantRead='id="1"'),
    ),
    Case(
        "multipart_init",
        lambda ours: ours.multipart_init(**AT, Key=KEY, ContentType="a/b", Metadata={"n": "v"}),
        lambda sdk: sdk.create_multipart_upload(
            Bucket=BUCKET, Key=KEY, ContentType="a/b", Metadata={"x-cos-meta-n": "v"}
        ),
        b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
    ),
    Case(
        "multipart_upload",
        lambda ours: ours.multipart_upload(**AT, Key=KEY, UploadId="u/1", PartNumber=3, Body=b"part"),
        lambda sdk: sdk.upload_part(Bucket=BUCKET, Key=KEY, UploadId="u/1", PartNumber=3, Body=b"part"),
    ),
    Case(
        "multipart_upload_copy",
        lambda ours: ours.multipart_upload_copy(
            **AT, Key=KEY, UploadId="u", PartNumber=1, CopySource=SOURCE, CopySourceRange="bytes=0-9"
        ),
        lambda sdk: sdk.upload_part_copy(
            Bucket=BUCKET, Key=KEY, UploadId="u", PartNumber=1, CopySource=SOURCE, CopySourceRange="bytes=0-9"
        ),
        b"<CopyPartResult><ETag>e</ETag></CopyPartResult>",
    ),
    Case(
        "multipart_complete",
        lambda ours: ours.multipart_complete(**AT, Key=KEY, UploadId="u", Parts=PARTS),
        lambda sdk: sdk.complete_multipart_upload(
            Bucket=BUCKET, Key=KEY, UploadId="u", MultipartUpload={"Part": PARTS}
        ),
        b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>",
        WITH_DIGEST,
    ),
    Case(
        "multipart_abort",
        lambda ours: ours.multipart_abort(**AT, Key=KEY, UploadId="u"),
        lambda sdk: sdk.abort_multipart_upload(Bucket=BUCKET, Key=KEY, UploadId="u"),
        differs=NO_LENGTH,
    ),
    Case(
        "multipart_list_part",
        lambda ours: ours.multipart_list_part(**AT, Key=KEY, UploadId="u", MaxParts=5, PartNumberMarker=2),
        lambda sdk: sdk.list_parts(
            Bucket=BUCKET, Key=KEY, UploadId="u", MaxParts=5, PartNumberMarker=2, EncodingType="url"
        ),
        b"<ListPartsResult/>",
    ),
    Case(
        "multipart_list",
        lambda ours: ours.multipart_list(
            **AT, Prefix="p/", Delimiter="/", KeyMarker="k", UploadIdMarker="u", MaxUploads=5
        ),
        lambda sdk: sdk.list_multipart_uploads(
            Bucket=BUCKET,
            Prefix="p/",
            Delimiter="/",
            KeyMarker="k",
            UploadIdMarker="u",
            MaxUploads=5,
            EncodingType="url",
        ),
        b"<ListMultipartUploadsResult/>",
    ),
]


@pytest.fixture
def sdk(recorder: Recorder) -> CosS3Client:
    host = f"127.0.0.1:{recorder.port}"
    config = CosConfig(
        Region=REGION,
        SecretId=SECRET_ID,
        SecretKey=SECRET_KEY,
        Scheme="http",
        IP="127.0.0.1",
        Port=recorder.port,
        ServiceDomain=host,
        Timeout=10,
    )
    return CosS3Client(config, retry=0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_requests_are_equal(recorder: Recorder, client: CosClient, sdk: CosS3Client, case: Case) -> None:
    recorder.default = reply(200, case.answer, ETag='"e"')

    case.ours(client)
    case.theirs(sdk)

    ours, theirs = recorder.seen
    assert signature_is_valid(ours, SECRET_KEY)
    assert signature_is_valid(theirs, SECRET_KEY)
    left, right = _aspects(ours), _aspects(theirs)
    differing = {aspect: (left[aspect], right[aspect]) for aspect in left if left[aspect] != right[aspect]}
    assert differing.keys() == case.differs.keys(), differing


def _aspects(seen: Seen) -> dict[str, Any]:
    signed = set(filter(None, seen.authorization["q-header-list"].split(";")))
    return {
        "method": seen.method,
        "host": seen.headers["host"],
        "path": seen.path,
        "query": seen.query,
        "signed": signed,
        "signed query": seen.authorization["q-url-param-list"],
        "headers": {name: seen.headers.get(name) for name in signed - {"content-md5", "content-length"}},
        "body": _body(seen.body),
    }


def _body(body: bytes) -> Any:
    return _tree(ET.fromstring(body)) if body.startswith(b"<") else body


def _tree(node: ET.Element) -> Any:
    children = [_tree(child) for child in node]
    return (re.sub("{.*}", "", node.tag), dict(node.attrib), (node.text or "").strip(), children)
