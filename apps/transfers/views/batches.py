from __future__ import annotations

import time
from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.jobs.services import figures_for, message_of
from apps.transfers.forms.batches import UploadsReportForm, UploadsStartForm
from apps.transfers.models import UploadBatch
from apps.transfers.paths import origin_of, path_for
from apps.transfers.services import batches
from apps.transfers.views.answers import batch_of, json_of, refusal


@require_POST
@connection_required(Role.WRITER)
def uploads_start(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    form = UploadsStartForm(json_of(request))
    if not form.is_valid():
        return refusal(HTTPStatus.BAD_REQUEST, form.sentence())
    batch = batches.uploads_open(
        owner=request.user,
        connection=request.connection,
        bucket=bucket,
        prefix=form.cleaned_data["target"],
        files=form.cleaned_data["count"],
        size=form.cleaned_data["bytes"],
    )
    path = path_for(request.connection, bucket, origin_of(request))
    answer = {
        "parent": str(batch.job_id),
        "state_url": reverse("transfers:uploads-state", args=[batch.job_id]),
        "pack_url": "" if path.is_direct or path.is_impossible else _pack_url(batch, connection),
        "job_url": reverse("jobs:detail", args=[batch.job_id]),
    }
    return JsonResponse(answer, status=HTTPStatus.CREATED)


def _pack_url(batch: UploadBatch, connection: str) -> str:
    """Return where small files go many at a time, which is where they pass through the console."""
    return reverse("transfers:upload-pack", args=[connection, batch.bucket, batch.job_id])


@require_http_methods(["GET", "HEAD", "POST"])
def uploads_state(request: HttpRequest, job: UUID) -> HttpResponse:
    """Say how many files stand, and be told what the browser leaves out of them."""
    read_at = time.time()
    batch = batch_of(request, job)
    if request.method == "POST":
        form = UploadsReportForm(json_of(request))
        if not form.is_valid():
            return refusal(HTTPStatus.BAD_REQUEST, str(form.errors.as_text()))
        batches.uploads_report(batch, **form.to_report(), now=timezone.now())
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return JsonResponse(message_of(batch.job, figures_for([batch.job])[batch.job_id], read_at=read_at))
