"""Reading an object on conditions: a part of it, a version, only if it changed, with other headers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from enum import StrEnum
from typing import Any

from apps.objects.services import Download, download_headers
from apps.storage.errors import Conflict, Refused
from apps.storage.store import ObjectStore
from apps.storage.types import ObjectInfo, ObjectRef, ResponseHeaders


@dataclass(frozen=True)
class ReadOptions:
    """What Head Object and Get Object may be asked besides the key; `byte_range` is `bytes=first-last`."""

    version_id: str | None = None
    byte_range: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None
    response: ResponseHeaders = field(default_factory=ResponseHeaders)

    @property
    def conditions(self) -> dict[str, Any]:
        """Return what both operations take, as arguments of the store."""
        names = ("version_id", "if_match", "if_none_match", "if_modified_since", "if_unmodified_since")
        return {name: getattr(self, name) for name in names}


class Outcome(StrEnum):
    """What the store says to a read."""

    FOUND = "found"
    PARTIAL = "partial"
    NOT_MODIFIED = "not modified"
    CHANGED = "changed"
    BEYOND = "beyond"


@dataclass(frozen=True)
class Reading:
    """The store's answer to a read of which no byte was taken; `info` is None where it refused."""

    outcome: Outcome
    status: int
    info: ObjectInfo | None = None
    length: int = 0
    content_range: str = ""
    code: str = ""
    request_id: str = ""

    @property
    def headers(self) -> Mapping[str, str]:
        return self.info.headers if self.info else {}


def head_try(store: ObjectStore, *, ref: ObjectRef, options: ReadOptions) -> Reading:
    """Ask for the head of an object on conditions. Raises StorageError for all but a failed condition."""
    try:
        info = store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key, **options.conditions)
    except Conflict as error:
        return Reading(Outcome.CHANGED, error.status, code=error.code, request_id=error.request_id)
    if info.is_not_modified:
        return Reading(Outcome.NOT_MODIFIED, 304, info)
    return Reading(Outcome.FOUND, 200, info, length=info.size)


def get_try(store: ObjectStore, *, ref: ObjectRef, options: ReadOptions) -> Reading:
    """Open an object as `options` ask and close it again. Raises StorageError for all but what they cause."""
    try:
        body = store.get_object(
            bucket=ref.bucket,
            region=ref.region,
            key=ref.key,
            byte_range=options.byte_range,
            response=options.response,
            **options.conditions,
        )
    except Conflict as error:
        return Reading(Outcome.CHANGED, error.status, code=error.code, request_id=error.request_id)
    except Refused as error:
        if error.status != 416:
            raise
        return Reading(Outcome.BEYOND, error.status, code=error.code, request_id=error.request_id)
    with closing(body):
        if body.info.is_not_modified:
            return Reading(Outcome.NOT_MODIFIED, 304, body.info)
        outcome = Outcome.PARTIAL if body.status == 206 else Outcome.FOUND
        return Reading(outcome, body.status, body.info, body.content_length, body.content_range or "")


def read_open(store: ObjectStore, *, ref: ObjectRef, options: ReadOptions) -> Download | None:
    """Open an object as `options` ask, to be saved; None where that leaves nothing to send.

    Of the headers that were to be replaced only the file name and the language reach the browser: the
    console sends every object as bytes that nothing can run. The caller closes the body.
    """
    try:
        body = store.get_object(
            bucket=ref.bucket,
            region=ref.region,
            key=ref.key,
            byte_range=options.byte_range,
            response=options.response,
            **options.conditions,
        )
    except Conflict:
        return None
    except Refused as error:
        if error.status == 416:
            return None
        raise
    if body.info.is_not_modified:
        body.close()
        return None
    headers = download_headers(body, name=_name_in(options.response.content_disposition or ""))
    if options.response.content_language:
        headers["Content-Language"] = options.response.content_language
    # The browser asked for no range, and takes a 206 for a broken download: these bytes are all it gets.
    for name in ("Content-Range", "Accept-Ranges"):
        headers.pop(name, None)
    return Download(200, headers, body)


def _name_in(disposition: str) -> str:
    """Return the file name that a Content-Disposition gives, '' for none."""
    message = Message()
    message["Content-Disposition"] = disposition
    return message.get_filename("")
