"""What a page says about itself: which part of the folder it is, and what was done to that part only."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.objects.queries import ListQuery
from apps.storage.keys import visible


def summary_of(query: ListQuery, count: int, *, has_more: bool) -> str:
    """Return what the page covers. It claims a total only when it has seen the end from the beginning."""
    if has_more and not count:
        return _("Nothing on this page, more follow")
    numbers = {
        "first": query.first,
        "last": query.first + count - 1,
        "find": visible(query.find),
        "count": count,
    }
    if has_more:
        return _("%(first)s–%(last)s, more follow") % numbers
    if query.marker:
        return _("%(first)s–%(last)s, the end of this folder") % numbers
    if query.find:
        return (
            ngettext(
                "Showing %(count)s name starting with “%(find)s”",
                "Showing all %(count)s names starting with “%(find)s”",
                count,
            )
            % numbers
        )
    return _("Showing %(count)s, all of this folder") % numbers


def sort_note(query: ListQuery, *, is_whole: bool) -> str:
    """Return in which order the rows stand, and that other pages had no part in it."""
    order = {
        "": _("by name, in the store's order"),
        "name": _("by name, in the store's order"),
        "-name": _("by name, backwards"),
        "size": _("by size, the smallest first"),
        "-size": _("by size, the largest first"),
        "changed": _("by time of change, the oldest first"),
        "-changed": _("by time of change, the newest first"),
        "class": _("by storage class"),
        "-class": _("by storage class, backwards"),
    }[query.sort]
    if is_whole or query.sort in ("", "name"):
        return _("Sorted %(order)s.") % {"order": order}
    return _("Sorted %(order)s, within this page only.") % {"order": order}


def filter_note(query: ListQuery, *, shown: int, count: int, has_more: bool) -> str:
    """Return how many rows of the page the filter left, and that it looked at no other page."""
    if query.wanted.is_empty:
        return ""
    numbers = {"shown": shown, "count": count}
    if not has_more and not query.marker:
        return _("Filtered: %(shown)s of %(count)s.") % numbers
    if has_more:
        return _("Filtered: %(shown)s of the %(count)s on this page; pages not looked at follow.") % numbers
    return _("Filtered: %(shown)s of the %(count)s on this page; earlier pages were not looked at.") % numbers
