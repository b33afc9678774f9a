"""An unfinished upload that somebody goes on with, or completes as it is: from then on a job of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.activity.services import activity_record
from apps.connections.models import Connection
from apps.connections.services import store_for
from apps.jobs.models import Job
from apps.jobs.services import job_confirm_bytes, job_move
from apps.storage.multipart import PartPlan, plan_of
from apps.storage.types import ObjectRef, StoredPart
from apps.transfers import spool
from apps.transfers.content import NewObject
from apps.transfers.models import Transfer, TransferPart
from apps.transfers.rules.parts import Stock, Unfit, ranges_text, stock_plan
from apps.transfers.services.beginning import transfer_create
from apps.transfers.services.resuming import OPEN_STATES

if TYPE_CHECKING:
    from apps.accounts.models import Person

# Who has sent nothing for this long is not sending.
STILL_FOR = timedelta(minutes=1)
# The console hears of a direct part only when the store has the whole of it.
STILL_DIRECT = timedelta(minutes=5)
TAKEN_OVER = "TakenOver"

UploadsElsewhere = Callable[[Sequence[str]], Mapping[str, Job]]
_elsewhere: list[UploadsElsewhere] = []


@dataclass(frozen=True)
class UploadRef:
    """An unfinished upload by the names that the store has for it."""

    target: ObjectRef
    upload_id: str


@dataclass(frozen=True)
class FileChosen:
    """The file to go on with: bytes, milliseconds, and the CRC-64 of the parts that it was compared with."""

    size: int
    modified_ms: int | None = None
    compared: Mapping[int, str] | None = None


class InUse(Exception):
    """A job of this console is at this upload; the sentence says what to do about it."""

    def __init__(self, job: Job, sentence: str) -> None:
        super().__init__(sentence)
        self.job = job
        self.sentence = sentence


def stock_read(connection: Connection, upload: UploadRef) -> Stock:
    """Return the parts that the store has of an upload. Raises UploadNotFound and other StorageErrors."""
    target = upload.target
    parts = store_for(connection).list_parts(
        bucket=target.bucket, region=target.region, key=target.key, upload_id=upload.upload_id
    )
    return Stock(tuple(sorted(parts, key=lambda part: part.number)))


def uploads_elsewhere(ask: UploadsElsewhere) -> UploadsElsewhere:
    """Have `ask` be asked as well which uploads are still needed, by an app that begins its own."""
    _elsewhere.append(ask)
    return ask


def transfers_alive(upload_ids: Sequence[str], *, bucket: str) -> dict[str, Transfer]:
    """Return the transfers that are at these uploads, whoever began them through whichever connection.

    An upload of a job over many objects has no row of its own: a transfer that is not saved stands for it.
    """
    found = Transfer.objects.filter(
        bucket=bucket, upload_id__in=upload_ids, job__finished_at__isnull=True
    ).select_related("job__owner")
    alive = {transfer.upload_id: transfer for transfer in found}
    for ask in _elsewhere:
        for upload_id, job in ask(upload_ids).items():
            alive.setdefault(upload_id, Transfer(job=job, bucket=bucket, upload_id=upload_id))
    return alive


def digests_known(upload: UploadRef, stock: Stock) -> dict[int, str]:
    """Return the CRC-64 of the parts that this console sent itself and the store still holds, by number."""
    rows = TransferPart.objects.filter(
        transfer__upload_id=upload.upload_id, transfer__bucket=upload.target.bucket
    ).exclude(crc64="")
    sent = {(number, etag): crc64 for number, etag, crc64 in rows.values_list("number", "etag", "crc64")}
    return {
        part.number: sent[part.number, part.etag] for part in stock.parts if (part.number, part.etag) in sent
    }


def upload_adopt(
    connection: Connection,
    *,
    owner: Person,
    upload: UploadRef,
    stock: Stock,
    file: FileChosen,
    path: Transfer.Path,
) -> Transfer:
    """This will make somebody's unfinished upload a job of `owner`, who goes on with `file`.

    Parts count as stored only where the file was compared with them; all others are sent again, which is
    never wrong. A job of somebody else that stands still ends with this, and its upload stays. Raises Unfit
    when the parts are not those of such a file, InUse when somebody is at it.
    """
    plan = stock_plan(stock, size=file.size)
    compared = dict(file.compared or {})
    kept = [part for part in stock.parts if part.number in compared]
    with transaction.atomic():
        former = _claim(upload, by=owner)
        transfer = _create(
            connection,
            owner=owner,
            upload=upload,
            plan=plan,
            wanted=former.new_object if former else NewObject(),
            file_modified_ms=file.modified_ms,
            path=path,
        )
        _keep_parts(transfer, kept, compared)
        _record("upload.adopt", transfer, owner, {"parts": len(kept), "from": former and former.job.owner})
    spool.spool_open(transfer.pk)
    if former is not None:
        spool.spool_remove(former.pk)
    return transfer


def stock_check(stock: Stock) -> None:
    """Raise Unfit when these parts are no object: there are none, or some between them are missing."""
    if not stock.parts:
        raise Unfit(_("No part is there, so that there is nothing to complete."))
    if stock.holes:
        raise Unfit(
            _("Parts are missing: %(holes)s. The store takes parts only that follow each other from 1.")
            % {"holes": ranges_text(stock.holes)}
        )


def upload_complete(
    connection: Connection, *, owner: Person, upload: UploadRef, stock: Stock, replace: bool
) -> Transfer:
    """This will have the workers complete an upload with the parts that are there, as a job of `owner`.

    Raises Unfit when they are no object, InUse when a job is at the upload.
    """
    stock_check(stock)
    # A plan of as many parts: what counts here is that none is missing.
    plan = plan_of(size=stock.size, part_size=max(1, -(-stock.size // stock.count)))
    with transaction.atomic():
        former = _claim(upload, by=owner)
        transfer = _create(
            connection, owner=owner, upload=upload, plan=plan, wanted=NewObject(), may_replace=replace
        )
        _keep_parts(transfer, stock.parts, digests_known(upload, stock))
        job_move(transfer.job_id, to=Job.State.FINISHING, frm=[Job.State.QUEUED])
        _record("upload.complete", transfer, owner, {"parts": stock.count, "size": stock.size})
    if former is not None:
        spool.spool_remove(former.pk)
    return transfer


def _claim(upload: UploadRef, *, by: Person) -> Transfer | None:
    """Take the upload away from the job that stands still at it, and return that; None for a free one.

    The lock makes one of two people wait who come at the same moment: the second finds the first one's job.
    It is on all connections, because another one may lead to the same bucket.
    """
    list(Connection.objects.select_for_update().order_by("pk").values_list("pk"))
    former = transfers_alive([upload.upload_id], bucket=upload.target.bucket).get(upload.upload_id)
    if former is None:
        return None
    upload_require_still(former, by=by)
    moved = job_move(
        former.job_id,
        to=Job.State.CANCELED,
        frm=OPEN_STATES,
        error_code=TAKEN_OVER,
        error_message="Somebody else continues this upload.",
    )
    if not moved:
        raise InUse(former.job, _("This upload is ending just now."))
    # The upload is owed an end by the new job alone.
    Transfer.objects.filter(pk=former.pk).update(upload_id="")
    return former


def upload_require_still(transfer: Transfer, *, by: Person) -> None:
    """Raise InUse unless the job of somebody else can be taken over: an upload that nobody sends now."""
    job = transfer.job
    if transfer.is_copy or job.kind != Job.Kind.UPLOAD:
        raise InUse(job, _("A job of this console copies into this upload."))
    if job.owner_id == by.pk:
        raise InUse(job, _("This is an upload of your own. Choose its file on the page of its job."))
    if job.state not in OPEN_STATES:
        raise InUse(job, _("This upload is ending just now."))
    if job.state in (Job.State.QUEUED, Job.State.RUNNING) and _is_moving(transfer):
        raise InUse(
            job,
            _("%(person)s is sending this upload just now. Wait until it stands still.")
            % {"person": job.owner},
        )


def _is_moving(transfer: Transfer) -> bool:
    if spool.is_receiving(transfer.pk):
        return True
    is_direct = transfer.path == Transfer.Path.DIRECT
    since = timezone.now() - (STILL_DIRECT if is_direct else STILL_FOR)
    latest = transfer.parts.order_by("-stored_at").values_list("stored_at", flat=True).first()
    return max(latest or since, transfer.job.created_at) > since


def _create(
    connection: Connection,
    *,
    owner: Person,
    upload: UploadRef,
    plan: PartPlan,
    wanted: NewObject,
    **detail: Any,
) -> Transfer:
    return transfer_create(
        Job.Kind.UPLOAD,
        owner=owner,
        connection=connection,
        target=upload.target,
        plan=plan,
        wanted=wanted,
        upload_id=upload.upload_id,
        is_adopted=True,
        **detail,
    )


def _keep_parts(transfer: Transfer, parts: Sequence[StoredPart], crc64: Mapping[int, str]) -> None:
    now = timezone.now()
    TransferPart.objects.bulk_create(
        TransferPart(
            transfer=transfer,
            number=part.number,
            size=part.size,
            etag=part.etag,
            crc64=crc64.get(part.number, ""),
            stored_at=now,
        )
        for part in parts
    )
    job_confirm_bytes(transfer.job_id, bytes_done=sum(part.size for part in parts))


def _record(verb: str, transfer: Transfer, person: Person, after: dict[str, Any]) -> None:
    said = {name: value if isinstance(value, int) else str(value) for name, value in after.items() if value}
    activity_record(
        person=person,
        verb=verb,
        connection=transfer.connection.slug,
        bucket=transfer.bucket,
        key=transfer.key,
        after={"upload_id": transfer.upload_id, **said},
        job=transfer.job_id,
    )
