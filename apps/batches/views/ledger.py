from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.batches.crumbs import batch_crumbs
from apps.batches.guards import BatchRequest, batch_required
from apps.batches.models import Batch, BatchObject
from apps.batches.receipt import receipt_csv, receipt_json
from apps.batches.words import reason_words
from apps.connections.models import Role

PER_PAGE = 100
State = BatchObject.State
# What a person asks for: three ends, and what has none yet.
FILTERS = ("done", "failed", "skipped", "open")


@require_safe
@batch_required(Role.READER)
def batch_ledger(request: BatchRequest, job: UUID) -> HttpResponse:
    """What became of each object, a page at a time, narrowed by how it ended."""
    context = ledger_context(request)
    is_fragment = bool(request.htmx) and not request.htmx.history_restore_request
    template = "batches/ledger.html#batch-ledger" if is_fragment else "batches/ledger.html"
    context["crumbs"] = batch_crumbs(request.batch, _("Objects"))
    return render(request, template, context)


def ledger_context(request: BatchRequest) -> dict[str, Any]:
    batch = request.batch
    state = request.GET.get("state", "")
    state = state if state in FILTERS else ""
    code = request.GET.get("reason", "")
    lines = _filtered(BatchObject.objects.filter(batch=batch), state, code)
    after, before = _number(request.GET.get("after", "")), _number(request.GET.get("before", ""))
    if before:
        page = list(lines.filter(pk__lt=before).order_by("-id")[: PER_PAGE + 1])
        has_previous, page = len(page) > PER_PAGE, page[:PER_PAGE][::-1]
        has_next = True
    else:
        page = list(lines.filter(pk__gt=after).order_by("id")[: PER_PAGE + 1])
        has_next, page = len(page) > PER_PAGE, page[:PER_PAGE]
        has_previous = bool(after)
    return {
        "batch": batch,
        "job": batch.job,
        "lines": [(line, reason_words(line.error_code)) for line in page],
        "state": state,
        "reason": code,
        "filters": filters_of(batch),
        "next_after": page[-1].pk if page and has_next else None,
        "previous_before": page[0].pk if page and has_previous else None,
    }


def _filtered(lines: Any, state: str, code: str) -> Any:
    if state == "open":
        lines = lines.filter(state__in=BatchObject.OPEN)
    elif state:
        lines = lines.filter(state=state)
    return lines.filter(error_code=code) if code else lines


def filters_of(batch: Batch) -> list[tuple[str, str, int]]:
    """Return each filter with its label and how many lines it shows."""
    states = BatchObject.objects.filter(batch=batch).order_by().values_list("state")
    found = dict(states.annotate(lines=Count("id")))
    is_open = sum(found.get(state, 0) for state in BatchObject.OPEN)
    return [
        ("", _("All"), sum(found.values())),
        ("done", _("Done"), found.get(State.DONE, 0)),
        ("failed", _("Errors"), found.get(State.FAILED, 0)),
        ("skipped", _("Skipped"), found.get(State.SKIPPED, 0)),
        ("open", _("Not yet"), is_open),
    ]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@require_safe
@batch_required(Role.READER)
def batch_receipt(request: BatchRequest, job: UUID, form: str) -> HttpResponseBase:
    """The ledger to keep: complete when the job has ended, and what there is of it before."""
    makers = {"csv": (receipt_csv, "text/csv"), "json": (receipt_json, "application/json")}
    if form not in makers:
        raise Http404
    make, kind = makers[form]
    response = StreamingHttpResponse(make(request.batch), content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="receipt-{job}.{form}"'
    response["Cache-Control"] = "private, no-store"
    return response
