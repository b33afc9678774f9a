"""Many objects as one download."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.batches.selection import Selection
from apps.connections.crumbs import bucket_crumbs
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.objects.content import filename_of
from apps.objects.forms.zips import ZipForm
from apps.objects.packing import Place, Zip, ZipsBusy, base_of
from apps.objects.services import SAFE_HEADERS
from apps.objects.views.places import folder_url, key_of, page_url
from apps.storage.keys import key_name, key_query


@require_http_methods(["GET", "POST"])
@connection_required(Role.READER)
def objects_zip(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponseBase:
    """The page says what the zip of a folder would hold; its form, and that of a selection, sends it."""
    if request.method == "GET":
        return _page(request, key_of(request, "prefix", is_required=False))
    form = ZipForm(request.POST)
    if not form.is_valid():
        return _page(request, "", form.sentence(), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    selection = form.to_selection()
    if selection.is_empty:
        text = _("Nothing is selected. Choose objects or folders, or all that match.")
        return _page(request, "", text, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        packed = Zip(place=Place(request.store, bucket, request.region), selection=selection)
    except ZipsBusy:
        text = _("As many zips as this console sends at once are being downloaded. Try again in a while.")
        return _page(request, "", text, status=HTTPStatus.SERVICE_UNAVAILABLE)
    response = StreamingHttpResponse(packed)
    for header, value in (SAFE_HEADERS | {"Content-Type": "application/zip"}).items():
        response[header] = value
    # Its length is not known before its end, and no part of it can be asked for again.
    del response["Accept-Ranges"]
    response["Content-Disposition"] = content_disposition_header(True, _name_of(selection, bucket))
    response["X-Accel-Buffering"] = "no"
    return response


def _name_of(selection: Selection, bucket: str) -> str:
    """Return what the zip is called: the one folder that it is of, or the one that all of it lies in."""
    one = selection.folders[0] if len(selection.folders) == 1 and not selection.keys else base_of(selection)
    return f"{filename_of(key_name(one)) if one else bucket}.zip"


def _page(
    request: ConnectionRequest, prefix: str, problem: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    context: dict[str, Any] = {
        "prefix": prefix,
        "prefix_encoded": key_query(prefix),
        "problem": problem,
        "zip_url": page_url(request, "zip"),
        "cancel_url": folder_url(request, prefix),
        "crumbs": [*bucket_crumbs(request, prefix), {"label": _("Download as zip"), "url": ""}],
    }
    if not problem:
        listing = request.store.list_objects(bucket=request.bucket, region=request.region, prefix=prefix)
        context |= {
            "count": len(listing.objects),
            "size": sum(summary.size for summary in listing.objects),
            "has_more": listing.next_marker is not None,
        }
    return render(request, "objects/zip.html", context, status=status)
