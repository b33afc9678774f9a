from __future__ import annotations

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from apps.connections.guards import connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.jobs.models import Job
from apps.jobs.services import figures_for
from apps.storage.errors import Denied, NotFound, Refused, StorageError
from apps.transfers import services, tasks
from apps.transfers.forms import UploadStartForm
from apps.transfers.models import Transfer
from apps.transfers.tokens import SLICES_PATH, token_create

if TYPE_CHECKING:
    from apps.accounts.models import Person
    from apps.connections.guards import ConnectionRequest


def _transfer_of(request: HttpRequest, job: UUID) -> Transfer:
    """Fetch and authorize: somebody else's job does not exist."""
    visible = Job.objects.visible_to(cast("Person", request.user))
    return get_object_or_404(
        Transfer.objects.select_related("job", "connection"), job__in=visible, job_id=job
    )


def _may_write(request: HttpRequest, transfer: Transfer) -> bool:
    """Return whether this person still may; somebody who was let in may have been shown out since."""
    role = transfer.connection.role_of(cast("Person", request.user))
    return role is not None and role >= Role.WRITER


def _slice_url(transfer: Transfer) -> str:
    return f"{SLICES_PATH}{token_create(transfer.pk, transfer.plan, now=time.time())}/"


def _status_of(error: StorageError) -> HTTPStatus:
    if isinstance(error, Denied):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, NotFound):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, Refused):
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.SERVICE_UNAVAILABLE


def _refusal(status: HTTPStatus, sentence: str, **detail: Any) -> JsonResponse:
    return JsonResponse({"error": sentence, **detail}, status=status)


@require_POST
@connection_required(Role.WRITER)
def upload_start(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    form = UploadStartForm(_json_of(request))
    if not form.is_valid():
        return _refusal(HTTPStatus.BAD_REQUEST, form.sentence())
    try:
        transfer = services.upload_start(
            owner=request.user,
            connection=request.connection,
            bucket=bucket,
            wanted=form.to_wanted(),
            replace=form.cleaned_data["replace"],
        )
    except services.TargetExists as taken:
        modified_at = taken.info.modified_at
        exists = {"size": taken.info.size, "modified": modified_at and modified_at.isoformat()}
        return _refusal(HTTPStatus.CONFLICT, _("An object with this key exists already."), exists=exists)
    except StorageError as error:
        words = explain(error)
        sentence = f"{words.title} {words.advice}".strip()
        return _refusal(_status_of(error), sentence, code=words.code, request_id=words.request_id)
    return JsonResponse(_started(transfer), status=HTTPStatus.CREATED)


def _json_of(request: HttpRequest) -> dict[str, Any]:
    try:
        data = json.loads(request.body)
    except ValueError:
        return {}
    if not isinstance(data, dict):
        return {}
    # A list would pass a text field as its own spelling.
    return {name: value for name, value in data.items() if not isinstance(value, dict | list)}


def _started(transfer: Transfer) -> dict[str, Any]:
    return {
        "job": str(transfer.job_id),
        "part_size": transfer.part_size,
        "parts": transfer.plan.count,
        "slice_url": _slice_url(transfer),
        "state_url": reverse("transfers:state", args=[transfer.job_id]),
    }


@require_GET
def transfer_state(request: HttpRequest, job: UUID) -> HttpResponse:
    version = int(time.time() * 1000)
    transfer = _transfer_of(request, job)
    figures = figures_for([transfer.job])[transfer.job_id]
    started = _started(transfer)
    if not _may_write(request, transfer):
        del started["slice_url"]
    return JsonResponse(
        {
            **started,
            "state": transfer.job.state,
            "key": transfer.key,
            "size": transfer.size,
            "file_modified_ms": transfer.file_modified_ms,
            "received": services.slices_received(transfer),
            "done": figures.done,
            "error_message": transfer.job.error_message,
            "version": version,
        }
    )


def _is_script(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request")) or request.headers.get("Accept") == "application/json"


def _after(
    request: HttpRequest, job: UUID, change: Callable[[Transfer], None], follow: Callable[[Transfer], None]
) -> HttpResponse:
    """Change a transfer's state, hand the rest to the workers, and answer page and script alike."""
    transfer = _transfer_of(request, job)
    try:
        change(transfer)
    except services.StateChanged:
        return _too_late(request, transfer)
    follow(transfer)
    if _is_script(request):
        return trigger_client_event(
            HttpResponse(status=HTTPStatus.NO_CONTENT), "job:changed", {"id": str(job)}
        )
    return redirect("jobs:list")


def _too_late(request: HttpRequest, transfer: Transfer) -> HttpResponse:
    transfer.job.refresh_from_db()
    sentence = _("This job is %(state)s now, so that this can not be done any more.") % {
        "state": transfer.job.get_state_display().lower()
    }
    if _is_script(request):
        return _refusal(HTTPStatus.CONFLICT, sentence)
    messages.warning(request, sentence)
    return redirect("jobs:list")


@require_POST
def transfer_pause(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(request, job, services.transfer_pause, lambda transfer: None)


@require_POST
def transfer_resume(request: HttpRequest, job: UUID) -> HttpResponse:
    if not _may_write(request, _transfer_of(request, job)):
        raise PermissionDenied(_("This needs the role “%(role)s”.") % {"role": Role.WRITER.label})
    return _after(
        request,
        job,
        services.transfer_resume,
        lambda transfer: tasks.hand_over(tasks.resume_transfer, transfer_id=transfer.pk),
    )


@require_POST
def transfer_cancel(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(
        request,
        job,
        services.transfer_cancel,
        lambda transfer: tasks.hand_over(tasks.abort_transfer, transfer_id=transfer.pk),
    )
