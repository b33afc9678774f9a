from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.access.rules.acl import AccessKind
from apps.buckets.forms.listing import BucketListForm
from apps.buckets.services.facts import facts_read
from apps.buckets.services.listing import Filters, Table, buckets_read, table_of
from apps.connections.guards import PersonRequest
from apps.connections.models import Connection, Role
from apps.connections.rules import explain
from apps.connections.services import Reading
from apps.storage.errors import StorageError


@require_GET
def bucket_list(request: HttpRequest) -> HttpResponse:
    """The buckets of every connection that the person may see: names are read now, the rest is remembered."""
    request = cast(PersonRequest, request)
    filters = BucketListForm(request.GET).to_filters()
    connections, readings = _readings(request, filters)
    table = table_of(readings, filters=filters, number=request.GET.get("page", ""))
    is_fragment = request.htmx and not request.htmx.history_restore_request
    context = _context(request, filters, connections, readings, table)
    context["will_read"] = bool(table.to_read(context["read_at"]))
    response = render(request, "buckets/list.html" + ("#bucket-list" if is_fragment else ""), context)
    if is_fragment:
        # The form sends its empty fields too, and the address is there to be passed on.
        response["HX-Push-Url"] = f"{reverse('buckets:list')}?{context['query']}".removesuffix("?")
    return response


@require_http_methods(["GET", "POST"])
def bucket_facts(request: HttpRequest) -> HttpResponse:
    """Read grants and tags of the buckets on this page of the list, and show the list with them.

    GET reads what is unknown or old, POST reads again what is shown. While a filter needs figures that are
    still missing, the answer asks for the next ones by itself.
    """
    request = cast(PersonRequest, request)
    filters = BucketListForm(request.GET).to_filters()
    connections, readings = _readings(request, filters)
    number, now = request.GET.get("page", ""), timezone.now()
    before = table_of(readings, filters=filters, number=number)
    wanted = before.to_read_again() if request.method == "POST" else before.to_read(now)
    count = facts_read(wanted, now=now)
    if not request.htmx:
        return redirect(f"{reverse('buckets:list')}?{request.GET.urlencode()}")
    table = table_of(readings, filters=filters, number=number)
    context = _context(request, filters, connections, readings, table)
    context["will_read"] = bool(count and table.unread)
    context["late"] = len(wanted) - count
    return render(request, "buckets/list.html#bucket-list", context)


def _readings(request: PersonRequest, filters: Filters) -> tuple[list[Connection], list[Reading]]:
    visible = Connection.objects.visible_to(request.user).select_related("owner").prefetch_related("members")
    connections = list(visible)
    asked = [one for one in connections if filters.connection in ("", one.slug)]
    return connections, buckets_read(asked, now=timezone.now())


def _context(
    request: PersonRequest,
    filters: Filters,
    connections: Sequence[Connection],
    readings: Sequence[Reading],
    table: Table,
) -> dict[str, Any]:
    administered = {one.pk for one in connections if one.role_of(request.user) == Role.ADMIN}
    return {
        "filters": filters,
        "table": table,
        "rows": table.page.object_list,
        "page": table.page,
        "query": _query(request),
        "failures": [_failure(reading, reading.error) for reading in readings if reading.error],
        "read_at": timezone.now(),
        "connections": connections,
        "administered": administered,
        "can_create": bool(administered),
        "accesses": _access_choices(),
        "kinds": AccessKind,
        "columns": _columns(request, filters.sort),
    }


def _failure(reading: Reading, error: StorageError) -> dict[str, Any]:
    """What the list says of a connection that did not list its buckets now."""
    seen = reading.connection.known_buckets.aggregate(last=Max("seen_at"))
    return {
        "connection": reading.connection,
        "problem": explain(error),
        "remembered": len(reading.buckets),
        "seen_at": seen["last"],
    }


def _query(request: PersonRequest) -> str:
    """Return the query string without empty fields."""
    query = request.GET.copy()
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return query.urlencode()


def _access_choices() -> list[tuple[str, str]]:
    return [
        ("private", _("Private")),
        ("public", _("Public")),
        ("signed-in", _("Any signed-in")),
        ("shared", _("Shared")),
        ("unknown", _("Unknown")),
    ]


def _columns(request: PersonRequest, sort: str) -> dict[str, dict[str, str]]:
    """Return the sortable columns: their title, how they are sorted now, and the address that sorts them."""
    titles = {
        "name": _("Name"),
        "connection": _("Connection"),
        "region": _("Region"),
        "created": _("Created"),
    }
    columns = {}
    for name, title in titles.items():
        query = request.GET.copy()
        query.pop("page", None)
        query["sort"] = f"-{name}" if sort == name else name
        state = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        columns[name] = {
            "title": title,
            "state": state,
            "url": f"{reverse('buckets:list')}?{query.urlencode()}",
        }
    return columns
