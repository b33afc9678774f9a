"""Parts that a browser sends to the store itself: where to, and what it reports of them."""

from __future__ import annotations

from collections.abc import Sequence

from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.jobs.services import job_move, job_report
from apps.storage.types import StoredPart
from apps.transfers import ledger
from apps.transfers.models import Transfer
from apps.transfers.services.beginning import StateChanged

# A signature is looked at when a request begins, so that a slow part may take longer than this.
ADDRESS_S = 15 * 60
PARTS_AT_ONCE = 16
# As with slices: what is under way when a job pauses or parks is still taken.
OPEN_STATES = (Job.State.QUEUED, Job.State.RUNNING, Job.State.PAUSED, Job.State.PARKED)


def parts_address(transfer: Transfer, numbers: Sequence[int]) -> dict[int, str]:
    """Return an address for each part, to which a browser may PUT it for a quarter of an hour.

    They are secrets: never log them. Raises ValueError for a number outside of the plan, StateChanged when
    the transfer takes no parts any more, or takes them from the console alone.
    """
    for number in numbers:
        transfer.plan.range_of(number)
    if not _is_sent_directly(transfer) or transfer.job.state not in OPEN_STATES:
        raise StateChanged
    job_move(transfer.job_id, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
    store = store_for(transfer.connection)
    return {
        number: store.presign_part(
            bucket=transfer.bucket,
            region=transfer.region,
            key=transfer.key,
            upload_id=transfer.upload_id,
            number=number,
            expires_s=ADDRESS_S,
        )
        for number in numbers
    }


def _is_sent_directly(transfer: Transfer) -> bool:
    """Return whether a browser has a word in it: of what the console sends itself, only workers know."""
    return transfer.path == Transfer.Path.DIRECT and bool(transfer.upload_id)


def parts_report(transfer: Transfer, reported: Sequence[StoredPart]) -> bool:
    """This will write down parts that the browser says the store has, and return whether they are all.

    Safe to repeat, in any order. The word of a browser is enough to go on, not to end: before its Complete
    the store is asked for all of them. Raises ValueError for a part that is not of the plan, StateChanged
    when the transfer has ended and knows nothing of the part.
    """
    for part in reported:
        if transfer.plan.range_of(part.number)[1] != part.size:
            raise ValueError(f"Part {part.number} has another size.")
    for part in reported:
        _record(transfer, part)
    return ledger.transfer_is_whole(transfer)


def _record(transfer: Transfer, part: StoredPart) -> None:
    found = ledger.part_find(transfer.pk, part.number)
    if found is not None and found.crc64 == part.crc64:
        return
    if found is None or found.state not in OPEN_STATES or not _is_sent_directly(transfer):
        raise StateChanged
    job_move(transfer.job_id, to=Job.State.RUNNING, frm=[Job.State.QUEUED])
    confirmed = ledger.part_record(transfer, part)
    job_report(transfer.job_id, part=part.number, sent=0, base=confirmed.size, delta=part.size)
