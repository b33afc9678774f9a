"""The optional arguments of the operations: documented name, type, and the header or parameter it becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypedDict

from apps.storage.cos.arguments import (
    canned_argument,
    date_argument,
    grants_argument,
    header_argument,
    mapping_argument,
    method_argument,
    number_argument,
    storage_class_argument,
    text_argument,
)
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


class BucketOptions(GrantOptions, total=False):
    """Headers of a new bucket. `Tagging` is url-encoded, `k1=v1&k2=v2`."""

    Tagging: str


class ObjectOptions(GrantOptions, total=False):
    """Headers and metadata of a new object.

    `Metadata` maps names without `x-cos-meta-` to text; an argument called `x-cos-meta-…` does the same.
    `StorageClass` may be spelled as in 2017, `Standard_IA`. `TrafficLimit` is in bits per second.
    """

    CacheControl: str
    ContentDisposition: str
    ContentEncoding: str
    ContentLanguage: str
    ContentType: str
    Expires: str | datetime
    StorageClass: str
    Tagging: str
    TrafficLimit: int | str
    Metadata: Mapping[str, str]


class BodyOptions(TypedDict, total=False):
    """Headers that describe the bytes which travel along.

    `ContentSha1` is hexadecimal, `ContentMD5` base64. With `Expect="100-continue"` the bytes wait until the
    store has agreed.
    """

    ContentMD5: str
    ContentSha1: str
    Expect: str


class VacancyOptions(TypedDict, total=False):
    """With `ForbidOverwrite="true"` an object that has the key stays as it is: 409 FileAlreadyExists.

    A bucket with versions ignores it, since nothing is lost there. Source: PUT Object, 2026-11.
    """

    ForbidOverwrite: str


class PutObjectOptions(ObjectOptions, BodyOptions, VacancyOptions, total=False):
    """All of Put Object."""


class PartOptions(BodyOptions, total=False):
    """All of Upload Part. `TrafficLimit` is in bits per second."""

    TrafficLimit: int | str


class PreflightOptions(TypedDict, total=False):
    """What a preflight asks; the method in any case, the header names joined by commas."""

    Origin: str
    AccessControlRequestMethod: str
    AccessControlRequestHeaders: str


class ConditionOptions(TypedDict, total=False):
    """Conditions of a read: HTTP dates or aware datetimes, and ETags with quotes."""

    IfModifiedSince: str | datetime
    IfUnmodifiedSince: str | datetime
    IfMatch: str
    IfNoneMatch: str


class ResponseOptions(TypedDict, total=False):
    """Headers of an answer, to be replaced by these; the store wants such requests to be signed."""

    ResponseContentType: str
    ResponseContentLanguage: str
    ResponseExpires: str | datetime
    ResponseCacheControl: str
    ResponseContentDisposition: str
    ResponseContentEncoding: str


class GetObjectOptions(ConditionOptions, ResponseOptions, total=False):
    """All of Get Object. `Range` is `bytes=first-last`, both included."""

    Range: str


class SourceOptions(TypedDict, total=False):
    """Conditions on the source of a copy: HTTP dates or aware datetimes, and ETags with quotes."""

    CopySourceIfModifiedSince: str | datetime
    CopySourceIfUnmodifiedSince: str | datetime
    CopySourceIfMatch: str
    CopySourceIfNoneMatch: str


class CompleteOptions(VacancyOptions, total=False):
    """All of Complete Multipart Upload."""


class CopyObjectOptions(ObjectOptions, SourceOptions, total=False):
    """What a copy in one request or in parts may be told. The directives are `Copy` or `Replaced`."""

    MetadataDirective: str
    TaggingDirective: str


class CopyOptions(CopyObjectOptions, VacancyOptions, total=False):
    """All of Put Object - Copy."""


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
    "ForbidOverwrite": "x-cos-forbid-overwrite",
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

# Parameters of Get Service; its `Range` is about time, and elsewhere that is the name of a header.
FILTERS = {
    "CreateTime": "create-time",
    "Marker": "marker",
    "MaxKeys": "max-keys",
    "Range": "range",
    "TagKey": "tagkey",
    "TagValue": "tagvalue",
}

_NUMBERS = frozenset({"CreateTime", "MaxKeys", "MaxParts", "MaxUploads", "PartNumberMarker"})
_META_NAME = re.compile(r"[A-Za-z0-9-]+")
META_PREFIX = "x-cos-meta-"
# What an object says of its content, beside its metadata. Storage class and ACL are not part of it.
CONTENT_OPTIONS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
)


def _traffic_limit(name: str, value: object) -> str:
    return str(number_argument(name, value, least=1))


_VALUES: dict[str, Callable[[str, object], str]] = {
    "ACL": canned_argument,
    "AccessControlRequestMethod": method_argument,
    "CopySourceIfModifiedSince": date_argument,
    "CopySourceIfUnmodifiedSince": date_argument,
    "Expires": date_argument,
    "GrantFullControl": grants_argument,
    "GrantRead": grants_argument,
    "GrantReadAcp": grants_argument,
    "GrantWrite": grants_argument,
    "GrantWriteAcp": grants_argument,
    "IfModifiedSince": date_argument,
    "IfUnmodifiedSince": date_argument,
    "StorageClass": storage_class_argument,
    "TrafficLimit": _traffic_limit,
}


def headers_of(options: Mapping[str, Any], kind: Any) -> Pairs:
    """Return the headers among `options`, with metadata unfolded; None and an empty grant are left out.

    `kind` is the TypedDict of what the operation takes. Raises Refused for text that cannot be a header,
    TypeError for an option that the operation has not.
    """
    known: frozenset[str] = kind.__optional_keys__
    headers: list[tuple[str, str]] = []
    for name, value in options.items():
        if name.lower().startswith(META_PREFIX) and "Metadata" in known:
            headers += _metadata({name[len(META_PREFIX) :]: value})
        elif name not in known:
            raise TypeError(f"There is no option {name!r}.")
        elif name == "Metadata":
            headers += _metadata(mapping_argument(name, value or {}))
        elif name in HEADERS and value is not None and not (value == "" and name in _VALUES):
            headers.append((HEADERS[name], _VALUES.get(name, header_argument)(name, value)))
    _require_single(headers)
    return tuple(headers)


def _require_single(headers: list[tuple[str, str]]) -> None:
    """Raise Refused for a name in two spellings: the store would keep one of the values, or both joined."""
    seen: set[str] = set()
    for name, _ in headers:
        if name.lower() in seen:
            raise Refused(f"The metadata name {name[len(META_PREFIX) :]!r} is given twice.")
        seen.add(name.lower())


def options_kept(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that give another object the headers and metadata of one that was read.

    `headers` have lower-case names, as Head Object returns them.
    """
    kept: dict[str, Any] = {name: headers.get(HEADERS[name].lower()) for name in CONTENT_OPTIONS}
    metadata = {
        name.removeprefix(META_PREFIX): value
        for name, value in headers.items()
        if name.startswith(META_PREFIX)
    }
    return {**kept, "Metadata": metadata}


def parameters_of(options: Mapping[str, Any], table: Mapping[str, str] = PARAMETERS) -> Pairs:
    """Return the query parameters among `options`; None and empty text are left out.

    Raises Refused for what should be text or a whole number and is not.
    """
    return tuple(
        (table[name], _parameter_text(name, value))
        for name, value in options.items()
        if name in table and value is not None and value != ""
    )


def _parameter_text(name: str, value: object) -> str:
    if name in _NUMBERS:
        return str(number_argument(name, value))
    return date_argument(name, value) if name == "ResponseExpires" else text_argument(name, value)


def encoding_parameter(asked: str | None) -> tuple[str, str]:
    """Return the parameter that has a list encoded; raises Refused for anything but url.

    Lists are always asked for in it, and always returned decoded.
    """
    if asked not in ("url", "", None):
        raise Refused(f"EncodingType must be url, the only encoding there is, not {asked!r}.")
    return ("encoding-type", "url")


def _metadata(metadata: Mapping[str, str]) -> Pairs:
    for name in metadata:
        if not _META_NAME.fullmatch(text_argument("A metadata name", name)):
            raise Refused(f"The metadata name {name!r} may only hold letters, digits and hyphens.")
    return tuple((f"{META_PREFIX}{name}", header_argument(name, value)) for name, value in metadata.items())
