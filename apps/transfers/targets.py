"""The key that a transfer is for: free when it began, and maybe taken when it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from apps.connections.services import store_for
from apps.storage.errors import TAKEN, Conflict, ObjectNotFound
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectInfo, ObjectRef, StoredObject
from apps.transfers.models import Transfer

TARGET_TAKEN = "TargetTaken"
# How far the clock of the store and that of this machine may differ.
CLOCKS_DIFFER = timedelta(seconds=5)


def target_require_free(transfer: Transfer, *, crc64: str) -> None:
    """Raise Conflict when an object has the transfer's key now and nobody said that it may be replaced.

    An object with this CRC-64 is the transfer's own, from an attempt whose answer was lost. This spares a
    large body that would be refused at its end; what decides between two who are equally fast is the write
    itself, in `stored_if_free`.
    """
    if transfer.may_replace:
        return
    info = _info_of(transfer)
    if info is not None and not _is_own(transfer, info, crc64):
        raise target_taken()


def stored_if_free(transfer: Transfer, write: Callable[[bool], StoredObject], *, crc64: str) -> StoredObject:
    """Return what `write` stored. It is told whether an object that has the key must stay.

    When the store says that the key is taken, by an object that holds what was to be stored, an attempt
    whose answer was lost has succeeded. Raises Conflict when it is another object.
    """
    target_require_free(transfer, crc64=crc64)
    try:
        return write(not transfer.may_replace)
    except Conflict as error:
        if error.code != TAKEN:
            raise
        info = _info_of(transfer)
        if info is None or not _is_own(transfer, info, crc64):
            raise target_taken() from error
        return StoredObject(etag=info.etag, crc64=info.crc64)


def _info_of(transfer: Transfer) -> ObjectInfo | None:
    try:
        return store_for(transfer.connection).head_object(
            bucket=transfer.bucket, region=transfer.region, key=transfer.key
        )
    except ObjectNotFound:
        return None


def _is_own(transfer: Transfer, info: ObjectInfo, crc64: str) -> bool:
    return bool(crc64) and info.crc64 == crc64 and info.size == transfer.size


def lost_uploads(store: ObjectStore, target: ObjectRef, *, since: datetime, until: datetime) -> list[str]:
    """Return upload ids that somebody asked for who died before he knew them.

    Those of the key that were begun between the two moments and are no transfer's. Raises StorageError.
    """
    page = store.list_multipart_uploads(bucket=target.bucket, region=target.region, prefix=target.key)
    found = {
        upload.upload_id
        for upload in page.uploads
        if upload.key == target.key
        and upload.initiated_at is not None
        and since - CLOCKS_DIFFER <= upload.initiated_at <= until
    }
    if not found:
        return []
    known = Transfer.objects.filter(upload_id__in=found).values_list("upload_id", flat=True)
    return sorted(found.difference(known))


def target_taken() -> Conflict:
    """Return what is raised when somebody else was faster: a person may say that it is to be replaced."""
    return Conflict(
        "Somebody stored an object with this key in the meantime. Try again to replace it, or cancel.",
        code=TARGET_TAKEN,
    )
