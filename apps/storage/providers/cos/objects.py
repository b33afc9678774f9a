"""Objects: reading, writing, deleting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apps.storage import errors
from apps.storage.cos import Download
from apps.storage.cos.keys import key_is_xml_safe
from apps.storage.providers.cos.client import OnClient, OnProgress, counts_of
from apps.storage.providers.cos.values import (
    delete_failure_of,
    etag_quoted,
    info_of,
    options_of,
    size_of,
    stored_of,
)
from apps.storage.types import (
    DeleteFailure,
    DeleteOutcome,
    FileSlice,
    ObjectHeaders,
    ObjectInfo,
    StoredObject,
)


@dataclass
class CosObjectBody:
    """An open download of one object."""

    status: int
    info: ObjectInfo
    content_range: str | None
    content_length: int
    _download: Download

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._download)

    def close(self) -> None:
        """Stop reading; the rest of the body is thrown away."""
        self._download.close()


class ObjectCalls(OnClient):
    """`contract.objects` on the COS client."""

    def head_object(self, *, bucket: str, region: str, key: str) -> ObjectInfo:
        fields = self.client.head_object(Bucket=bucket, Region=region, Key=key)
        return info_of(key, fields, int(fields.get("content-length") or 0))

    def get_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        byte_range: str | None = None,
        if_match: str | None = None,
    ) -> CosObjectBody:
        options: dict[str, Any] = {"Range": byte_range, "IfMatch": etag_quoted(if_match)}
        fields = self.client.get_object(Bucket=bucket, Region=region, Key=key, **options)
        download: Download = fields["Body"]
        content_range = download.headers.get("content-range") if download.status == 206 else None
        return CosObjectBody(
            status=download.status,
            info=info_of(key, fields, size_of(content_range, download.content_length)),
            content_range=content_range,
            content_length=download.content_length,
            _download=download,
        )

    def put_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        body: FileSlice,
        headers: ObjectHeaders,
        on_progress: OnProgress | None = None,
    ) -> StoredObject:
        stored = self.client.put_object(
            Bucket=bucket,
            Region=region,
            Key=key,
            Body=body,
            onProgress=counts_of(on_progress),
            **options_of(headers),
        )
        return stored_of(stored)

    def delete_object(self, *, bucket: str, region: str, key: str) -> None:
        outcome = self.client.delete_object(Bucket=bucket, Region=region, Key=key)
        if outcome["BucketNotFound"]:
            raise errors.BucketNotFound(
                "The bucket does not exist in this region.", status=404, request_id=outcome["RequestId"]
            )

    def delete_objects(self, *, bucket: str, region: str, keys: Sequence[str]) -> DeleteOutcome:
        batch = [key for key in keys if key_is_xml_safe(key) and "\r" not in key]
        left = [key for key in keys if key not in frozenset(batch)]
        deleted, failures = self._delete_batch(bucket, region, batch) if batch else ([], [])
        for key in left:
            try:
                self.delete_object(bucket=bucket, region=region, key=key)
                deleted.append(key)
            except errors.StorageError as error:
                failures.append(DeleteFailure(key, error.code, error.message))
        return DeleteOutcome(deleted=tuple(deleted), failures=tuple(failures))

    def _delete_batch(
        self, bucket: str, region: str, keys: Sequence[str]
    ) -> tuple[list[str], list[DeleteFailure]]:
        answer = self.client.delete_multiple_object(
            Bucket=bucket, Region=region, Objects=[{"Key": key} for key in keys]
        )
        deleted = {record["Key"] for record in answer["Deleted"]}
        failures = {record["Key"]: record for record in answer["Error"]}
        return [key for key in keys if key in deleted], [
            delete_failure_of(key, failures.get(key)) for key in keys if key not in deleted
        ]
