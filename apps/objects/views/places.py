"""Where the pages of objects are, and what all of them show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import NoReverseMatch
from django.utils.translation import gettext as _

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest
from apps.connections.models import Role
from apps.storage.keys import key_name, key_parent, key_query, visible
from apps.storage.types import ObjectRef
from apps.transfers.fields import KeyField


def key_of(request: ConnectionRequest, name: str, *, is_required: bool = True) -> str:
    """Return a key from the query string; one that cannot exist is not found."""
    try:
        key: str = KeyField(required=is_required).clean(request.GET.get(name, ""))
    except ValidationError:
        raise Http404 from None
    return key


def ref_of(request: ConnectionRequest) -> ObjectRef:
    key = key_of(request, "key")
    return ObjectRef(bucket=request.bucket, region=request.region, key=key)


def page_url(request: ConnectionRequest, name: str, **query: str | int) -> str:
    return bucket_url(request, f"objects:{name}", **query)


def url_if_any(request: ConnectionRequest, name: str, **query: str | int) -> str:
    """Return the address of a page of this bucket that another app may bring along, '' without it."""
    try:
        return bucket_url(request, name, **query)
    except NoReverseMatch:
        return ""


def address_with(path: str, given: Mapping[str, str | int], **more: str | int) -> str:
    """Return `path` with these values as its query; empty ones are left out."""
    values = {**given, **more}
    query = "&".join(f"{name}={key_query(str(value))}" for name, value in values.items() if value != "")
    return f"{path}?{query}" if query else path


def folder_url(request: ConnectionRequest, prefix: str) -> str:
    return page_url(request, "list", prefix=prefix)


def object_context(request: ConnectionRequest, key: str) -> dict[str, Any]:
    """Return what every page of one object shows: where it is and what can be done with it."""
    return {
        "key": key,
        "name": visible(key_name(key)),
        "visible_key": visible(key),
        "crumbs": [*bucket_crumbs(request, key_parent(key)), {"label": key_name(key), "url": ""}],
        "folder_url": folder_url(request, key_parent(key)),
        "detail_url": page_url(request, "detail", key=key),
        "download_url": page_url(request, "download", key=key),
        "copy_url": page_url(request, "copy", key=key),
        "delete_url": page_url(request, "delete", key=key),
        "can_write": request.can_write,
        "denied": denied_words(),
    }


def denied_words() -> str:
    return _("this needs the role “%(role)s”") % {"role": Role.WRITER.label}
