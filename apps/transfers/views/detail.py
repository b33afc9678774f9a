"""What the page of a job tells of one object on its way: from where, to where, by which way, how far."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.connections.models import Connection
from apps.jobs.models import Job
from apps.storage.keys import key_query
from apps.transfers.ledger import transfer_confirmed
from apps.transfers.models import Transfer
from apps.transfers.spans import spans_held
from apps.transfers.verifying import Verification

if TYPE_CHECKING:
    from apps.accounts.models import Person


@require_safe
def job_parts(request: HttpRequest, job: UUID) -> HttpResponse:
    """What is known of a transfer besides its figures; nothing for a job that holds many of them."""
    person = cast("Person", request.user)
    found = get_object_or_404(Job.objects.visible_to(person), pk=job)
    transfer = (
        Transfer.objects.select_related("job", "connection", "source_connection").filter(job=found).first()
    )
    if transfer is None:
        return HttpResponse(status=HTTPStatus.OK)
    is_there = bool(transfer.etag)
    context: dict[str, Any] = {
        "transfer": transfer,
        "job": transfer.job,
        "parts_done": transfer_confirmed(transfer).parts,
        "parts_total": transfer.plan.count,
        "workers": spans_held(transfer.pk).count() if transfer.job.state == Job.State.RUNNING else 0,
        "target_url": _object_url(person, transfer.connection, transfer.bucket, transfer.key)
        if is_there
        else "",
        "is_there": is_there,
        "verification": Verification(transfer, parts=transfer.plan.count) if transfer.verified else None,
    }
    if transfer.is_copy:
        is_source_gone = transfer.is_move and transfer.job.state == Job.State.DONE
        context |= {
            "is_source_gone": is_source_gone,
            "source_url": ""
            if is_source_gone or transfer.is_source_lost
            else _object_url(person, transfer.reads_from, transfer.source_bucket, transfer.source_key),
        }
    return render(request, "transfers/_job_parts.html", context)


def _object_url(person: Person, connection: Connection, bucket: str, key: str) -> str:
    """Return where an object is shown, '' to somebody who may not see it (any more)."""
    if connection.role_of(person) is None:
        return ""
    return f"{reverse('objects:detail', args=[connection.slug, bucket])}?key={key_query(key)}"
