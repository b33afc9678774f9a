"""What stands around the rows of a list: headings, the bar of a selection, the menu of a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.template import loader
from django.urls import get_script_prefix
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.connections.guards import ConnectionRequest
from apps.connections.models import Connection
from apps.objects.columns import COLUMNS, Layout
from apps.objects.queries import ORDERS, ListQuery
from apps.objects.views.places import address_with, denied_words, page_url, url_if_any

LABELS: dict[str, str | Promise] = {
    "name": gettext_lazy("Name"),
    "size": gettext_lazy("Size"),
    "changed": gettext_lazy("Changed"),
    "class": gettext_lazy("Class"),
    "access": gettext_lazy("Access"),
    "type": gettext_lazy("Type"),
    "cache": "Cache-Control",
    "etag": "ETag",
    "owner": gettext_lazy("Owner"),
}


KEPT_MAX = 1000
_kept: dict[tuple[object, ...], SafeString] = {}


@dataclass(frozen=True)
class Heading:
    """One column's heading: where a click on it leads, and the order that it shows now."""

    name: str
    label: str
    url: str = ""
    aria_sort: str = ""


@dataclass(frozen=True)
class Action:
    """Something to do with what is selected, or with a row of one kind.

    `url` is an address that lacks only the key; with `post_to` the key is posted there instead.
    """

    name: str
    icon: str
    label: str
    is_allowed: bool = True
    kind: str = "key"
    url: str = ""
    post_to: str = ""
    shortcut: str = ""


def headings(request: ConnectionRequest, query: ListQuery, layout: Layout) -> list[Heading]:
    """Return the headings of a list. A click sorts, a second one the other way round."""
    return [_heading(request, query, name) for name in ("name", *layout.columns)]


def _heading(request: ConnectionRequest, query: ListQuery, name: str) -> Heading:
    label = str(LABELS[name])
    if name not in ORDERS:
        return Heading(name, label)
    current = query.sort or "name"
    other = f"-{name}" if current == name else name
    shown = {name: "ascending", f"-{name}": "descending"}.get(current, "none")
    given = {**request.GET.dict(), "sort": "" if other == "name" else other, "check": "", "open": ""}
    return Heading(name, label, address_with(request.path, given), shown)


def frame_context(request: ConnectionRequest, prefix: str, layout: Layout) -> dict[str, Any]:
    """Return the addresses that forms and scripts of a list need, and what can be done with its rows."""
    chosen = set(layout.columns)
    return {
        "list_url": page_url(request, "list"),
        "detail_base": page_url(request, "detail"),
        "preview_url": url_if_any(request, "objects:preview"),
        "checks_url": page_url(request, "checks") if layout.has_unread else "",
        "columns_url": page_url(request, "columns"),
        "folder_create_url": page_url(request, "folder-create", prefix=prefix),
        "upload_start_url": url_if_any(request, "transfers:upload-start"),
        "uploads_start_url": url_if_any(request, "transfers:uploads-start"),
        "upload_preflight_url": url_if_any(request, "transfers:preflight"),
        "upload_sheet_url": url_if_any(request, "transfers:upload-sheet"),
        "batch_url": url_if_any(request, "batches:create"),
        "zip_url": url_if_any(request, "objects:zip"),
        "column_choices": [(name, LABELS[name], name in chosen) for name in COLUMNS],
        "bulk_buttons": _drawn("objects/_bulk_buttons.html", request, _bulk_actions),
        "row_items": _drawn("objects/_row_items.html", request, _row_actions),
    }


def _drawn(
    template: str, request: ConnectionRequest, actions: Callable[[ConnectionRequest], list[Action]]
) -> SafeString:
    """Return actions as buttons or menu items, which are the same on every page of a bucket for a role."""
    role = (request.role, _may_copy(request))
    place = (request.connection.slug, request.bucket, role, get_script_prefix(), get_language())
    kept = _kept.get((template, *place))
    if kept is None:
        context = {"actions": actions(request), "denied": denied_words()}
        kept = mark_safe(loader.render_to_string(template, context))  # noqa: S308 - drawn by a template
        if len(_kept) >= KEPT_MAX:
            _kept.clear()
        _kept[template, *place] = kept
    return kept


def _may_copy(request: ConnectionRequest) -> bool:
    """Return whether there is a bucket that the person may copy to, here or in another connection."""
    return request.can_write or Connection.objects.writable_by(request.user).exists()


def _bulk_actions(request: ConnectionRequest) -> list[Action]:
    batch, can_write = url_if_any(request, "batches:create"), request.can_write
    actions = [
        Action("zip", "download", _("Download zip"), post_to=url_if_any(request, "objects:zip")),
        Action("copy", "copy", _("Copy to"), _may_copy(request), post_to=batch, shortcut="c"),
        Action("move", "arrows-move", _("Move to"), can_write, post_to=batch, shortcut="m"),
        Action("access", "lock", _("Access"), can_write, post_to=batch),
        Action("headers", "list", _("Headers"), can_write, post_to=batch),
        Action("delete", "trash", _("Delete"), can_write, post_to=batch, shortcut="Delete"),
    ]
    return [action for action in actions if action.post_to]


def _row_actions(request: ConnectionRequest) -> list[Action]:
    """Return the menu of an object, then that of a folder; what has no page in this console is left out."""
    actions = (*_key_actions(request), *_folder_actions(request))
    return [action for action in actions if action.url or action.post_to]


def _key_actions(request: ConnectionRequest) -> list[Action]:
    batch, can_write = url_if_any(request, "batches:create"), request.can_write

    def at(name: str) -> str:
        url = url_if_any(request, name)
        return f"{url}?key=" if url else ""

    return [
        Action("open", "file-text", _("Open"), url=at("objects:detail"), shortcut="Enter"),
        Action("preview", "eye", _("Preview"), url=at("objects:preview"), shortcut="p"),
        Action("download", "download", _("Download"), url=at("objects:download")),
        Action("link", "link", _("Share a link"), url=at("sharing:create")),
        Action("copy", "copy", _("Copy to"), can_write, url=at("objects:copy"), shortcut="c"),
        Action("move", "arrows-move", _("Move to"), can_write, post_to=batch, shortcut="m"),
        Action("rename", "pencil", _("Rename"), can_write, post_to=batch, shortcut="r"),
        Action("access", "lock", _("Access"), url=at("access:object")),
        Action("headers", "list", _("Headers"), can_write, url=at("objects:headers")),
        Action("delete", "trash", _("Delete"), can_write, url=at("objects:delete"), shortcut="Delete"),
    ]


def _folder_actions(request: ConnectionRequest) -> list[Action]:
    batch, can_write, kind = url_if_any(request, "batches:create"), request.can_write, "folder"
    opened = f"{page_url(request, 'list')}?prefix="
    packed = url_if_any(request, "objects:zip")
    return [
        Action("open", "folder-open", _("Open"), kind=kind, url=opened, shortcut="Enter"),
        Action("zip", "download", _("Download zip"), kind=kind, post_to=packed),
        Action("copy", "copy", _("Copy to"), _may_copy(request), kind, post_to=batch, shortcut="c"),
        Action("move", "arrows-move", _("Move to"), can_write, kind, post_to=batch, shortcut="m"),
        Action("rename", "pencil", _("Rename"), can_write, kind, post_to=batch, shortcut="r"),
        Action("delete", "trash", _("Delete"), can_write, kind, post_to=batch, shortcut="Delete"),
    ]
