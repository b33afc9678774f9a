"""Objects."""

from __future__ import annotations

from typing import Any

from tests.storage.wire.buckets import ACP_GRANTS, GRANTS, NO_ACP
from tests.storage.wire.case import KEY, Case, Side
from tests.storage.wire.facts import Differ
from tests.storage.wire.reasons import (
    BARE_NAME,
    BLANKS,
    CHILD_ORDER,
    EMPTY_CACHE_CONTROL,
    NO_LENGTH,
    NO_SHA1,
    by_tag,
)

BODY = b"thirteen byte"
MODIFIED = "Thu, 16 May 2019 06:45:51 GMT"
UNMODIFIED = "Fri, 17 May 2019 06:45:51 GMT"
CONDITIONS = {"IfModifiedSince": MODIFIED, "IfNoneMatch": '"e"'}
OTHER_CONDITIONS = {"IfUnmodifiedSince": UNMODIFIED, "IfMatch": '"e"'}
HEADERS: dict[str, Any] = {
    "CacheControl": "no-cache",
    "ContentDisposition": "attachment; filename=\"a b\"; filename*=UTF-8''%E4%B8%AD",
    "ContentEncoding": "gzip",
    "ContentLanguage": "zh-CN",
    "ContentType": "text/plain; charset=utf-8",
    "Expires": MODIFIED,
    "StorageClass": "STANDARD_IA",
    "Tagging": "a=b&c%20d=%E4%B8%AD",
    "TrafficLimit": 819200,
    "Metadata": {"note": "a b/c=d&", "Other-Note": "%41+"},
    **GRANTS,
}
PYTHON_HEADERS = {"TrafficLimit": "819200"}
NODE_HEADERS = {
    "ContentLanguage": None,
    "Headers": {"Content-Language": "zh-CN"},
    "Tagging": None,
    "x-cos-tagging": HEADERS["Tagging"],
}
RESPONSE = {
    "ResponseContentType": "text/plain; charset=utf-8",
    "ResponseContentLanguage": "de",
    "ResponseExpires": MODIFIED,
    "ResponseCacheControl": "no-cache",
    "ResponseContentDisposition": "attachment; filename=\"a b\"; filename*=UTF-8''%E4%B8%AD",
    "ResponseContentEncoding": "gzip",
}
NO_FORBID = "the SDK has no argument that forbids to overwrite"
FORBID = {"ForbidOverwrite": "true"}
NODE_FORBID = {"ForbidOverwrite": None, "Headers": {"x-cos-forbid-overwrite": "true"}}
NO_EXPECT = "the SDK has no argument to ask before it sends a body"
SHA1 = "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"
MD5 = "7tjeMWX9IPs7tSaVZgMn3w=="
SOURCE = {"Bucket": "origin-1250000000", "Region": "ap-shanghai", "Key": "a b/中+%.bin"}
VERSION = {**SOURCE, "VersionId": "MTg0NDUx"}
NODE_SOURCE = "origin-1250000000.cos.ap-shanghai.myqcloud.com/a%20b/%E4%B8%AD%2B%25.bin"
COPY = {"CopySource": SOURCE}
NODE_COPY = {"CopySource": NODE_SOURCE}
SOURCE_CONDITIONS = {"CopySourceIfMatch": '"e"', "CopySourceIfUnmodifiedSince": UNMODIFIED}
OTHER_SOURCE_CONDITIONS = {"CopySourceIfNoneMatch": '"e"', "CopySourceIfModifiedSince": MODIFIED}
NODE_TAGS = {
    "Tagging": None,
    "TaggingDirective": None,
    "x-cos-tagging": "a=b",
    "x-cos-tagging-directive": "Replaced",
}
COPIED = b"<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"
OBJECTS = [{"Key": KEY}, {"Key": "a&<b>\n", "VersionId": "v1"}]
ODD_OBJECT = [{"Key": "Icon\r"}]
DIRECTIVE = {
    "header x-cos-metadata-directive": Differ("Copy is what the store does anyway", None, "Copy (signed)")
}


def _line_feeds(tree: Any) -> Any:
    tag, attributes, text, children = by_tag(tree)
    return tag, attributes, text.replace("\r", "\n"), [_line_feeds(child) for child in children]


OTHER_KEY = {
    "body": Differ(
        "we write a carriage return as a reference; the SDKs write it bare, which XML reads as a line feed, "
        "so that they would delete another object",
        after=_line_feeds,
    )
}


def _delete(objects: list[dict[str, str]], quiet: str) -> dict[str, Any]:
    return {"Objects": None, "Quiet": None, "Delete": {"Object": objects, "Quiet": quiet}}


CASES = [
    Case("head_object", {"Key": KEY}, Side("head_object"), Side("headObject", differs=NO_LENGTH)),
    Case(
        "head_object, of a version",
        {"Key": KEY, "VersionId": "MTg0NDUx+/="},
        Side("head_object"),
        Side("headObject", differs=NO_LENGTH),
    ),
    Case(
        "head_object, if changed",
        {"Key": KEY, **CONDITIONS},
        Side("head_object"),
        Side("headObject", differs=NO_LENGTH),
    ),
    Case(
        "head_object, if unchanged",
        {"Key": KEY, **OTHER_CONDITIONS},
        Side("head_object"),
        Side("headObject", differs=NO_LENGTH),
    ),
    Case("get_object", {"Key": KEY}, Side("get_object"), Side("getObject")),
    Case(
        "get_object, a range if changed",
        {"Key": KEY, "Range": "bytes=0-9", **CONDITIONS},
        Side("get_object"),
        Side("getObject"),
    ),
    Case(
        "get_object, of a version if unchanged",
        {"Key": KEY, "VersionId": "v1", **OTHER_CONDITIONS},
        Side("get_object"),
        Side("getObject"),
    ),
    Case(
        "get_object, under other headers",
        {"Key": KEY, **RESPONSE},
        Side("get_object", differs=BLANKS),
        Side("getObject"),
    ),
    Case(
        "put_object",
        {"Key": KEY, "Body": BODY},
        Side("put_object"),
        Side("putObject", differs=EMPTY_CACHE_CONTROL),
    ),
    Case(
        "put_object, empty",
        {"Key": KEY, "Body": b""},
        Side("put_object"),
        Side("putObject", differs=EMPTY_CACHE_CONTROL),
    ),
    Case(
        "put_object, with headers",
        {"Key": KEY, "Body": BODY, **HEADERS},
        Side("put_object", PYTHON_HEADERS),
        Side("putObject", NODE_HEADERS),
    ),
    Case(
        "put_object, with digests",
        {"Key": KEY, "Body": BODY, "ContentMD5": MD5, "ContentSha1": SHA1, "ContentLength": len(BODY)},
        Side("put_object", {"ContentSha1": None, "ContentLength": "13"}, NO_SHA1),
        Side("putObject", {"ContentSha1": None, "x-cos-content-sha1": SHA1}, EMPTY_CACHE_CONTROL),
    ),
    Case(
        "put_object, with grants on the ACL",
        {"Key": KEY, "Body": BODY, **ACP_GRANTS},
        Side("put_object", missing=NO_ACP),
        Side("putObject", differs=EMPTY_CACHE_CONTROL),
    ),
    Case(
        "put_object, asking first",
        {"Key": KEY, "Body": BODY, "Expect": "100-continue"},
        Side("put_object", missing=NO_EXPECT),
        Side("putObject", differs=EMPTY_CACHE_CONTROL),
    ),
    Case(
        "put_object, if the key is free",
        {"Key": KEY, "Body": BODY, **FORBID},
        Side("put_object", missing=NO_FORBID),
        Side("putObject", NODE_FORBID, EMPTY_CACHE_CONTROL),
    ),
    Case(
        "delete_object",
        {"Key": KEY},
        Side("delete_object", differs=NO_LENGTH),
        Side("deleteObject", differs=NO_LENGTH),
    ),
    Case(
        "delete_object, of a version",
        {"Key": KEY, "VersionId": "v1"},
        Side("delete_object", differs=NO_LENGTH),
        Side("deleteObject", differs=NO_LENGTH),
    ),
    Case(
        "delete_multiple_object",
        {"Objects": OBJECTS, "Quiet": True},
        Side("delete_objects", _delete(OBJECTS, "true"), {**BARE_NAME, **CHILD_ORDER}),
        Side("deleteMultipleObject", differs={**BARE_NAME, **CHILD_ORDER}),
        b"<DeleteResult/>",
    ),
    Case(
        "delete_multiple_object, with a carriage return",
        {"Objects": ODD_OBJECT},
        Side("delete_objects", _delete(ODD_OBJECT, "false"), {**BARE_NAME, **OTHER_KEY}),
        Side("deleteMultipleObject", differs={**BARE_NAME, **OTHER_KEY}),
        b"<DeleteResult/>",
    ),
    Case(
        "put_object_copy",
        {"Key": KEY, **COPY},
        Side("copy_object", differs=DIRECTIVE),
        Side("putObjectCopy", NODE_COPY, EMPTY_CACHE_CONTROL),
        COPIED,
    ),
    Case(
        "put_object_copy, of a version with new headers",
        {
            "Key": KEY,
            "CopySource": VERSION,
            **HEADERS,
            **SOURCE_CONDITIONS,
            "MetadataDirective": "Replaced",
        },
        Side("copy_object", {**PYTHON_HEADERS, "MetadataDirective": None, "CopyStatus": "Replaced"}),
        Side("putObjectCopy", {**NODE_HEADERS, "CopySource": f"{NODE_SOURCE}?versionId=MTg0NDUx"}),
        COPIED,
    ),
    Case(
        "put_object_copy, if changed",
        {"Key": KEY, **COPY, **OTHER_SOURCE_CONDITIONS, "MetadataDirective": "Copy", **ACP_GRANTS},
        Side("copy_object", missing=NO_ACP),
        Side("putObjectCopy", NODE_COPY, EMPTY_CACHE_CONTROL),
        COPIED,
    ),
    Case(
        "put_object_copy, if the key is free",
        {"Key": KEY, **COPY, **FORBID},
        Side("copy_object", missing=NO_FORBID),
        Side("putObjectCopy", {**NODE_COPY, **NODE_FORBID}, EMPTY_CACHE_CONTROL),
        COPIED,
    ),
    Case(
        "put_object_copy, with other tags",
        {"Key": KEY, **COPY, "Tagging": "a=b", "TaggingDirective": "Replaced"},
        Side("copy_object", missing="the SDK has no argument for what happens to the tags"),
        Side("putObjectCopy", {**NODE_COPY, **NODE_TAGS}, EMPTY_CACHE_CONTROL),
        COPIED,
    ),
]
