"""Who gets to a batch: whoever may see its job and still has a role in its connection."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from apps.batches.models import Batch
from apps.batches.services import roles_needed
from apps.connections.guards import PersonRequest
from apps.connections.models import Role
from apps.jobs.models import Job


class BatchRequest(PersonRequest):
    """A request of somebody who may see this batch."""

    batch: Batch
    role: Role


View = Callable[..., HttpResponseBase]


def batch_required(role: Role) -> Callable[[View], View]:
    """Return a decorator for views whose address holds `job`.

    Somebody else's job does not exist, nor one of a connection that one was shown out of: 404. A view for
    WRITER is for whoever may do what the batch does, where it does it; all others get 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *, job: UUID, **kwargs: Any) -> HttpResponseBase:
            admitted = cast(BatchRequest, request)
            admitted.batch = get_object_or_404(
                Batch.objects.select_related(
                    "job__owner", "connection__owner", "target_connection", "confirmed_by"
                ),
                job__in=Job.objects.visible_to(admitted.user),
                job_id=job,
            )
            held = admitted.batch.connection.role_of(admitted.user)
            if held is None:
                raise Http404
            admitted.role = held
            _require(admitted, role)
            return view(admitted, job=job, **kwargs)

        return guarded

    return decorate


def _require(request: BatchRequest, role: Role) -> None:
    """Ask for the roles that the action needs, where the view needs more than to be seen."""
    if role == Role.READER:
        return
    for connection, needed in roles_needed(request.batch):
        held = connection.role_of(request.user)
        if held is None or held < needed:
            raise PermissionDenied(
                _("This needs the role “%(role)s” for “%(connection)s”.")
                % {"role": needed.label, "connection": connection.name}
            )
