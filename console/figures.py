"""Sizes, rates and durations in words, equal to what `static/js/figures.js` says in the browser."""

from __future__ import annotations

from math import ceil, floor

from django.utils.translation import gettext, ngettext

UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def size_text(size: int) -> str:
    """Return bytes in binary units with three digits that matter: `0 B`, `1.50 KiB`, `12.3 MiB`, `512 GiB`.

    It rounds down, so that a bar that is not full never claims the whole.
    """
    if size < 1024:
        return f"{size} B"
    unit = min((size.bit_length() - 1) // 10, len(UNITS))
    whole = 1024**unit
    digits = 2 if size < 10 * whole else 1 if size < 100 * whole else 0
    scaled = size * 10**digits // whole
    text = str(scaled).rjust(digits + 1, "0")
    number = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return f"{number} {UNITS[unit - 1]}"


def rate_text(rate: float) -> str:
    """Return bytes per second in words."""
    return f"{size_text(floor(rate))}/s"


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
