"""Copies inside the store."""

from __future__ import annotations

from typing import Any

from apps.storage.providers.cos.objects import ObjectCalls
from apps.storage.providers.cos.values import etag_quoted, replacement_of, source_of, stored_of
from apps.storage.types import ObjectRef, StoredObject


class CopyCalls(ObjectCalls):
    """Put Object - Copy on the COS client."""

    def copy_object(
        self,
        *,
        source: ObjectRef,
        bucket: str,
        region: str,
        key: str,
        source_etag: str | None = None,
        storage_class: str | None = None,
    ) -> StoredObject:
        options: dict[str, Any] = {
            "CopySourceIfMatch": etag_quoted(source_etag),
            "StorageClass": storage_class,
        }
        if source == ObjectRef(bucket, region, key):
            info = self.head_object(bucket=bucket, region=region, key=key)
            options |= replacement_of(info)
            options["CopySourceIfMatch"] = etag_quoted(source_etag or info.etag)
        copied = self.client.put_object_copy(
            Bucket=bucket, Region=region, Key=key, CopySource=source_of(source), **options
        )
        return stored_of(copied)
