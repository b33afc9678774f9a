"""Multipart uploads: begun, filled part by part, completed or aborted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from apps.storage.grants import Grant
from apps.storage.tags import Tag
from apps.storage.types import (
    FileSlice,
    ObjectHeaders,
    ObjectRef,
    StoredObject,
    StoredPart,
    UnfinishedPage,
)


class Multipart(Protocol):
    """Operations on unfinished uploads. Part numbers count from 1 to `Features.parts_max`."""

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
        """Begin an upload and return its id; from here on an abort is owed.

        Access and tags are as in `put_object`, and are the object's once it is complete.
        """

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
    ) -> StoredPart:
        """Store part `number`; the caller compares the CRC-64 with its own."""

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
        """Store bytes `first_byte` to `last_byte`, both included, of another object as part `number`.

        Raises Conflict if the source is not `source_etag` any more.
        """

    def list_parts(self, *, bucket: str, region: str, key: str, upload_id: str) -> Iterator[StoredPart]:
        """Yield all stored parts, ascending, a page at a time; raises UploadNotFound."""

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
        """Make the object from its parts; with `is_new_only` as in `put_object`.

        A lost answer is settled by looking at the object, where the parts' CRC-64 are known; with them a
        store that joined something else raises Corrupted.
        """

    def abort_multipart_upload(self, *, bucket: str, region: str, key: str, upload_id: str) -> None:
        """Throw an upload away; raises UploadNotFound when it is gone already."""

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
        """Return one page of unfinished uploads by key and upload id, grouped by `delimiter` if given."""
