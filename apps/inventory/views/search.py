"""Search and sort over everything in a bucket, as far as its index goes."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from apps.connections.crumbs import bucket_crumbs, bucket_url
from apps.connections.guards import connection_required
from apps.connections.models import Role
from apps.inventory.forms import SearchForm
from apps.inventory.models import Walk
from apps.inventory.searching import (
    Page,
    Wanted,
    classes_of,
    cursor_of,
    index_matches,
    index_search,
    index_walk,
)
from apps.inventory.services import walk_latest
from apps.inventory.views.figures import STALE, walk_progress
from apps.storage.keys import key_name, key_parent, key_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.connections.guards import ConnectionRequest

# What a link to another page of the same search carries along.
GIVEN = ("q", "prefix", "endings", "class", "min_size", "max_size", "after", "before")
COLUMNS = ("name", "size", "changed", "class")


@require_GET
@connection_required(Role.READER)
def bucket_search(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """A page of the index. It shows what a walk has seen; each object's own page asks the store."""
    walk = index_walk(request.connection, bucket=bucket)
    given = request.GET.dict()
    # A browser rewrites line ends in what a form sends, so that the form sends the prefix percent-encoded.
    given["prefix"] = given.get("prefix") or unquote(given.get("in", ""))
    form = SearchForm(given, classes=classes_of(walk) if walk else ())
    context = _page_context(request, form, walk)
    is_fragment = request.htmx and not request.htmx.history_restore_request
    part = "#search-results" if is_fragment else ""
    status = HTTPStatus.OK
    if not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_fragment else HTTPStatus.OK
    elif walk is not None:
        wanted = form.to_wanted()
        if "count" in request.GET:
            return render(request, "inventory/_matches.html", {"matches": index_matches(walk, wanted)})
        page = index_search(walk, wanted, cursor=cursor_of(request.GET.get("at", "")))
        context |= _results(request, walk, wanted, page)
    return render(request, f"inventory/search.html{part}", context | {"is_part": bool(part)}, status=status)


def _page_context(request: ConnectionRequest, form: SearchForm, walk: Walk | None) -> dict[str, Any]:
    latest = walk_latest(request.connection, bucket=request.bucket)
    prefix = form.data.get("prefix", "")
    finished_at = walk.finished_at if walk else None
    return {
        "form": form,
        "walk": walk,
        "prefix": prefix,
        "prefix_query": key_query(prefix),
        "percent": walk.kept * 100 // walk.objects_count if walk and walk.objects_count else 100,
        "is_stale": finished_at is not None and finished_at < timezone.now() - STALE,
        "progress": walk_progress(request, latest),
        "search_url": bucket_url(request, "inventory:search"),
        "start_url": bucket_url(request, "inventory:start"),
        "everywhere_url": _address(request, prefix=""),
        "poll_url": _address(request),
        "crumbs": bucket_crumbs(request, prefix, end=_("Search")),
    }


def _address(request: ConnectionRequest, **changed: str | int) -> str:
    """Return the address of this search with some of it changed; pages begin anew."""
    given: dict[str, str | int] = {name: request.GET.get(name, "") for name in (*GIVEN, "sort")}
    given["prefix"] = given["prefix"] or unquote(request.GET.get("in", ""))
    return bucket_url(request, "inventory:search", **(given | changed))


def _results(request: ConnectionRequest, walk: Walk, wanted: Wanted, page: Page) -> dict[str, Any]:
    at = partial(_address, request)
    first = _first(request) if request.GET.get("at") else 1
    count = len(page.rows)
    detail, folder = (partial(bucket_url, request, f"objects:{name}") for name in ("detail", "list"))
    return {
        "rows": [_row(found, detail, folder) for found in page.rows],
        "columns": _columns(request, wanted),
        "summary": _summary(first, count, has_more=page.next is not None),
        "is_everything": not page.next and not page.previous,
        "count_url": at(count=1),
        "first_url": at() if page.previous else "",
        "next_url": at(at=str(page.next), first=first + count) if page.next else "",
        "previous_url": at(at=str(page.previous), first=max(1, first - 100)) if page.previous else "",
    }


def _row(found: Any, detail: Callable[..., str], folder: Callable[..., str]) -> dict[str, Any]:
    parent = key_parent(found.key)
    return {
        "found": found,
        "name": key_name(found.key),
        "parent": parent,
        # What a selection of rows will send: the key as batches take it.
        "query": key_query(found.key),
        "url": detail(key=found.key),
        "folder_url": folder(prefix=parent),
    }


def _first(request: ConnectionRequest) -> int:
    text = request.GET.get("first", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 16 else 1


def _summary(first: int, count: int, *, has_more: bool) -> str:
    numbers = {"first": f"{first:,}", "last": f"{first + count - 1:,}", "count": f"{count:,}"}
    if has_more:
        return _("%(first)s–%(last)s, more follow") % numbers
    if first > 1:
        return _("%(first)s–%(last)s, the end") % numbers
    return ngettext("%(count)s match", "%(count)s matches", count) % numbers


def _columns(request: ConnectionRequest, wanted: Wanted) -> list[dict[str, str]]:
    """Return the sortable columns: their title, how they are sorted now, and the address that sorts them."""
    titles = {"name": _("Key"), "size": _("Size"), "changed": _("Changed"), "class": _("Class")}
    columns = []
    for name in COLUMNS:
        state = {name: "ascending", f"-{name}": "descending"}.get(wanted.sort, "")
        # The largest and the newest are what somebody who sorts by size or time looks for first.
        is_down_first = name in ("size", "changed")
        other = f"-{name}" if (state == "ascending" or (not state and is_down_first)) else name
        columns.append(
            {"name": name, "title": titles[name], "state": state, "url": _address(request, sort=other)}
        )
    return columns
