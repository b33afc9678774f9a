from __future__ import annotations

from dataclasses import asdict
from typing import cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.connections.guards import PersonRequest
from apps.connections.models import Role
from apps.storage.keys import key_name, visible
from apps.transfers.services.resuming import transfer_digests, uploads_waiting
from apps.transfers.views.answers import may_write, transfer_of


@require_GET
def upload_digests(request: HttpRequest, job: UUID) -> HttpResponse:
    """What to compare a file with that was picked again, for those only who may send it."""
    transfer = transfer_of(request, job)
    if not may_write(request, transfer):
        raise PermissionDenied(_("This needs the role “%(role)s”.") % {"role": Role.WRITER.label})
    return JsonResponse({"parts": [asdict(part) for part in transfer_digests(transfer)]})


@require_GET
def uploads_list(request: HttpRequest) -> HttpResponse:
    """The person's own uploads that wait for their file."""
    found = uploads_waiting(cast(PersonRequest, request).user)
    uploads = [
        {
            "job": str(one.transfer.job_id),
            "name": key_name(one.transfer.key),
            "key": one.transfer.key,
            "place": f"{one.transfer.bucket}/{visible(one.transfer.key)}",
            "size": one.transfer.size,
            "state_url": reverse("transfers:state", args=[one.transfer.job_id]),
        }
        for one in found
    ]
    return JsonResponse({"uploads": uploads})
