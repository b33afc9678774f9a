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

from apps.batches.models import Action, Batch
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

    Somebody else's job does not exist, nor one of a connection that one was shown out of: 404. A role that
    is too low, and for emptying a bucket that is less than an administrator's, gets 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *, job: UUID, **kwargs: Any) -> HttpResponseBase:
            admitted = cast(BatchRequest, request)
            admitted.batch = get_object_or_404(
                Batch.objects.select_related("job__owner", "connection__owner", "confirmed_by"),
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
    is_emptying = request.batch.action == Action.EMPTY and role > Role.READER
    needed = Role.ADMIN if is_emptying else role
    if request.role < needed:
        raise PermissionDenied(_("This needs the role “%(role)s”.") % {"role": needed.label})
