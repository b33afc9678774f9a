"""Turns the client's documented dictionaries into the values of the store contract, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from apps.storage.cos.addresses import region_canonical
from apps.storage.cos.options import VacancyOptions, options_kept
from apps.storage.cos.parts import etag_bare
from apps.storage.cos.records import crc64_text, record_number, record_text, size_text
from apps.storage.errors import Refused, Unavailable
from apps.storage.types import (
    Bucket,
    DeleteFailure,
    ObjectHeaders,
    ObjectInfo,
    ObjectRef,
    ObjectSummary,
    ResponseHeaders,
    StoredObject,
    StoredPart,
    UnfinishedUpload,
)


def vacancy_options(is_new_only: bool) -> VacancyOptions:
    """Return the options of a write that may not replace an object, none for one that may."""
    return {"ForbidOverwrite": "true"} if is_new_only else {}


def bucket_of(record: Mapping[str, str]) -> Bucket:
    """Return a bucket of Get Service; a legacy region gets its present name."""
    try:
        region = region_canonical(record_text(record, "Location"))
    except Refused as error:
        raise Unavailable(f"The store names a bucket in no region. {error.message}") from None
    return Bucket(record_text(record, "Name"), region, time_of(record.get("CreationDate")))


def summary_of(record: Mapping[str, Any]) -> ObjectSummary:
    """Return one row of Get Bucket."""
    return ObjectSummary(
        key=record_text(record, "Key"),
        size=record_number(record, "Size", "0"),
        etag=etag_bare(record_text(record, "ETag", "")),
        modified_at=time_of(record.get("LastModified")),
        storage_class=record_text(record, "StorageClass", "STANDARD").upper(),
        owner_id=id_of(record.get("Owner")),
    )


def info_of(key: str, fields: Mapping[str, Any], size: int) -> ObjectInfo:
    """Return what Head Object or Get Object said; `size` is that of the whole object, in bytes."""
    headers = {name: value for name, value in fields.items() if name.islower() and isinstance(value, str)}
    prefix = "x-cos-meta-"
    return ObjectInfo(
        key=key,
        size=size,
        etag=etag_bare(fields["ETag"]),
        crc64=crc64_text(fields["CRC64"]),
        content_type=headers.get("content-type", ""),
        modified_at=time_of(headers.get("last-modified", "")),
        storage_class=str(fields["x-cos-storage-class"]).upper(),
        headers=headers,
        metadata={
            name.removeprefix(prefix): value for name, value in headers.items() if name.startswith(prefix)
        },
        is_not_modified=fields["NotModified"],
        version_id=fields["VersionId"],
    )


def part_of(record: Mapping[str, str]) -> StoredPart:
    """Return one part of List Parts, which knows no CRC-64 today."""
    number, size = record_number(record, "PartNumber"), record_number(record, "Size")
    etag, crc64 = etag_bare(record_text(record, "ETag")), crc64_text(record.get("CRC64"))
    return StoredPart(number, size, etag, crc64, time_of(record.get("LastModified")))


def unfinished_of(record: Mapping[str, Any]) -> UnfinishedUpload:
    """Return one upload of List Multipart Uploads."""
    return UnfinishedUpload(
        key=record_text(record, "Key"),
        upload_id=record_text(record, "UploadId"),
        initiated_at=time_of(record.get("Initiated")),
        initiator_id=id_of(record.get("Initiator")),
        owner_id=id_of(record.get("Owner")),
        storage_class=record_text(record, "StorageClass", "").upper(),
        initiator_name=name_of(record.get("Initiator")),
    )


def stored_of(result: Mapping[str, Any]) -> StoredObject:
    """Return the answer to a write."""
    etag, crc64 = etag_bare(result["ETag"]), crc64_text(result["CRC64"])
    return StoredObject(etag, crc64, request_id=result.get("RequestId", ""))


def delete_failure_of(key: str, record: Mapping[str, str] | None, request_id: str) -> DeleteFailure:
    """Return why a key was not deleted; None stands for a key that the answer left out."""
    if record is None:
        return DeleteFailure(key, "", "The store did not say what happened to this key.", request_id)
    code, message = record_text(record, "Code", ""), record_text(record, "Message", "")
    return DeleteFailure(key, code, message, request_id)


def options_of(headers: ObjectHeaders) -> dict[str, Any]:
    """Return headers as the client's arguments; None is left to the store."""
    return {
        "CacheControl": headers.cache_control,
        "ContentDisposition": headers.content_disposition,
        "ContentEncoding": headers.content_encoding,
        "ContentLanguage": headers.content_language,
        "ContentType": headers.content_type,
        "Expires": headers.expires,
        "StorageClass": headers.storage_class,
        "Metadata": headers.metadata,
    }


def condition_options(
    *,
    if_match: str | None,
    if_none_match: str | None,
    if_modified_since: datetime | None,
    if_unmodified_since: datetime | None,
) -> dict[str, Any]:
    """Return the conditions of a read as the client's arguments."""
    return {
        "IfMatch": etag_quoted(if_match),
        "IfNoneMatch": etag_quoted(if_none_match),
        "IfModifiedSince": _http_date(if_modified_since),
        "IfUnmodifiedSince": _http_date(if_unmodified_since),
    }


def response_options(response: ResponseHeaders | None) -> dict[str, Any]:
    """Return replaced headers of an answer as the client's arguments; None is left to the object."""
    response = response or ResponseHeaders()
    return {
        "ResponseCacheControl": response.cache_control,
        "ResponseContentDisposition": response.content_disposition,
        "ResponseContentEncoding": response.content_encoding,
        "ResponseContentLanguage": response.content_language,
        "ResponseContentType": response.content_type,
        "ResponseExpires": response.expires,
    }


def replacement_of(info: ObjectInfo) -> dict[str, Any]:
    """Return the arguments with which a copy onto itself keeps headers and metadata."""
    return {"MetadataDirective": "Replaced", **options_kept(info.headers)}


def source_of(source: ObjectRef, version_id: str | None = None) -> dict[str, str]:
    """Return the `CopySource` of an object, of its newest version unless another is named."""
    place = {"Bucket": source.bucket, "Region": source.region, "Key": source.key}
    return {**place, "VersionId": version_id} if version_id else place


def size_of(content_range: str | None, content_length: int) -> int:
    """Return the size of the whole object: a range says it after its slash."""
    total = (content_range or "").rpartition("/")[2]
    size = size_text(total)
    return max(0, content_length) if size is None else size


def etag_quoted(etag: str | None) -> str | None:
    """Return an ETag as conditions want it, None for None; `*` stands for any object."""
    return etag if etag is None or etag == "*" else f'"{etag_bare(etag)}"'


def id_of(person: object) -> str:
    """Return the id of an owner or initiator, empty where the answer names none."""
    return str(person.get("ID") or person.get("UID") or "") if isinstance(person, Mapping) else ""


def name_of(person: object) -> str:
    """Return the name that the store shows for an owner or initiator, empty where it tells none."""
    return str(person.get("DisplayName") or "") if isinstance(person, Mapping) else ""


def disposition_of(filename: str | None, *, is_inline: bool) -> str | None:
    """Return a Content-Disposition that saves or shows the answer, for old and new browsers.

    None, without a name, leaves it to the object whether it is saved.
    """
    kind = "inline" if is_inline else "attachment"
    if not filename:
        return "inline" if is_inline else None
    ascii_name = "".join(char if " " <= char <= "~" and char not in '"\\' else "_" for char in filename)
    return f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename, safe='')}"


def time_of(text: object) -> datetime | None:
    """Return an aware time from any spelling that COS uses, None when there is none to read."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _http_date(moment: datetime | None) -> str | None:
    return None if moment is None else format_datetime(moment.astimezone(UTC), usegmt=True)
