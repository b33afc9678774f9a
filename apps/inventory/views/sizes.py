"""How much lies below a prefix, for a row of the objects page and as a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import connection_required
from apps.connections.models import Role
from apps.inventory.forms import ScopeForm
from apps.inventory.services import folder_size_known, folder_size_live, walk_latest
from apps.inventory.views.figures import walk_progress
from apps.storage.keys import key_query

if TYPE_CHECKING:
    from apps.connections.guards import ConnectionRequest


@require_GET
@connection_required(Role.READER)
def folder_size(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The size of a folder: from a fresh count, else counted now, else what a job has counted so far."""
    form = ScopeForm(request.GET)
    if not form.is_valid():
        raise Http404
    prefix = form.cleaned_data["prefix"]
    context = _size_context(request, prefix) | {
        "prefix": prefix,
        "prefix_query": key_query(prefix),
        "size_url": bucket_url(request, "inventory:folder-size", prefix=prefix),
        "start_url": bucket_url(request, "inventory:start"),
        "objects_url": bucket_url(request, "objects:list", prefix=prefix),
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "inventory/_size.html", context)
    context["crumbs"] = bucket_crumbs(request, prefix, end=_("Size"))
    return render(request, "inventory/size.html", context)


def _size_context(request: ConnectionRequest, prefix: str) -> dict[str, Any]:
    known = folder_size_known(request.connection, bucket=request.bucket, prefix=prefix, now=timezone.now())
    if known is not None:
        return {"found": known}
    latest = walk_latest(request.connection, bucket=request.bucket, prefix=prefix)
    progress = walk_progress(request, latest)
    if progress is not None:
        return {"progress": progress}
    live = folder_size_live(request.store, bucket=request.bucket, region=request.region, prefix=prefix)
    return {"found": live}
