from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from apps.batches import services, tasks
from apps.batches.guards import BatchRequest, batch_required
from apps.batches.models import Batch, BatchObject
from apps.batches.views.ledger import filters_of
from apps.batches.words import options_words, reason_words, way_words
from apps.connections.models import Role

GROUPS_SHOWN = 10
THROTTLED_S = 60
State = BatchObject.State


@require_safe
@batch_required(Role.READER)
def batch_job_parts(request: BatchRequest, job: UUID) -> HttpResponse:
    """What the job's page shows below its figures: what was planned, what failed and why, and the receipt."""
    batch = request.batch
    lines = BatchObject.objects.filter(batch=batch)
    context = {
        "batch": batch,
        "job": batch.job,
        "choices": options_words(batch),
        "way": way_words(batch),
        "filters": filters_of(batch),
        "groups": [(state, code, reason_words(code), count) for state, code, count in _groups(batch)],
        "current": lines.filter(state__in=BatchObject.OPEN).order_by("id").first()
        if batch.job.state == "running"
        else None,
        "can_undo": services.can_undo(batch) and lines.filter(state=State.DONE).exclude(before="").exists(),
        "can_write": request.role >= Role.WRITER,
        "denied": _("this needs the role “%(role)s”") % {"role": Role.WRITER.label},
        "is_throttled": batch.throttled_at is not None
        and batch.job.is_active
        and (timezone.now() - batch.throttled_at).total_seconds() < THROTTLED_S,
    }
    return render(request, "batches/_job.html", context)


def _groups(batch: Batch) -> list[tuple[str, str, int]]:
    lines = BatchObject.objects.filter(batch=batch, state__in=[State.FAILED, State.SKIPPED])
    found = lines.order_by().values_list("state", "error_code").annotate(lines=Count("id"))
    return list(found.order_by("-lines", "error_code")[:GROUPS_SHOWN])


@require_POST
@batch_required(Role.READER)
def batch_pause(request: BatchRequest, job: UUID) -> HttpResponse:
    return _after(request, services.batch_pause)


@require_POST
@batch_required(Role.WRITER)
def batch_resume(request: BatchRequest, job: UUID) -> HttpResponse:
    return _after(request, services.batch_resume)


@require_POST
@batch_required(Role.WRITER)
def batch_retry(request: BatchRequest, job: UUID) -> HttpResponse:
    return _after(request, services.batch_retry)


@require_POST
@batch_required(Role.WRITER)
def batch_undo(request: BatchRequest, job: UUID) -> HttpResponse:
    """Begin the plan that writes back what this batch replaced."""
    try:
        fresh = services.batch_undo(request.batch, person=request.user, now=timezone.now())
    except services.StateChanged:
        return _too_late(request, request.batch)
    tasks.batch_begin(fresh)
    return redirect("batches:plan", job=fresh.job_id)


@require_POST
@batch_required(Role.READER)
def batch_cancel(request: BatchRequest, job: UUID) -> HttpResponse:
    return _after(request, services.batch_cancel)


def _after(request: BatchRequest, change: Callable[[Batch], None]) -> HttpResponse:
    """Change the state, hand the rest to the workers, and answer page and script alike."""
    batch = request.batch
    try:
        change(batch)
    except services.StateChanged:
        return _too_late(request, batch)
    tasks.batch_begin(batch)
    if request.htmx or request.headers.get("Accept") == "application/json":
        answer = HttpResponse(status=HTTPStatus.NO_CONTENT)
        return trigger_client_event(answer, "job:changed", {"id": str(batch.job_id)})
    return redirect("jobs:detail", job_id=batch.job_id)


def _too_late(request: BatchRequest, batch: Batch) -> HttpResponse:
    batch.job.refresh_from_db()
    sentence = _("This job is %(state)s now, so that this can not be done any more.") % {
        "state": batch.job.get_state_display().lower()
    }
    if request.htmx or request.headers.get("Accept") == "application/json":
        return JsonResponse({"error": sentence}, status=HTTPStatus.CONFLICT)
    messages.warning(request, sentence)
    return redirect("jobs:detail", job_id=batch.job_id)
