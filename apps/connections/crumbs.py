"""Where a page of a bucket is: its address, and the way to it from the list of buckets.

Keys and prefixes go into the query string and nowhere else: a path would be normalised on its way.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NotRequired, TypedDict

from django.urls import get_script_prefix, reverse
from django.utils.translation import gettext as _

from apps.connections.guards import ConnectionRequest
from apps.storage.keys import key_query, prefix_steps


class Crumb(TypedDict):
    """One step of the way; the last one is where the person is, and needs no address."""

    label: str
    url: str
    # Where the folders beside it are asked for, of a folder.
    menu_url: NotRequired[str]


def bucket_url(request: ConnectionRequest, name: str, **query: str | int) -> str:
    """Return the address of a page of this bucket by the name of its route; empty values are left out."""
    path = _path_of(name, request.connection.slug, request.bucket, get_script_prefix())
    given = "&".join(f"{key}={key_query(str(value))}" for key, value in query.items() if value != "")
    return f"{path}?{given}" if given else path


@lru_cache(maxsize=4096)
def _path_of(name: str, connection: str, bucket: str, _script_prefix: str) -> str:
    # A page of objects has some fifty addresses, and finding them took as long as a query of the database.
    return reverse(name, args=[connection, bucket])


def bucket_crumbs(request: ConnectionRequest, prefix: str = "", *, end: str = "") -> list[Crumb]:
    """Return buckets › connection › bucket › folder › folder, and `end` for a page that is not a folder."""
    buckets = reverse("buckets:list")
    crumbs: list[Crumb] = [
        {"label": _("Buckets"), "url": buckets},
        {"label": request.connection.name, "url": f"{buckets}?connection={request.connection.slug}"},
        {"label": request.bucket, "url": bucket_url(request, "objects:list")},
    ]
    for name, step in prefix_steps(prefix):
        crumbs.append(
            {
                "label": name,
                "url": bucket_url(request, "objects:list", prefix=step),
                "menu_url": bucket_url(request, "objects:siblings", prefix=step),
            }
        )
    if end:
        crumbs.append({"label": end, "url": ""})
    return crumbs
