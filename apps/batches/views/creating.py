from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.batches import services, tasks
from apps.batches.forms.selection import SelectionForm
from apps.batches.models import Action
from apps.connections.crumbs import bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role


@require_POST
@connection_required(Role.READER)
def batch_create(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Keep the selection, and go on to what the action asks or to the plan."""
    form = SelectionForm(request.POST)
    # Copies may go where the person writes; that is asked next.
    if request.POST.get("action") != Action.COPY:
        request.need(Role.WRITER)
    if not form.is_valid():
        return _back(request, form.sentence())
    try:
        batch = services.batch_create(
            owner=request.user,
            connection=request.connection,
            bucket=bucket,
            region=request.region,
            action=form.cleaned_data["action"],
            selection=form.to_selection(),
        )
    except services.SelectionRefused as refusal:
        return _back(request, str(refusal))
    if not batch.needs_options:
        tasks.batch_begin(batch)
        return _to(request, reverse("batches:plan", args=[batch.job_id]))
    return _to(request, reverse("batches:options", args=[batch.job_id]))


def _back(request: ConnectionRequest, sentence: str) -> HttpResponse:
    """Say what is wrong on the page that the selection came from."""
    messages.warning(request, sentence or _("Nothing is selected. Mark some objects or folders first."))
    return _to(request, bucket_url(request, "objects:list", prefix=request.POST.get("prefix", "")))


def _to(request: ConnectionRequest, url: str) -> HttpResponse:
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)
