"""The ways through the console that every page shows: the rail, and the tabs of a bucket."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Section:
    """One entry of the rail. `namespaces` are those of the pages below it, and single routes of others.

    Minor ones stand behind “More” on a phone, where only five have a place. `go` is the letter that leads
    there after a `g`.
    """

    label: str | Promise
    icon: str
    route: str
    namespaces: tuple[str, ...] = ()
    is_minor: bool = False
    go: str = ""


CONNECTION_ROUTES = (
    "connections",
    "transfers:all-unfinished",
    "transfers:all-unfinished-abort-all",
    "transfers:all-unfinished-rule",
)
SECTIONS = (
    Section(_("Home"), "home", "home"),
    Section(_("Buckets"), "bucket", "buckets:list", ("buckets", "objects", "inventory", "access"), go="b"),
    Section(_("Jobs"), "list-check", "jobs:list", ("jobs", "batches", "transfers"), go="j"),
    Section(_("Links"), "link", "sharing:list", ("sharing",), is_minor=True),
    Section(_("Who can open this?"), "lock-open", "access:explain", is_minor=True),
    Section(_("Activity"), "history", "activity:list", ("activity",), go="a"),
    Section(_("Connections"), "plug-connected", "connections:list", CONNECTION_ROUTES, is_minor=True),
)


def section_of(view_name: str, *, has_bucket: bool) -> str:
    """Return the route of the section that a page belongs to, '' for one of no section."""
    namespace = view_name.partition(":")[0] if ":" in view_name else ""
    for section in SECTIONS:
        if view_name in (section.route, *section.namespaces):
            return section.route
    if has_bucket:
        return "buckets:list"
    return next((section.route for section in SECTIONS if namespace in section.namespaces), "")


@dataclass(frozen=True)
class Tab:
    """One page of a bucket. `routes` are the names of the routes below it, of which the first is its own."""

    label: str | Promise
    icon: str
    routes: tuple[str, ...]


BUCKET_TABS = (
    Tab(
        _("Objects"),
        "folder",
        (
            "objects:list",
            "objects:detail",
            "objects:preview",
            "objects:headers",
            "objects:zip",
            "objects:read",
            "objects:copy",
            "objects:delete",
            "objects:folder-create",
            "sharing:create",
            "access:object",
        ),
    ),
    Tab(_("Overview"), "info-circle", ("buckets:overview", "inventory:figures")),
    Tab(_("Search"), "search", ("inventory:search", "inventory:folder-size")),
    Tab(_("Access"), "lock", ("access:bucket",)),
    Tab("CORS", "world", ("access:cors", "access:cors-restore", "access:lab")),
    Tab(_("Tags"), "tags", ("access:tags",)),
    Tab(_("Uploads"), "upload", ("transfers:upload-path",)),
    Tab(
        _("Unfinished"),
        "hourglass",
        (
            "transfers:unfinished",
            "transfers:unfinished-upload",
            "transfers:unfinished-complete",
            "transfers:unfinished-abort-some",
            "transfers:unfinished-rule",
            "transfers:unfinished-abort",
            "transfers:unfinished-abort-all",
        ),
    ),
    Tab(_("History"), "history", ("activity:bucket",)),
    Tab(_("Danger"), "alert-triangle", ("buckets:danger", "buckets:empty", "buckets:delete")),
)
