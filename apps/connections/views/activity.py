"""The pages of the log. They stand here because what a person sees of it follows from their connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.accounts.models import Person
from apps.activity.forms import EntryFilter
from apps.activity.models import Entry, EntryQuerySet
from apps.activity.rules import Change, difference
from apps.activity.services import activity_verify, entries_csv, entries_json, entries_page
from apps.connections.crumbs import bucket_crumbs
from apps.connections.guards import ConnectionRequest, PersonRequest, connection_required
from apps.connections.models import Connection, Role
from apps.storage.keys import key_query

PER_PAGE = 50


@dataclass(frozen=True)
class Row:
    """An entry with what changed and where its things are today; an address is '' for what is not theirs."""

    entry: Entry
    changes: list[Change]
    bucket_url: str
    key_url: str
    job_url: str


@require_safe
def activity_list(request: HttpRequest) -> HttpResponse:
    person = cast(PersonRequest, request).user
    form = _form(request)
    entries = _visible(request)
    page = _page(request, form.narrow(entries) if form.is_valid() else entries.none(), _slugs(request))
    query = _query(request)
    context = {
        "form": form,
        "is_filtered": bool(query),
        "csv_url": f"{reverse('activity:export-csv')}?{query.urlencode()}",
        "json_url": f"{reverse('activity:export-json')}?{query.urlencode()}",
        "can_verify": person.is_superuser,
    }
    is_fragment = request.headers.get("HX-Request")
    template = "activity/list.html#activity-list" if is_fragment else "activity/list.html"
    return render(request, template, page | context, status=422 if form.errors else 200)


@require_safe
def activity_csv(request: HttpRequest) -> StreamingHttpResponse:
    return _export(request, entries_csv, "csv", "text/csv; charset=utf-8")


@require_safe
def activity_json(request: HttpRequest) -> StreamingHttpResponse:
    return _export(request, entries_json, "json", "application/json")


@require_safe
def activity_check(request: HttpRequest) -> HttpResponse:
    """Walk the whole chain; only who sees every entry may know what is wrong with one."""
    if not cast(PersonRequest, request).user.is_superuser:
        raise PermissionDenied(_("Only administrators of the console may check the whole log."))
    found = activity_verify()
    is_fragment = request.headers.get("HX-Request")
    template = "activity/verify.html#chain" if is_fragment else "activity/verify.html"
    return render(request, template, {"found": found, "checked_at": timezone.now()})


@require_safe
@connection_required(Role.READER)
def bucket_history(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """What happened to one bucket, for everybody who may look into it."""
    entries = Entry.objects.filter(
        connection=connection, bucket=bucket, at__gte=request.connection.created_at
    )
    context = {"crumbs": bucket_crumbs(request, end=_("History"))}
    is_fragment = request.headers.get("HX-Request")
    template = "activity/bucket.html#activity-list" if is_fragment else "activity/bucket.html"
    return render(request, template, _page(request, entries, {connection}) | context)


def _form(request: HttpRequest) -> EntryFilter:
    connections = Connection.objects.visible_to(cast(PersonRequest, request).user)
    return EntryFilter(request.GET, connections=connections.values_list("slug", "name"))


def _visible(request: HttpRequest) -> EntryQuerySet:
    person = cast(PersonRequest, request).user
    administered = Connection.objects.administered_by(person).values_list("slug", "created_at")
    return Entry.objects.visible_to(person, administered=administered)


def _slugs(request: HttpRequest) -> set[str]:
    connections = Connection.objects.visible_to(cast(PersonRequest, request).user)
    return set(connections.values_list("slug", flat=True))


def _page(request: HttpRequest, entries: EntryQuerySet, slugs: set[str]) -> dict[str, Any]:
    page = entries_page(
        entries, older_than=_number(request, "older"), newer_than=_number(request, "newer"), size=PER_PAGE
    )
    query = _query(request)
    return {
        "rows": [_row(entry, slugs, cast(PersonRequest, request).user) for entry in page.entries],
        "older_url": _turned(query, "older", page.older),
        "newer_url": _turned(query, "newer", page.newer),
        "is_end": page.older is None,
    }


def _row(entry: Entry, slugs: set[str], person: Person) -> Row:
    is_theirs = person.is_superuser or entry.person_id == person.pk
    is_known = entry.connection in slugs and bool(entry.bucket)
    place = [entry.connection, entry.bucket]
    key_url = f"{reverse('objects:detail', args=place)}?key={key_query(entry.key)}" if is_known else ""
    return Row(
        entry=entry,
        changes=difference(entry.before_value, entry.after_value),
        bucket_url=reverse("objects:list", args=place) if is_known else "",
        key_url=key_url if entry.packed_key and not entry.key.endswith("/") else "",
        job_url=reverse("jobs:detail", args=[entry.job_id]) if entry.job_id and is_theirs else "",
    )


def _query(request: HttpRequest) -> QueryDict:
    """Return the filters of the page without where in the list it is."""
    query = request.GET.copy()
    for name in list(query):
        if name in {"older", "newer"} or not query[name]:
            del query[name]
    return query


def _turned(query: QueryDict, name: str, sequence: int | None) -> str:
    if sequence is None:
        return ""
    turned = query.copy()
    turned[name] = str(sequence)
    return f"?{turned.urlencode()}"


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _export(
    request: HttpRequest, lines: Callable[[EntryQuerySet], Iterator[str]], ending: str, content_type: str
) -> StreamingHttpResponse:
    form = _form(request)
    entries = form.narrow(_visible(request)) if form.is_valid() else Entry.objects.none()
    name = f"activity-{timezone.now():%Y%m%d-%H%M%S}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines(entries), content_type=content_type, headers=headers)
