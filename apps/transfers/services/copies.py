"""A copy that workers make, part by part where the object is large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.storage.multipart import plan_parts
from apps.storage.types import ObjectHeaders, ObjectInfo, ObjectRef
from apps.transfers.content import NewObject
from apps.transfers.models import Transfer
from apps.transfers.services.beginning import initiate, require_free, transfer_create

if TYPE_CHECKING:
    from apps.accounts.models import Person

# A copy within the store moves no byte through the console: below this, one request is enough.
COPY_IN_PARTS_FROM = 32 * 1024 * 1024
COPY_PART_SIZE = 16 * 1024 * 1024


class SameObject(Exception):
    """Source and target of a copy are one and the same object."""


def copy_start(
    *,
    owner: Person,
    connection: Connection,
    source: ObjectRef,
    bucket: str,
    region: str,
    key: str,
    replace: bool,
) -> Transfer:
    """This will begin a copy within one connection; workers do the rest.

    The source is pinned by its ETag: if it changes while parts are copied, the job stops instead of mixing
    two versions. Raises SameObject, TargetExists, or StorageError; nothing is left behind then.
    """
    if source == ObjectRef(bucket=bucket, region=region, key=key):
        raise SameObject
    store = store_for(connection)
    info = store.head_object(bucket=source.bucket, region=source.region, key=source.key)
    if not replace:
        require_free(store, bucket=bucket, region=region, key=key)
    is_multipart = info.size > COPY_IN_PARTS_FROM
    plan = plan_parts(info.size, part_size_min=COPY_PART_SIZE if is_multipart else COPY_IN_PARTS_FROM)
    transfer = transfer_create(
        Job.Kind.COPY,
        owner=owner,
        connection=connection,
        target=ObjectRef(bucket=bucket, region=region, key=key),
        plan=plan,
        wanted=NewObject(headers=headers_of(info)),
        source_bucket=source.bucket,
        source_region=source.region,
        source_key=source.key,
        source_etag=info.etag,
        may_replace=replace,
        crc64=info.crc64 or "",
    )
    initiate(transfer, is_multipart=is_multipart)
    return transfer


def headers_of(info: ObjectInfo) -> ObjectHeaders:
    """Return what an object says of its content: a copy in parts is a new object and inherits nothing."""
    headers = {name.lower(): value for name, value in info.headers.items()}
    return ObjectHeaders(
        content_type=info.content_type or None,
        cache_control=headers.get("cache-control"),
        content_disposition=headers.get("content-disposition"),
        content_encoding=headers.get("content-encoding"),
        content_language=headers.get("content-language"),
        expires=headers.get("expires"),
        metadata=info.metadata,
    )
