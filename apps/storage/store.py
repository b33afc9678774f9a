"""The narrow contract between the console and whatever holds the objects.

Each method is one operation of the store, named as the operation; sizes are bytes, keys are opaque text.
All of them raise `apps.storage.errors.StorageError` subclasses and nothing else. Implementations are safe
to call from several threads at once.

`on_progress` is called with the bytes of this body sent so far, which may fall back when an attempt is
repeated, and about once a second while nothing moves. Returning False stops the call with `Canceled`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from apps.storage.types import (
    Bucket,
    DeleteOutcome,
    Features,
    FileSlice,
    Listing,
    ObjectHeaders,
    ObjectInfo,
    ObjectRef,
    StoredObject,
    StoredPart,
    UnfinishedPage,
)

__all__ = ["FileSlice", "ObjectBody", "ObjectStore"]


class ObjectBody(Protocol):
    """An open download: headers are known, bytes are not read yet. Close it when done."""

    status: int
    info: ObjectInfo
    content_range: str | None
    content_length: int

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class ObjectStore(Protocol):
    """What a page or a job may ask of a store."""

    features: Features

    def list_buckets(self) -> Sequence[Bucket]: ...

    def head_bucket(self, *, bucket: str, region: str) -> None: ...

    def create_bucket(self, *, bucket: str, region: str, acl: str | None = None) -> None: ...

    def delete_bucket(self, *, bucket: str, region: str) -> None: ...

    def list_objects(
        self,
        *,
        bucket: str,
        region: str,
        prefix: str = "",
        delimiter: str = "",
        marker: str = "",
        limit: int = 1000,
    ) -> Listing: ...

    def head_object(self, *, bucket: str, region: str, key: str) -> ObjectInfo: ...

    def get_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        byte_range: str | None = None,
        if_match: str | None = None,
    ) -> ObjectBody: ...

    def put_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        body: FileSlice,
        headers: ObjectHeaders,
        on_progress: Callable[[int], bool] | None = None,
    ) -> StoredObject: ...

    def delete_object(self, *, bucket: str, region: str, key: str) -> None: ...

    def delete_objects(self, *, bucket: str, region: str, keys: Sequence[str]) -> DeleteOutcome: ...

    def copy_object(
        self,
        *,
        source: ObjectRef,
        bucket: str,
        region: str,
        key: str,
        source_etag: str | None = None,
        storage_class: str | None = None,
    ) -> StoredObject: ...

    def create_multipart_upload(
        self, *, bucket: str, region: str, key: str, headers: ObjectHeaders
    ) -> str: ...

    def upload_part(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        upload_id: str,
        number: int,
        body: FileSlice,
        on_progress: Callable[[int], bool] | None = None,
    ) -> StoredPart: ...

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
    ) -> StoredPart: ...

    def list_parts(self, *, bucket: str, region: str, key: str, upload_id: str) -> Iterator[StoredPart]: ...

    def complete_multipart_upload(
        self, *, bucket: str, region: str, key: str, upload_id: str, parts: Sequence[StoredPart]
    ) -> StoredObject: ...

    def abort_multipart_upload(self, *, bucket: str, region: str, key: str, upload_id: str) -> None: ...

    def list_multipart_uploads(
        self,
        *,
        bucket: str,
        region: str,
        prefix: str = "",
        key_marker: str = "",
        upload_id_marker: str = "",
        limit: int = 1000,
    ) -> UnfinishedPage: ...

    def presign_get(
        self, *, bucket: str, region: str, key: str, expires_s: int, filename: str | None = None
    ) -> str: ...

    def presign_put(self, *, bucket: str, region: str, key: str, expires_s: int) -> str: ...
