from __future__ import annotations

import time
from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.jobs.models import Job
from apps.jobs.services import figures_for
from apps.storage.errors import StorageError
from apps.transfers.forms.uploads import UploadStartForm
from apps.transfers.paths import origin_of, path_for
from apps.transfers.services import uploads
from apps.transfers.services.batches import BatchPaused
from apps.transfers.services.beginning import BatchEnded, TargetExists
from apps.transfers.views.answers import (
    batch_heard,
    json_of,
    may_write,
    place_of,
    refusal,
    started_json,
    status_of,
    transfer_of,
)


@require_POST
@connection_required(Role.WRITER)
def upload_start(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    form = UploadStartForm(json_of(request), place=place_of(request))
    if not form.is_valid():
        return refusal(HTTPStatus.BAD_REQUEST, form.sentence())
    path = path_for(request.connection, bucket, origin_of(request)).for_key(form.cleaned_data["key"])
    if path.is_impossible:
        return refusal(
            HTTPStatus.CONFLICT, _("Files may only be sent directly here. %(why)s") % {"why": path.text}
        )
    try:
        transfer = uploads.upload_start(
            owner=request.user,
            connection=request.connection,
            bucket=bucket,
            wanted=form.to_wanted(),
            replace=form.cleaned_data["replace"],
            path=path.way,
            parent=_parent_of(request, bucket, form.cleaned_data["parent"]),
        )
    except BatchPaused:
        # To the script this passes: it comes back until somebody has the files go on.
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, _("These files are paused."))
    except BatchEnded:
        return refusal(HTTPStatus.GONE, _("These files were canceled."))
    except TargetExists as taken:
        modified_at = taken.info.modified_at
        exists = {
            "size": taken.info.size,
            "modified": modified_at and modified_at.isoformat(),
            "etag": taken.info.etag,
        }
        return refusal(HTTPStatus.CONFLICT, _("An object with this key exists already."), exists=exists)
    except StorageError as error:
        words = explain(error)
        sentence = f"{words.title} {words.advice}".strip()
        return refusal(status_of(error), sentence, code=words.code, request_id=words.request_id)
    return JsonResponse(started_json(transfer), status=HTTPStatus.CREATED)


def _parent_of(request: ConnectionRequest, bucket: str, parent: UUID | None) -> Job | None:
    return None if parent is None else batch_heard(request, bucket, parent).job


@require_GET
def transfer_state(request: HttpRequest, job: UUID) -> HttpResponse:
    version = int(time.time() * 1000)
    transfer = transfer_of(request, job)
    figures = figures_for([transfer.job])[transfer.job_id]
    started = started_json(transfer)
    if not may_write(request, transfer):
        del started["slice_url"]
    return JsonResponse(
        {
            **started,
            "state": transfer.job.state,
            "key": transfer.key,
            "size": transfer.size,
            "file_modified_ms": transfer.file_modified_ms,
            "received": uploads.slices_received(transfer),
            "done": figures.done,
            "error_message": transfer.job.error_message,
            "version": version,
        }
    )
