"""Reading with options: tried out on the page, saved through the console, or from the store itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.objects.forms.reading import ReadForm
from apps.objects.reading import get_try, head_try
from apps.objects.views.places import object_context, page_url, ref_of
from apps.objects.views.preview import STORE_LINK_S
from apps.storage.errors import StorageError
from apps.storage.types import ObjectRef

TRIES = {"head": head_try, "get": get_try}


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def object_read(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The form, and what the store answered to it. What was asked is in the address, a signed link never."""
    ref = ref_of(request)
    if request.method == "POST":
        return _asked(request, ref)
    step = request.GET.get("do", "")
    if step not in TRIES:
        return _page(request, ref, ReadForm(initial=request.GET.dict()), {})
    form = ReadForm(request.GET)
    if not form.is_valid():
        return _page(request, ref, form, {})
    try:
        reading = TRIES[step](request.store, ref=ref, options=form.to_options())
    except StorageError as error:
        return _page(request, ref, form, {"problem": explain(error)})
    return _page(
        request, ref, form, {"reading": reading, "step": step, "headers": sorted(reading.headers.items())}
    )


def _asked(request: ConnectionRequest, ref: ObjectRef) -> HttpResponse:
    """Lead on to what the button says, so that what was read has an address."""
    form = ReadForm(request.POST)
    if not form.is_valid():
        return _page(request, ref, form, {}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    step = request.POST.get("do", "head")
    if step == "link":
        return _page(request, ref, form, _link(request, ref, form))
    query = form.to_query()
    if step == "download":
        return redirect(page_url(request, "download", key=ref.key, **query))
    return redirect(page_url(request, "read", key=ref.key, do=step if step in TRIES else "head", **query))


def _link(request: ConnectionRequest, ref: ObjectRef, form: ReadForm) -> dict[str, Any]:
    """Return an address at the store that says version and headers itself; conditions and bytes it cannot."""
    options = form.to_options()
    try:
        link = request.store.presign_get(
            bucket=ref.bucket,
            region=ref.region,
            key=ref.key,
            expires_s=STORE_LINK_S,
            response=options.response,
            version_id=options.version_id,
        )
    except StorageError as error:
        return {"problem": explain(error)}
    return {"link": link, "minutes": STORE_LINK_S // 60}


def _page(
    request: ConnectionRequest,
    ref: ObjectRef,
    form: ReadForm,
    context: dict[str, Any],
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context = object_context(request, ref.key) | context
    context |= {"form": form, "read_url": page_url(request, "read", key=ref.key)}
    response = render(request, "objects/read.html", context, status=status)
    if "link" in context:
        response["Cache-Control"] = "no-store"
    return response
