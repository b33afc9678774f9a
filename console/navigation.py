"""The ways through the console that every page shows: the tabs of a bucket."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


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
    Tab(_("Unfinished"), "hourglass", ("buckets:unfinished", "buckets:unfinished-abort")),
    Tab(_("Danger"), "alert-triangle", ("buckets:danger", "buckets:empty", "buckets:delete")),
)
