from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.connections.services import bucket_forget, bucket_region
from apps.objects.content import WholeBody
from apps.objects.forms import PAGE_SIZES, CopyForm, DeleteForm, FolderForm, ListForm
from apps.objects.rows import ListQuery, RowWords, is_marker, rows_html, summary_of
from apps.objects.services import FolderExists, ObjectChanged, download_open, folder_create, object_delete
from apps.objects.tokens import trail_pack
from apps.storage.errors import BucketNotFound, Denied, StorageError, Throttled, Unavailable
from apps.storage.keys import key_name, key_parent, visible
from apps.storage.types import Listing, ObjectRef
from apps.transfers.fields import KeyField
from apps.transfers.services import SameObject, TargetExists, copy_start
from apps.transfers.tasks import copy_parts, hand_over


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


@require_GET
@connection_required(Role.READER)
def object_detail(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    ref = _ref_of(request)
    info = request.store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    context = {
        "info": info,
        "headers": sorted(info.headers.items()),
        "metadata": sorted(info.metadata.items()),
        "etag": f'"{info.etag}"',
    }
    return render(request, "objects/detail.html", _object_context(request, ref.key) | context)


@require_safe
@connection_required(Role.READER)
def object_download(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponseBase:
    """The bytes of an object, through the console, as something to save and never to run."""
    found = download_open(
        request.store, ref=_ref_of(request), headers=request.headers, is_head=request.method == "HEAD"
    )
    response: HttpResponseBase
    if found.body is None:
        response = HttpResponse(status=found.status)
    else:
        response = StreamingHttpResponse(WholeBody(found.body), status=found.status)
    for name, value in found.headers.items():
        response[name] = value
    return response


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def object_remove(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    ref = _ref_of(request)
    if request.method == "POST":
        form = DeleteForm(request.POST)
        seen = form.cleaned_data["etag"] if form.is_valid() else ""
        try:
            object_delete(request.store, ref=ref, seen_etag=seen)
        except ObjectChanged:
            messages.warning(request, _("The object was replaced in the meantime. Look at it again."))
        else:
            messages.success(request, _("Deleted %(name)s.") % {"name": visible(key_name(ref.key))})
            return redirect(_folder_url(request, key_parent(ref.key)))
    info = request.store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    context = {"info": info, "form": DeleteForm(initial={"etag": info.etag})}
    return render(request, "objects/delete.html", _object_context(request, ref.key) | context)


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def object_copy(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """Hand a copy to the workers, and go to the job that reports it."""
    source = _ref_of(request)
    known = request.connection.known_buckets.values_list("name", flat=True)
    form = CopyForm(
        request.POST or None,
        buckets=sorted({bucket, *known}),
        initial={"bucket": bucket, "key": source.key},
    )
    taken = None
    if request.method == "POST" and form.is_valid():
        try:
            transfer = copy_start(
                owner=request.user,
                connection=request.connection,
                source=source,
                bucket=form.cleaned_data["bucket"],
                region=bucket_region(request.connection, form.cleaned_data["bucket"]),
                key=form.cleaned_data["key"],
                replace=form.cleaned_data["replace"],
            )
        except SameObject:
            form.add_error("key", _("This is the object itself. Choose another key or bucket."))
        except TargetExists as error:
            taken = error.info
            form.add_error("key", _("An object with this key exists already."))
        else:
            hand_over(copy_parts, transfer_id=transfer.pk)
            return redirect("jobs:detail", job_id=transfer.job_id)
    context = _object_context(request, source.key) | {"form": form, "taken": taken}
    context["is_key_altered"] = any(character in source.key for character in "\r\n\x00")
    return render(request, "objects/copy.html", context)


@require_http_methods(["GET", "POST"])
@connection_required(Role.WRITER)
def folder_new(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    prefix = _key_of(request, "prefix", is_required=False)
    form = FolderForm(request.POST or None, parent=prefix)
    if request.method == "POST" and form.is_valid():
        key = form.to_key()
        try:
            folder_create(request.store, ref=ObjectRef(bucket=bucket, region=request.region, key=key))
        except FolderExists:
            form.add_error("name", _("There is a folder with this name already."))
        else:
            messages.success(request, _("Created the folder %(name)s.") % {"name": visible(key_name(key))})
            return redirect(_folder_url(request, key))
    context = {"form": form, "prefix": prefix, "cancel_url": _folder_url(request, prefix)}
    context["action"] = _url(request, "folder-create", prefix=prefix)
    context["crumbs"] = [*bucket_crumbs(request, prefix), {"label": _("New folder"), "url": ""}]
    return render(request, "objects/folder.html", context)


def _key_of(request: ConnectionRequest, name: str, *, is_required: bool = True) -> str:
    """Return a key from the query string; one that cannot exist is not found."""
    try:
        key: str = KeyField(required=is_required).clean(request.GET.get(name, ""))
    except ValidationError:
        raise Http404 from None
    return key


def _ref_of(request: ConnectionRequest) -> ObjectRef:
    key = _key_of(request, "key")
    return ObjectRef(bucket=request.bucket, region=request.region, key=key)


def _url(request: ConnectionRequest, name: str, **query: str | int) -> str:
    return bucket_url(request, f"objects:{name}", **query)


def _folder_url(request: ConnectionRequest, prefix: str) -> str:
    return _url(request, "list", prefix=prefix)


def _object_context(request: ConnectionRequest, key: str) -> dict[str, Any]:
    """Return what every page of one object shows: where it is and what can be done with it."""
    return {
        "key": key,
        "name": visible(key_name(key)),
        "visible_key": visible(key),
        "crumbs": [*bucket_crumbs(request, key_parent(key)), {"label": key_name(key), "url": ""}],
        "folder_url": _folder_url(request, key_parent(key)),
        "detail_url": _url(request, "detail", key=key),
        "download_url": _url(request, "download", key=key),
        "copy_url": _url(request, "copy", key=key),
        "delete_url": _url(request, "delete", key=key),
        "can_write": request.can_write,
        "denied": _denied_words(),
    }


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
        "list_url": _url(request, "list"),
        "folder_create_url": _url(request, "folder-create", prefix=prefix),
        "upload_start_url": reverse("transfers:upload-start", args=[request.connection.slug, request.bucket]),
        "bucket_delete_url": reverse("buckets:delete", args=[request.connection.slug, request.bucket]),
        "can_write": request.can_write,
        "can_admin": request.can_admin,
        "denied": _denied_words(),
    }
    return render(request, "objects/list.html", page | context, status=status)


def _listing_context(request: ConnectionRequest, query: ListQuery, listing: Listing) -> dict[str, Any]:
    """Return the rows of a page, what they are a part of, and the ways to the pages around it."""
    has_marker = any(is_marker(summary, query.prefix) for summary in listing.objects)
    count = len(listing.prefixes) + len(listing.objects) - has_marker
    at = partial(_url, request, "list", prefix=query.prefix, find=query.find, limit=_limit_text(query.limit))
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
        "marker_delete_url": _url(request, "delete", key=query.prefix) if has_marker else "",
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
        trouble["detail_url"] = _url(request, "detail")
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


def _denied_words() -> str:
    return _("this needs the role “%(role)s”") % {"role": Role.WRITER.label}


def _row_words(request: ConnectionRequest) -> RowWords:
    keyed = {name: f"{_url(request, name)}?key=" for name in ("detail", "download", "copy", "delete")}
    return RowWords(
        folder=f"{_url(request, 'list')}?prefix=",
        detail=keyed["detail"],
        download=keyed["download"],
        copy=keyed["copy"] if request.can_write else None,
        delete=keyed["delete"] if request.can_write else None,
        denied=_denied_words(),
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
