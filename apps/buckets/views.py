from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.buckets.forms import BucketForm, BucketListForm, DeleteForm
from apps.buckets.services import (
    BucketNotEmpty,
    bucket_blockers,
    bucket_create,
    bucket_delete,
    buckets_read,
)
from apps.connections.guards import ConnectionRequest, PersonRequest, connection_required
from apps.connections.models import Connection, Role
from apps.connections.rules import explain
from apps.connections.services import Reading
from apps.storage.errors import Conflict, Refused
from apps.storage.types import Bucket

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """One bucket in the list."""

    bucket: Bucket
    connection: Connection
    url: str
    delete_url: str


@require_GET
def bucket_list(request: HttpRequest) -> HttpResponse:
    """The buckets of every connection that the person may see, each read now."""
    request = cast(PersonRequest, request)
    form = BucketListForm(request.GET)
    form.is_valid()
    wanted, chosen, sort = (form.cleaned_data.get(name, "") for name in ("q", "connection", "sort"))
    connections = list(
        Connection.objects.visible_to(request.user).select_related("owner").prefetch_related("members")
    )
    asked = [connection for connection in connections if not chosen or connection.slug == chosen]
    read_at = timezone.now()
    readings = buckets_read(asked, now=read_at)
    rows = _sorted([row for row in _rows(request, readings) if wanted.lower() in row.bucket.name], sort)
    context = {
        "rows": rows,
        "failures": [(reading.connection, explain(reading.error)) for reading in readings if reading.error],
        "read_at": read_at,
        "total": sum(len(reading.buckets) for reading in readings),
        "connections": connections,
        "chosen": chosen,
        "q": wanted,
        "sort": sort,
        "columns": _columns(wanted, chosen, sort),
        "can_create": any(connection.role_of(request.user) == Role.ADMIN for connection in connections),
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    return render(request, "buckets/list.html" + ("#bucket-list" if is_fragment else ""), context)


@require_http_methods(["GET", "POST"])
def bucket_new(request: HttpRequest) -> HttpResponse:
    request = cast(PersonRequest, request)
    connections = list(Connection.objects.administered_by(request.user))
    if not connections:
        return render(request, "buckets/new.html", {"form": None})
    if request.htmx and request.method == "GET":
        form = BucketForm(request.GET, connections=connections)
        form.is_valid()
        return render(request, "buckets/new.html#bucket-full-name", {"form": form})
    initial = {"connection": request.GET.get("connection", "")}
    form = BucketForm(request.POST or None, connections=connections, initial=initial)
    if request.method == "POST" and form.is_valid():
        connection, bucket = form.to_connection(), form.full_name
        try:
            bucket_create(
                connection, bucket=bucket, region=form.cleaned_data["region"], acl=form.cleaned_data["acl"]
            )
        except (Conflict, Refused) as error:
            form.add_error("name", _refusal(error))
        else:
            messages.success(request, _("Created the bucket %(name)s.") % {"name": bucket})
            return redirect("objects:list", connection=connection.slug, bucket=bucket)
    return render(request, "buckets/new.html", {"form": form})


@require_http_methods(["GET", "POST"])
@connection_required(Role.ADMIN)
def bucket_remove(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    form = DeleteForm(request.POST or None, bucket=bucket)
    blockers = None
    if request.method == "POST" and form.is_valid():
        try:
            bucket_delete(request.connection, bucket=bucket, region=request.region)
        except BucketNotEmpty as error:
            blockers = error.blockers
        else:
            messages.success(request, _("Deleted the bucket %(name)s.") % {"name": bucket})
            return redirect("buckets:list")
    if blockers is None:
        blockers = bucket_blockers(request.store, bucket=bucket, region=request.region)
    context = {
        "form": form,
        "blockers": blockers,
        "bucket": bucket,
        "region": request.region,
        "objects_url": reverse("objects:list", args=[connection, bucket]),
        "action": reverse("buckets:delete", args=[connection, bucket]),
    }
    return render(request, "buckets/delete.html", context)


def _rows(request: PersonRequest, readings: Sequence[Reading]) -> list[Row]:
    rows = []
    for reading in readings:
        slug = reading.connection.slug
        can_admin = reading.connection.role_of(request.user) == Role.ADMIN
        for bucket in reading.buckets:
            arguments = [slug, bucket.name]
            delete_url = reverse("buckets:delete", args=arguments) if can_admin else ""
            rows.append(Row(bucket, reading.connection, reverse("objects:list", args=arguments), delete_url))
    return rows


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    keys = {
        "name": lambda row: (row.bucket.name,),
        "region": lambda row: (row.bucket.region, row.bucket.name),
        "created": lambda row: (row.bucket.created_at or LONG_AGO, row.bucket.name),
    }
    return sorted(rows, key=keys[sort.removeprefix("-")], reverse=sort.startswith("-"))


def _columns(wanted: str, chosen: str, sort: str) -> list[dict[str, str]]:
    """Return the sortable columns: their title, how they are sorted now, and the address that sorts them."""
    columns = []
    for name, title in (("name", _("Name")), ("region", _("Region")), ("created", _("Created"))):
        state = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        other = f"-{name}" if sort == name else name
        given = {"q": wanted, "connection": chosen, "sort": other}
        query = urlencode({key: value for key, value in given.items() if value})
        columns.append({"name": name, "title": title, "state": state, "url": f"?{query}"})
    return columns


def _refusal(error: Conflict | Refused) -> str:
    match error.code:
        case "BucketAlreadyOwnedByYou":
            return _("You have a bucket with this name already.")
        case "BucketAlreadyExists":
            return _("Somebody else has a bucket with this name. Choose another one.")
        case "TooManyBuckets":
            return _("This account has as many buckets as it may have (%(code)s).") % {"code": error.code}
        case _other:
            return f"{error} {error.request_id}".strip()
