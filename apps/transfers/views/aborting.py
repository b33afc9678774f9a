from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.transfers.forms.unfinished import CountTypedForm, WhichUploadsForm
from apps.transfers.services.unfinished import Aborted, uploads_abort, uploads_matching

SAMPLES = 10


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def unfinished_abort_all(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Show how many unfinished uploads fit, and throw them away when their number is typed."""
    which = WhichUploadsForm(request.GET)
    if not which.is_valid():
        raise Http404
    matching = uploads_matching(
        request.connection,
        bucket=bucket,
        region=request.region,
        prefix=which.cleaned_data["prefix"],
        before=which.before(timezone.now()),
    )
    form = CountTypedForm(request.POST or None, expected=len(matching.uploads), digest=matching.digest)
    if request.method == "POST" and matching.uploads and form.is_valid():
        aborted = uploads_abort(
            request.connection,
            person=request.user,
            bucket=bucket,
            region=request.region,
            uploads=matching.uploads,
        )
        _tell(request, aborted)
        return redirect(bucket_url(request, "transfers:unfinished"))
    asked = {"prefix": which.cleaned_data["prefix"], "age": which.cleaned_data["age"]}
    context: dict[str, Any] = {
        "which": WhichUploadsForm(initial=asked),
        "form": form,
        "matching": matching,
        "samples": matching.uploads[:SAMPLES],
        "list_url": bucket_url(request, "transfers:unfinished"),
        "action": bucket_url(request, "transfers:unfinished-abort-all", **asked),
        "crumbs": bucket_crumbs(request, end=_("Abort uploads")),
    }
    return render(request, "transfers/abort_all.html", context)


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
