from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from apps.connections.models import Role
from apps.transfers import tasks
from apps.transfers.models import Transfer
from apps.transfers.services import states
from apps.transfers.services.beginning import StateChanged
from apps.transfers.views.answers import is_script, may_write, refusal, transfer_of


def _after(
    request: HttpRequest, job: UUID, change: Callable[[Transfer], None], follow: Callable[[Transfer], None]
) -> HttpResponse:
    """Change a transfer's state, hand the rest to the workers, and answer page and script alike."""
    transfer = transfer_of(request, job)
    try:
        change(transfer)
    except StateChanged:
        return _too_late(request, transfer)
    follow(transfer)
    if is_script(request):
        return trigger_client_event(
            HttpResponse(status=HTTPStatus.NO_CONTENT), "job:changed", {"id": str(job)}
        )
    return redirect("jobs:list")


def _too_late(request: HttpRequest, transfer: Transfer) -> HttpResponse:
    transfer.job.refresh_from_db()
    sentence = _("This job is %(state)s now, so that this can not be done any more.") % {
        "state": transfer.job.get_state_display().lower()
    }
    if is_script(request):
        return refusal(HTTPStatus.CONFLICT, sentence)
    messages.warning(request, sentence)
    return redirect("jobs:list")


@require_POST
def transfer_pause(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(request, job, states.transfer_pause, lambda transfer: None)


@require_POST
def transfer_resume(request: HttpRequest, job: UUID) -> HttpResponse:
    if not may_write(request, transfer_of(request, job)):
        raise PermissionDenied(_("This needs the role “%(role)s”.") % {"role": Role.WRITER.label})
    return _after(
        request,
        job,
        states.transfer_resume,
        lambda transfer: tasks.hand_over(tasks.resume_transfer, transfer_id=transfer.pk),
    )


@require_POST
def transfer_cancel(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(
        request,
        job,
        states.transfer_cancel,
        lambda transfer: tasks.hand_over(tasks.abort_transfer, transfer_id=transfer.pk),
    )
