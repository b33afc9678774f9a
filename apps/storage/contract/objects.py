"""Objects: reading, writing, copying, deleting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from apps.storage.grants import Grant
from apps.storage.tags import Tag
from apps.storage.types import (
    DeleteOutcome,
    FileSlice,
    ObjectHeaders,
    ObjectInfo,
    ObjectRef,
    ResponseHeaders,
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
    """Operations on one object, and the deletion of many.

    Reads take conditions: with `if_none_match` and `if_modified_since` an object that is still the same is
    answered as `is_not_modified`; with `if_match` and `if_unmodified_since` one that is not raises Conflict.
    Dates count in whole seconds. `acl` is a canned name of `Features.object_acls`, `grants` add accounts;
    without both the bucket's grants are inherited.
    """

    def key_check(self, key: str) -> None:
        """Raise Refused, with a sentence for a person, if no object can have this key. Sends nothing."""

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
        """Return what is known about an object; raises ObjectNotFound."""

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
    ) -> ObjectBody:
        """Open an object; `byte_range` is `bytes=first-last`. One that is not modified has no bytes.

        `response` replaces headers of this answer, which the store refuses to somebody without a key.
        """

    def put_object(
        self,
        *,
        bucket: str,
        region: str,
        key: str,
        body: FileSlice,
        headers: ObjectHeaders,
        on_progress: Callable[[int], bool] | None = None,
        acl: str | None = None,
        grants: Sequence[Grant] = (),
        tags: Sequence[Tag] = (),
        is_new_only: bool = False,
    ) -> StoredObject:
        """Store an object in one request, up to `Features.single_put_max` bytes.

        With `is_new_only` an object that has the key stays: Conflict, with the code `TAKEN`. That may be
        the one which an earlier attempt of this call stored, when its answer was lost.
        """

    def delete_object(self, *, bucket: str, region: str, key: str, version_id: str | None = None) -> None:
        """Delete an object, also one that does not exist; raises BucketNotFound."""

    def delete_objects(
        self, *, bucket: str, region: str, keys: Sequence[str], is_quiet: bool = False
    ) -> DeleteOutcome:
        """Delete up to `Features.delete_batch_max` objects; the outcome names every key.

        A key that a batch cannot carry faithfully goes in a request of its own. A key that the answer does
        not mention counts as failed: nobody knows. With `is_quiet` the store mentions failures only, and
        silence is success.
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
        """Copy up to `Features.single_copy_max` bytes; `headers` and `tags`, if given, replace the source's.

        The storage class is STANDARD unless it is named, for a copy onto itself the one it has. A new copy
        has `acl` and `grants`, or with `is_acl_kept` those of the source: never for a moment more than
        those, but for a moment perhaps less. Raises Conflict if the source is not `source_etag` any more,
        if another condition on it fails, or with `is_new_only` if the key is taken; ObjectNotFound without
        a source; Refused if its grants cannot all be kept.
        """
