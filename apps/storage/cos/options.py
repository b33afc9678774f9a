"""The optional arguments of the operations: documented name, type, and the header or parameter it becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypedDict

from apps.storage.errors import Refused

Pairs = tuple[tuple[str, str], ...]


class GrantOptions(TypedDict, total=False):
    """Access in headers. A grant is `id="…"`, several joined by commas; `ACL` is a canned name."""

    ACL: str
    GrantRead: str
    GrantWrite: str
    GrantReadAcp: str
    GrantWriteAcp: str
    GrantFullControl: str


class ObjectOptions(GrantOptions, total=False):
    """Headers and metadata of a new object. `Metadata` maps names without `x-cos-meta-` to text."""

    CacheControl: str
    ContentDisposition: str
    ContentEncoding: str
    ContentLanguage: str
    ContentType: str
    Expires: str
    StorageClass: str
    Tagging: str
    TrafficLimit: int
    Metadata: Mapping[str, str]


class BodyOptions(TypedDict, total=False):
    """Headers that describe the bytes which travel along. `ContentSha1` is hexadecimal."""

    ContentMD5: str
    ContentSha1: str
    Expect: str


class PutObjectOptions(ObjectOptions, BodyOptions, total=False):
    """All of Put Object."""


class ConditionOptions(TypedDict, total=False):
    """Conditions of a read: HTTP dates or ETags with quotes."""

    IfModifiedSince: str
    IfUnmodifiedSince: str
    IfMatch: str
    IfNoneMatch: str


class GetObjectOptions(ConditionOptions, total=False):
    """All of Get Object. `Range` is `bytes=first-last`; `Response…` replace headers of the answer."""

    Range: str
    ResponseContentType: str
    ResponseContentLanguage: str
    ResponseExpires: str
    ResponseCacheControl: str
    ResponseContentDisposition: str
    ResponseContentEncoding: str


class SourceOptions(TypedDict, total=False):
    """Conditions on the source of a copy: HTTP dates or ETags with quotes."""

    CopySourceIfModifiedSince: str
    CopySourceIfUnmodifiedSince: str
    CopySourceIfMatch: str
    CopySourceIfNoneMatch: str


class CopyObjectOptions(ObjectOptions, SourceOptions, total=False):
    """All of Put Object - Copy. The directives are `Copy` or `Replaced`."""

    MetadataDirective: str
    TaggingDirective: str


HEADERS = {
    "AccessControlRequestHeaders": "Access-Control-Request-Headers",
    "AccessControlRequestMethod": "Access-Control-Request-Method",
    "ACL": "x-cos-acl",
    "CacheControl": "Cache-Control",
    "ContentDisposition": "Content-Disposition",
    "ContentEncoding": "Content-Encoding",
    "ContentLanguage": "Content-Language",
    "ContentMD5": "Content-MD5",
    "ContentSha1": "x-cos-content-sha1",
    "ContentType": "Content-Type",
    "CopySourceIfMatch": "x-cos-copy-source-If-Match",
    "CopySourceIfModifiedSince": "x-cos-copy-source-If-Modified-Since",
    "CopySourceIfNoneMatch": "x-cos-copy-source-If-None-Match",
    "CopySourceIfUnmodifiedSince": "x-cos-copy-source-If-Unmodified-Since",
    "Expect": "Expect",
    "Expires": "Expires",
    "GrantFullControl": "x-cos-grant-full-control",
    "GrantRead": "x-cos-grant-read",
    "GrantReadAcp": "x-cos-grant-read-acp",
    "GrantWrite": "x-cos-grant-write",
    "GrantWriteAcp": "x-cos-grant-write-acp",
    "IfMatch": "If-Match",
    "IfModifiedSince": "If-Modified-Since",
    "IfNoneMatch": "If-None-Match",
    "IfUnmodifiedSince": "If-Unmodified-Since",
    "MetadataDirective": "x-cos-metadata-directive",
    "Origin": "Origin",
    "Range": "Range",
    "StorageClass": "x-cos-storage-class",
    "Tagging": "x-cos-tagging",
    "TaggingDirective": "x-cos-tagging-directive",
    "TrafficLimit": "x-cos-traffic-limit",
}

PARAMETERS = {
    "Delimiter": "delimiter",
    "KeyMarker": "key-marker",
    "Marker": "marker",
    "MaxKeys": "max-keys",
    "MaxParts": "max-parts",
    "MaxUploads": "max-uploads",
    "PartNumberMarker": "part-number-marker",
    "Prefix": "prefix",
    "ResponseCacheControl": "response-cache-control",
    "ResponseContentDisposition": "response-content-disposition",
    "ResponseContentEncoding": "response-content-encoding",
    "ResponseContentLanguage": "response-content-language",
    "ResponseContentType": "response-content-type",
    "ResponseExpires": "response-expires",
    "UploadIdMarker": "upload-id-marker",
    "VersionId": "versionId",
}

_META_NAME = re.compile(r"[A-Za-z0-9-]+")
# A line break in a value would begin another header, and a NUL ends it early.
_REFUSED_IN_HEADER = re.compile("[\x00\r\n]")


def headers_of(options: Mapping[str, Any]) -> Pairs:
    """Return the headers among `options`, with metadata unfolded; None is left out.

    Raises Refused for text that cannot be a header, TypeError for an option that no operation has.
    """
    headers: list[tuple[str, str]] = []
    for name, value in options.items():
        if name == "Metadata":
            headers += _metadata(value or {})
        elif name in HEADERS and value is not None:
            headers.append((HEADERS[name], _header_text(name, str(value))))
        elif name not in HEADERS and name not in PARAMETERS:
            raise TypeError(f"There is no option {name!r}.")
    return tuple(headers)


def parameters_of(options: Mapping[str, Any]) -> Pairs:
    """Return the query parameters among `options`; None and empty text are left out."""
    found = ((PARAMETERS[name], value) for name, value in options.items() if name in PARAMETERS)
    return tuple((name, str(value)) for name, value in found if value not in (None, ""))


def _metadata(metadata: Mapping[str, str]) -> Pairs:
    for name in metadata:
        if not _META_NAME.fullmatch(name):
            raise Refused(f"The metadata name {name!r} may only hold letters, digits and hyphens.")
    return tuple((f"x-cos-meta-{name}", _header_text(name, value)) for name, value in metadata.items())


def _header_text(name: str, value: str) -> str:
    if _REFUSED_IN_HEADER.search(value):
        raise Refused(f"{name} must not hold line breaks.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused(f"{name} holds half of a Unicode pair.") from None
    # HTTP cuts blanks off the ends; signing them would make a signature that cannot match.
    return value.strip(" \t")
