from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.objects.views.places import object_context, ref_of


@require_GET
@connection_required(Role.READER)
def object_detail(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    ref = ref_of(request)
    info = request.store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    context = {
        "info": info,
        "headers": sorted(info.headers.items()),
        "metadata": sorted(info.metadata.items()),
        "etag": f'"{info.etag}"',
    }
    return render(request, "objects/detail.html", object_context(request, ref.key) | context)
