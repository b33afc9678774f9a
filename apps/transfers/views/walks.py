from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from apps.connections.guards import ConnectionRequest, PersonRequest, connection_required
from apps.connections.models import Role
from apps.jobs.models import Job
from apps.transfers import tasks
from apps.transfers.crumbs import place_url
from apps.transfers.forms.unfinished import PriceForm
from apps.transfers.models import UploadWalk
from apps.transfers.services import upload_walks
from apps.transfers.services.beginning import StateChanged
from apps.transfers.services.parts_prices import price_keep, price_of
from apps.transfers.views.answers import is_script, may_write


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def unfinished_count(request: ConnectionRequest, connection: str, bucket: str = "") -> HttpResponse:
    """Count what all unfinished uploads keep, and tell how far that is."""
    walk = upload_walks.count_latest(request.connection, bucket=bucket)
    if request.method == "POST":
        walk = upload_walks.count_start(request.connection, person=request.user, bucket=bucket)
        tasks.hand_over(tasks.walk_uploads, walk_id=walk.pk)
    if not request.headers.get("HX-Request"):
        return redirect(place_url(request, "unfinished"))
    context = {
        "walk": walk,
        "price": price_of(request.user),
        "count_url": place_url(request, "unfinished-count"),
    }
    return render(request, "transfers/_total.html", context)


@require_POST
def parts_price(request: HttpRequest) -> HttpResponse:
    """Keep the price that this person pays for a GB in a month."""
    person = cast(PersonRequest, request).user
    form = PriceForm(request.POST)
    if form.is_valid():
        price_keep(person, amount=form.cleaned_data["amount"], currency=form.cleaned_data["currency"])
    else:
        said = " ".join(str(error) for errors in form.errors.values() for error in errors)
        messages.error(request, _("The price was not kept. %(why)s") % {"why": said})
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if is_ours else "buckets:list")


def _after(
    request: HttpRequest, job: UUID, change: Callable[[UploadWalk], None], *, goes_on: bool = False
) -> HttpResponse:
    """Change the state of an abort that a person started; somebody else's does not exist."""
    own = Job.objects.visible_to(cast(PersonRequest, request).user)
    walks = UploadWalk.objects.select_related("job", "connection")
    walk = get_object_or_404(walks, job__in=own, job_id=job)
    if goes_on and not may_write(request, walk):
        raise PermissionDenied(_("This needs the role “%(role)s”.") % {"role": Role.WRITER.label})
    try:
        change(walk)
    except StateChanged:
        messages.warning(request, _("This job has moved on meanwhile. Look at it once more."))
    if goes_on:
        tasks.hand_over(tasks.walk_uploads, walk_id=walk.pk)
    if is_script(request):
        return trigger_client_event(
            HttpResponse(status=HTTPStatus.NO_CONTENT), "job:changed", {"id": str(job)}
        )
    return redirect("jobs:detail", job)


@require_POST
def walk_pause(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(request, job, upload_walks.walk_pause)


@require_POST
def walk_resume(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(request, job, upload_walks.walk_resume, goes_on=True)


@require_POST
def walk_cancel(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(request, job, upload_walks.walk_cancel)
