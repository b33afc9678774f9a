"""Copies inside the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from apps.storage.cos.addresses import region_canonical
from apps.storage.grants import Acl, Grant
from apps.storage.providers.cos.access import AccessCalls
from apps.storage.providers.cos.grants import grant_options, header_options
from apps.storage.providers.cos.objects import ObjectCalls
from apps.storage.providers.cos.settings import tag_options
from apps.storage.providers.cos.values import (
    etag_quoted,
    options_of,
    replacement_of,
    source_of,
    stored_of,
    vacancy_options,
)
from apps.storage.tags import Tag
from apps.storage.types import ObjectHeaders, ObjectRef, StoredObject


class CopyCalls(ObjectCalls, AccessCalls):
    """Put Object - Copy on the COS client, with what it leaves behind: class, grants, and itself."""

    def copy_object(
        self,
        *,
        source: ObjectRef,
        bucket: str,
        region: str,
        key: str,
        source_etag: str | None = None,
        storage_class: str | None = None,
        headers: ObjectHeaders | None = None,
        acl: str | None = None,
        grants: Sequence[Grant] = (),
        tags: Sequence[Tag] | None = None,
        is_acl_kept: bool = False,
        source_version_id: str | None = None,
        source_if_none_match: str | None = None,
        source_if_modified_since: datetime | None = None,
        source_if_unmodified_since: datetime | None = None,
        is_new_only: bool = False,
    ) -> StoredObject:
        target = ObjectRef(bucket, region, key)
        options: dict[str, Any] = {
            "CopySourceIfMatch": etag_quoted(source_etag),
            "CopySourceIfNoneMatch": etag_quoted(source_if_none_match),
            "CopySourceIfModifiedSince": source_if_modified_since,
            "CopySourceIfUnmodifiedSince": source_if_unmodified_since,
            **vacancy_options(is_new_only),
            **_tagging(tags),
        }
        if _canonical(source) == _canonical(target):
            options |= self._in_place(source, source_etag)
        if headers is not None:
            kept_class = options.get("StorageClass")
            options |= {**options_of(headers), "MetadataDirective": "Replaced"}
            options["StorageClass"] = headers.storage_class or kept_class
        if storage_class is not None:
            options["StorageClass"] = storage_class
        kept = self._acl(source) if is_acl_kept else None
        access, is_whole = (grant_options(acl, grants), True) if kept is None else header_options(kept)
        copied = self.client.put_object_copy(
            Bucket=bucket,
            Region=region,
            Key=key,
            CopySource=source_of(source, source_version_id),
            **options,
            **access,
        )
        if kept is not None and not is_whole:
            self._grant_rest(target, kept)
        return stored_of(copied)

    def _in_place(self, ref: ObjectRef, etag: str | None) -> dict[str, Any]:
        """Return what a copy onto itself must say again: COS refuses a plain one, and forgets the class."""
        info = self.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
        return {
            **replacement_of(info),
            "CopySourceIfMatch": etag_quoted(etag or info.etag),
            "StorageClass": info.storage_class,
        }

    def _acl(self, ref: ObjectRef) -> Acl:
        return self.get_object_acl(bucket=ref.bucket, region=ref.region, key=ref.key)

    def _grant_rest(self, ref: ObjectRef, kept: Acl) -> None:
        """Replace the copy's grants, which headers could not express, by all of them."""
        grants = replace(self._acl(ref), grants=kept.explicit, is_inherited=False)
        self.put_object_acl(bucket=ref.bucket, region=ref.region, key=ref.key, acl=grants)


def _canonical(ref: ObjectRef) -> ObjectRef:
    """Return the object by today's name of its region: the store refuses a plain copy onto itself by any."""
    return replace(ref, region=region_canonical(ref.region))


def _tagging(tags: Sequence[Tag] | None) -> dict[str, Any]:
    return {} if tags is None else {"TaggingDirective": "Replaced", **tag_options(tags)}
