from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.storage.types import ObjectRef
from apps.transfers import tasks
from apps.transfers.crumbs import place_crumbs, place_url
from apps.transfers.forms.unfinished import CountTypedForm, WhichUploadsForm
from apps.transfers.services.adopting import UploadRef, transfers_alive
from apps.transfers.services.unfinished import (
    ABORTED_AT_ONCE,
    Aborted,
    Matching,
    Which,
    places_of,
    uploads_abort,
    uploads_matching,
)
from apps.transfers.services.upload_walks import abort_start, sizes_of

SAMPLES = 10
CHOSEN_AT_MOST = 1000


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def unfinished_abort_all(request: ConnectionRequest, connection: str, bucket: str = "") -> HttpResponse:
    """Show how many unfinished uploads fit, and throw them away when their number is typed."""
    which = WhichUploadsForm(request.GET)
    if not which.is_valid():
        raise Http404
    now = timezone.now()
    wanted = which.to_which(now)
    places = places_of(request.connection, bucket)
    matching = uploads_matching(request.connection, places=places, which=wanted)
    form = CountTypedForm(request.POST or None, expected=len(matching.uploads), digest=matching.digest)
    if request.method == "POST" and matching.uploads and form.is_valid():
        return _abort(request, matching, wanted, now)
    asked = {name: which.cleaned_data[name] for name in ("prefix", "by", "age")}
    context: dict[str, Any] = {
        "which": WhichUploadsForm(initial=asked),
        "form": form,
        "matching": matching,
        "problems": [(name, explain(error)) for name, error in sorted(matching.problems.items())],
        "samples": matching.uploads[:SAMPLES],
        "sizes": sizes_of(request.connection, matching.uploads),
        "has_bucket": bool(bucket),
        "list_url": place_url(request, "unfinished"),
        "action": place_url(request, "unfinished-abort-all", **asked),
        "crumbs": place_crumbs(request, end=_("Abort uploads")),
    }
    return render(request, "transfers/abort_all.html", context)


def _abort(request: ConnectionRequest, matching: Matching, which: Which, now: datetime) -> HttpResponse:
    if request.bucket and not matching.has_more and len(matching.uploads) <= ABORTED_AT_ONCE:
        refs = [found.ref for found in matching.uploads]
        _tell(
            request,
            uploads_abort(request.connection, person=request.user, bucket=request.bucket, uploads=refs),
        )
        return redirect(place_url(request, "unfinished"))
    walk = abort_start(
        request.connection,
        person=request.user,
        bucket=request.bucket,
        which=which,
        before=_seen_before(matching, which.before or now),
        expected=len(matching.uploads),
    )
    tasks.hand_over(tasks.walk_uploads, walk_id=walk.pk)
    return redirect("jobs:detail", walk.job_id)


def _seen_before(matching: Matching, before: datetime) -> datetime:
    """Return a moment before which all was begun that the person has seen, and, if possible, nothing else.

    Where all was looked at, the store's clock says it: that of the console may be minutes ahead.
    """
    newest = matching.newest_at
    if matching.has_more or newest is None:
        return before
    return min(before, newest + timedelta(seconds=1))


@require_POST
@connection_required(Role.WRITER)
def unfinished_abort_some(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Show the uploads that were ticked, and throw them away when their number is typed."""
    chosen = _chosen(request, request.POST.getlist("chosen")[:CHOSEN_AT_MOST])
    alive = transfers_alive([upload.upload_id for upload in chosen], bucket=bucket)
    free = [upload for upload in chosen if upload.upload_id not in alive]
    typed = request.POST if "count" in request.POST else None
    form = CountTypedForm(typed, expected=len(free), digest=str(len(free)))
    if free and form.is_valid():
        _tell(request, uploads_abort(request.connection, person=request.user, bucket=bucket, uploads=free))
        return redirect(bucket_url(request, "transfers:unfinished"))
    context: dict[str, Any] = {
        "form": form,
        "uploads": free,
        "samples": free[:SAMPLES],
        "packed": [f"{upload.upload_id} {upload.target.key}" for upload in free],
        "owned": len(alive),
        "list_url": bucket_url(request, "transfers:unfinished"),
        "action": bucket_url(request, "transfers:unfinished-abort-some"),
        "crumbs": bucket_crumbs(request, end=_("Abort uploads")),
    }
    return render(request, "transfers/abort_some.html", context)


def _chosen(request: ConnectionRequest, packed: Sequence[str]) -> list[UploadRef]:
    """Return the uploads of the boxes that were ticked: an id, a space and a key each."""
    pairs = dict.fromkeys(text.partition(" ")[::2] for text in packed)
    return [
        UploadRef(ObjectRef(request.bucket, request.region, key), upload_id)
        for upload_id, key in pairs
        if key and upload_id
    ]


def _tell(request: ConnectionRequest, aborted: Aborted) -> None:
    done = ngettext("Aborted %(count)s upload.", "Aborted %(count)s uploads.", aborted.done)
    messages.success(request, done % {"count": aborted.done})
    if aborted.left:
        left = ngettext(
            "%(count)s was not reached in time: abort again.",
            "%(count)s were not reached in time: abort again.",
            aborted.left,
        )
        messages.warning(request, left % {"count": aborted.left})
    if aborted.failures:
        text = _("%(count)s could not be aborted: %(error)s")
        messages.error(request, text % {"count": len(aborted.failures), "error": aborted.failures[0]})
