"""Headers and metadata of an object, changed in the one way that a store has: a copy onto itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from apps.storage.store import ObjectStore
from apps.storage.types import ObjectHeaders, ObjectInfo, ObjectRef

METADATA_PREFIX = "x-cos-meta-"
HEADER_NAMES = {
    "content_type": "Content-Type",
    "cache_control": "Cache-Control",
    "content_disposition": "Content-Disposition",
    "content_encoding": "Content-Encoding",
    "content_language": "Content-Language",
    "expires": "Expires",
    "storage_class": "x-cos-storage-class",
}


@dataclass(frozen=True)
class Seen:
    """An object as a person saw it: its bytes by their ETag, and all that may be changed about it."""

    etag: str
    headers: ObjectHeaders

    def pack(self) -> str:
        """Return this as text for a form, so that a later save knows what it was made from."""
        return json.dumps({"etag": self.etag, "headers": asdict(self.headers)}, separators=(",", ":"))


@dataclass(frozen=True)
class Change:
    """One header or one metadata name, before and after; '' is one that is not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Rewritten:
    """What the store holds after the copy, and whether the grants are the ones that were there before."""

    seen: Seen
    is_acl_kept: bool


class HeadersChanged(Exception):
    """The object is no longer as the person saw it; `seen` is what it is now."""

    def __init__(self, seen: Seen) -> None:
        super().__init__("The headers were changed meanwhile.")
        self.seen = seen


def seen_of(info: ObjectInfo) -> Seen:
    """Return what can be changed about an object."""
    given = {name.lower(): value for name, value in info.headers.items()}
    values = {name: given.get(header.lower()) for name, header in HEADER_NAMES.items()}
    values |= {"content_type": info.content_type or None, "storage_class": info.storage_class}
    return Seen(info.etag, ObjectHeaders(**values, metadata=dict(info.metadata)))


def seen_unpack(text: str) -> Seen | None:
    """Return what `pack` wrote, None for what it did not write."""
    try:
        data: Any = json.loads(text)
        headers = {name: _text(data["headers"][name]) for name in HEADER_NAMES}
        metadata = {str(name): str(value) for name, value in data["headers"]["metadata"].items()}
        return Seen(str(data["etag"]), ObjectHeaders(**headers, metadata=metadata))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def changes_between(before: ObjectHeaders, after: ObjectHeaders) -> list[Change]:
    """Return what differs, headers first."""
    old, new = dict(_flat(before)), dict(_flat(after))
    names = dict.fromkeys([*old, *new])
    return [
        Change(name, old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name, "") != new.get(name, "")
    ]


def headers_replace(store: ObjectStore, *, ref: ObjectRef, seen: Seen, wanted: ObjectHeaders) -> Rewritten:
    """This will give an object other headers, metadata and class, and keep its bytes, grants and tags.

    Raises HeadersChanged when the object is not as it was seen, before anything is written; a change of its
    bytes between that look and the copy raises Conflict. Raises StorageError, Denied among them where the
    key may not read the grants that are to be kept. Source: PUT Object - Copy, 2026-08.
    """
    now = seen_of(store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key))
    if now != seen:
        raise HeadersChanged(now)
    before = store.get_object_acl(bucket=ref.bucket, region=ref.region, key=ref.key)
    store.copy_object(
        source=ref,
        bucket=ref.bucket,
        region=ref.region,
        key=ref.key,
        source_etag=seen.etag,
        headers=wanted,
        is_acl_kept=True,
    )
    after = store.get_object_acl(bucket=ref.bucket, region=ref.region, key=ref.key)
    info = store.head_object(bucket=ref.bucket, region=ref.region, key=ref.key)
    return Rewritten(seen_of(info), is_acl_kept=before.digest == after.digest)


def headers_document(headers: ObjectHeaders) -> Mapping[str, str]:
    """Return headers for the log of what people did."""
    return dict(_flat(headers))


def _flat(headers: ObjectHeaders) -> Iterator[tuple[str, str]]:
    for field in fields(headers):
        value = getattr(headers, field.name)
        if field.name in HEADER_NAMES and value:
            yield HEADER_NAMES[field.name], value
    for name in sorted(headers.metadata):
        yield f"{METADATA_PREFIX}{name}", headers.metadata[name]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
