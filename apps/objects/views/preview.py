"""Looking into an object: as text that the server wrote, or as bytes that nothing can run."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.objects.content import WholeBody
from apps.objects.previews import NotShown, Obstacle, preview_of, shown_open
from apps.objects.views.places import object_context, page_url, ref_of
from apps.storage.errors import StorageError
from apps.storage.types import ObjectInfo, ObjectRef

# A link that is followed at once. It is on a page that others may look at, so it does not last.
STORE_LINK_S = 300


@require_GET
@connection_required(Role.READER)
def object_preview(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The preview alone, with the whole width of the page."""
    ref = ref_of(request)
    info = request.store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    context = object_context(request, ref.key) | {"info": info} | preview_context(request, ref, info)
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "objects/preview.html#object-preview" if is_fragment else "objects/preview.html"
    return render(request, template, context)


@require_safe
@connection_required(Role.READER)
def object_content(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponseBase:
    """The bytes of a picture, a sound, a film or a PDF for a page of the console to embed."""
    is_embedded = request.headers.get("Sec-Fetch-Dest") == "image"
    try:
        found = shown_open(
            request.store, ref=ref_of(request), headers=request.headers, is_embedded=is_embedded
        )
    except NotShown:
        text = _("Only pictures, sounds, films and plain PDFs are shown. Download this object instead.")
        return HttpResponse(text, status=415, content_type="text/plain; charset=utf-8")
    response: HttpResponseBase
    if found.body is None:
        response = HttpResponse(status=found.status)
    elif request.method == "HEAD":
        found.body.close()
        response = HttpResponse(status=found.status)
    else:
        response = StreamingHttpResponse(WholeBody(found.body), status=found.status)
    for name, value in found.headers.items():
        response[name] = value
    return response


def preview_context(request: ConnectionRequest, ref: ObjectRef, info: ObjectInfo) -> dict[str, Any]:
    """Return the preview of an object, or why there is none, for a page of any size."""
    context: dict[str, Any] = {
        "preview_url": page_url(request, "preview", key=ref.key),
        "content_url": page_url(request, "content", key=ref.key),
    }
    try:
        preview = preview_of(request.store, ref=ref, info=info)
    except StorageError as error:
        return context | {"problem": explain(error)}
    context["preview"] = preview
    if preview.obstacle in (Obstacle.TOO_LARGE, Obstacle.HAS_SCRIPT):
        context["store_url"] = _store_url(request, ref)
    return context


def _store_url(request: ConnectionRequest, ref: ObjectRef) -> str:
    """Return where the browser may open the object itself, '' where it could not.

    The store is another origin: whatever runs there has no part in the console.
    """
    if request.connection.scheme != "https" or request.connection.connect_to:
        return ""
    return request.store.presign_get(
        bucket=ref.bucket, region=ref.region, key=ref.key, expires_s=STORE_LINK_S, is_inline=True
    )
