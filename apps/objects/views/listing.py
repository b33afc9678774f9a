from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.template import loader
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.connections.crumbs import bucket_crumbs
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.connections.services import bucket_forget
from apps.objects.columns import COOKIE, Layout, layout_read
from apps.objects.forms.listing import FILTERS, PAGE_SIZE, PAGE_SIZES, ListForm
from apps.objects.labels import filter_note, sort_note, summary_of
from apps.objects.queries import ListQuery, is_marker, page_arrange
from apps.objects.rows import RowWords, rows_html
from apps.objects.tokens import trail_pack
from apps.objects.views.checks import cells_read
from apps.objects.views.places import address_with, denied_words, page_url, url_if_any
from apps.objects.views.tables import frame_context, headings
from apps.storage.errors import BucketNotFound, Denied, StorageError, Throttled, Unavailable
from apps.storage.keys import key_name, key_parent, key_query, visible
from apps.storage.types import Listing

ROWS_PLACE = "<!-- rows -->"


@require_GET
@connection_required(Role.READER)
def object_list(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """One page of one folder. What keeps it from being listed is told on the page itself."""
    form = ListForm(request.GET)
    if not form.is_valid():
        return _answer(request, form, {"is_invalid": True})
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
        if _is_fragment(request):
            raise
        return _answer(request, form, _trouble(request, error), status=_status_of(error))
    return _answer(request, form, {"query": query} | _listing_context(request, query, listing))


def _classes(request: ConnectionRequest) -> tuple[str, ...]:
    try:
        return request.store.features.storage_classes
    except StorageError:
        return ()


def _is_fragment(request: ConnectionRequest) -> bool:
    return bool(request.htmx) and not request.htmx.history_restore_request


def _answer(
    request: ConnectionRequest, form: ListForm, context: dict[str, Any], *, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Return the whole page, or of it the list, or the list together with the form above it."""
    context = _page_context(request, form) | context
    if not _is_fragment(request):
        return _drawn(request, "objects/list.html", context, status)
    if request.htmx.target == "object-browser":
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else status
        response = _drawn(request, "objects/list.html#object-browser", context, status)
    else:
        response = _drawn(request, "objects/list.html#object-list", context, status)
    # A form sends its empty fields, too; the address that people send to each other has none.
    given = {**request.GET.dict(), "prefix": context["prefix"], "in": ""}
    response["HX-Push-Url"] = address_with(request.path, given)
    return response


def _drawn(request: ConnectionRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse:
    """Return a rendered template with the rows put in afterwards.

    A template copies what it holds once for each block around it, which for a thousand rows takes as long as
    making them. Text that somebody wrote is escaped and cannot be taken for the place of the rows.
    """
    # Nor does it get them: it leaves its context to the garbage collector, which comes by every thirty pages.
    rows: str = context.pop("rows", "")
    before, _place, after = loader.render_to_string(template, context, request).partition(ROWS_PLACE)
    pieces = [before.encode(), rows.encode(), after.encode()]
    # Whoever asked for the length later would put the pieces together for it.
    length = str(sum(map(len, pieces)))
    return HttpResponse(pieces, status=status, headers={"Content-Length": length})


def _page_context(request: ConnectionRequest, form: ListForm) -> dict[str, Any]:
    data = form.cleaned_data
    prefix = data.get("prefix", "")
    layout = layout_read(request.COOKIES.get(COOKIE))
    return {
        "form": form,
        "prefix": prefix,
        # A browser rewrites line ends in what a form sends, but not when they are percent-encoded.
        "prefix_sent": key_query(prefix) if set(prefix) & set("\r\n") else "",
        "find": form.data.get("find", ""),
        "sort": form.data.get("sort", ""),
        "limit": form.data.get("limit", ""),
        "title": visible(key_name(prefix)) or request.bucket,
        "crumbs": bucket_crumbs(request, prefix),
        "parent_url": page_url(request, "list", prefix=key_parent(prefix)) if prefix else "",
        "clear_url": page_url(request, "list", prefix=prefix, find=data.get("find", "")),
        "open_key": data.get("open", ""),
        "filters": [form[name] for name in FILTERS],
        "classes": _classes(request),
        "filter_count": sum(1 for name in FILTERS if form.data.get(name)),
        "filter_errors": [form[name] for name in FILTERS if form[name].errors],
        "place_errors": [form[name] for name in ("prefix", "find", "marker") if form[name].errors],
        "layout": layout,
        "here": request.GET.urlencode(),
        "can_write": request.can_write,
        "can_admin": request.can_admin,
        "denied": denied_words(),
    } | frame_context(request, prefix, layout)


def _listing_context(request: ConnectionRequest, query: ListQuery, listing: Listing) -> dict[str, Any]:
    """Return the rows of a page, what they are a part of, and the ways to the pages around it."""
    layout = layout_read(request.COOKIES.get(COOKIE))
    wanted = page_arrange(listing, query)
    has_marker = bool(listing.objects) and is_marker(listing.objects[0], query.prefix)
    count = len(listing.prefixes) + len(listing.objects) - has_marker
    shown = len(wanted.prefixes) + len(wanted.objects)
    has_more = bool(listing.next_marker)
    is_whole = not has_more and not query.marker
    read: Mapping[str, Mapping[str, str]] = {}
    if request.GET.get("check") and layout.has_unread:
        read = cells_read(request, [summary.key for summary in wanted.objects], layout.columns)
    return _ways(request, query, listing, count) | {
        "rows": rows_html(wanted, _row_words(request, layout), read=read),
        "headings": headings(request, query, layout),
        "count": count,
        "shown": shown,
        "has_more": has_more,
        "is_whole": is_whole,
        "summary": summary_of(query, count, has_more=has_more),
        "sort_note": sort_note(query, is_whole=is_whole) if count else "",
        "filter_note": filter_note(query, shown=shown, count=count, has_more=has_more) if count else "",
        "marker_delete_url": page_url(request, "delete", key=query.prefix) if has_marker else "",
        "index_url": "" if is_whole else _index_url(request, query),
        "match_fields": _match_fields(query),
        "check_fields": [(name, value) for name, value in request.GET.items() if value and name != "check"],
    }


def _match_fields(query: ListQuery) -> list[tuple[str, str]]:
    """Return what tells the page for many objects which ones match: keys encoded, sizes in bytes, moments."""
    wanted = query.wanted
    fields: dict[str, object] = {
        "prefix": key_query(query.prefix),
        "find": key_query(query.find),
        "contains": wanted.contains,
        "endings": " ".join(wanted.endings),
        "min_size": wanted.min_size,
        "max_size": wanted.max_size,
        "after": wanted.after.isoformat() if wanted.after else "",
        "before": wanted.before.isoformat() if wanted.before else "",
        "class": wanted.storage_class,
    }
    return [(name, str(value)) for name, value in fields.items() if value not in ("", None)]


def _ways(request: ConnectionRequest, query: ListQuery, listing: Listing, count: int) -> dict[str, Any]:
    """Return the addresses of the pages around this one, in the same order and through the same filter."""
    given = {**query.given, "sort": query.sort, "prefix": query.prefix, "find": query.find}
    at = partial(address_with, request.path, given | {"limit": _limit_text(query.limit)})
    earlier = (query.marker.removeprefix(query.prefix), query.first)
    urls = {"first_url": at() if query.marker else "", "previous_url": "", "next_url": ""}
    if listing.next_marker:
        trail = trail_pack([*query.trail, earlier])
        urls["next_url"] = at(marker=listing.next_marker, first=query.first + count, trail=trail)
    if query.trail:
        marker, first = query.trail[-1]
        trail = trail_pack(query.trail[:-1])
        urls["previous_url"] = at(marker=query.prefix + marker, first=first, trail=trail) if marker else at()
    sized = [(size, size == query.limit, at(limit=_limit_text(size))) for size in PAGE_SIZES]
    return {**urls, "size_urls": sized}


def _index_url(request: ConnectionRequest, query: ListQuery) -> str:
    """Return where the whole folder can be searched and sorted, or '' while there is no such page."""
    path = url_if_any(request, "inventory:search")
    given = {name: text for name, text in query.given.items() if name != "contains"}
    wanted = {"prefix": query.prefix, "q": query.wanted.contains or query.find, "sort": query.sort}
    return address_with(path, given | wanted) if path else ""


def _limit_text(limit: int) -> str:
    return "" if limit == PAGE_SIZE else str(limit)


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


def _row_words(request: ConnectionRequest, layout: Layout) -> RowWords:
    measure = url_if_any(request, "inventory:folder-size")
    return RowWords(
        folder=f"{page_url(request, 'list')}?prefix=",
        detail=f"{page_url(request, 'detail')}?key=",
        download=f"{page_url(request, 'download')}?key=",
        measure=f"{measure}?prefix=" if measure else "",
        download_label=_("Download"),
        measure_label=_("count it"),
        unread_label=_("not checked"),
        zone=timezone.get_current_timezone(),
        layout=layout,
    )
