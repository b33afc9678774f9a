"""Multipart uploads."""

from __future__ import annotations

from tests.storage.wire.buckets import ACP_GRANTS, ALL_PARAMETERS, NO_ACP
from tests.storage.wire.case import KEY, Case, Side
from tests.storage.wire.facts import Differ
from tests.storage.wire.objects import (
    BODY,
    COPY,
    FORBID,
    HEADERS,
    MD5,
    NO_EXPECT,
    NO_FORBID,
    NODE_COPY,
    NODE_FORBID,
    NODE_HEADERS,
    NODE_SOURCE,
    OTHER_SOURCE_CONDITIONS,
    PYTHON_HEADERS,
    SHA1,
    SOURCE_CONDITIONS,
    VERSION,
)
from tests.storage.wire.reasons import (
    BARE_NAME,
    BLANKS,
    EMPTY_HEADERS,
    NO_LENGTH,
    NO_SHA1,
    ORDER,
    WITH_DIGEST,
)

EMPTY_RANGE = {
    "header x-cos-copy-source-range": Differ("the SDK sends and signs it empty", None, " (signed)")
}
PYTHON_PARTS = {
    "query": Differ(
        ALL_PARAMETERS,
        ("uploadId=1585130821cbb7df%2B%2F%3D", "encoding-type=url"),
        (
            "uploadId=1585130821cbb7df%2B%2F%3D",
            "part-number-marker=0",
            "max-parts=1000",
            "encoding-type=url",
        ),
    ),
    "signed parameters": Differ(
        ALL_PARAMETERS, "encoding-type;uploadid", "encoding-type;max-parts;part-number-marker;uploadid"
    ),
}
PYTHON_UPLOADS = {
    "query": Differ(
        ALL_PARAMETERS,
        ("uploads", "encoding-type=url"),
        (
            "uploads=",
            "prefix=",
            "delimiter=",
            "key-marker=",
            "upload-id-marker=",
            "max-uploads=1000",
            "encoding-type=url",
        ),
    ),
    "signed parameters": Differ(
        ALL_PARAMETERS,
        "encoding-type;uploads",
        "delimiter;encoding-type;key-marker;max-uploads;prefix;upload-id-marker;uploads",
    ),
}
NODE_UPLOADS = {
    "query": Differ(
        "the SDK always sends the prefix",
        ("uploads", "encoding-type=url"),
        ("uploads=", "encoding-type=url", "prefix="),
    ),
    "signed parameters": Differ("as for the query", "encoding-type;uploads", "encoding-type;prefix;uploads"),
}
UPLOAD = {"Key": KEY, "UploadId": "1585130821cbb7df+/="}
PARTS = [{"PartNumber": 1, "ETag": '"a"'}, {"PartNumber": 20, "ETag": '"b"'}]
BEGUN = b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
COPIED = b"<CopyPartResult><ETag>e</ETag></CopyPartResult>"
DONE = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
URL = {"EncodingType": "url"}

CASES = [
    Case(
        "multipart_init",
        {"Key": KEY},
        Side("create_multipart_upload", differs=BARE_NAME),
        Side("multipartInit", differs={**BARE_NAME, **EMPTY_HEADERS}),
        BEGUN,
    ),
    Case(
        "multipart_init, with headers",
        {"Key": KEY, **HEADERS},
        Side("create_multipart_upload", PYTHON_HEADERS, BARE_NAME),
        Side("multipartInit", NODE_HEADERS, BARE_NAME),
        BEGUN,
    ),
    Case(
        "multipart_init, with grants on the ACL",
        {"Key": KEY, **ACP_GRANTS},
        Side("create_multipart_upload", missing=NO_ACP),
        Side("multipartInit", differs={**BARE_NAME, **EMPTY_HEADERS}),
        BEGUN,
    ),
    Case(
        "multipart_upload",
        {**UPLOAD, "PartNumber": 3, "Body": BODY},
        Side("upload_part"),
        Side("multipartUpload"),
    ),
    Case(
        "multipart_upload, with digests",
        {
            **UPLOAD,
            "PartNumber": 10000,
            "Body": BODY,
            "ContentMD5": MD5,
            "ContentSha1": SHA1,
            "ContentLength": len(BODY),
            "TrafficLimit": 819200,
        },
        Side("upload_part", {"ContentSha1": None, "ContentLength": "13", **PYTHON_HEADERS}, NO_SHA1),
        Side("multipartUpload", {"ContentSha1": None, "x-cos-content-sha1": SHA1}),
    ),
    Case(
        "multipart_upload, asking first",
        {**UPLOAD, "PartNumber": 3, "Body": BODY, "Expect": "100-continue"},
        Side("upload_part", missing=NO_EXPECT),
        Side("multipartUpload"),
    ),
    Case(
        "multipart_upload_copy",
        {**UPLOAD, **COPY, "PartNumber": 1},
        Side("upload_part_copy", differs=EMPTY_RANGE),
        Side("uploadPartCopy", NODE_COPY),
        COPIED,
    ),
    Case(
        "multipart_upload_copy, a range of a version",
        {
            **UPLOAD,
            "CopySource": VERSION,
            "PartNumber": 2,
            "CopySourceRange": "bytes=0-9",
            **SOURCE_CONDITIONS,
        },
        Side("upload_part_copy"),
        Side("uploadPartCopy", {"CopySource": f"{NODE_SOURCE}?versionId=MTg0NDUx"}),
        COPIED,
    ),
    Case(
        "multipart_upload_copy, if changed",
        {**UPLOAD, **COPY, "PartNumber": 2, **OTHER_SOURCE_CONDITIONS},
        Side("upload_part_copy", differs=EMPTY_RANGE),
        Side("uploadPartCopy", NODE_COPY),
        COPIED,
    ),
    Case(
        "multipart_complete",
        {**UPLOAD, "Parts": PARTS},
        Side("complete_multipart_upload", {"Parts": None, "MultipartUpload": {"Part": PARTS}}, WITH_DIGEST),
        Side("multipartComplete"),
        DONE,
    ),
    Case(
        "multipart_complete, if the key is free",
        {**UPLOAD, "Parts": PARTS, **FORBID},
        Side("complete_multipart_upload", missing=NO_FORBID),
        Side("multipartComplete", NODE_FORBID),
        DONE,
    ),
    Case(
        "multipart_abort",
        UPLOAD,
        Side("abort_multipart_upload", differs=NO_LENGTH),
        Side("multipartAbort", differs=NO_LENGTH),
    ),
    Case(
        "multipart_list_part",
        {**UPLOAD, **URL},
        Side("list_parts", differs=PYTHON_PARTS),
        Side("multipartListPart"),
        b"<ListPartsResult/>",
    ),
    Case(
        "multipart_list_part, one page",
        {**UPLOAD, **URL, "MaxParts": 5, "PartNumberMarker": 2},
        Side("list_parts", differs=ORDER),
        Side("multipartListPart", differs=ORDER),
        b"<ListPartsResult/>",
    ),
    Case(
        "multipart_list",
        URL,
        Side("list_multipart_uploads", differs=PYTHON_UPLOADS),
        Side("multipartList", differs=NODE_UPLOADS),
        b"<ListMultipartUploadsResult/>",
    ),
    Case(
        "multipart_list, one page",
        {
            "Prefix": "p /",
            "Delimiter": "/",
            "KeyMarker": "k中",
            "UploadIdMarker": "u+",
            "MaxUploads": 5,
            **URL,
        },
        Side("list_multipart_uploads", differs=BLANKS),
        Side("multipartList", differs=ORDER),
        b"<ListMultipartUploadsResult/>",
    ),
]
