"""Multipart uploads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from apps.storage import errors
from apps.storage.cos.parts import combined_crc64, etag_bare, part_records
from apps.storage.cos.records import crc64_text
from apps.storage.grants import Grant
from apps.storage.providers.cos.client import OnClient, OnProgress, counts_of
from apps.storage.providers.cos.grants import grant_options
from apps.storage.providers.cos.settings import tag_options
from apps.storage.providers.cos.values import (
    etag_quoted,
    options_of,
    part_of,
    source_of,
    stored_of,
    unfinished_of,
    vacancy_options,
)
from apps.storage.tags import Tag
from apps.storage.types import (
    FileSlice,
    ObjectHeaders,
    ObjectRef,
    StoredObject,
    StoredPart,
    UnfinishedPage,
)


class MultipartCalls(OnClient):
    """`contract.multipart` on the COS client."""

    def create_multipart_upload(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        headers: ObjectHeaders,
        acl: str | None = None,
        grants: Sequence[Grant] = (),
        tags: Sequence[Tag] = (),
    ) -> str:
        begun = self.client.multipart_init(
            Bucket=bucket,
            Region=region,
            Key=key,
            **options_of(headers),
            **grant_options(acl, grants),
            **tag_options(tags),
        )
        return str(begun["UploadId"])

    def upload_part(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        upload_id: str,
        number: int,
        body: FileSlice,
        on_progress: OnProgress | None = None,
    ) -> StoredPart:
        part = self.client.multipart_upload(
            Bucket=bucket,
            Region=region,
            Key=key,
            UploadId=upload_id,
            PartNumber=number,
            Body=body,
            onProgress=counts_of(on_progress),
        )
        return StoredPart(number, body.length, etag_bare(part["ETag"]), crc64_text(part["CRC64"]))

    def upload_part_copy(
        self,
        *,
        source: ObjectRef,
        bucket: str,
        region: str,
        key: str,
        upload_id: str,
        number: int,
        first_byte: int,
        last_byte: int,
        source_etag: str | None = None,
        source_version_id: str | None = None,
    ) -> StoredPart:
        condition: dict[str, Any] = {"CopySourceIfMatch": etag_quoted(source_etag)}
        part = self.client.multipart_upload_copy(
            Bucket=bucket,
            Region=region,
            Key=key,
            UploadId=upload_id,
            PartNumber=number,
            CopySource=source_of(source, source_version_id),
            CopySourceRange=f"bytes={first_byte}-{last_byte}",
            **condition,
        )
        size = last_byte - first_byte + 1
        return StoredPart(number, size, etag_bare(part["ETag"]), crc64_text(part["CRC64"]))

    def list_parts(self, *, bucket: str, region: str, key: str, upload_id: str) -> Iterator[StoredPart]:
        at = {"Bucket": bucket, "Region": region, "Key": key}
        return map(part_of, part_records(self.client, at, upload_id))

    def complete_multipart_upload(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        upload_id: str,
        parts: Sequence[StoredPart],
        is_new_only: bool = False,
    ) -> StoredObject:
        expected = combined_crc64(parts)
        completed = self.client.multipart_complete(
            Bucket=bucket,
            Region=region,
            Key=key,
            UploadId=upload_id,
            Parts=[{"PartNumber": part.number, "ETag": part.etag} for part in parts],
            ExpectedSize=sum(part.size for part in parts),
            ExpectedCRC64=expected,
            **vacancy_options(is_new_only),
        )
        stored = stored_of(completed)
        if expected is not None and stored.crc64 not in (None, expected):
            raise errors.Corrupted(
                "The finished object has another CRC-64 than its parts.", request_id=completed["RequestId"]
            )
        return stored

    def abort_multipart_upload(self, *, bucket: str, region: str, key: str, upload_id: str) -> None:
        self.client.multipart_abort(Bucket=bucket, Region=region, Key=key, UploadId=upload_id)

    def list_multipart_uploads(
        self,
        *,
        bucket: str,
        region: str,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        upload_id_marker: str = "",
        limit: int = 1000,
    ) -> UnfinishedPage:
        page = self.client.multipart_list(
            Bucket=bucket,
            Region=region,
            Prefix=prefix,
            Delimiter=delimiter,
            KeyMarker=key_marker,
            UploadIdMarker=upload_id_marker,
            MaxUploads=limit,
        )
        uploads = tuple(unfinished_of(record) for record in page["Upload"])
        prefixes = tuple(entry["Prefix"] for entry in page["CommonPrefixes"])
        next_key, next_id = page["NextKeyMarker"], page["NextUploadIdMarker"]
        if page["IsTruncated"] != "true":
            return UnfinishedPage(uploads, None, None, prefixes)
        if not next_key and uploads:
            next_key, next_id = uploads[-1].key, uploads[-1].upload_id
        elif not next_key and prefixes:
            next_key = prefixes[-1]
        if (next_key.encode(), next_id) <= (key_marker.encode(), upload_id_marker):
            raise errors.Unavailable("The store's list of uploads does not advance.")
        return UnfinishedPage(uploads, next_key, next_id, prefixes)
