from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.batches.models import Action
from apps.batches.selection import Match, Selection
from apps.batches.services import batch_create
from apps.batches.tasks import batch_begin
from apps.buckets.forms.removal import NameTypedForm
from apps.buckets.services.removal import (
    Blockers,
    BucketNotEmpty,
    bucket_blockers,
    bucket_delete,
)
from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.inventory.services import figures_for
from apps.storage.errors import StorageError
from apps.transfers.services.unfinished import uploads_running


@require_GET
@connection_required(Role.ADMIN)
def bucket_danger(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The two ways in which everything can be lost, with what each of them means for this bucket."""
    blockers, problem = None, None
    try:
        blockers = bucket_blockers(request.store, bucket=bucket, region=request.region)
    except StorageError as error:
        problem = explain(error)
    context = _context(request, blockers, end=_("Danger")) | {"problem": problem}
    return render(request, "buckets/danger.html", context)


@require_http_methods(["GET", "POST"])
@connection_required(Role.ADMIN)
def bucket_empty(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Say what emptying means here, and have everything listed: the plan asks for the name of the bucket."""
    if request.method == "POST":
        batch = batch_create(
            owner=request.user,
            connection=request.connection,
            bucket=bucket,
            region=request.region,
            action=Action.EMPTY,
            selection=Selection(match=Match()),
        )
        batch_begin(batch)
        return redirect("batches:plan", job=batch.job_id)
    blockers = bucket_blockers(request.store, bucket=bucket, region=request.region)
    context = _context(request, blockers, end=_("Empty bucket"))
    context["sending"] = uploads_running(request.connection, bucket=bucket)
    context["figures"] = figures_for(request.connection.pk, [bucket]).get(bucket)
    return render(request, "buckets/empty.html", context)


@require_http_methods(["GET", "POST"])
@connection_required(Role.ADMIN)
def bucket_remove(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    form = NameTypedForm(request.POST or None, bucket=bucket)
    blockers = None
    if request.method == "POST" and form.is_valid():
        try:
            bucket_delete(request.connection, person=request.user, bucket=bucket, region=request.region)
        except BucketNotEmpty as error:
            blockers = error.blockers
        else:
            messages.success(request, _("Deleted the bucket %(name)s.") % {"name": bucket})
            return redirect("buckets:list")
    if blockers is None:
        blockers = bucket_blockers(request.store, bucket=bucket, region=request.region)
    context = _context(request, blockers, end=_("Delete bucket")) | {"form": form}
    return render(request, "buckets/delete.html", context)


def _context(request: ConnectionRequest, blockers: Blockers | None, *, end: str) -> dict[str, Any]:
    return {
        "blockers": blockers,
        "bucket": request.bucket,
        "region": request.region,
        "crumbs": bucket_crumbs(request, end=end),
        "objects_url": bucket_url(request, "objects:list"),
        "danger_url": bucket_url(request, "buckets:danger"),
        "empty_url": bucket_url(request, "buckets:empty"),
        "delete_url": bucket_url(request, "buckets:delete"),
        "unfinished_url": bucket_url(request, "transfers:unfinished"),
    }
