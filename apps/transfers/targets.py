"""The key that a transfer is for: free when it began, and maybe taken when it ends."""

from __future__ import annotations

from apps.connections.services import store_for
from apps.storage.errors import Conflict, ObjectNotFound
from apps.transfers.models import Transfer

TARGET_TAKEN = "TargetTaken"


def target_require_free(transfer: Transfer, *, crc64: str) -> None:
    """Raise Conflict when an object has the transfer's key now and nobody said that it may be replaced.

    An object with this CRC-64 is the transfer's own, from an attempt whose answer was lost. Between this
    look and the write that follows somebody may still be faster: the write itself makes no condition.
    """
    if transfer.may_replace:
        return
    try:
        info = store_for(transfer.connection).head_object(
            bucket=transfer.bucket, region=transfer.region, key=transfer.key
        )
    except ObjectNotFound:
        return
    if crc64 and info.crc64 == crc64 and info.size == transfer.size:
        return
    raise Conflict(
        "Somebody stored an object with this key in the meantime. Try again to replace it, or cancel.",
        code=TARGET_TAKEN,
    )
