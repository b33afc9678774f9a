"""What an entry may hold, and how the difference between before and after is read."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from hashlib import sha256
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# What a person or a job did, in words. A verb that is not listed is recorded all the same and shown as it is.
VERBS: dict[str, str | Promise] = {
    "bucket.create": _("created the bucket"),
    "bucket.delete": _("deleted the bucket"),
    "bucket.empty": _("emptied the bucket"),
    "bucket.acl": _("changed the access of the bucket"),
    "bucket.cors": _("changed the CORS rules"),
    "bucket.tags": _("changed the tags"),
    "bucket.upload-policy": _("chose which way uploads take"),
    "object.acl": _("changed the access of the object"),
    "object.headers": _("changed the headers of the object"),
    "object.upload": _("uploaded the object"),
    "object.copy": _("copied to the object"),
    "object.delete": _("deleted the object"),
    "object.create": _("created the object"),
    "upload.abort": _("aborted the unfinished upload"),
    "upload.adopt": _("continued the unfinished upload"),
    "upload.rule": _("changed when old unfinished uploads are aborted"),
    "upload.complete": _("completed the unfinished upload as it was"),
    "folder.create": _("created the folder"),
    "batch.confirm": _("confirmed a plan for many objects"),
    "batch.end": _("ended a job over many objects"),
    "share.create": _("made a link"),
    "share.revoke": _("withdrew a link"),
    "connection.create": _("created the connection"),
    "connection.update": _("changed the connection"),
    "connection.delete": _("deleted the connection"),
    "member.set": _("let a person in"),
    "member.remove": _("shut a person out"),
}

WITHHELD = "[withheld]"
# More than this of a document is kept as its size and digest: the log is no copy of the store.
DOCUMENT_MAX = 64 * 1024
_SECRET_NAME = re.compile(
    r"(?i)secret(?!.?id)|passw|token|signature|authorization|cookie|credential|private.?key"
)
_SECRET_TEXT = re.compile(
    r"(?i)q-sign|q-ak=|x-amz-(signature|security)|x-cos-security-token|[?&]sign(ature)?="
)


def verb_label(verb: str) -> str:
    """Return what the verb says to a person; a verb that nobody listed says itself."""
    return str(VERBS.get(verb, verb))


def document_pack(value: Any) -> str:
    """Return a value as ASCII JSON in one form only, with everything secret withheld; '' for None."""
    if value is None:
        return ""
    text = json.dumps(_safe(value), sort_keys=True, separators=(",", ":"), default=_plain)
    if len(text) <= DOCUMENT_MAX:
        return text
    digest = sha256(text.encode()).hexdigest()
    return json.dumps({"sha256": digest, "size": len(text)}, separators=(",", ":"))


def document_unpack(text: str) -> Any:
    return json.loads(text) if text else None


def text_safe(text: str) -> str:
    """Return `text`, or a sign in its place when it holds a signature or a presigned URL."""
    return WITHHELD if _SECRET_TEXT.search(text) else text


def _safe(value: Any) -> Any:
    match value:
        case Mapping():
            return {
                str(name): WITHHELD if _SECRET_NAME.search(str(name)) and one else _safe(one)
                for name, one in value.items()
            }
        case str():
            return text_safe(value)
        case Sequence() if not isinstance(value, bytes):
            return [_safe(one) for one in value]
        case set() | frozenset():
            return sorted(str(_safe(one)) for one in value)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return _safe({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
        case Enum():
            return _safe(value.value)
        case _:
            return value


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else text_safe(str(value))


@dataclasses.dataclass(frozen=True)
class Change:
    """One line of a difference. `name` is the way to the value; None stands for nothing on that side."""

    name: str
    before: str | None
    after: str | None


def difference(before: Any, after: Any) -> list[Change]:
    """Return what differs between two documents, line by line, in the order of their names.

    Entries of a list count by what they hold, not by where they stand: a grant that moved is no change.
    """
    old, new = list(_lines(before)), list(_lines(after))
    gone, come = _without(old, new), _without(new, old)
    lines = []
    for name, text in gone:
        pair = next((one for one in come if one[0] == name and name), None)
        if pair:
            come.remove(pair)
        lines.append(Change(name, text, pair[1] if pair else None))
    return sorted(lines + [Change(name, None, text) for name, text in come], key=lambda line: line.name)


def _without(lines: list[tuple[str, str]], others: list[tuple[str, str]]) -> list[tuple[str, str]]:
    left = list(others)
    kept = []
    for line in lines:
        if line in left:
            left.remove(line)
        else:
            kept.append(line)
    return kept


def _lines(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case None:
            return
        case dict():
            for inner, one in value.items():
                yield from _lines(one, f"{name}.{inner}" if name else inner)
        case list():
            for one in value:
                yield name, _text(one)
        case _:
            yield name, _text(value)


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case dict():
            return ", ".join(
                f"{name}: {_text(one)}" for name, one in value.items() if one not in (None, "", [])
            )
        case list():
            return ", ".join(map(_text, value))
        case _:
            return json.dumps(value)
