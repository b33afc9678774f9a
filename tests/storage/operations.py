"""One legal call of every operation, with every documented argument, and the answer of a contented store.

Values are unlike each other, so that each can be found again in the request that it went into.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.storage.cos import CosClient, Download
from tests.storage import documents
from tests.storage.recorder import reply

BUCKET = "photos-1250000000"
REGION = "ap-guangzhou"
HOST = f"{BUCKET}.cos.{REGION}.myqcloud.com"
KEY = "dir/a b.txt"
UPLOAD_ID = "1585130821cbb7df"
MODIFIED = "Thu, 16 May 2019 06:45:51 GMT"


@dataclass(frozen=True)
class Operation:
    """How an operation is called and answered.

    `repeats` is how often it may be sent again when nobody knows whether it happened. `is_xml` says that the
    answer is a document which the result is read from, `is_content` that it is somebody's object.
    """

    name: str
    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    answer: bytes = field(default_factory=reply)
    success: tuple[int, ...] = (200,)
    repeats: int | None = None
    is_xml: bool = False
    is_content: bool = False

    @property
    def takes_key(self) -> bool:
        return "Key" in self.arguments

    @property
    def is_head(self) -> bool:
        return self.name.startswith("Head")

    def call(self, client: CosClient, **changes: Any) -> dict[str, Any]:
        """Call it, read a body to its end, and return the result."""
        arguments = {**self.arguments, **changes}
        result: dict[str, Any] = getattr(client, self.method)(**arguments)
        if isinstance(result.get("Body"), Download):
            with result["Body"] as body:
                result["Body"] = b"".join(body)
        return result


def xml(text: str, **headers: str) -> bytes:
    """Return an answer that carries `text` as COS does, with a declaration."""
    body = b"<?xml version='1.0' encoding='utf-8' ?>\n" + text.encode()
    return reply(200, body, **{"Content_Type": "application/xml", **headers})


def listens(_progress: object) -> None:
    """Hear of progress, and go on."""


AT = {"Bucket": BUCKET, "Region": REGION}
OBJECT = {**AT, "Key": KEY}
UPLOAD = {**OBJECT, "UploadId": UPLOAD_ID}
GRANTS = {
    "ACL": "public-read",
    "GrantRead": 'uin="100000000101"',
    "GrantWrite": 'uin="100000000102"',
    "GrantReadAcp": 'id="100000000103"',
    "GrantWriteAcp": 'id="100000000104"',
    "GrantFullControl": 'uin="100000000105/100000000106"',
}
FILE = {
    "CacheControl": "max-age=61",
    "ContentDisposition": "attachment; filename=b.txt",
    "ContentEncoding": "br",
    "ContentLanguage": "zh-CN",
    "ContentType": "text/x-sample",
    "Expires": "Fri, 17 May 2030 06:45:51 GMT",
    "StorageClass": "Standard_IA",
    "Tagging": "team=red",
    "TrafficLimit": "819200",
    "x-cos-meta-note": "by the sea",
    **GRANTS,
}
CONDITIONS = {
    "IfModifiedSince": MODIFIED,
    "IfUnmodifiedSince": "Sat, 18 May 2030 06:45:51 GMT",
    "IfMatch": '"matching"',
    "IfNoneMatch": '"other"',
}
SOURCE = {
    "CopySourceIfModifiedSince": MODIFIED,
    "CopySourceIfUnmodifiedSince": "Sat, 18 May 2030 06:45:51 GMT",
    "CopySourceIfMatch": '"matching"',
    "CopySourceIfNoneMatch": '"other"',
}
CONTENT = b"Hello, sea."
BODY = {
    "Body": CONTENT,
    "ContentLength": "11",
    "ContentMD5": "0TMBf9RG7jbG0kIe6GxHfQ==",
    "ContentSha1": "4a7d1ed414474e4033ac29ccb8653d9b",
    "Expect": "100-continue",
    "onProgress": listens,
}
LIST = {"EncodingType": "url", "Prefix": "dir/", "Delimiter": "/"}
_OBJECT_HEADERS = {
    "ETag": '"6f5902ac237024bdd0c176cb93063dc4"',
    "x_cos_hash_crc64ecma": "7",
    "x_cos_meta_note": "by the sea",
    "x_cos_storage_class": "STANDARD_IA",
    "Last_Modified": MODIFIED,
}
_STORED = reply(ETag='"6f5902ac237024bdd0c176cb93063dc4"', x_cos_hash_crc64ecma="7")
_ACL = xml(documents.ACL)
POLICY = {
    "Owner": {"ID": "qcs::cam::uin/100000000201:uin/100000000201"},
    "AccessControlList": {
        "Grant": [
            {
                "Grantee": {"ID": "qcs::cam::uin/100000000202:uin/100000000202"},
                "Permission": "WRITE_ACP",
            }
        ]
    },
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "Get Service",
        "get_service",
        {
            "Region": REGION,
            "Marker": "m-1250000000",
            "MaxKeys": "17",
            "TagKey": "team",
            "TagValue": "red",
            "CreateTime": "1558000000",
            "Range": "lte",
        },
        xml(documents.BUCKETS),
        is_xml=True,
    ),
    Operation("Head Bucket", "head_bucket", AT),
    Operation(
        "Get Bucket",
        "get_bucket",
        {**AT, **LIST, "Marker": "dir/0", "MaxKeys": "17"},
        xml(documents.PAGE),
        is_xml=True,
    ),
    Operation(
        "Put Bucket",
        "put_bucket",
        {**AT, **GRANTS, "Tagging": "team=red", "BucketAZConfig": "MAZ"},
        repeats=0,
    ),
    Operation("Delete Bucket", "delete_bucket", AT, reply(204), (200, 204), repeats=0),
    Operation("Get Bucket ACL", "get_bucket_acl", AT, _ACL, is_xml=True),
    Operation("Put Bucket ACL", "put_bucket_acl", {**AT, **GRANTS, "AccessControlPolicy": POLICY}),
    Operation(
        "Get Bucket CORS",
        "get_bucket_cors",
        AT,
        xml(documents.CORS),
        is_xml=True,
    ),
    Operation(
        "Put Bucket CORS",
        "put_bucket_cors",
        {
            **AT,
            "CORSRules": [
                {
                    "ID": "rule-one",
                    "AllowedMethods": ["Post"],
                    "AllowedOrigins": ["https://a.example"],
                    "AllowedHeaders": ["x-sample"],
                    "ExposeHeaders": ["ETag"],
                    "MaxAgeSeconds": "601",
                }
            ],
        },
    ),
    Operation("Delete Bucket CORS", "delete_bucket_cors", AT, reply(204), (200, 204), repeats=1),
    Operation(
        "Get Bucket Location",
        "get_bucket_location",
        AT,
        xml(documents.LOCATION),
        is_xml=True,
    ),
    Operation(
        "Get Bucket Tagging",
        "get_bucket_tagging",
        AT,
        xml(documents.TAGS),
        is_xml=True,
    ),
    Operation(
        "Put Bucket Tagging",
        "put_bucket_tagging",
        {**AT, "Tags": [{"Key": "team", "Value": "red"}]},
        reply(204),
        (200, 204),
    ),
    Operation("Delete Bucket Tagging", "delete_bucket_tagging", AT, reply(204), (200, 204), repeats=1),
    Operation(
        "Head Object",
        "head_object",
        {**OBJECT, **CONDITIONS, "VersionId": "v1"},
        reply(**_OBJECT_HEADERS),
        (200, 304),
    ),
    Operation(
        "Get Object",
        "get_object",
        {
            **OBJECT,
            **CONDITIONS,
            "ResponseContentType": "text/x-shown",
            "ResponseContentLanguage": "fr-FR",
            "ResponseExpires": "Sun, 19 May 2030 06:45:51 GMT",
            "ResponseCacheControl": "max-age=62",
            "ResponseContentDisposition": "inline; filename=c.txt",
            "ResponseContentEncoding": "zstd",
            "Range": "bytes=0-10",
            "VersionId": "v1",
        },
        reply(200, CONTENT, **_OBJECT_HEADERS),
        (200, 206, 304),
        is_content=True,
    ),
    Operation("Put Object", "put_object", {**OBJECT, **FILE, **BODY, "ForbidOverwrite": "true"}, _STORED),
    Operation(
        "Delete Object",
        "delete_object",
        {**OBJECT, "VersionId": "v1"},
        reply(204),
        (200, 204),
        repeats=1,
    ),
    Operation(
        "Options Object",
        "options_object",
        {
            **OBJECT,
            "Origin": "https://a.example",
            "AccessControlRequestMethod": "Put",
            "AccessControlRequestHeaders": "x-sample",
        },
        reply(
            Access_Control_Allow_Origin="https://a.example",
            Access_Control_Allow_Methods="PUT",
            Access_Control_Allow_Headers="x-sample",
            Access_Control_Expose_Headers="ETag",
            Access_Control_Max_Age="600",
        ),
    ),
    Operation("Get Object ACL", "get_object_acl", OBJECT, _ACL, is_xml=True),
    Operation("Put Object ACL", "put_object_acl", {**OBJECT, **GRANTS, "AccessControlPolicy": POLICY}),
    Operation(
        "Delete Multiple Object",
        "delete_multiple_object",
        {**AT, "Quiet": "true", "Objects": [{"Key": KEY, "VersionId": "v1"}]},
        xml(documents.DELETED),
        is_xml=True,
    ),
    Operation(
        "Put Object Copy",
        "put_object_copy",
        {
            **OBJECT,
            **FILE,
            **SOURCE,
            "CopySource": {"Bucket": "origin-1250000000", "Region": "ap-beijing", "Key": "from/x y"},
            "MetadataDirective": "Replaced",
            "TaggingDirective": "Copy",
            "ForbidOverwrite": "true",
        },
        xml(documents.COPIED),
        is_xml=True,
    ),
    Operation(
        "Initiate Multipart Upload",
        "multipart_init",
        {**OBJECT, **FILE},
        xml(documents.BEGUN),
        repeats=0,
        is_xml=True,
    ),
    Operation(
        "Upload Part",
        "multipart_upload",
        {**UPLOAD, **BODY, "PartNumber": "23", "TrafficLimit": "819200"},
        _STORED,
    ),
    Operation(
        "Upload Part Copy",
        "multipart_upload_copy",
        {
            **UPLOAD,
            **SOURCE,
            "PartNumber": "23",
            "CopySource": {"Bucket": "origin-1250000000", "Region": "ap-beijing", "Key": "from/x y"},
            "CopySourceRange": "bytes=0-1048575",
        },
        xml(documents.PART_COPIED),
        is_xml=True,
    ),
    Operation(
        "Complete Multipart Upload",
        "multipart_complete",
        {
            **UPLOAD,
            "Parts": [{"PartNumber": "23", "ETag": '"3a0f1fd698c235af9cf098cb74aa25bc"'}],
            "ForbidOverwrite": "true",
        },
        xml(
            documents.COMPLETED,
            x_cos_hash_crc64ecma="7",
        ),
        repeats=0,
        is_xml=True,
    ),
    Operation(
        "List Parts",
        "multipart_list_part",
        {**UPLOAD, "EncodingType": "url", "MaxParts": "17", "PartNumberMarker": "5"},
        xml(documents.PARTS),
        is_xml=True,
    ),
    Operation("Abort Multipart Upload", "multipart_abort", UPLOAD, reply(204), (200, 204), repeats=1),
    Operation(
        "List Multipart Uploads",
        "multipart_list",
        {**AT, **LIST, "MaxUploads": "17", "KeyMarker": "dir/0", "UploadIdMarker": "1585130821aaaaaa"},
        xml(documents.UPLOADS),
        is_xml=True,
    ),
)
BY_METHOD = {operation.method: operation for operation in OPERATIONS}
