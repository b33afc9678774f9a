from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.jobs.models import Job
from apps.storage.errors import StorageError, UploadNotFound
from apps.storage.types import UnfinishedUpload
from apps.transfers.crumbs import upload_crumbs, upload_of, upload_url
from apps.transfers.models import Transfer
from apps.transfers.rules.parts import Stock, Unfit, parts_check, ranges_text
from apps.transfers.services import adopting
from apps.transfers.services.adopting import InUse, UploadRef
from apps.transfers.services.parts_prices import price_of

SHOWN_PARTS = 500


@require_GET
@connection_required(Role.READER)
def unfinished_upload(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """One unfinished upload: what is there of it, and what can be done about it."""
    upload = upload_of(request)
    stock = adopting.stock_read(request.connection, upload)
    alive = adopting.transfers_alive([upload.upload_id], bucket=bucket).get(upload.upload_id)
    context = {
        **_stock_context(request, stock),
        "upload": upload,
        "listed": _listed(request, upload),
        "shown": stock.parts[:SHOWN_PARTS],
        "part_size": stock.parts[0].size if stock.parts else 0,
        "job": alive and alive.job,
        "job_url": _job_url(request, alive),
        "no_continue": _why_not_continue(request, stock, alive),
        "no_complete": _why_not_complete(request, stock, alive),
        "can_write": request.can_write,
        "crumbs": upload_crumbs(request, end=_("Upload")),
        **_urls(request, upload),
    }
    return render(request, "transfers/upload.html", context)


def _urls(request: ConnectionRequest, upload: UploadRef) -> dict[str, str]:
    names = ("digests", "continue", "complete", "abort")
    return {f"{name}_url": upload_url(request, f"unfinished-{name}", upload) for name in names}


def _stock_context(request: ConnectionRequest, stock: Stock) -> dict[str, Any]:
    price = price_of(request.user)
    cost = price.text(stock.size) if price else ""
    return {"stock": stock, "holes": ranges_text(stock.holes), "cost": cost}


def _listed(request: ConnectionRequest, upload: UploadRef) -> UnfinishedUpload | None:
    """Return what the list says of the upload; None when hundreds of the same key stand before it."""
    target = upload.target
    page = request.store.list_multipart_uploads(bucket=target.bucket, region=target.region, prefix=target.key)
    return next((one for one in page.uploads if one.upload_id == upload.upload_id), None)


def _job_url(request: ConnectionRequest, alive: Transfer | None) -> str:
    """Return the page of the job, '' where this person may not see it."""
    if alive is None or not Job.objects.visible_to(request.user).filter(pk=alive.job_id).exists():
        return ""
    return reverse("jobs:detail", args=[alive.job_id])


def _why_not_continue(request: ConnectionRequest, stock: Stock, alive: Transfer | None) -> str:
    try:
        if alive is not None:
            adopting.upload_require_still(alive, by=request.user)
        parts_check(stock)
    except (InUse, Unfit) as no:
        return no.sentence
    return ""


def _why_not_complete(request: ConnectionRequest, stock: Stock, alive: Transfer | None) -> str:
    try:
        if alive is not None:
            adopting.upload_require_still(alive, by=request.user)
        adopting.stock_check(stock)
    except (InUse, Unfit) as no:
        return no.sentence
    return ""


@require_GET
@connection_required(Role.READER)
def unfinished_parts(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The parts of one row of the list, read when the row comes into sight."""
    upload = upload_of(request)
    if not request.headers.get("HX-Request"):
        return redirect(upload_url(request, "unfinished-upload", upload))
    try:
        context = _stock_context(request, adopting.stock_read(request.connection, upload))
    except UploadNotFound:
        return render(request, "transfers/_no_stock.html", {"said": _("Ended in the meantime.")})
    except StorageError as error:
        # A row says so itself: a notice for each of a hundred rows would bury the page.
        words = explain(error)
        return render(request, "transfers/_no_stock.html", {"said": words.title, "code": words.code})
    return render(request, "transfers/_stock.html", context)
