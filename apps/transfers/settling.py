"""What a copy owes once it is whole: the grants of its source, and of a move the end of its source.

Every step looks before it acts, so that it may be repeated after a worker was killed at any point.
"""

from __future__ import annotations

from dataclasses import replace

from apps.activity.services import activity_record
from apps.connections.services import store_for
from apps.storage.errors import Conflict, Corrupted, ObjectNotFound, StorageError, Throttled, Unavailable
from apps.storage.types import ObjectInfo
from apps.transfers.content import seen_of
from apps.transfers.leaving import target_leaves
from apps.transfers.models import Transfer
from apps.transfers.rights import rights_require

# The copy is there; what was to happen to its source was refused.
SOURCE_KEPT = "SourceKept"
SOURCE_CHANGED = "SourceChanged"
UNVERIFIED = "CopyUnverified"
GRANTS_REFUSED = "GrantsRefused"
COPY_REPLACED = "CopyReplaced"
TARGET_LEAVES = "TargetLeaves"
COPY_KEPT = "CopyKept"


def copy_settle(transfer: Transfer) -> None:
    """This will give a copy its grants and, for a move, verify it and delete its source.

    Raises Throttled or Unavailable for what may pass; else StorageError with a code of this module, and the
    copy and its source both stay as they are. Who started it needs the right to do it until it is done.
    """
    if not transfer.is_move and transfer.detail.grants_later is None:
        return
    # Complete of a very large object takes minutes.
    rights_require(transfer)
    _grant(transfer)
    if transfer.is_move:
        # Before the copy is looked at: what the other job has done by then is seen, or it sees this one.
        if target_leaves(transfer):
            raise Conflict("Another job takes away what has the key of the copy.", code=TARGET_LEAVES)
        source = _verify(transfer)
        if source is not None:
            _delete_source(transfer)


def _grant(transfer: Transfer) -> None:
    later = transfer.detail.grants_later
    if later is None:
        return
    store = store_for(transfer.connection)
    at = {"bucket": transfer.bucket, "region": transfer.region, "key": transfer.key}
    head = store.head_object(bucket=transfer.bucket, region=transfer.region, key=transfer.key)
    if head.etag != transfer.etag:
        raise Conflict("The copy was replaced since, and got no grants.", code=COPY_REPLACED)
    try:
        there = store.get_object_acl(**at)
        granted = replace(there, grants=later, is_inherited=False)
        if there.digest != granted.digest:
            store.put_object_acl(**at, acl=granted)
    except (Throttled, Unavailable):
        raise
    except StorageError as error:
        raise _again(error, GRANTS_REFUSED) from error


def _verify(transfer: Transfer) -> ObjectInfo | None:
    """Compare copy and source as they are now; None when the source is gone, by an earlier attempt of ours.

    Raises Corrupted or Conflict when there is any doubt: then nothing is deleted.
    """
    there = store_for(transfer.connection).head_object(
        bucket=transfer.bucket, region=transfer.region, key=transfer.key
    )
    if there.size != transfer.size or there.etag != transfer.etag:
        raise Conflict("The copy was replaced since, and its source is kept.", code=UNVERIFIED)
    try:
        source = store_for(transfer.reads_from).head_object(
            bucket=transfer.source_bucket,
            region=transfer.source_region,
            key=transfer.source_key,
            version_id=transfer.source_version_id or None,
        )
    except ObjectNotFound:
        return None
    if source.etag != transfer.source_etag or not _is_as_seen(source, transfer):
        raise Conflict("The source was changed since it was copied, and is kept.", code=SOURCE_CHANGED)
    if not _is_same(there, source, transfer):
        raise Corrupted("Copy and source differ, or no CRC-64 says that they do not.", code=UNVERIFIED)
    return source


def _is_as_seen(source: ObjectInfo, transfer: Transfer) -> bool:
    """Return whether all that the source says of its bytes, and the access that came along, is as it was."""
    detail = transfer.detail
    if detail.source_seen and seen_of(source) != detail.source_seen:
        return False
    if not detail.source_acl:
        return True
    read = store_for(transfer.reads_from).get_object_acl(
        bucket=transfer.source_bucket, region=transfer.source_region, key=transfer.source_key
    )
    return read.digest == detail.source_acl


def _is_same(there: ObjectInfo, source: ObjectInfo, transfer: Transfer) -> bool:
    """Return whether both hold the same bytes, by size and CRC-64, or else by what passed through here."""
    if there.size != source.size:
        return False
    if there.crc64 is not None and source.crc64 is not None:
        return there.crc64 == source.crc64
    if transfer.is_relayed and transfer.crc64:
        return there.crc64 in (None, transfer.crc64) and source.crc64 in (None, transfer.crc64)
    # The ETag of an object in parts is no digest of its bytes.
    return there.etag == source.etag and "-" not in there.etag


def _delete_source(transfer: Transfer) -> None:
    try:
        store_for(transfer.reads_from).delete_object(
            bucket=transfer.source_bucket,
            region=transfer.source_region,
            key=transfer.source_key,
            version_id=transfer.source_version_id or None,
        )
    except (Throttled, Unavailable):
        raise
    except StorageError as error:
        raise _again(error, SOURCE_KEPT) from error
    activity_record(
        person=transfer.job.owner,
        verb="object.delete",
        connection=transfer.reads_from.slug,
        bucket=transfer.source_bucket,
        key=transfer.source_key,
        before={"etag": transfer.source_etag, "size": transfer.size},
        job=transfer.job_id,
    )


def _again(error: StorageError, code: str) -> StorageError:
    """Return the store's refusal with our code, which says what is there already."""
    said = f"{error.message} ({error.code})" if error.code else error.message
    return type(error)(
        said, code=code, status=error.status, request_id=error.request_id, operation=error.operation
    )
