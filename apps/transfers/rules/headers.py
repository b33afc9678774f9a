"""Headers and metadata that somebody types for an object: what a store takes, and presets for the usual."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.storage.types import ObjectHeaders

HEADER_MAX = 1024
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;.*)?", re.ASCII)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f]")

PRESETS: dict[str, ObjectHeaders] = {
    # A file of a web site whose name changes with its content.
    "web": ObjectHeaders(cache_control="public, max-age=31536000, immutable", content_disposition="inline"),
    "download": ObjectHeaders(content_disposition="attachment"),
    "no-cache": ObjectHeaders(cache_control="no-cache"),
}


def is_header_value(value: str) -> None:
    """Check a header that somebody types."""
    if _UNPRINTABLE.search(value):
        raise ValidationError(_("Line breaks and other control characters are not possible in a header."))
    if not value.isascii():
        raise ValidationError(
            _("Only ASCII is safe in a header. Write other letters percent-encoded, such as %E4%B8%AD.")
        )
    if len(value) > HEADER_MAX:
        raise ValidationError(
            _("Too long: a header has at most %(max)s characters here."), params={"max": HEADER_MAX}
        )


def is_media_type(value: str) -> None:
    """Check a content type that somebody types."""
    if not _MEDIA_TYPE.fullmatch(value):
        raise ValidationError(_("This is no content type. It looks like text/plain or image/png."))


def is_date(value: str) -> None:
    """Check a date that somebody types for Expires."""
    if date_of(value) is None:
        raise ValidationError(_("This is no date that the console can read."))


def line_check(name: str, value: str) -> None:
    """Check a name and a value of the metadata."""
    if not name:
        raise ValidationError(_("This value needs a name."))
    if not _NAME.fullmatch(name):
        raise ValidationError(_("A name has small letters, digits, hyphens, dots and underscores only."))
    if not value:
        raise ValidationError(_("This name needs a value: a store keeps no empty ones."))
    is_header_value(value)


def metadata_of(text: str, *, bytes_max: int) -> dict[str, str]:
    """Return the metadata in a text with one `name: value` on each line; raises ValidationError.

    `bytes_max` is for all names and values together.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        name, _colon, value = line.partition(":")
        name = name.strip().lower().removeprefix("x-cos-meta-")
        line_check(name, value.strip())
        if name in found:
            raise ValidationError(_("%(name)s is there twice.") % {"name": name})
        found[name] = value.strip()
    size = sum(len(name) + len(value) for name, value in found.items())
    if size > bytes_max:
        words = _("Names and values of the metadata have %(size)s bytes; at most %(max)s are possible.")
        raise ValidationError(words % {"size": size, "max": bytes_max})
    return found


def date_of(text: str) -> str | None:
    """Return a date as HTTP writes it, None for what is none. A day alone begins at midnight UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return format_datetime(moment.astimezone(UTC), usegmt=True)
    except (ValueError, OverflowError):
        return None
