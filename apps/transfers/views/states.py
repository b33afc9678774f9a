from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
from apps.jobs.models import Job
from apps.transfers import tasks
from apps.transfers.models import Transfer, UploadBatch
from apps.transfers.services import batch_states, states
from apps.transfers.services.beginning import StateChanged
from apps.transfers.views.answers import batch_of, is_batch, is_script, may_write, refusal, transfer_of

Work = Transfer | UploadBatch


def _work_of(request: HttpRequest, job: UUID) -> Work:
    return batch_of(request, job) if is_batch(job) else transfer_of(request, job)


def _after(request: HttpRequest, work: Work, change: Callable[[], object]) -> HttpResponse:
    """Change the state of one file or of many, and answer page and script alike."""
    try:
        change()
    except StateChanged:
        return _too_late(request, work.job)
    if is_script(request):
        return trigger_client_event(
            HttpResponse(status=HTTPStatus.NO_CONTENT), "job:changed", {"id": str(work.job_id)}
        )
    return redirect("jobs:list")


def _too_late(request: HttpRequest, job: Job) -> HttpResponse:
    job.refresh_from_db()
    sentence = _("This job is %(state)s now, so that this can not be done any more.") % {
        "state": job.get_state_display().lower()
    }
    if is_script(request):
        return refusal(HTTPStatus.CONFLICT, sentence)
    messages.warning(request, sentence)
    return redirect("jobs:list")


@require_POST
def transfer_pause(request: HttpRequest, job: UUID) -> HttpResponse:
    work = _work_of(request, job)
    if isinstance(work, UploadBatch):
        return _after(request, work, partial(batch_states.uploads_pause, work))
    return _after(request, work, partial(states.transfer_pause, work))


@require_POST
def transfer_resume(request: HttpRequest, job: UUID) -> HttpResponse:
    work = _work_of(request, job)
    _require_writer(request, work)
    if isinstance(work, UploadBatch):
        return _after(request, work, partial(_resume_many, work, batch_states.uploads_resume))
    return _after(request, work, partial(_resume_one, work))


@require_POST
def transfer_retry(request: HttpRequest, job: UUID) -> HttpResponse:
    work = _work_of(request, job)
    _require_writer(request, work)
    if isinstance(work, UploadBatch):
        return _after(request, work, partial(_resume_many, work, batch_states.uploads_retry))
    return _after(request, work, partial(_resume_one, work))


@require_POST
def transfer_cancel(request: HttpRequest, job: UUID) -> HttpResponse:
    work = _work_of(request, job)
    if isinstance(work, UploadBatch):
        return _after(request, work, partial(_cancel_many, work))
    return _after(request, work, partial(_cancel_one, work))


def _require_writer(request: HttpRequest, work: Work) -> None:
    if not may_write(request, work):
        raise PermissionDenied(_("This needs the role “%(role)s”.") % {"role": Role.WRITER.label})


def _resume_one(transfer: Transfer) -> None:
    states.transfer_resume(transfer)
    tasks.hand_over(tasks.resume_transfer, transfer_id=transfer.pk)


def _resume_many(batch: UploadBatch, change: Callable[[UploadBatch], object]) -> None:
    change(batch)
    tasks.hand_over(tasks.resume_uploads, job_id=str(batch.job_id))


def _cancel_one(transfer: Transfer) -> None:
    states.transfer_cancel(transfer)
    tasks.hand_over(tasks.abort_transfer, transfer_id=transfer.pk)


def _cancel_many(batch: UploadBatch) -> None:
    batch_states.uploads_cancel(batch)
    tasks.hand_over(tasks.abort_uploads, job_id=str(batch.job_id))
