"""Rates and durations in words, equal to what `static/js/figures.js` says in the browser."""

from __future__ import annotations

from math import ceil, floor

from django.utils.translation import gettext, ngettext

from apps.storage.sizes import size_text


def rate_text(rate: float) -> str:
    """Return bytes per second in words."""
    return f"{size_text(floor(rate))}/s"


def count_text(number: int) -> str:
    """Return a number of things with its thousands set off."""
    return f"{number:,}"


def objects_rate_text(rate: float) -> str:
    """Return objects per second in words; below ten with one digit, since a slow store is no standstill."""
    shown = count_text(floor(rate)) if rate >= 10 else f"{floor(rate * 10) / 10:g}"
    return gettext("%(count)s objects/s") % {"count": shown}


def objects_text(done: int, total: int, *, is_done: bool) -> str:
    """Return how many objects a job has dealt with; a total of 0 is not known yet."""
    if is_done:
        return ngettext("%(count)s object", "%(count)s objects", done) % {"count": count_text(done)}
    if not total:
        return gettext("%(count)s objects so far") % {"count": count_text(done)}
    return gettext("%(done)s of %(total)s objects") % {"done": count_text(done), "total": count_text(total)}


def files_text(done: int, total: int, *, is_done: bool) -> str:
    """Return how many files of a batch have ended."""
    if is_done:
        return ngettext("%(count)s file", "%(count)s files", done) % {"count": count_text(done)}
    return gettext("%(done)s of %(total)s files") % {"done": count_text(done), "total": count_text(total)}


def failed_text(number: int) -> str:
    return gettext("%(count)s failed") % {"count": count_text(number)}


def percent(done: int, total: int) -> int:
    """Return whole percents, 100 only when everything is done; an empty object counts as done."""
    return 100 if done >= total else done * 100 // total


def duration_text(seconds: int) -> str:
    """Return a time that is left, as roughly as it is known: never an exact second beyond the first ones."""
    if seconds < 60:
        rounded = max(5, ceil(seconds / 5) * 5)
        return ngettext("%(count)d second", "%(count)d seconds", rounded) % {"count": rounded}
    minutes = ceil(seconds / 60)
    if minutes < 60:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    return gettext("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}
