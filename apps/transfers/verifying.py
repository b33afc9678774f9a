"""Whether a store holds what was sent: a browser's word is believed when the store lists the same."""

from __future__ import annotations

from dataclasses import replace

from apps.connections.services import store_for
from apps.jobs.services import job_confirm_bytes
from apps.storage.errors import Corrupted, UploadNotFound
from apps.storage.types import StoredPart
from apps.transfers.ledger import transfer_confirmed
from apps.transfers.models import Transfer

PARTS_DIFFER = "PartsDiffer"
NAMED_AT_MOST = 10


def parts_verified(transfer: Transfer, parts: list[StoredPart]) -> list[StoredPart]:
    """Return the parts with the ETags that the store lists for them.

    Raises Corrupted when the store lists another size, ETag or CRC-64 for one, or does not list it at all;
    the rows of such parts are gone then, so that they are sent anew. Of an upload that the store no longer
    has nothing can be said: its Complete, or what became of it, decides.
    """
    store = store_for(transfer.connection)
    try:
        listed = {
            part.number: part
            for part in store.list_parts(
                bucket=transfer.bucket,
                region=transfer.region,
                key=transfer.key,
                upload_id=transfer.upload_id,
            )
        }
    except UploadNotFound:
        return parts
    wrong = [part.number for part in parts if not _is_same(part, listed.get(part.number))]
    if wrong:
        _forget(transfer, wrong)
        raise Corrupted(_sentence(wrong), code=PARTS_DIFFER)
    return [replace(part, etag=listed[part.number].etag) for part in parts]


def _is_same(part: StoredPart, listed: StoredPart | None) -> bool:
    if listed is None or listed.size != part.size:
        return False
    if part.etag and part.etag != listed.etag:
        return False
    return part.crc64 is None or listed.crc64 is None or part.crc64 == listed.crc64


def _forget(transfer: Transfer, numbers: list[int]) -> None:
    transfer.parts.filter(number__in=numbers).delete()
    job_confirm_bytes(transfer.job_id, bytes_done=transfer_confirmed(transfer).size)


def _sentence(wrong: list[int]) -> str:
    named = ", ".join(map(str, wrong[:NAMED_AT_MOST]))
    more = "" if len(wrong) <= NAMED_AT_MOST else f" and {len(wrong) - NAMED_AT_MOST} more"
    return (
        f"The store does not hold what the browser reported: part {named}{more}. "
        "Try again and choose the file to send this part anew."
    )
