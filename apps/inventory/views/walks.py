"""What a person does with a walk: begin it, pause it, go on, end it. Counting is reading."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from apps.connections.crumbs import bucket_url
from apps.connections.guards import connection_required
from apps.connections.models import Role
from apps.inventory import services
from apps.inventory.forms import ScopeForm
from apps.inventory.models import Walk
from apps.inventory.tasks import walk_pages
from apps.transfers.tasks import hand_over

if TYPE_CHECKING:
    from apps.accounts.models import Person
    from apps.connections.guards import ConnectionRequest


@require_POST
@connection_required(Role.READER)
def walk_start(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Begin to count; whoever comes second is led to the walk that runs already."""
    # Browsers rewrite line ends in what a form sends, so that the prefix comes percent-encoded.
    form = ScopeForm({"prefix": unquote(request.POST.get("prefix", ""))})
    if not form.is_valid():
        raise Http404
    prefix = form.cleaned_data["prefix"]
    walk, is_new = services.walk_start(
        owner=request.user,
        connection=request.connection,
        bucket=bucket,
        region=request.region,
        prefix=prefix,
    )
    if is_new:
        hand_over(walk_pages, walk_id=walk.pk)
    elif not request.htmx:
        messages.info(request, _("This is being counted already."))
    fallback = "inventory:figures" if not prefix else "inventory:folder-size"
    return _answer(request, walk, bucket_url(request, fallback, prefix=prefix))


@require_POST
def walk_pause(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(request, job, services.walk_pause, is_owners=True)


@require_POST
def walk_resume(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(request, job, services.walk_resume, follow=_go_on)


@require_POST
def walk_retry(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(request, job, services.walk_resume, follow=_go_on)


@require_POST
def walk_cancel(request: HttpRequest, job: UUID) -> HttpResponse:
    return _after(request, job, services.walk_cancel, is_owners=True)


@require_GET
def job_parts(request: HttpRequest, job: UUID) -> HttpResponse:
    """What a walk has counted so far, below its figures on the page of its job."""
    walk, _role = _walk_of(request, job)
    arguments = [walk.connection.slug, walk.bucket]
    context = {
        "walk": walk,
        "figures_url": reverse("inventory:figures", args=arguments),
        "objects_url": reverse("objects:list", args=arguments),
    }
    return render(request, "inventory/_job_parts.html", context)


def _walk_of(request: HttpRequest, job: UUID) -> tuple[Walk, Role]:
    """Fetch and authorize: a walk belongs to those who may read its bucket; to others it does not exist."""
    walk = Walk.objects.select_related("job", "job__owner", "connection").filter(job_id=job).first()
    role = walk.connection.role_of(cast("Person", request.user)) if walk else None
    if walk is None or role is None:
        raise Http404
    return walk, role


def _after(
    request: HttpRequest,
    job: UUID,
    change: Callable[[Walk], None],
    *,
    follow: Callable[[Walk], None] = lambda walk: None,
    is_owners: bool = False,
) -> HttpResponse:
    """Change a walk's state, hand the rest to the workers, and answer page and script alike.

    Everybody who may read may let a walk go on; to stop it is for who began it, and for administrators.
    """
    walk, role = _walk_of(request, job)
    if is_owners and role < Role.ADMIN and walk.job.owner_id != cast("Person", request.user).pk:
        raise PermissionDenied(_("Only who began this count, or an administrator, can stop it."))
    try:
        change(walk)
    except services.StateChanged:
        return _too_late(request, walk)
    follow(walk)
    return _answer(request, walk, reverse("jobs:list"))


def _go_on(walk: Walk) -> None:
    hand_over(walk_pages, walk_id=walk.pk)


def _too_late(request: HttpRequest, walk: Walk) -> HttpResponse:
    walk.job.refresh_from_db()
    sentence = _("This count is %(state)s now, so that this can not be done any more.") % {
        "state": walk.job.get_state_display().lower()
    }
    if request.headers.get("HX-Request"):
        notice = {"text": sentence, "level": "warning"}
        return render(request, "_parts/toast.html", notice, status=HTTPStatus.CONFLICT)
    messages.warning(request, sentence)
    return redirect(_next(request, reverse("jobs:list")))


def _answer(request: HttpRequest, walk: Walk, fallback: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        # Whatever part of the page shows this walk listens and asks again.
        done = HttpResponse(status=HTTPStatus.NO_CONTENT)
        return trigger_client_event(done, "job:changed", {"id": str(walk.job_id)})
    return redirect(_next(request, fallback))


def _next(request: HttpRequest, fallback: str) -> str:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else fallback
