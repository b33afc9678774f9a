"""What a bucket may be called, in sentences that say what to change.

Source: COS "Bucket overview" and PUT Bucket, 2025-12.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

HOST_MAX = 60

_FORBIDDEN = re.compile(r"[^a-z0-9-]")


def full_name(name: str, appid: str) -> str:
    """Return the name with its APPID, which a person may have typed already."""
    return name if name.endswith(f"-{appid}") else f"{name}-{appid}"


def name_room(*, appid: str, region: str, suffix: str) -> int:
    """Return how many characters a name may have, for which the whole host name has its limit."""
    # A port is part of an address, not of the name.
    return HOST_MAX - len(f"-{appid}.cos.{region}.{suffix.partition(':')[0]}")


def name_problem(name: str, *, appid: str, region: str, suffix: str) -> str | None:
    """Return what is wrong with a bucket's name, typed with or without its APPID; None for a good one."""
    name = full_name(name, appid).removesuffix(f"-{appid}")
    if not name:
        return _("Enter a name.")
    if name != name.lower():
        return _("Capital letters are not possible: use lower-case letters, digits and hyphens.")
    if wrong := _FORBIDDEN.search(name):
        return _("“%(character)s” is not possible: use lower-case letters, digits and hyphens.") % {
            "character": wrong[0]
        }
    if name[0] == "-" or name[-1] == "-":
        return _("A name must begin and end with a letter or a digit.")
    room = name_room(appid=appid, region=region, suffix=suffix)
    if len(name) > room:
        return _(
            "Too long: with the APPID and the region %(region)s there is room for %(room)s characters, "
            "and this has %(length)s."
        ) % {"region": region, "room": max(room, 0), "length": len(name)}
    return None
