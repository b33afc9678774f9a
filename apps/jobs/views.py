from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.jobs.models import Job, JobQuerySet
from apps.jobs.services import rows_of

if TYPE_CHECKING:
    from apps.accounts.models import Person

PER_PAGE = 50
State = Job.State
# How the files of a batch are looked at.
FILES = {
    "failed": (State.PARKED,),
    "waiting": (State.QUEUED, State.RUNNING, State.PAUSED, State.FINISHING, State.CANCELING),
    "done": (State.DONE,),
    "canceled": (State.CANCELED,),
}
TRAY_ACTIVE_MAX = 20
TRAY_ENDED_MAX = 5
# How long the tray shows a job that has ended.
RECENT = timedelta(hours=1)


def _jobs_of(request: HttpRequest) -> JobQuerySet:
    return Job.objects.visible_to(cast("Person", request.user)).select_related("owner")


def _listed(request: HttpRequest) -> JobQuerySet:
    return _jobs_of(request).topmost()


def _filtered(jobs: JobQuerySet, state: str) -> JobQuerySet:
    if state == "active":
        return jobs.active()
    return jobs.filter(state=state) if state in Job.State.values else jobs


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    page = Paginator(_filtered(_listed(request), state), PER_PAGE).get_page(request.GET.get("page"))
    context = {"rows": rows_of(page.object_list), "page": page, "state": state, "states": Job.State.choices}
    is_fragment = request.headers.get("HX-Request")
    return render(request, "jobs/list.html#job-list" if is_fragment else "jobs/list.html", context)


@require_safe
def job_detail(request: HttpRequest, job_id: UUID) -> HttpResponse:
    [row] = rows_of([get_object_or_404(_jobs_of(request), pk=job_id)])
    if request.headers.get("HX-Request"):
        return render(request, "jobs/detail.html#job-detail", {"row": row})
    files = _files(request, row.job) if row.job.is_batch else {}
    return render(request, "jobs/detail.html", {"row": row, **files})


@require_safe
def job_files(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Draw the files of a batch anew, below what is said of the whole."""
    job = get_object_or_404(_jobs_of(request), pk=job_id)
    if not request.headers.get("HX-Request"):
        return redirect("jobs:detail", job_id)
    return render(request, "jobs/_files.html", _files(request, job))


def _files(request: HttpRequest, job: Job) -> dict[str, Any]:
    show = request.GET.get("show", "")
    shown = FILES.get(show)
    files = job.children.select_related("owner").order_by("created_at", "title")
    page = Paginator(files if shown is None else files.filter(state__in=shown), PER_PAGE).get_page(
        request.GET.get("page")
    )
    counted = files.order_by().aggregate(
        all=Count("pk"), **{name: Count("pk", filter=Q(state__in=states)) for name, states in FILES.items()}
    )
    return {"job": job, "files": rows_of(page.object_list), "page": page, "show": show, "counted": counted}


@require_safe
def job_tray(request: HttpRequest) -> HttpResponse:
    jobs = _listed(request).filter(owner=cast("Person", request.user))
    active = jobs.active()
    ended = jobs.filter(state__in=Job.ENDED, finished_at__gte=timezone.now() - RECENT)
    rows = rows_of([*active[:TRAY_ACTIVE_MAX], *ended[:TRAY_ENDED_MAX]])
    return render(request, "jobs/_tray.html", {"rows": rows, "active_count": active.count()})
