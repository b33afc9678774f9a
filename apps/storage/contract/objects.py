"""Objects: reading, writing, copying, deleting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from apps.storage.types import (
    DeleteOutcome,
    FileSlice,
    ObjectHeaders,
    ObjectInfo,
    ObjectRef,
    StoredObject,
)


class ObjectBody(Protocol):
    """An open download: headers are known, bytes are not read yet. Close it when done."""

    status: int
    info: ObjectInfo
    content_range: str | None
    content_length: int

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Objects(Protocol):
    """Operations on one object, and the deletion of many."""

    def head_object(self, *, bucket: str, region: str, key: str) -> ObjectInfo:
        """Return what is known about an object; raises ObjectNotFound."""

    def get_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        byte_range: str | None = None,
        if_match: str | None = None,
    ) -> ObjectBody:
        """Open an object. `byte_range` is `bytes=first-last`; a changed `if_match` raises Conflict."""

    def put_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        body: FileSlice,
        headers: ObjectHeaders,
        on_progress: Callable[[int], bool] | None = None,
    ) -> StoredObject:
        """Store an object in one request, up to `Features.single_put_max` bytes."""

    def delete_object(self, *, bucket: str, region: str, key: str) -> None:
        """Delete an object, also one that does not exist; raises BucketNotFound."""

    def delete_objects(self, *, bucket: str, region: str, keys: Sequence[str]) -> DeleteOutcome:
        """Delete up to `Features.delete_batch_max` objects; the outcome names every key.

        A key that a batch cannot carry faithfully goes in a request of its own. A key that the answer does
        not mention counts as failed: nobody knows.
        """

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
        """Copy up to `Features.single_copy_max` bytes with headers and metadata.

        Raises Conflict if the source is not `source_etag` any more, ObjectNotFound without a source. Onto
        itself, to change the storage class, headers and metadata stay.
        """
