"""Where a page of an unfinished upload is, and which upload an address means."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.connections.crumbs import Crumb, bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest
from apps.storage.keys import key_query
from apps.storage.types import ObjectRef
from apps.transfers.fields import KeyField
from apps.transfers.services.adopting import UploadRef
from apps.transfers.services.unfinished import Found


def key_of(request: ConnectionRequest, name: str) -> str:
    """Return a key from the query string; one that cannot exist is not found."""
    try:
        key: str = KeyField(required=False).clean(request.GET.get(name, ""))
    except ValidationError:
        raise Http404 from None
    return key


def upload_of(request: ConnectionRequest) -> UploadRef:
    """Return the upload that the address means; may ask the store for the bucket's region."""
    key, upload_id = key_of(request, "key"), request.GET.get("upload", "")
    if not key or not upload_id or len(upload_id) > 200:
        raise Http404
    target = ObjectRef(bucket=request.bucket, region=request.region, key=key)
    return UploadRef(target=target, upload_id=upload_id)


def upload_url(request: ConnectionRequest, name: str, upload: UploadRef) -> str:
    """Return the address of a page of this upload by the name of its route."""
    return bucket_url(request, f"transfers:{name}", key=upload.target.key, upload=upload.upload_id)


def upload_crumbs(request: ConnectionRequest, *, end: str) -> list[Crumb]:
    """Return the way to a page below the list of unfinished uploads."""
    crumbs = bucket_crumbs(request)
    return [
        *crumbs,
        {"label": _("Unfinished uploads"), "url": bucket_url(request, "transfers:unfinished")},
        {"label": end, "url": ""},
    ]


def place_url(request: ConnectionRequest, name: str, **query: str) -> str:
    """Return a page about the bucket in the address, or about the whole connection where there is none."""
    if request.bucket:
        return bucket_url(request, f"transfers:{name}", **query)
    return _with_query(reverse(f"transfers:all-{name}", args=[request.connection.slug]), query)


def row_url(request: ConnectionRequest, name: str, found: Found, **query: str) -> str:
    """Return a page about an upload that lies in any bucket of the connection."""
    path = reverse(f"transfers:{name}", args=[request.connection.slug, found.place.bucket])
    return _with_query(path, query)


def _with_query(path: str, query: dict[str, str]) -> str:
    given = "&".join(f"{key}={key_query(value)}" for key, value in query.items() if value != "")
    return f"{path}?{given}" if given else path


def place_crumbs(request: ConnectionRequest, *, end: str) -> list[Crumb]:
    """Return the way to a page about a bucket, or about a connection."""
    if request.bucket:
        return bucket_crumbs(request, end=end)
    connection = request.connection
    return [
        {"label": _("Connections"), "url": reverse("connections:list")},
        {"label": connection.name, "url": reverse("connections:detail", args=[connection.slug])},
        {"label": end, "url": ""},
    ]
