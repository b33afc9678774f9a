"""The files that somebody is about to send, as the upload sheet asks about them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.transfers.services.preflight import Wanted

FILES_MAX = 1000


@dataclass(frozen=True)
class Asked:
    """The folder that the files go into, which is not judged, and the files."""

    prefix: str
    files: tuple[Wanted, ...]


def files_asked(body: bytes) -> Asked:
    """Return what a request asks about: `{"prefix": …, "files": [{"key": …, "size": …}]}`, or a bare list.

    Raises ValidationError. Keys are taken as they are: what is wrong with them is the answer.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise ValidationError(_unreadable()) from None
    data = {"files": data} if isinstance(data, list) else data
    match data:
        case {"files": list(files)} if len(files) <= FILES_MAX:
            prefix = data.get("prefix", "")
            return Asked(prefix if isinstance(prefix, str) else "", tuple(map(_file, files)))
        case {"files": list()}:
            raise ValidationError(_("At most %(max)s files at once.") % {"max": FILES_MAX})
        case _other:
            raise ValidationError(_unreadable())


def _file(data: Any) -> Wanted:
    match data:
        case {"key": str(key), "size": int(size)} if size >= 0 and not isinstance(size, bool):
            return Wanted(key, size)
        case _other:
            raise ValidationError(_unreadable())


def _unreadable() -> str:
    return _("The list of files could not be read. Reload the page and try again.")
