from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.storage.errors import ObjectNotFound, StorageError
from apps.storage.multipart import PartPlan
from apps.storage.types import ObjectInfo
from apps.transfers import tasks
from apps.transfers.crumbs import upload_crumbs, upload_of, upload_url
from apps.transfers.forms.adopting import CompleteForm, FileChosenForm
from apps.transfers.paths import origin_of, path_for
from apps.transfers.rules.parts import Stock, Unfit, md5_of, stock_plan
from apps.transfers.services import adopting
from apps.transfers.services.adopting import InUse, UploadRef
from apps.transfers.services.uploads import slices_received
from apps.transfers.views.answers import refusal, started_json, status_of


@require_GET
@connection_required(Role.WRITER)
def unfinished_digests(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """What to compare a file of this size with before it goes on with somebody's upload."""
    form = FileChosenForm(request.GET)
    if not form.is_valid():
        return refusal(HTTPStatus.BAD_REQUEST, form.sentence())
    upload = upload_of(request)
    try:
        stock = adopting.stock_read(request.connection, upload)
        plan = stock_plan(stock, size=form.cleaned_data["size"])
    except Unfit as unfit:
        return refusal(HTTPStatus.CONFLICT, unfit.sentence)
    except StorageError as error:
        return _store_refusal(error)
    return JsonResponse(
        {"parts": _digests(upload, stock, plan), "part_size": plan.part_size, "seen": stock.digest}
    )


def _digests(upload: UploadRef, stock: Stock, plan: PartPlan) -> list[dict[str, Any]]:
    known = adopting.digests_known(upload, stock)
    return [
        {
            "number": part.number,
            "first_byte": plan.range_of(part.number)[0],
            "size": part.size,
            "crc64": known.get(part.number, ""),
            "md5": "" if part.number in known else md5_of(part),
        }
        for part in stock.parts
    ]


@require_POST
@connection_required(Role.WRITER)
def unfinished_continue(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Make the upload a job of this person, whose browser then sends what is missing."""
    form = FileChosenForm(_json_of(request))
    if not form.is_valid():
        return refusal(HTTPStatus.BAD_REQUEST, form.sentence())
    upload = upload_of(request)
    path = path_for(request.connection, bucket, origin_of(request)).for_key(upload.target.key)
    if path.is_impossible:
        return refusal(
            HTTPStatus.CONFLICT, _("Files may only be sent directly here. %(why)s") % {"why": path.text}
        )
    try:
        stock = adopting.stock_read(request.connection, upload)
        _require_seen(stock, form.cleaned_data["seen"])
        transfer = adopting.upload_adopt(
            request.connection,
            owner=request.user,
            upload=upload,
            stock=stock,
            file=form.to_file(),
            path=path.way,
        )
    except (Unfit, InUse) as no:
        return refusal(HTTPStatus.CONFLICT, no.sentence)
    except StorageError as error:
        return _store_refusal(error)
    tasks.hand_over(tasks.resume_transfer, transfer_id=transfer.pk)
    answer = {**started_json(transfer), "key": transfer.key, "received": slices_received(transfer)}
    return JsonResponse(answer, status=HTTPStatus.CREATED)


def _require_seen(stock: Stock, seen: str) -> None:
    """Raise Unfit when a part came or changed while the file was compared: somebody still sends, maybe.

    Without this the CRC-64 of the part that was there would stand for the one that is.
    """
    if seen and seen != stock.digest:
        raise Unfit(_("Somebody sent or replaced a part since you looked. Look once more."))


def _json_of(request: ConnectionRequest) -> dict[str, Any]:
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _store_refusal(error: StorageError) -> JsonResponse:
    words = explain(error)
    sentence = f"{words.title} {words.advice}".strip()
    return refusal(status_of(error), sentence, code=words.code, request_id=words.request_id)


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def unfinished_complete(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Show what would come of the parts that are there, and complete them when that is confirmed."""
    upload = upload_of(request)
    stock = adopting.stock_read(request.connection, upload)
    taken = _object_at(request, upload)
    form = CompleteForm(
        request.POST or None, expected=stock.size, digest=stock.digest, is_taken=taken is not None
    )
    problem = _problem_of(stock)
    if request.method == "POST" and not problem and form.is_valid():
        try:
            transfer = adopting.upload_complete(
                request.connection, owner=request.user, upload=upload, stock=stock, replace=taken is not None
            )
        except InUse as in_use:
            problem = in_use.sentence
        else:
            tasks.hand_over(tasks.complete_transfer, transfer_id=transfer.pk)
            messages.success(request, _("The store puts the parts together."))
            return redirect("jobs:detail", transfer.job_id)
    context = {
        "upload": upload,
        "stock": stock,
        "taken": taken,
        "problem": problem,
        "form": form,
        "action": upload_url(request, "unfinished-complete", upload),
        "back_url": upload_url(request, "unfinished-upload", upload),
        "crumbs": upload_crumbs(request, end=_("Complete the upload")),
    }
    return render(request, "transfers/complete.html", context)


def _object_at(request: ConnectionRequest, upload: UploadRef) -> ObjectInfo | None:
    target = upload.target
    try:
        return request.store.head_object(bucket=target.bucket, region=target.region, key=target.key)
    except ObjectNotFound:
        return None


def _problem_of(stock: Stock) -> str:
    try:
        adopting.stock_check(stock)
    except Unfit as unfit:
        return unfit.sentence
    return ""
