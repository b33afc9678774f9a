"""One object: its page, which is also the drawer beside the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from apps.access.rules.acl import access_unknown, object_access_summary
from apps.connections.crumbs import bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.objects.previews import is_archived
from apps.objects.views.places import object_context, page_url, ref_of
from apps.objects.views.preview import preview_context
from apps.storage.errors import StorageError
from apps.storage.keys import key_query
from apps.storage.types import ObjectInfo, ObjectRef
from apps.transfers.verifying import verification_for

# What a person chose for the object, and may change; its type has a line of its own.
CONTENT_HEADERS = {"cache-control", "content-disposition", "content-encoding", "content-language", "expires"}


@dataclass(frozen=True)
class Tab:
    """One side of an object; `name` is its word in the address."""

    name: str
    label: str | Promise
    icon: str


TABS = (
    Tab("details", _("Details"), "info-circle"),
    Tab("preview", _("Preview"), "eye"),
    Tab("headers", _("Headers"), "list"),
    Tab("access", _("Access"), "lock"),
    Tab("links", _("Links"), "link"),
)


@require_GET
@connection_required(Role.READER)
def object_detail(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Everything about one object, a tab at a time. The fragment is the drawer's content."""
    ref = ref_of(request)
    is_drawer = bool(request.htmx) and not request.htmx.history_restore_request
    info = request.store.head_object(
        bucket=ref.bucket, region=ref.region, key=ref.key, version_id=request.GET.get("version") or None
    )
    tab = next((one for one in TABS if one.name == request.GET.get("tab")), TABS[0])
    context = object_context(request, ref.key) | _detail_context(request, info) | {"is_drawer": is_drawer}
    context |= {"tab": tab.name, "tabs": _tab_links(request, ref.key, tab)} | _of_tab(request, tab, ref, info)
    template = "objects/detail.html#object-drawer" if is_drawer else "objects/detail.html"
    return render(request, template, context)


def _detail_context(request: ConnectionRequest, info: ObjectInfo) -> dict[str, Any]:
    return {
        "info": info,
        "etag": f'"{info.etag}"',
        "is_archived": is_archived(request.store, info),
        "object_url": request.store.object_url(bucket=request.bucket, region=request.region, key=info.key),
        "share_url": linked(request, "sharing:create", key=info.key),
        "move_url": linked(request, "batches:create"),
        "key_encoded": key_query(info.key),
        "read_url": linked(request, "objects:read", key=info.key),
        "headers_url": linked(request, "objects:headers", key=info.key),
    }


def _tab_links(request: ConnectionRequest, key: str, here: Tab) -> list[tuple[Tab, str, bool]]:
    return [
        (tab, page_url(request, "detail", key=key, tab="" if tab is TABS[0] else tab.name), tab is here)
        for tab in TABS
    ]


def _of_tab(request: ConnectionRequest, tab: Tab, ref: ObjectRef, info: ObjectInfo) -> dict[str, Any]:
    """Return what only one tab needs; each asks the store no more than it shows."""
    match tab.name:
        case "headers" | "details":
            headers = sorted(info.headers.items())
            return {
                "verification": verification_for(request.connection, bucket=ref.bucket, info=info),
                "headers": headers,
                "content_headers": [pair for pair in headers if pair[0] in CONTENT_HEADERS],
                "metadata": sorted(info.metadata.items()),
            }
        case "access":
            return _access_context(request, ref)
        case "preview":
            return preview_context(request, ref, info)
        case _links:
            return {"links_url": _links_url(ref)}


def _access_context(request: ConnectionRequest, ref: ObjectRef) -> dict[str, Any]:
    """Return who may do what with the object, or why that cannot be read."""
    context: dict[str, Any] = {
        "access_url": linked(request, "access:object", key=ref.key),
        "bucket_access_url": linked(request, "access:bucket"),
        "explain_url": _explain_url(ref, request.connection.slug),
    }
    try:
        acl = request.store.get_object_acl(bucket=ref.bucket, region=ref.region, key=ref.key)
    except StorageError as error:
        return context | {"problem": explain(error), "access": access_unknown()}
    bucket_acl = None
    if acl.is_inherited:
        try:
            bucket_acl = request.store.get_bucket_acl(bucket=ref.bucket, region=ref.region)
        except StorageError as error:
            context["bucket_problem"] = explain(error)
    return context | {"acl": acl, "access": object_access_summary(acl, bucket_acl)}


def _explain_url(ref: ObjectRef, connection: str) -> str:
    page = _known("access:explain")
    query = f"?connection={connection}&bucket={ref.bucket}&key={key_query(ref.key)}"
    return page and page + query


def _links_url(ref: ObjectRef) -> str:
    """Return where the links of this object are listed, everybody's that this person may see."""
    page = _known("sharing:list")
    return page and f"{page}?who=all&q={key_query(ref.key)}"


def linked(request: ConnectionRequest, name: str, **query: str) -> str:
    """Return the address of a page of another app, '' where the console has none."""
    try:
        return bucket_url(request, name, **query)
    except NoReverseMatch:
        return ""


def _known(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
