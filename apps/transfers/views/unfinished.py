from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.jobs.models import Job
from apps.storage.errors import UploadNotFound
from apps.storage.keys import key_name, visible
from apps.transfers.crumbs import key_of, place_crumbs, place_url, row_url, upload_of, upload_url
from apps.transfers.forms.unfinished import FindUploadsForm, PriceForm
from apps.transfers.models import AbortRule, Transfer
from apps.transfers.rules.costs import Price
from apps.transfers.services.adopting import transfers_alive
from apps.transfers.services.parts_prices import price_of
from apps.transfers.services.unfinished import (
    Cursor,
    Found,
    Matching,
    alive_among,
    places_of,
    upload_abort,
    uploads_found,
    uploads_page,
)
from apps.transfers.services.upload_walks import count_latest

# Found by age or initiator, at most so many are drawn.
SHOWN_AT_MOST = 500
# Of more uploads for the same key only the first few are drawn, unless that key was asked for.
SAME_KEY_SHOWN = 3


@dataclass(frozen=True)
class Row:
    """One upload in the list; `more` are those of the same key that are not drawn."""

    found: Found
    transfer: Transfer | None
    job_url: str
    urls: Mapping[str, str]
    more: int = 0
    more_url: str = ""


@require_GET
@connection_required(Role.READER)
def unfinished_list(request: ConnectionRequest, connection: str, bucket: str = "") -> HttpResponse:
    """Uploads that were begun and neither completed nor aborted: they take room and keep a bucket alive."""
    form = FindUploadsForm(request.GET)
    if not form.is_valid():
        raise Http404
    which = form.to_which(timezone.now())
    places = places_of(request.connection, bucket)
    is_found = not which.is_all or form.cleaned_data["sort"] == "age"
    if is_found:
        matching = uploads_found(request.connection, places=places, which=which)
        listing = _found_context(matching, is_by_age=form.cleaned_data["sort"] == "age")
    else:
        at = Cursor(request.GET.get("from", ""), key_of(request, "marker"), request.GET.get("after", ""))
        page = uploads_page(request.connection, places=places, prefix=which.prefix, at=at)
        listing = {"found": page.uploads, "problems": page.problems, **_page_urls(request, at, page.next)}
    price = price_of(request.user)
    context: dict[str, Any] = {
        **listing,
        "rows": _rows(request, listing["found"]),
        "problems": [(name, explain(error)) for name, error in sorted(listing["problems"].items())],
        "find": FindUploadsForm(initial=form.cleaned_data),
        "is_filtered": not which.is_all or bool(which.prefix),
        "bucket": bucket,
        "connection": request.connection,
        "price": price,
        "price_form": PriceForm(initial=_price_initial(price)),
        "walk": count_latest(request.connection, bucket=bucket),
        "rule": AbortRule.objects.filter(connection=request.connection, bucket=bucket).first(),
        "urls": _urls(request),
        "can_write": request.can_write,
        "read_at": timezone.now(),
        "crumbs": place_crumbs(request, end=_("Unfinished uploads")),
    }
    return render(request, "transfers/unfinished.html", context)


def _price_initial(price: Price | None) -> dict[str, str]:
    # As it was typed: the column has six digits behind the point.
    return {"amount": f"{price.amount.normalize():f}", "currency": price.currency} if price else {}


def _urls(request: ConnectionRequest) -> dict[str, str]:
    asked = {name: request.GET.get(name, "") for name in ("prefix", "by")}
    urls = {
        "abort_all": place_url(request, "unfinished-abort-all", **asked),
        "count": place_url(request, "unfinished-count"),
        "rule": place_url(request, "unfinished-rule"),
    }
    urls["here"] = place_url(request, "unfinished")
    if request.bucket:
        urls["abort_some"] = place_url(request, "unfinished-abort-some")
    return urls


def _found_context(matching: Matching, *, is_by_age: bool) -> dict[str, Any]:
    uploads = list(matching.uploads)
    if is_by_age:
        uploads.sort(key=lambda one: str(one.upload.initiated_at or "9999"))
    return {
        "found": uploads[:SHOWN_AT_MOST],
        "problems": matching.problems,
        "is_cut": matching.has_more,
        "fitting": len(uploads),
    }


def _page_urls(request: ConnectionRequest, at: Cursor, following: Cursor | None) -> dict[str, str]:
    prefix = request.GET.get("prefix", "")
    urls = {"next_url": "", "first_url": ""}
    if following is not None:
        asked = {"from": following.bucket, "marker": following.key, "after": following.upload_id}
        urls["next_url"] = place_url(request, "unfinished", prefix=prefix, **asked)
    if at.bucket or at.key:
        urls["first_url"] = place_url(request, "unfinished", prefix=prefix)
    return urls


def _rows(request: ConnectionRequest, uploads: Iterable[Found]) -> list[Row]:
    found = list(uploads)
    alive = alive_among(found)
    jobs = [transfer.job_id for transfer in alive.values()]
    visible_jobs = set(Job.objects.visible_to(request.user).filter(pk__in=jobs).values_list("pk", flat=True))
    rows: list[Row] = []
    for (_bucket, key), same in groupby(found, key=lambda one: (one.place.bucket, one.upload.key)):
        group = list(same)
        is_long = len(group) > SAME_KEY_SHOWN + 1 and request.GET.get("prefix") != key
        shown = group[:SAME_KEY_SHOWN] if is_long else group
        drawn = [_row(request, one, alive.get(one.upload.upload_id), visible_jobs) for one in shown]
        if is_long:
            more_url = row_url(request, "unfinished", group[0], prefix=key)
            drawn[-1] = replace(drawn[-1], more=len(group) - len(shown), more_url=more_url)
        rows += drawn
    return rows


def _row(request: ConnectionRequest, found: Found, transfer: Transfer | None, jobs: set[Any]) -> Row:
    asked = {"key": found.upload.key, "upload": found.upload.upload_id}
    urls = {
        name: row_url(request, f"unfinished-{name}", found, **asked) for name in ("upload", "parts", "abort")
    }
    job_url = ""
    if transfer is not None and transfer.job_id in jobs:
        job_url = reverse("jobs:detail", args=[transfer.job_id])
    return Row(found, transfer, job_url, urls)


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def unfinished_abort(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Ask once, then throw one upload away; the parts that were sent are lost."""
    upload = upload_of(request)
    key = upload.target.key
    list_url = bucket_url(request, "transfers:unfinished")
    alive = transfers_alive([upload.upload_id], bucket=bucket).get(upload.upload_id)
    if request.method == "POST" and alive is None:
        try:
            upload_abort(request.connection, person=request.user, upload=upload)
        except UploadNotFound:
            messages.warning(request, _("This upload was completed or aborted in the meantime."))
        else:
            messages.success(request, _("Aborted the upload of %(name)s.") % {"name": visible(key_name(key))})
        return redirect(list_url)
    context: dict[str, Any] = {
        "key": key,
        "upload_id": upload.upload_id,
        "job": alive and alive.job,
        "list_url": list_url,
        "action": upload_url(request, "unfinished-abort", upload),
        "crumbs": bucket_crumbs(request, end=_("Abort upload")),
    }
    return render(request, "transfers/abort.html", context)
