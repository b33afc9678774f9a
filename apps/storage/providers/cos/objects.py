"""Objects: reading, writing, deleting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.storage import errors
from apps.storage.cos import Download
from apps.storage.cos.keys import key_check, key_is_xml_safe
from apps.storage.cos.records import object_size, record_text
from apps.storage.grants import Grant
from apps.storage.providers.cos.client import OnClient, OnProgress, counts_of
from apps.storage.providers.cos.grants import grant_options
from apps.storage.providers.cos.settings import tag_options
from apps.storage.providers.cos.values import (
    condition_options,
    delete_failure_of,
    info_of,
    options_of,
    response_options,
    size_of,
    stored_of,
    vacancy_options,
)
from apps.storage.tags import Tag
from apps.storage.types import (
    DeleteFailure,
    DeleteOutcome,
    FileSlice,
    ObjectHeaders,
    ObjectInfo,
    ResponseHeaders,
    StoredObject,
)


@dataclass
class CosObjectBody:
    """An open download of one object."""

    status: int
    info: ObjectInfo
    content_range: str | None
    content_length: int
    _download: Download | None

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._download or ())

    def close(self) -> None:
        """Stop reading; the rest of the body is thrown away."""
        if self._download is not None:
            self._download.close()


class ObjectCalls(OnClient):
    """`contract.objects` on the COS client."""

    def key_check(self, key: str) -> None:
        key_check(key)

    def head_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        version_id: str | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        if_modified_since: datetime | None = None,
        if_unmodified_since: datetime | None = None,
    ) -> ObjectInfo:
        conditions = condition_options(
            if_match=if_match,
            if_none_match=if_none_match,
            if_modified_since=if_modified_since,
            if_unmodified_since=if_unmodified_since,
        )
        fields = self.client.head_object(
            Bucket=bucket, Region=region, Key=key, VersionId=version_id, **conditions
        )
        return info_of(key, fields, object_size(fields))

    def get_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        byte_range: str | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
        if_none_match: str | None = None,
        if_modified_since: datetime | None = None,
        if_unmodified_since: datetime | None = None,
        response: ResponseHeaders | None = None,
    ) -> CosObjectBody:
        options: dict[str, Any] = {"Range": byte_range, **response_options(response)}
        options |= condition_options(
            if_match=if_match,
            if_none_match=if_none_match,
            if_modified_since=if_modified_since,
            if_unmodified_since=if_unmodified_since,
        )
        fields = self.client.get_object(
            Bucket=bucket, Region=region, Key=key, VersionId=version_id, **options
        )
        if fields["NotModified"]:
            return _unmodified(key, fields)
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
        acl: str | None = None,
        grants: Sequence[Grant] = (),
        tags: Sequence[Tag] = (),
        is_new_only: bool = False,
    ) -> StoredObject:
        stored = self.client.put_object(
            Bucket=bucket,
            Region=region,
            Key=key,
            Body=body,
            onProgress=counts_of(on_progress),
            **vacancy_options(is_new_only),
            **options_of(headers),
            **grant_options(acl, grants),
            **tag_options(tags),
        )
        return stored_of(stored)

    def delete_object(self, *, bucket: str, region: str, key: str, version_id: str | None = None) -> None:
        outcome = self.client.delete_object(Bucket=bucket, Region=region, Key=key, VersionId=version_id)
        if outcome["BucketNotFound"]:
            raise errors.BucketNotFound(
                "The bucket does not exist in this region.", status=404, request_id=outcome["RequestId"]
            )

    def delete_objects(
        self, *, bucket: str, region: str, keys: Sequence[str], is_quiet: bool = False
    ) -> DeleteOutcome:
        batch = [key for key in keys if key_is_xml_safe(key) and "\r" not in key]
        sent = frozenset(batch)
        left = [key for key in keys if key not in sent]
        nothing: tuple[list[str], list[DeleteFailure], str] = ([], [], "")
        found = self._delete_batch(bucket, region, batch, is_quiet) if batch else nothing
        deleted, failures, request_id = found
        for key in left:
            try:
                self.delete_object(bucket=bucket, region=region, key=key)
                deleted.append(key)
            except errors.Canceled:
                raise
            except errors.StorageError as error:
                failures.append(DeleteFailure(key, error.code, error.message, error.request_id))
        return DeleteOutcome(tuple(deleted), tuple(failures), request_id)

    def _delete_batch(
        self, bucket: str, region: str, keys: Sequence[str], is_quiet: bool
    ) -> tuple[list[str], list[DeleteFailure], str]:
        answer = self.client.delete_multiple_object(
            Bucket=bucket, Region=region, Objects=[{"Key": key} for key in keys], Quiet=is_quiet
        )
        failures = {record_text(record, "Key"): record for record in answer["Error"]}
        if is_quiet:
            deleted = set(keys) - set(failures)
        else:
            deleted = {record_text(record, "Key") for record in answer["Deleted"]} - set(failures)
        request_id = answer["RequestId"]
        failed = [delete_failure_of(key, failures.get(key), request_id) for key in keys if key not in deleted]
        return [key for key in keys if key in deleted], failed, request_id


def _unmodified(key: str, fields: dict[str, Any]) -> CosObjectBody:
    if fields["Body"] is not None:
        fields["Body"].close()
    return CosObjectBody(304, info_of(key, fields, 0), None, 0, None)
