from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.batches import services, tasks
from apps.batches.crumbs import batch_crumbs
from apps.batches.figures import conflicts_of, requests_of
from apps.batches.forms.confirm import COMPARED_UP_TO, ConfirmForm
from apps.batches.forms.options import FORMS
from apps.batches.forms.target import TargetForm, place_of
from apps.batches.guards import BatchRequest, batch_required
from apps.batches.rules import STALE_AFTER
from apps.batches.words import lost_words, options_words, reason_words, selection_names, way_words
from apps.connections.models import Role
from apps.connections.services import bucket_region, store_for
from apps.jobs.models import Job
from apps.jobs.services import figures_for
from apps.storage.errors import StorageError

CONFLICTS_SHOWN = 20
FOLDERS_SHOWN = 20
FOLDERS_LOOKED_AT = 200


@require_http_methods(["GET", "POST"])
@batch_required(Role.WRITER)
def batch_options(request: BatchRequest, job: UUID) -> HttpResponse:
    """What the action needs to know before anything is listed."""
    batch = request.batch
    if not batch.needs_options or batch.job.state != Job.State.PLANNING:
        return redirect("batches:plan", job=job)
    form = FORMS[batch.action](request.POST or None, batch=batch)
    if request.method == "POST" and form.is_valid():
        try:
            services.batch_options(
                batch,
                form.to_options(),
                place=form.place(),
                now=timezone.now(),
                target=form.target_connection if isinstance(form, TargetForm) else None,
            )
        except services.StateChanged:
            messages.warning(request, _("This plan does not wait for anybody any more."))
        tasks.batch_begin(batch)
        return redirect("batches:plan", job=job)
    context = {
        "batch": batch,
        "job": batch.job,
        "form": form,
        "crumbs": batch_crumbs(batch, _("Options")),
        "selected": selection_names(batch.selection),
    }
    return render(request, "batches/options.html", context)


@require_safe
@batch_required(Role.WRITER)
def folder_suggest(request: BatchRequest, job: UUID) -> HttpResponse:
    """Folders of the target bucket that begin as typed; none, rather than an error, while typing."""
    batch = request.batch
    connection, bucket = place_of(batch, request.GET.get("bucket") or batch.bucket)
    try:
        listing = store_for(connection).list_objects(
            bucket=bucket,
            region=bucket_region(connection, bucket),
            prefix=request.GET.get("prefix", ""),
            delimiter="/",
            limit=FOLDERS_LOOKED_AT,
        )
    except StorageError:
        return render(request, "batches/_folders.html", {"folders": ()})
    return render(request, "batches/_folders.html", {"folders": listing.prefixes[:FOLDERS_SHOWN]})


@require_http_methods(["GET", "POST"])
@batch_required(Role.WRITER)
def batch_plan(request: BatchRequest, job: UUID) -> HttpResponse:
    """What would happen to which objects, and the question whether it shall."""
    batch = request.batch
    state = batch.job.state
    if state == Job.State.PLANNING and batch.needs_options:
        return redirect("batches:options", job=job)
    is_fragment = bool(request.htmx) and not request.htmx.history_restore_request
    form = None
    if state == Job.State.PLANNED:
        form = ConfirmForm(request.POST or None, batch=batch)
        if request.method == "POST" and form.is_valid():
            return _confirmed(request, form)
    elif request.method == "POST":
        messages.warning(request, _("This plan does not wait for anybody any more."))
        return redirect("jobs:detail", job_id=job)
    template = "batches/plan.html#batch-plan" if is_fragment else "batches/plan.html"
    return render(request, template, _context(request, form))


def _confirmed(request: BatchRequest, form: ConfirmForm) -> HttpResponse:
    batch = request.batch
    try:
        services.batch_confirm(batch, form.to_options(), person=request.user, now=timezone.now())
    except services.PlanStale:
        messages.warning(request, _("This plan is older than a day. Make it anew before it runs."))
        return redirect("batches:plan", job=batch.job_id)
    except services.StateChanged:
        messages.warning(request, _("This plan does not wait for anybody any more."))
    else:
        tasks.batch_begin(batch)
    url = reverse("jobs:detail", args=[batch.job_id])
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": url})
    return redirect(url)


@require_POST
@batch_required(Role.WRITER)
def batch_replan(request: BatchRequest, job: UUID) -> HttpResponse:
    try:
        fresh = services.batch_replan(request.batch, person=request.user)
    except services.StateChanged:
        messages.warning(request, _("This plan does not wait for anybody any more."))
        return redirect("jobs:detail", job_id=job)
    tasks.batch_begin(fresh)
    return redirect("batches:plan", job=fresh.job_id)


def _context(request: BatchRequest, form: ConfirmForm | None) -> dict[str, Any]:
    batch = request.batch
    figures = batch.figures
    context: dict[str, Any] = {
        "batch": batch,
        "job": batch.job,
        "row": {"job": batch.job, "figures": figures_for([batch.job])[batch.job_id], "actions": ("cancel",)},
        "crumbs": batch_crumbs(batch, _("Plan")),
        "form": form,
        "figures": figures,
        "choices": options_words(batch),
        "way": way_words(batch),
        "lost": lost_words(batch),
    }
    if not figures:
        return context
    return context | {
        "samples": [_shown(sample) for sample in figures["samples"]],
        "oldest": _shown(figures["oldest"]),
        "largest": _shown(figures["largest"]),
        "skipped": [(reason_words(code), count) for code, count in figures["skipped"].items()],
        "requests": requests_of(batch, is_compared=figures["objects"] <= COMPARED_UP_TO),
        "conflicts": list(conflicts_of(batch)[:CONFLICTS_SHOWN]) if batch.does_copy else [],
        "is_stale": batch.frozen_at is not None and timezone.now() - batch.frozen_at > STALE_AFTER,
        "is_opening": figures["opening"] == "yes",
    }


def _shown(sample: dict[str, Any] | None) -> dict[str, Any] | None:
    if sample is None:
        return None
    modified = sample["modified"]
    return sample | {
        "key": unquote(sample["key"]),
        "target": unquote(sample["target"]),
        "modified": modified and datetime.fromisoformat(modified),
    }
