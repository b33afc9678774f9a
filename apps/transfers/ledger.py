"""What the store has confirmed of a transfer, kept and asked in as few statements as it takes.

Every slice passes here twice, so that the statements are written out: building them anew through the ORM
took longer than running them (`bench/slices.py`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from apps.jobs.models import Job
from apps.jobs.services import job_confirm_bytes
from apps.storage.types import StoredPart
from apps.transfers.models import Transfer

_FIND = """
SELECT job.state, part.crc64
FROM transfers_transfer transfer
JOIN jobs_job job ON job.id = transfer.job_id
LEFT JOIN transfers_transferpart part ON part.transfer_id = transfer.id AND part.number = %s
WHERE transfer.id = %s
"""
_RECORD = """
INSERT INTO transfers_transferpart (transfer_id, number, size, etag, crc64, stored_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (transfer_id, number) DO UPDATE
SET size = excluded.size, etag = excluded.etag, crc64 = excluded.crc64, stored_at = excluded.stored_at
"""
_CONFIRMED = "SELECT COALESCE(SUM(size), 0), COUNT(*) FROM transfers_transferpart WHERE transfer_id = %s"

# Where a transfer goes never changes once it takes slices; only its connection's keys may.
REMEMBER_S = 5.0
REMEMBERED_AT_MOST = 256
_remembered: dict[int, tuple[float, Transfer]] = {}


@dataclass(frozen=True)
class Confirmed:
    """How much of a transfer the store has confirmed: bytes, and parts."""

    size: int
    parts: int


@dataclass(frozen=True)
class PartFound:
    """The job's state, and the CRC-64 of a part that is confirmed already, None for one that is not."""

    state: str
    crc64: str | None


def transfer_remembered(transfer_id: int) -> Transfer | None:
    """Return a transfer with its connection, at most five seconds old; its job's state may be stale."""
    now = time.monotonic()
    known = _remembered.get(transfer_id)
    if known is not None and known[0] > now:
        return known[1]
    transfer = (
        Transfer.objects.select_related("connection", "source_connection", "job__owner")
        .filter(pk=transfer_id)
        .first()
    )
    if transfer is not None:
        if len(_remembered) >= REMEMBERED_AT_MOST:
            _remembered.clear()
        _remembered[transfer_id] = (now + REMEMBER_S, transfer)
    return transfer


def transfer_forget(transfer_id: int) -> None:
    """This will have the transfer read anew, its connection's keys included."""
    _remembered.pop(transfer_id, None)


def part_find(transfer_id: int, number: int) -> PartFound | None:
    """Return what is known of a part now, None when the transfer is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [number, transfer_id])
        row = cursor.fetchone()
    return None if row is None else PartFound(state=row[0], crc64=row[1])


def part_record(transfer: Transfer, stored: StoredPart) -> Confirmed:
    """This will record a confirmed part and return what the store has confirmed in all.

    A part that was sent again replaces its earlier self.
    """
    stored_at = connection.ops.adapt_datetimefield_value(timezone.now())
    values: list[Any] = [transfer.pk, stored.number, stored.size, stored.etag, stored.crc64 or "", stored_at]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.features.has_select_for_update:
            # Two workers with the last two parts must not each miss the other's.
            Job.objects.select_for_update().only("pk").get(pk=transfer.job_id)
        cursor.execute(_RECORD, values)
        confirmed = transfer_confirmed(transfer)
        job_confirm_bytes(transfer.job_id, bytes_done=confirmed.size)
    return confirmed


def transfer_confirmed(transfer: Transfer) -> Confirmed:
    """Return what the store has confirmed, from the rows."""
    with connection.cursor() as cursor:
        cursor.execute(_CONFIRMED, [transfer.pk])
        size, parts = cursor.fetchone()
    return Confirmed(size=int(size), parts=parts)


def transfer_is_whole(transfer: Transfer) -> bool:
    """Return whether the store has confirmed every part."""
    return transfer_confirmed(transfer).parts == transfer.plan.count
