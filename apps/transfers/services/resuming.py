"""What a browser that comes back with a file needs to know: which uploads wait for it, and what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from apps.jobs.models import Job
from apps.transfers import spool
from apps.transfers.models import Transfer
from apps.transfers.services.uploads import slices_received

if TYPE_CHECKING:
    from apps.accounts.models import Person

# States in which an upload takes slices, or takes them again once somebody resumes it.
OPEN_STATES = (Job.State.QUEUED, Job.State.RUNNING, Job.State.PAUSED, Job.State.PARKED)
# More than these are not offered at once: a person picks files for what is in sight.
WAITING_AT_MOST = 500


@dataclass(frozen=True)
class PartDigest:
    """A range of the file that need not be sent again if it has this CRC-64. Sizes are bytes."""

    number: int
    first_byte: int
    size: int
    crc64: str


def transfer_digests(transfer: Transfer) -> list[PartDigest]:
    """Return what the console knows of the file's content: stored parts, and slices that wait to be sent.

    A part whose CRC-64 nobody knows is left out: nothing can be compared with it.
    """
    known = {item.number: str(item.crc64) for item in spool.slices_waiting(transfer.pk)}
    known |= dict(transfer.parts.exclude(crc64="").values_list("number", "crc64"))
    return [_digest(transfer, number, known[number]) for number in sorted(known)]


def _digest(transfer: Transfer, number: int, crc64: str) -> PartDigest:
    first_byte, size = transfer.plan.range_of(number)
    return PartDigest(number=number, first_byte=first_byte, size=size, crc64=crc64)


@dataclass(frozen=True)
class Waiting:
    """An upload whose browser has slices of it that the console does not have."""

    transfer: Transfer
    received: int


def uploads_waiting(person: Person) -> list[Waiting]:
    """Return the person's uploads that need their file, the latest first.

    Those that a browser sends this moment are among them: the console sees slices, and no browsers.
    """
    return list(_waiting(_open_uploads(person)[:WAITING_AT_MOST]))


def _open_uploads(person: Person) -> QuerySet[Transfer]:
    return (
        Transfer.objects.filter(job__owner=person, job__kind=Job.Kind.UPLOAD, job__state__in=OPEN_STATES)
        .select_related("job", "connection")
        .order_by("-job__created_at")
    )


def _waiting(transfers: QuerySet[Transfer]) -> Iterator[Waiting]:
    for transfer in transfers:
        received = len(slices_received(transfer))
        if received < transfer.plan.count:
            yield Waiting(transfer, received)
