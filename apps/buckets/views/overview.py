from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.buckets.services.overview import overview_read
from apps.connections.crumbs import bucket_crumbs
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role


@require_GET
@connection_required(Role.READER)
def bucket_overview(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Everything about a bucket at a glance. What could not be read says why, and the rest stands."""
    now = timezone.now()
    region = request.region
    overview = overview_read(request.connection, request.store, bucket=bucket, region=region, now=now)
    context = {
        "overview": overview,
        "region": region,
        "bucket": bucket,
        "known": request.connection.known_buckets.filter(name=bucket).first(),
        "read_at": now,
        "can_admin": request.can_admin,
        "crumbs": bucket_crumbs(request, end=_("Overview")),
        "urls": _urls(request),
    }
    return render(request, "buckets/overview.html", context)


def _urls(request: ConnectionRequest) -> dict[str, str]:
    """Return the addresses of the pages of the bucket, by the page's name; '' for one that is not there."""
    arguments = [request.connection.slug, request.bucket]
    pages = {
        "objects": "objects:list",
        "access": "access:bucket",
        "cors": "access:cors",
        "tags": "access:tags",
        "unfinished": "transfers:unfinished",
        "danger": "buckets:danger",
        "figures": "inventory:figures",
    }
    return {name: _address(route, arguments) for name, route in pages.items()}


def _address(route: str, arguments: list[str]) -> str:
    try:
        return reverse(route, args=arguments)
    except NoReverseMatch:
        return ""
