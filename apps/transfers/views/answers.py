"""How the pages and scripts that send files are answered, and whose transfers they may touch."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone

from apps.connections.guards import ConnectionRequest
from apps.connections.models import Role
from apps.jobs.models import Job
from apps.storage.errors import Denied, NotFound, Refused, StorageError
from apps.transfers.models import Transfer, UploadBatch, UploadWalk
from apps.transfers.paths import Policy, policy_of
from apps.transfers.services.batches import uploads_heard
from apps.transfers.tokens import SLICES_PATH, token_create

if TYPE_CHECKING:
    from apps.accounts.models import Person


def transfer_of(request: HttpRequest, job: UUID) -> Transfer:
    """Fetch and authorize: somebody else's job does not exist."""
    visible = Job.objects.visible_to(cast("Person", request.user))
    return get_object_or_404(
        Transfer.objects.select_related("job", "connection"), job__in=visible, job_id=job
    )


def batch_of(request: HttpRequest, job: UUID) -> UploadBatch:
    """Fetch and authorize, as `transfer_of` does, many files that are sent together."""
    visible = Job.objects.visible_to(cast("Person", request.user))
    return get_object_or_404(
        UploadBatch.objects.select_related("job", "connection"), job__in=visible, job_id=job
    )


def batch_heard(request: ConnectionRequest, bucket: str, job: UUID) -> UploadBatch:
    """Return the batch that a file belongs to, which is heard of now; somebody else's does not exist.

    Raises BatchPaused or BatchEnded.
    """
    batch = get_object_or_404(
        UploadBatch.objects.select_related("job", "connection"),
        job_id=job,
        job__owner=request.user,
        connection=request.connection,
        bucket=bucket,
    )
    uploads_heard(batch, now=timezone.now())
    return batch


def is_batch(job: UUID) -> bool:
    return Job.objects.filter(pk=job, kind=Job.Kind.UPLOAD_MANY).exists()


def may_write(request: HttpRequest, work: Transfer | UploadBatch | UploadWalk) -> bool:
    """Return whether this person still may; somebody who was let in may have been shown out since."""
    role = work.connection.role_of(cast("Person", request.user))
    return role is not None and role >= Role.WRITER


def json_of(request: HttpRequest) -> dict[str, Any]:
    """Return the values that a script sent, for a form to check; nothing when it is no JSON object."""
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    # A list would pass a text field as its own spelling.
    return {name: value for name, value in data.items() if not isinstance(value, dict | list)}


def slice_url(transfer: Transfer) -> str:
    return f"{SLICES_PATH}{token_create(transfer.pk, transfer.plan, now=time.time())}/"


def status_of(error: StorageError) -> HTTPStatus:
    if isinstance(error, Denied):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, NotFound):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, Refused):
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.SERVICE_UNAVAILABLE


def refusal(status: HTTPStatus, sentence: str, **detail: Any) -> JsonResponse:
    return JsonResponse({"error": sentence, **detail}, status=status)


def place_of(request: ConnectionRequest) -> str:
    """Return for whom and where what is chosen for an upload counts."""
    return f"{request.user.pk}:{request.connection.pk}:{request.bucket}"


def started_json(transfer: Transfer) -> dict[str, Any]:
    """Return where a browser sends a file, and in which pieces. A direct one may fall back on slices.

    Where no byte may pass the console there is no address for slices.
    """
    place = {"connection": transfer.connection.slug, "bucket": transfer.bucket}
    is_direct = transfer.path == Transfer.Path.DIRECT
    is_only_direct = is_direct and policy_of(transfer.connection, transfer.bucket) == Policy.DIRECT
    return {
        "path": transfer.path,
        "worker_url": reverse("transfers:direct-worker", kwargs=place),
        "job": str(transfer.job_id),
        "part_size": transfer.part_size,
        "parts": transfer.plan.count,
        "slice_url": None if is_only_direct else slice_url(transfer),
        "state_url": reverse("transfers:state", args=[transfer.job_id]),
    }


def is_script(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request")) or request.headers.get("Accept") == "application/json"
