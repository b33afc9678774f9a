from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.connections.crumbs import bucket_crumbs
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.connections.services import bucket_forget
from apps.objects.forms.listing import PAGE_SIZES, ListForm
from apps.objects.rows import ListQuery, RowWords, is_marker, rows_html, summary_of
from apps.objects.tokens import trail_pack
from apps.objects.views.places import denied_words, page_url
from apps.storage.errors import BucketNotFound, Denied, StorageError, Throttled, Unavailable
from apps.storage.keys import key_name, visible
from apps.storage.types import Listing


@require_GET
@connection_required(Role.READER)
def object_list(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """One page of one folder. What keeps it from being listed is told on the page itself."""
    is_fragment = request.htmx and not request.htmx.history_restore_request
    form = ListForm(request.GET)
    if not form.is_valid():
        return _list_page(request, form, {"is_invalid": True}, status=HTTPStatus.OK)
    query = form.to_query()
    try:
        listing = request.store.list_objects(
            bucket=bucket,
            region=request.region,
            prefix=query.prefix + query.find,
            delimiter="/",
            marker=query.marker,
            limit=query.limit,
        )
    except StorageError as error:
        if is_fragment:
            raise
        return _list_page(request, form, _trouble(request, error), status=_status_of(error))
    context = {"query": query} | _listing_context(request, query, listing)
    if is_fragment:
        return render(request, "objects/list.html#object-list", context | {"form": form})
    return _list_page(request, form, context, status=HTTPStatus.OK)


def _list_page(
    request: ConnectionRequest, form: ListForm, context: dict[str, Any], *, status: int
) -> HttpResponse:
    prefix = form.cleaned_data.get("prefix", "")
    find = form.cleaned_data.get("find", "")
    page = {
        "form": form,
        "prefix": prefix,
        "find": find,
        "title": visible(key_name(prefix)) or request.bucket,
        "crumbs": bucket_crumbs(request, prefix),
        "list_url": page_url(request, "list"),
        "folder_create_url": page_url(request, "folder-create", prefix=prefix),
        "upload_start_url": reverse("transfers:upload-start", args=[request.connection.slug, request.bucket]),
        "bucket_delete_url": reverse("buckets:delete", args=[request.connection.slug, request.bucket]),
        "can_write": request.can_write,
        "can_admin": request.can_admin,
        "denied": denied_words(),
    }
    return render(request, "objects/list.html", page | context, status=status)


def _listing_context(request: ConnectionRequest, query: ListQuery, listing: Listing) -> dict[str, Any]:
    """Return the rows of a page, what they are a part of, and the ways to the pages around it."""
    has_marker = any(is_marker(summary, query.prefix) for summary in listing.objects)
    count = len(listing.prefixes) + len(listing.objects) - has_marker
    at = partial(
        page_url, request, "list", prefix=query.prefix, find=query.find, limit=_limit_text(query.limit)
    )
    earlier = (query.marker.removeprefix(query.prefix), query.first)
    urls = {"first_url": at() if query.marker else "", "previous_url": "", "next_url": ""}
    if listing.next_marker:
        trail = trail_pack([*query.trail, earlier])
        urls["next_url"] = at(marker=listing.next_marker, first=query.first + count, trail=trail)
    if query.trail:
        marker, first = query.trail[-1]
        trail = trail_pack(query.trail[:-1])
        urls["previous_url"] = at(marker=query.prefix + marker, first=first, trail=trail) if marker else at()
    return urls | {
        "rows": rows_html(listing, prefix=query.prefix, words=_row_words(request)),
        "count": count,
        "has_more": bool(listing.next_marker),
        "summary": summary_of(query, count, has_more=bool(listing.next_marker)),
        "marker_delete_url": page_url(request, "delete", key=query.prefix) if has_marker else "",
        "find": query.find,
        "prefix": query.prefix,
        "can_write": request.can_write,
        "size_urls": [(size, size == query.limit, at(limit=_limit_text(size))) for size in PAGE_SIZES],
    }


def _limit_text(limit: int) -> str:
    return "" if limit == PAGE_SIZES[0] else str(limit)


def _trouble(request: ConnectionRequest, error: StorageError) -> dict[str, Any]:
    """Return what the page shows in place of rows when the folder cannot be listed."""
    trouble: dict[str, Any] = {"problem": explain(error)}
    if isinstance(error, BucketNotFound):
        trouble["seen_at"] = bucket_forget(request.connection, request.bucket)
    # A key may open single objects without being allowed to list them.
    if isinstance(error, Denied) and error.code == "AccessDenied":
        trouble["detail_url"] = page_url(request, "detail")
    return trouble


def _status_of(error: StorageError) -> HTTPStatus:
    match error:
        case BucketNotFound():
            return HTTPStatus.NOT_FOUND
        case Denied():
            return HTTPStatus.FORBIDDEN
        case Throttled() | Unavailable():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _other:
            return HTTPStatus.BAD_GATEWAY


def _row_words(request: ConnectionRequest) -> RowWords:
    keyed = {name: f"{page_url(request, name)}?key=" for name in ("detail", "download", "copy", "delete")}
    return RowWords(
        folder=f"{page_url(request, 'list')}?prefix=",
        detail=keyed["detail"],
        download=keyed["download"],
        copy=keyed["copy"] if request.can_write else None,
        delete=keyed["delete"] if request.can_write else None,
        denied=denied_words(),
        download_label=_("Download"),
        copy_label=_("Copy"),
        delete_label=_("Delete"),
        folder_icon=_icon("folder"),
        object_icon=_icon("file"),
        download_icon=_icon("download"),
        copy_icon=_icon("copy"),
        delete_icon=_icon("trash"),
        zone=timezone.get_current_timezone(),
    )


def _icon(name: str) -> str:
    sprite = static("vendor/tabler-icons/sprite.svg")
    return f'<svg class="icon" aria-hidden="true" focusable="false"><use href="{sprite}#{name}"></use></svg>'
