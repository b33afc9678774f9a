"""The figures of a bucket: how much is in it, of what class, where, and of what size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import connection_required
from apps.connections.models import Role
from apps.inventory.charts import histogram_of, level_best, slices_of, treemaps_of
from apps.inventory.models import Walk
from apps.inventory.services import walk_current, walk_latest
from apps.inventory.tally import Group, Seen, Tally
from apps.jobs.models import Job
from apps.jobs.services import figures_for

if TYPE_CHECKING:
    from apps.connections.guards import ConnectionRequest

# A count older than this is shown with the advice to count again.
STALE = timedelta(hours=24)
# For how long a page says that the store has asked to slow down.
THROTTLED_SHOWN = timedelta(seconds=30)
MOVING = (Job.State.QUEUED, Job.State.RUNNING)


@require_GET
@connection_required(Role.READER)
def bucket_figures(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """What the last count found, and how the one that runs gets on. The store is not asked."""
    context = figures_context(request)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "inventory/_figures.html", context)
    context["crumbs"] = bucket_crumbs(request, end=_("Figures"))
    return render(request, "inventory/figures.html", context)


def figures_context(request: ConnectionRequest) -> dict[str, Any]:
    latest = walk_latest(request.connection, bucket=request.bucket)
    current = walk_current(request.connection, bucket=request.bucket)
    by_size = request.GET.get("by") != "objects"
    shown = current or latest
    context = {
        "walk": shown,
        "progress": walk_progress(request, latest),
        "stopped": latest if latest and latest != current and not latest.is_open else None,
        "is_stale": bool(current and current.finished_at and current.finished_at < timezone.now() - STALE),
        "by_size": by_size,
        "figures_url": bucket_url(request, "inventory:figures"),
        "by_size_url": bucket_url(request, "inventory:figures"),
        "by_objects_url": bucket_url(request, "inventory:figures", by="objects"),
        "start_url": bucket_url(request, "inventory:start"),
        "poll_url": bucket_url(request, "inventory:figures", by="" if by_size else "objects"),
    }
    tally = shown.tally() if shown else None
    if tally is not None and tally.total.objects:
        context |= _pictures(request, tally, by_size=by_size)
    return context


def walk_progress(request: ConnectionRequest, walk: Walk | None) -> dict[str, Any] | None:
    """Return what a page shows of a walk that has not ended; None when there is none."""
    if walk is None or not walk.is_open:
        return None
    throttled_at = walk.throttled_at
    job = walk.job
    person = request.user
    return {
        "walk": walk,
        "job": job,
        "row": {"job": job, "figures": figures_for([job])[job.pk]},
        "is_moving": job.state in MOVING,
        "is_throttled": throttled_at is not None and throttled_at > timezone.now() - THROTTLED_SHOWN,
        "can_stop": request.can_admin or job.owner_id == person.pk,
        "sees_job": person.is_superuser or job.owner_id == person.pk,
    }


def _pictures(request: ConnectionRequest, tally: Tally, *, by_size: bool) -> dict[str, Any]:
    tally.close()
    level = level_best(tally)
    by_size = by_size and bool(tally.total.size)
    slices = slices_of(
        level,
        total=tally.total,
        prefix=tally.prefix,
        by_size=by_size,
        name_of=_name_of,
        url_of=lambda prefix: bucket_url(request, "objects:list", prefix=prefix),
    )
    classes = sorted(tally.classes.items(), key=lambda item: (-item[1].size, -item[1].objects))
    bars = histogram_of(tally)
    return {
        "tally": tally,
        "mean": tally.total.size // tally.total.objects,
        "classes": classes,
        "slices": slices,
        "other_groups": level.count - (len(slices) - 1),
        "treemaps": treemaps_of(slices, by_size=by_size, others=_("Other folders")),
        "bars": bars,
        "most": max((bar.found.objects for bar in bars), default=1),
        "extremes": _extremes(request, tally),
    }


def _name_of(group: Group) -> str:
    if not group.is_direct:
        return group.prefix
    if not group.prefix:
        return _("in no folder")
    return _("directly in %(folder)s") % {"folder": group.prefix}


def _extremes(request: ConnectionRequest, tally: Tally) -> list[tuple[str, list[dict[str, Any]]]]:
    named = ((_("Largest"), tally.largest), (_("Newest"), tally.newest), (_("Oldest"), tally.oldest))
    return [
        (title, [_standing_out(request, item) for item in sorted(found, reverse=True)])
        for title, found in named
        if found
    ]


def _standing_out(request: ConnectionRequest, item: Seen) -> dict[str, Any]:
    modified_at = datetime.fromtimestamp(item.modified_ms / 1000, UTC) if item.modified_ms else None
    url = bucket_url(request, "objects:detail", key=item.key)
    return {"key": item.key, "size": item.size, "modified_at": modified_at, "url": url}
