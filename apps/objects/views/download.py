from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.objects.content import WholeBody
from apps.objects.forms.reading import ReadForm
from apps.objects.reading import read_open
from apps.objects.services import Download, download_open
from apps.objects.views.places import page_url, ref_of


@require_safe
@connection_required(Role.READER)
def object_download(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponseBase:
    """The bytes of an object, through the console, as something to save and never to run."""
    ref = ref_of(request)
    form = ReadForm(request.GET)
    if not form.to_query():
        found = download_open(
            request.store, ref=ref, headers=request.headers, is_head=request.method == "HEAD"
        )
        return _sent(found)
    chosen = read_open(request.store, ref=ref, options=form.to_options()) if form.is_valid() else None
    if chosen is None:
        # There is nothing to save, and a page that says why.
        return redirect(page_url(request, "read", key=ref.key, do="get", **form.to_query()))
    return _sent(chosen)


def _sent(found: Download) -> HttpResponseBase:
    response: HttpResponseBase
    if found.body is None:
        response = HttpResponse(status=found.status)
    else:
        response = StreamingHttpResponse(WholeBody(found.body), status=found.status)
    for name, value in found.headers.items():
        response[name] = value
    return response
