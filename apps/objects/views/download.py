from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.objects.content import WholeBody
from apps.objects.services import download_open
from apps.objects.views.places import ref_of


@require_safe
@connection_required(Role.READER)
def object_download(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponseBase:
    """The bytes of an object, through the console, as something to save and never to run."""
    found = download_open(
        request.store, ref=ref_of(request), headers=request.headers, is_head=request.method == "HEAD"
    )
    response: HttpResponseBase
    if found.body is None:
        response = HttpResponse(status=found.status)
    else:
        response = StreamingHttpResponse(WholeBody(found.body), status=found.status)
    for name, value in found.headers.items():
        response[name] = value
    return response
