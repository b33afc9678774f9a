"""One legal call of each operation, and an answer that the live service might give to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from apps.storage.cos import CosClient
from apps.storage.types import FileSlice

AT = {"Bucket": "photos-1250000000", "Region": "ap-guangzhou"}
OF = {**AT, "Key": "k"}
PART = {**OF, "UploadId": "u", "PartNumber": 1}
SOURCE = {**AT, "Key": "source"}
OWNER = "<Owner><ID>qcs::cam::uin/1:uin/1</ID><DisplayName>1</DisplayName></Owner>"
WHEN = "2026-11-22T10:00:00.000Z"
# As long as a body must be to be sent straight from its file.
FILE_SIZE = 64 << 10

SERVICE = (
    f"<ListAllMyBucketsResult>{OWNER}<Buckets><Bucket><Name>b-1</Name><Location>ap-beijing</Location>"
    f"<CreationDate>{WHEN}</CreationDate></Bucket></Buckets><IsTruncated>false</IsTruncated><NextMarker/>"
    "</ListAllMyBucketsResult>"
)
LISTING = (
    "<ListBucketResult><Name>b-1</Name><EncodingType>url</EncodingType><Prefix/><Marker/><MaxKeys>1</MaxKeys>"
    "<IsTruncated>true</IsTruncated><NextMarker>a</NextMarker><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"
    f"<Contents><Key>a</Key><LastModified>{WHEN}</LastModified><ETag>&quot;e&quot;</ETag><Size>1</Size>{OWNER}"
    "<StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"
)
POLICY = (
    f"<AccessControlPolicy>{OWNER}<AccessControlList><Grant><Grantee><ID>1</ID></Grantee>"
    "<Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>"
)
CORS = (
    "<CORSConfiguration><CORSRule><ID>r</ID><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    "<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>1</MaxAgeSeconds></CORSRule>"
    "</CORSConfiguration>"
)
TAGGING = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"
DELETED = (
    "<DeleteResult><Deleted><Key>k</Key></Deleted><Error><Key>l</Key><Code>AccessDenied</Code>"
    "<Message>No.</Message></Error></DeleteResult>"
)
COPIED = (
    '<CopyObjectResult><ETag>"e"</ETag><CRC64>7</CRC64>'
    f"<LastModified>{WHEN}</LastModified></CopyObjectResult>"
)
PART_COPIED = f'<CopyPartResult><ETag>"e"</ETag><LastModified>{WHEN}</LastModified></CopyPartResult>'
BEGUN = (
    "<InitiateMultipartUploadResult><Bucket>b-1</Bucket><Key>k</Key><UploadId>u</UploadId>"
    "</InitiateMultipartUploadResult>"
)
COMPLETED = (
    "<CompleteMultipartUploadResult><Location>http://h/k</Location><Bucket>b-1</Bucket><Key>k</Key>"
    '<ETag>"e-1"</ETag>'
    "</CompleteMultipartUploadResult>"
)
PARTS = (
    f"<ListPartsResult><Bucket>b-1</Bucket><EncodingType>url</EncodingType><Key>k</Key><UploadId>u</UploadId>{OWNER}"
    f"<PartNumberMarker>0</PartNumberMarker><Part><PartNumber>1</PartNumber><LastModified>{WHEN}</LastModified>"
    '<ETag>"e"</ETag><Size>5</Size></Part><StorageClass>STANDARD</StorageClass><MaxParts>1</MaxParts>'
    "<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker></ListPartsResult>"
)
UPLOADS = (
    "<ListMultipartUploadsResult><Bucket>b-1</Bucket><Encoding-Type>url</Encoding-Type><KeyMarker/><UploadIdMarker/>"
    "<NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker><MaxUploads>1</MaxUploads><Prefix/>"
    f"<IsTruncated>true</IsTruncated><Upload><Key>k</Key><UploadId>u</UploadId>{OWNER}<Initiated>{WHEN}</Initiated>"
    "<StorageClass>STANDARD</StorageClass></Upload><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"
    "</ListMultipartUploadsResult>"
)


@dataclass(frozen=True)
class Legal:
    """`method` says how the answer is framed: one to HEAD has no body."""

    call: Callable[[CosClient], Any]
    document: str = ""
    method: str = "GET"


@cache
def sent_file() -> FileSlice:
    """Return a body that goes out through sendfile."""
    file = os.fdopen(os.memfd_create("body"), "w+b", buffering=0)
    file.write(bytes(FILE_SIZE))
    return FileSlice(file, 0, FILE_SIZE)


def read(client: CosClient) -> bytes:
    with client.get_object(**OF)["Body"] as body:
        return b"".join(body)


LEGAL = {
    "get_service": Legal(lambda c: c.get_service(), SERVICE),
    "head_bucket": Legal(lambda c: c.head_bucket(**AT), method="HEAD"),
    "put_bucket": Legal(lambda c: c.put_bucket(**AT)),
    "delete_bucket": Legal(lambda c: c.delete_bucket(**AT)),
    "get_bucket_location": Legal(
        lambda c: c.get_bucket_location(**AT), "<LocationConstraint>ap-beijing</LocationConstraint>"
    ),
    "get_bucket": Legal(lambda c: c.get_bucket(**AT), LISTING),
    "get_bucket_acl": Legal(lambda c: c.get_bucket_acl(**AT), POLICY),
    "put_bucket_acl": Legal(lambda c: c.put_bucket_acl(**AT, ACL="private")),
    "get_bucket_cors": Legal(lambda c: c.get_bucket_cors(**AT), CORS),
    "put_bucket_cors": Legal(
        lambda c: c.put_bucket_cors(**AT, CORSRules=[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}])
    ),
    "delete_bucket_cors": Legal(lambda c: c.delete_bucket_cors(**AT)),
    "get_bucket_tagging": Legal(lambda c: c.get_bucket_tagging(**AT), TAGGING),
    "put_bucket_tagging": Legal(lambda c: c.put_bucket_tagging(**AT, Tags=[{"Key": "k", "Value": "v"}])),
    "delete_bucket_tagging": Legal(lambda c: c.delete_bucket_tagging(**AT)),
    "options_object": Legal(
        lambda c: c.options_object(**OF, Origin="https://a.example", AccessControlRequestMethod="GET")
    ),
    "head_object": Legal(lambda c: c.head_object(**OF), method="HEAD"),
    "get_object": Legal(read),
    "put_object": Legal(lambda c: c.put_object(**OF, Body=b"x")),
    "put_object, file": Legal(lambda c: c.put_object(**OF, Body=sent_file())),
    "delete_object": Legal(lambda c: c.delete_object(**OF)),
    "get_object_acl": Legal(lambda c: c.get_object_acl(**OF), POLICY),
    "put_object_acl": Legal(lambda c: c.put_object_acl(**OF, ACL="default")),
    "delete_multiple_object": Legal(
        lambda c: c.delete_multiple_object(**AT, Objects=[{"Key": "k"}, {"Key": "l"}]), DELETED
    ),
    "put_object_copy": Legal(lambda c: c.put_object_copy(**OF, CopySource=SOURCE), COPIED),
    "multipart_init": Legal(lambda c: c.multipart_init(**OF), BEGUN),
    "multipart_upload": Legal(lambda c: c.multipart_upload(**PART, Body=b"x")),
    "multipart_upload, file": Legal(lambda c: c.multipart_upload(**PART, Body=sent_file())),
    "multipart_upload_copy": Legal(lambda c: c.multipart_upload_copy(**PART, CopySource=SOURCE), PART_COPIED),
    "multipart_complete": Legal(
        lambda c: c.multipart_complete(
            **OF,
            UploadId="u",
            Parts=[{"PartNumber": 1, "ETag": "e"}],
            ExpectedSize=1,
            ExpectedCRC64="7",
        ),
        COMPLETED,
    ),
    "multipart_abort": Legal(lambda c: c.multipart_abort(**OF, UploadId="u")),
    "multipart_list_part": Legal(lambda c: c.multipart_list_part(**OF, UploadId="u"), PARTS),
    "multipart_list": Legal(lambda c: c.multipart_list(**AT), UPLOADS),
}
