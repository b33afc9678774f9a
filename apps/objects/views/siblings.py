from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.objects.views.places import folder_url, key_of
from apps.storage.keys import key_name, key_parent

# A menu is for looking over; whoever needs more goes to the folder above.
SHOWN_MAX = 200
LIMIT = 1000


@require_GET
@connection_required(Role.READER)
def folder_siblings(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    """The folders beside one of the breadcrumb, itself included; without htmx the folder above."""
    prefix = key_of(request, "prefix")
    if not prefix.endswith("/"):
        raise Http404
    if not request.htmx:
        return redirect(folder_url(request, key_parent(prefix)))
    prefixes, has_more = _siblings(request, prefix)
    context = {
        "folders": [(key_name(one), folder_url(request, one), one == prefix) for one in prefixes],
        "has_more": has_more,
        "parent_url": folder_url(request, key_parent(prefix)),
    }
    return render(request, "objects/_siblings.html", context)


def _siblings(request: ConnectionRequest, prefix: str) -> tuple[list[str], bool]:
    """Return the first folders of the one above, and whether there are more of them.

    Where thousands of keys come before this folder, those from it on are shown: `a/b` is right before `a/b/`.
    """
    found, has_more = _page(request, prefix, marker="")
    if has_more and prefix not in found:
        found, _has_more = _page(request, prefix, marker=prefix[:-1])
    return found, has_more


def _page(request: ConnectionRequest, prefix: str, *, marker: str) -> tuple[list[str], bool]:
    listing = request.store.list_objects(
        bucket=request.bucket,
        region=request.region,
        prefix=key_parent(prefix),
        delimiter="/",
        marker=marker,
        limit=LIMIT,
    )
    has_more = listing.next_marker is not None or len(listing.prefixes) > SHOWN_MAX
    return list(listing.prefixes[:SHOWN_MAX]), has_more
